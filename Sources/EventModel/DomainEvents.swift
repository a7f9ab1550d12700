/// A socket or connection as one event saw it.
public struct NetworkEvent: Hashable, Sendable {
    /// Names the connection for as long as it lives.
    public var connectionID: String
    /// The local end.
    public var source: SocketAddress
    /// The remote end.
    public var destination: SocketAddress
    /// The transport protocol.
    public var protocolName: TransportProtocol
    /// The state after what the event reports.
    public var state: ConnectionState
    /// The process that owns the socket; `nil` when not known.
    public var pid: ProcessID?
    /// Bytes sent so far.
    public var sentByteCount: UInt64
    /// Bytes received so far.
    public var receivedByteCount: UInt64

    /// Makes an event from its parts.
    public init(
        connectionID: String, source: SocketAddress, destination: SocketAddress,
        protocolName: TransportProtocol, state: ConnectionState, pid: ProcessID?,
        sentByteCount: UInt64, receivedByteCount: UInt64
    ) {
        self.connectionID = connectionID
        self.source = source
        self.destination = destination
        self.protocolName = protocolName
        self.state = state
        self.pid = pid
        self.sentByteCount = sentByteCount
        self.receivedByteCount = receivedByteCount
    }
}

/// An IP address in text form (RFC 5952) and a port.
public struct SocketAddress: Hashable, Sendable {
    /// The address.
    public var address: String
    /// The port.
    public var port: UInt16

    /// Makes an address from its parts.
    public init(address: String, port: UInt16) {
        self.address = address
        self.port = port
    }
}

/// A transport protocol, by its name in lower case.
public enum TransportProtocol: String, Hashable, Sendable, CaseIterable {
    /// TCP, UDP, and sockets of the host itself.
    case tcp, udp, unix
}

/// TCP states as `ss(8)` names them.
public enum ConnectionState: String, Hashable, Sendable, CaseIterable {
    /// Data can flow both ways.
    case established = "ESTAB"
    /// A request to connect has been sent.
    case synSent = "SYN-SENT"
    /// A request to connect has been received and answered.
    case synReceived = "SYN-RECV"
    /// The local end has closed.
    case finWait1 = "FIN-WAIT-1"
    /// The local end has closed, and the remote end has seen it.
    case finWait2 = "FIN-WAIT-2"
    /// Closed; waits for segments that are still under way.
    case timeWait = "TIME-WAIT"
    /// Not connected.
    case closed = "UNCONN"
    /// The remote end has closed.
    case closeWait = "CLOSE-WAIT"
    /// Both ends have closed; the last acknowledgement is awaited.
    case lastAck = "LAST-ACK"
    /// Connections are accepted.
    case listening = "LISTEN"
    /// Both ends have closed at the same time.
    case closing = "CLOSING"
}

/// One measurement.
public struct PerformanceEvent: Hashable, Sendable {
    /// OpenTelemetry name, such as `process.cpu.time`.
    public var metricName: String
    /// The value, in ``unit``.
    public var value: Double
    /// UCUM unit, such as `By`, `s` or `1`.
    public var unit: String
    /// The process measured; `nil` for the host.
    public var pid: ProcessID?
    /// The part of the host or of the collector that was measured.
    public var component: String

    /// Makes a measurement from its parts.
    public init(metricName: String, value: Double, unit: String, pid: ProcessID?, component: String) {
        self.metricName = metricName
        self.value = value
        self.unit = unit
        self.pid = pid
        self.component = component
    }
}
