package import Backends
package import EventModel

package import struct SystemPackage.Errno

// What other processes of a simulated host do with sockets. None of it takes time or can be struck by a fault.

extension SimulatedKernel {
    /// What a socket tells of a process that connects now; of one that does not exist, only the pid.
    package func credentials(of pid: ProcessID) -> PeerCredentials {
        let process = world.process(pid)
        return PeerCredentials(
            pid: pid, uid: process?.effectiveUID ?? UserID(0), gid: process?.effectiveGID ?? GroupID(0),
            groups: [])
    }

    /// Connects to a listener.
    ///
    /// - Throws: `ENOENT`, `EACCES`, `ECONNREFUSED`, `EAGAIN`.
    package func connectPeer(
        to path: String, as credentials: PeerCredentials
    ) throws(Errno) -> SimulatedPeer {
        SimulatedPeer(
            try world.sockets.connect(
                to: path, as: credentials, sendBuffer: world.configuration.socketSendBuffer))
    }

    /// Connects a process of the simulated kernel to a listener; its end is closed when the process ends.
    ///
    /// - Throws: `ESRCH` when there is no such process, `ENOENT`, `EACCES`, `ECONNREFUSED`, `EAGAIN`.
    package func connect(_ pid: ProcessID, to path: String) throws(Errno) -> SimulatedPeer {
        guard world.isAlive(pid) else { throw .noSuchProcess }
        let end = try world.sockets.connect(
            to: path, as: credentials(of: pid), sendBuffer: world.configuration.socketSendBuffer)
        world.sockets.bind(end, to: pid)
        return SimulatedPeer(end)
    }

    /// The sockets that the collector has open.
    package var socketCount: Int { world.sockets.descriptorCount }

    /// Puts something else at a path than the collector's socket, or instead of it.
    package func placeSocketName(
        _ path: String, _ occupant: SocketNameOccupant,
        permissions: SocketPermissions = SocketPermissions(mode: 0o777)
    ) {
        switch occupant {
        case .file: world.sockets.place(path, permissions, isSocket: false, listener: nil)
        case .remains: world.sockets.place(path, permissions, isSocket: true, listener: nil)
        case .listener(let credentials, let backlog):
            let listener = ListeningSocket(
                path: path, credentials: credentials, backlog: backlog, isOwn: false)
            world.sockets.place(path, permissions, isSocket: true, listener: listener)
        }
    }

    /// Removes a name; who listens at it is not told.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    package func removeSocketName(_ path: String) -> Bool { counted(world.sockets.remove(path)) }

    /// Whether there is something at a path.
    package func hasSocketName(_ path: String) -> Bool { world.sockets.name(path) != nil }
}

/// What may stand where a socket is expected.
package enum SocketNameOccupant: Hashable, Sendable {
    /// Something that is no socket.
    case file
    /// A socket whose process has ended.
    case remains
    /// A socket of another process, which never accepts.
    case listener(PeerCredentials, backlog: Int)
}

/// The end of a connection that another process of the simulated host holds, which may treat it as it likes.
package final class SimulatedPeer: Sendable {
    private let confined: ThreadConfined<StreamEnd>

    init(_ end: StreamEnd) { confined = ThreadConfined(end) }

    deinit { close() }

    /// Who listens.
    package var peer: PeerCredentials { confined.value.peerCredentials }

    /// `recv(2)`; empty at the end.
    ///
    /// - Throws: `EAGAIN`, `ECONNRESET`, `ENOTCONN` after ``close()``.
    package func receive(_ count: Int = 65_536) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try confined.value.receive(count, into: &bytes)
        return bytes
    }

    /// `send(2)`; the result is how many bytes had room.
    ///
    /// - Throws: `EAGAIN`, `EPIPE`, `ENOTCONN` after ``close()``.
    package func send(_ bytes: [UInt8]) throws(Errno) -> Int { try confined.value.send(bytes[...]) }

    /// `sendmsg(2)` with a descriptor along (`SCM_RIGHTS`), which the collector does not take.
    ///
    /// - Throws: As ``send(_:)``.
    package func sendDescriptor(with bytes: [UInt8]) throws(Errno) -> Int {
        try confined.value.send(bytes[...], withDescriptor: true)
    }

    /// Sends no more, and goes on receiving (`shutdown(2)`, `SHUT_WR`).
    package func shutDownSending() { confined.value.shutDownSending() }

    /// Ends both directions, as the end of its process does.
    package func close() { confined.value.close() }
}
