import Backends
import DequeModule
import EventModel

import struct SystemPackage.Errno

/// A socket that listens, with its queue.
final class ListeningSocket {
    let path: String
    /// Who called `listen(2)`: what its clients see of it.
    let credentials: PeerCredentials
    let backlog: Int
    /// Whether the collector holds its descriptor.
    let isOwn: Bool
    let waits = WaitPoint()
    fileprivate(set) var isOpen = true
    /// The ends that nobody has accepted yet.
    private(set) var queue: Deque<StreamEnd> = []

    init(path: String, credentials: PeerCredentials, backlog: Int, isOwn: Bool) {
        self.path = path
        self.credentials = credentials
        self.backlog = backlog
        self.isOwn = isOwn
    }

    /// `unix_recvq_full`: one more than the backlog may wait.
    var isFull: Bool { queue.count > backlog }

    func append(_ end: StreamEnd) {
        queue.append(end)
        waits.wake(.readable)
    }

    func takeFirst() -> StreamEnd? { queue.popFirst() }

    fileprivate func close() {
        isOpen = false
        for end in queue { end.close(isUnaccepted: true) }
        queue = []
        waits.wake(.readable)
    }

    var condition: WaitCondition { !isOpen || !queue.isEmpty ? .ready : .pending }
}

/// What a name in the file system leads to.
struct SocketName {
    /// Tells one holder of a name from the next.
    let inode: UInt64
    var permissions: SocketPermissions
    /// `nil` for what is no socket.
    var isSocket: Bool
    /// `nil` when the socket's last process has closed it.
    var listener: ListeningSocket?
}

/// The sockets of a simulated host, by the paths of their names.
///
/// The names stand beside the simulated file system, not in it: no watch tells of them, and their folders exist.
final class SocketTable {
    private var names: [String: SocketName] = [:]
    private var nextInode: UInt64 = 1
    private var ownListeners: [ListeningSocket] = []
    private var ownEnds: [StreamEnd] = []
    /// Ends that go with a process of the simulated kernel.
    private var endsOfProcesses: [(pid: ProcessID, end: StreamEnd)] = []

    /// Descriptors of the collector.
    var descriptorCount: Int { ownListeners.count + ownEnds.count }

    // MARK: Names

    func name(_ path: String) -> SocketName? { names[path] }

    /// Gives a path to something else than before; `nil` removes the name.
    func place(_ path: String, _ permissions: SocketPermissions, isSocket: Bool, listener: ListeningSocket?) {
        names[path] = SocketName(
            inode: nextInode, permissions: permissions, isSocket: isSocket, listener: listener)
        nextInode += 1
    }

    func remove(_ path: String) -> Bool { names.removeValue(forKey: path) != nil }

    // MARK: Listening

    /// Makes a socket as the collector does, which holds a lock for each path at which it listens.
    ///
    /// - Throws: `EINVAL`, `ENAMETOOLONG`, `EADDRINUSE` when somebody listens there, `ENOTSOCK` when the name is taken by
    ///   something that is no socket.
    func listen(
        at path: String, _ permissions: SocketPermissions, credentials: PeerCredentials, backlog: Int
    ) throws(Errno) -> ListeningSocket {
        try Self.check(path)
        guard !ownListeners.contains(where: { $0.path == path }) else { throw .addressInUse }
        if let name = names[path] {
            guard name.isSocket else { throw .notSocket }
            if let listener = name.listener, listener.isOpen { throw .addressInUse }
        }
        let listener = ListeningSocket(path: path, credentials: credentials, backlog: backlog, isOwn: true)
        place(path, permissions, isSocket: true, listener: listener)
        ownListeners.append(listener)
        return listener
    }

    /// What `connect(2)` and `bind(2)` say of a path that no socket can have.
    static func check(_ path: String) throws(Errno) {
        guard path.first == "/", !path.utf8.contains(0) else { throw .invalidArgument }
        guard path.utf8.count <= Limits.socketPathByteCount else { throw .fileNameTooLong }
    }

    /// Stops listening; the name goes only if it still is this socket's.
    func close(_ listener: ListeningSocket) {
        if names[listener.path]?.listener === listener { names[listener.path] = nil }
        end(listener)
    }

    /// Stops listening as the end of a process does: the name stays.
    func end(_ listener: ListeningSocket) {
        guard listener.isOpen else { return }
        listener.close()
        ownListeners.removeAll { $0 === listener }
    }

    // MARK: Connections

    /// `unix_stream_connect`.
    func connect(
        to path: String, as client: PeerCredentials, sendBuffer: Int
    ) throws(Errno) -> StreamEnd {
        guard let name = names[path] else { throw .noSuchFileOrDirectory }
        guard name.permissions.allowWriting(client) else { throw .permissionDenied }
        guard name.isSocket, let listener = name.listener, listener.isOpen else { throw .connectionRefused }
        guard !listener.isFull else { throw .resourceTemporarilyUnavailable }
        let ends = StreamEnd.pair(
            client: client, server: listener.credentials, isServerOwn: listener.isOwn, sendBuffer: sendBuffer)
        listener.append(ends.server)
        return ends.client
    }

    /// The collector has taken an end out of a queue.
    func adopt(_ end: StreamEnd) { ownEnds.append(end) }

    /// Closes an end with the process that holds it.
    func bind(_ end: StreamEnd, to pid: ProcessID) {
        endsOfProcesses.removeAll { !$0.end.isOpen }
        endsOfProcesses.append((pid, end))
    }

    func closeEnds(of pid: ProcessID) {
        guard !endsOfProcesses.isEmpty else { return }
        for entry in endsOfProcesses where entry.pid == pid { entry.end.close() }
        endsOfProcesses.removeAll { $0.pid == pid }
    }

    func close(_ end: StreamEnd) {
        end.close()
        if end.isOwn { ownEnds.removeAll { $0 === end } }
    }

    /// The collector has ended: its names stay.
    func closeAllOfCollector() {
        for listener in ownListeners { end(listener) }
        for end in ownEnds { close(end) }
    }
}
