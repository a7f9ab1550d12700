package import Backends
package import EventModel

package import struct SystemPackage.Errno

/// Whose call it is, for fault rules about connections.
enum TransportSide: String, CaseIterable {
    /// Who listens and accepted.
    case server
    /// Who connected.
    case client
}

/// One end of a connection of the simulated host.
///
/// How many bytes fit until the peer reads is exact for Linux 6.18: each send takes more of the buffer than its bytes
/// (``StreamEnd``).
package final class SimulatedTransportConnection: TransportConnection {
    package let peer: PeerCredentials
    private let kernel: SimulatedKernel
    private let side: TransportSide
    private let confined: ThreadConfined<StreamEnd>
    private let waits: ThreadConfined<WaitPoint>

    init(_ end: StreamEnd, _ side: TransportSide, kernel: SimulatedKernel) {
        self.kernel = kernel
        self.side = side
        peer = end.peerCredentials
        confined = ThreadConfined(end)
        waits = ThreadConfined(end.waits)
    }

    deinit { close() }

    package func receive(count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int {
        precondition(count > 0, "to ask for nothing would look like the end")
        let end = confined.value
        return try kernel.world.call(.transportReceive, file: side.rawValue) { (effects) throws(Errno) in
            if effects.isPeerGone { end.endPeer() }
            let start = bytes.count
            let received = try end.receive(min(count, effects.limit ?? count), into: &bytes)
            var digest = Digest()
            digest.fold(bytes.span.extracting(start..<bytes.count))
            return (received, digest.value)
        }
    }

    package func send(_ bytes: [UInt8], from offset: Int) throws(Errno) -> Int {
        precondition(offset < bytes.count, "to send nothing would look like an end")
        let end = confined.value
        return try kernel.world.call(.transportSend, file: side.rawValue) { (effects) throws(Errno) in
            if effects.isPeerGone { end.endPeer() }
            let sent = try end.send(bytes[offset...].prefix(effects.limit ?? .max))
            var digest = Digest()
            digest.fold(bytes[offset..<(offset + sent)])
            return (sent, digest.value)
        }
    }

    package func ready(for interest: TransportInterest, until deadline: Instant?) async -> Readiness {
        await kernel.wait(
            at: waits, .transportWait, file: side.rawValue, for: "a connection of the \(side.rawValue)",
            until: deadline
        ) { confined.value.condition(for: interest) }
    }

    package func interrupt() { waits.value.interrupt() }

    package func close() { kernel.world.sockets.close(confined.value) }
}
