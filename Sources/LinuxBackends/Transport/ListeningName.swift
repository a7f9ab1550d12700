import EventModel

import struct SystemPackage.Errno

/// The name of a socket at which this process alone may listen, for as long as this value lives.
///
/// - Two processes that start at once: who listens holds a lock (`flock(2)`) on a file beside the name, from before it
///   looks at the name until it has removed it. The kernel releases the lock when the process ends, however it ends.
/// - A live socket is told from one left behind by connecting, which only the latter refuses. This also finds
///   listeners that know nothing of the lock.
/// - Nobody can connect before owner and mode are right, because nobody can before `listen(2)`. The name is the final
///   one from the start: after a rename, `ss -xl` would show the temporary one for ever.
/// - All files are reached through the folder that was opened first, and changed through what was opened, so that
///   a link that appears meanwhile is never followed.
struct ListeningName: ~Copyable, Sendable {
    /// Who may connect: whoever may write to the name.
    struct Permissions: Sendable {
        var mode: UInt32
        var owner: UserID?
        var group: GroupID?
    }

    /// The mode of a folder that is made.
    private static let folderMode: UInt32 = 0o750
    /// How often a lock is tried for whose file was removed by its last holder in between.
    private static let lockTryCount = 8

    private let path: SocketPath
    private let folder: OwnedDescriptor
    private let lock: OwnedDescriptor
    /// The socket's file, once it is made.
    private var file: StatResult?

    /// Opens the folder, or makes it, and takes the lock.
    ///
    /// - Parameter permissions: Owner and group also of a folder that is made.
    init(_ path: SocketPath, permissions: Permissions) throws(TransportListenerError) {
        let folder = try Self.openFolder(path, permissions)
        let lock = try Self.takeLock(path, in: folder)
        self.path = path
        self.folder = folder
        self.lock = lock
    }

    deinit {
        Self.remove(path.name, ifItIs: file, in: folder)
        // Whoever opened this file meanwhile gets the lock, sees that it has no name any more, and tries again.
        Self.remove(path.lockName, ifItIs: try? Syscall.status(of: lock), in: folder)
    }

    /// Gives the name to a socket that does not listen yet; what a dead process left there is removed.
    mutating func bind(_ socket: Int32, _ permissions: Permissions) throws(TransportListenerError) {
        try removeStale()
        do throws(Errno) {
            try Syscall.bind(socket, to: path.bytes)
        } catch {
            throw TransportListenerError(
                error == .addressInUse ? .inUse : .call("bind", error), path: path.text)
        }
        let name = try open(path.name)
        let status = try path.attempt("fstat") { () throws(Errno) in try Syscall.status(of: name) }
        // Somebody who may change the folder was faster.
        guard status.isSocket else { throw TransportListenerError(.notSocket, path: path.text) }
        file = status
        try path.attempt("chown") { () throws(Errno) in
            guard permissions.owner != nil || permissions.group != nil else { return }
            try Syscall.setOwner(permissions.owner, permissions.group, of: name)
        }
        try path.attempt("chmod") { () throws(Errno) in try Syscall.setMode(permissions.mode, of: name) }
    }

    /// Removes the name, if it still is this socket's.
    mutating func remove() {
        Self.remove(path.name, ifItIs: file.take(), in: folder)
    }

    private func open(_ name: String) throws(TransportListenerError) -> OwnedDescriptor {
        try path.attempt("open") { () throws(Errno) in try Syscall.openName(name, in: Base(folder)) }
    }
}

// MARK: - What stands there already

extension ListeningName {
    private enum Occupant { case nobody, listener, remains }

    private func removeStale() throws(TransportListenerError) {
        guard let status = try Self.status(path.name, path, in: folder) else { return }
        guard status.isSocket else { throw TransportListenerError(.notSocket, path: path.text) }
        switch try occupant() {
        case .nobody: return
        case .listener: throw TransportListenerError(.inUse, path: path.text)
        case .remains:
            try path.attempt("unlink") { () throws(Errno) in
                try Self.unlink(path.name, ifItIs: status, in: folder)
            }
        }
    }

    private func occupant() throws(TransportListenerError) -> Occupant {
        let probe = try path.attempt("socket") { () throws(Errno) in try Syscall.openStream() }
        do throws(Errno) {
            try Syscall.connect(probe.rawValue, to: path.bytes)
            return .listener
        } catch {
            switch error {
            // A full queue; a socket of datagrams: both have somebody behind them.
            case .resourceTemporarilyUnavailable, .protocolWrongTypeForSocket: return .listener
            case .connectionRefused: return .remains
            case .noSuchFileOrDirectory: return .nobody
            default: throw TransportListenerError(.call("connect", error), path: path.text)
            }
        }
    }
}

// MARK: - Files

extension ListeningName {
    private static func openFolder(
        _ path: SocketPath, _ permissions: Permissions
    ) throws(TransportListenerError) -> OwnedDescriptor {
        let folder = try path.attemptInFolder { () throws(Errno) in
            try openOrMakeFolder(path, permissions)
        }
        let status = try path.attemptInFolder { () throws(Errno) in try Syscall.status(of: folder) }
        guard !status.isFolderOfMany else {
            throw TransportListenerError(.folderOfMany(mode: status.mode), path: path.text)
        }
        return folder
    }

    private static func openOrMakeFolder(
        _ path: SocketPath, _ permissions: Permissions
    ) throws(Errno) -> OwnedDescriptor {
        do throws(Errno) {
            return try Syscall.openDirectory(path: path.folder)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
        }
        do throws(Errno) {
            try Syscall.makeDirectory(path: path.folder, mode: folderMode)
        } catch {
            // Somebody else made it meanwhile: it is theirs.
            guard error == .fileExists else { throw error }
            return try Syscall.openDirectory(path: path.folder)
        }
        let folder = try Syscall.openDirectory(path: path.folder)
        if permissions.owner != nil || permissions.group != nil {
            try Syscall.setOwner(permissions.owner, permissions.group, of: folder)
        }
        // Once more, because the umask may have taken the group's part.
        try Syscall.setMode(folderMode, of: folder)
        return folder
    }

    private static func takeLock(
        _ path: SocketPath, in folder: borrowing OwnedDescriptor
    ) throws(TransportListenerError) -> OwnedDescriptor {
        for _ in 0..<lockTryCount {
            if let lock = try tryLock(path, in: folder) { return lock }
        }
        throw TransportListenerError(.inUse, path: path.text)
    }

    /// Takes the lock; `nil` when its last holder removed the file meanwhile.
    private static func tryLock(
        _ path: SocketPath, in folder: borrowing OwnedDescriptor
    ) throws(TransportListenerError) -> OwnedDescriptor? {
        let base = Base(folder)
        let lock = try path.attempt("open \(path.lockName)") { () throws(Errno) in
            try Syscall.openLockFile(path.lockName, in: base)
        }
        do throws(Errno) {
            try Syscall.lock(lock)
        } catch {
            throw TransportListenerError(
                error == .resourceTemporarilyUnavailable ? .inUse : .call("flock", error), path: path.text)
        }
        let opened = try path.attempt("fstat") { () throws(Errno) in try Syscall.status(of: lock) }
        guard let named = try status(path.lockName, path, in: folder), named.isSameFile(as: opened) else {
            return nil
        }
        return lock
    }

    /// The status of a name, not through a link; `nil` when there is none.
    private static func status(
        _ name: String, _ path: SocketPath, in folder: borrowing OwnedDescriptor
    ) throws(TransportListenerError) -> StatResult? {
        do throws(Errno) {
            return try Syscall.status(of: Syscall.openName(name, in: Base(folder)))
        } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw TransportListenerError(.call("open", error), path: path.text)
        }
    }

    /// Removes a name, unless it is another file's by now or may not be removed: then the next to listen here does.
    private static func remove(
        _ name: String, ifItIs file: StatResult?, in folder: borrowing OwnedDescriptor
    ) {
        if let file { try? unlink(name, ifItIs: file, in: folder) }
    }

    private static func unlink(
        _ name: String, ifItIs file: StatResult, in folder: borrowing OwnedDescriptor
    ) throws(Errno) {
        let named = try Syscall.status(of: Syscall.openName(name, in: Base(folder)))
        if named.isSameFile(as: file) { try Syscall.unlink(name, in: Base(folder)) }
    }
}
