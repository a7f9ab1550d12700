/// A socket or connection as one event saw it.
public struct NetworkEvent: Hashable, Sendable {
    public var connectionID: String
    public var source: SocketAddress
    public var destination: SocketAddress
    public var protocolName: TransportProtocol
    public var state: ConnectionState
    public var pid: ProcessID?
    public var sentByteCount: UInt64
    public var receivedByteCount: UInt64

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
    public var address: String
    public var port: UInt16

    public init(address: String, port: UInt16) {
        self.address = address
        self.port = port
    }
}

public enum TransportProtocol: String, Hashable, Sendable, CaseIterable {
    case tcp, udp, unix
}

/// TCP states as `ss(8)` names them.
public enum ConnectionState: String, Hashable, Sendable, CaseIterable {
    case established = "ESTAB"
    case synSent = "SYN-SENT"
    case synReceived = "SYN-RECV"
    case finWait1 = "FIN-WAIT-1"
    case finWait2 = "FIN-WAIT-2"
    case timeWait = "TIME-WAIT"
    case closed = "UNCONN"
    case closeWait = "CLOSE-WAIT"
    case lastAck = "LAST-ACK"
    case listening = "LISTEN"
    case closing = "CLOSING"
}

/// A change to a file.
public struct FilesystemEvent: Hashable, Sendable {
    public var path: String
    /// The path before a rename.
    public var previousPath: String?
    public var operation: FileOperation
    public var pid: ProcessID?
    /// Size in bytes.
    public var size: UInt64?
    /// Permission bits, 0 ... 0o7777.
    public var permissions: UInt16?
    public var uid: UserID?
    public var fileHash: String?
    public var hashAlgorithm: HashAlgorithm?

    public init(path: String, operation: FileOperation) {
        self.path = path
        self.operation = operation
    }
}

public enum FileOperation: String, Hashable, Sendable, CaseIterable {
    case baseline, created, modified, attributes, renamed, deleted
}

/// One measurement.
public struct PerformanceEvent: Hashable, Sendable {
    /// OpenTelemetry name, such as `process.cpu.time`.
    public var metricName: String
    public var value: Double
    /// UCUM unit, such as `By`, `s` or `1`.
    public var unit: String
    public var pid: ProcessID?
    public var component: String

    public init(metricName: String, value: Double, unit: String, pid: ProcessID?, component: String) {
        self.metricName = metricName
        self.value = value
        self.unit = unit
        self.pid = pid
        self.component = component
    }
}
