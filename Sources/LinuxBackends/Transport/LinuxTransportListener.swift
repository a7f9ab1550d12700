package import Backends
package import EventModel
import Synchronization

package import struct SystemPackage.Errno

/// A Unix stream socket of this host that waits for clients.
///
/// It is opened while the process has the rights for it; accepting takes none. After ``close()`` further calls throw
/// `ENOTCONN`.
package final class LinuxTransportListener: TransportListener {
    private let socket: SharedSocket
    private let name: Mutex<ListeningName?>
    private let thread: LinuxThread

    /// Makes the socket and listens; waits for it and its connections run on `thread`.
    ///
    /// - Parameters:
    ///   - path: Absolute, at most ``Limits/socketPathByteCount`` bytes. A folder that is missing is made with mode 0750,
    ///     `owner` and `group`.
    ///   - mode: Who may connect needs the right to write. The umask does not apply.
    ///   - owner: `nil` for the process's own.
    ///   - group: `nil` for the process's own, or the folder's if that passes its group on.
    ///   - backlog: How many clients may wait; at most `net.core.somaxconn`.
    /// - Throws: When the folder cannot be used, when others could replace the socket, when another process listens
    ///   there, when the name is taken by something that is no socket.
    package init(
        path: String, mode: UInt32, owner: UserID? = nil, group: GroupID? = nil, backlog: Int = 128,
        on thread: LinuxThread
    ) throws(TransportListenerError) {
        let path = try SocketPath(path)
        let permissions = ListeningName.Permissions(mode: mode & 0o777, owner: owner, group: group)
        let descriptor = try path.attempt("socket") { () throws(Errno) in try Syscall.openStream() }
        var name = try ListeningName(path, permissions: permissions)
        try name.bind(descriptor.rawValue, permissions)
        let number = descriptor.rawValue
        try path.attempt("listen") { () throws(Errno) in
            try Syscall.listen(number, backlog: Int32(clamping: max(backlog, 0)))
        }
        do throws(Errno) {
            socket = try SharedSocket(descriptor, on: thread)
        } catch {
            throw TransportListenerError(.call("epoll_ctl", error), path: path.text)
        }
        self.name = Mutex(name)
        self.thread = thread
    }

    deinit { close() }

    /// Takes the first client of the queue, without waiting.
    ///
    /// - Throws: As ``TransportListener/accept()``. A client that is taken and cannot be waited for, because the kernel's
    ///   memory or the number of watches (`fs.epoll.max_user_watches`, `ENOSPC`) does not suffice, is closed.
    package func accept() throws(Errno) -> any TransportConnection {
        let descriptor = try socket.use { (descriptor) throws(Errno) in try Syscall.accept(descriptor) }
        return try LinuxTransportConnection(OwnedDescriptor(adopting: descriptor), on: thread)
    }

    package func acceptable(until deadline: Instant?) async -> Readiness {
        await socket.ready(for: .readable, until: deadline)
    }

    package func interrupt() { socket.interrupt() }

    package func close() {
        guard var name = name.withLock({ $0.take() }) else { return }
        // First the name, so that nobody finds a socket that refuses; last the lock, which goes with its value.
        name.remove()
        socket.close()
    }
}
