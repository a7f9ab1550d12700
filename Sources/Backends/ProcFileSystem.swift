public import EventModel

public import struct SystemPackage.Errno

/// The process file system, at the level of `openat(2)`, `read(2)`, `readlinkat(2)` and `getdents64(2)`.
///
/// No call interprets what it reads. `EINTR` never surfaces. In simulation each call costs virtual time and the world
/// may change within it.
public protocol ProcFileSystem: Sendable {
    /// Appends the pids that `/proc` lists, in the order of the kernel (ascending).
    ///
    /// Not a snapshot: processes that come or go meanwhile may be missing or already gone (`proc(5)`).
    func processIDs(into pids: inout [ProcessID]) throws(Errno)

    /// Opens `/proc/<pid>`; the handle never moves to a recycled pid (reads then give `ESRCH`).
    ///
    /// - Throws: `ENOENT` when there is no such process (or `hidepid=ptraceable` hides it; with `hidepid=1` and `2` it is
    ///   what lies below that gives `EPERM` or `ENOENT`), `EMFILE`, `ENFILE`, `ENOMEM`.
    func openProcess(_ pid: ProcessID) throws(Errno) -> ProcessDirectory

    /// Opens a file below `/proc/<pid>`.
    ///
    /// - Throws: `ESRCH` when the process has been reaped, `EACCES` or `EPERM` without the right to look.
    func open(_ file: ProcessFile, in directory: borrowing ProcessDirectory) throws(Errno) -> ProcFile

    /// Opens a file of `/proc` that belongs to no process.
    func open(_ file: SystemFile) throws(Errno) -> ProcFile

    /// One `read(2)` of at most `count` bytes at the file's position, appended to `bytes`; 0 at the end.
    func read(_ file: borrowing ProcFile, count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int

    /// Appends the target of a magic link.
    ///
    /// - Throws: `ENOENT` for zombies and kernel threads, `ESRCH` once reaped, `EACCES` without ptrace access.
    func readLink(_ link: ProcessLink, in directory: borrowing ProcessDirectory, into bytes: inout [UInt8])
        throws(Errno)

    /// `fstatat(2)` through a magic link: what the link opens, even if its name is gone.
    func status(of link: ProcessLink, in directory: borrowing ProcessDirectory) throws(Errno)
        -> LinkTargetStatus

    /// Opens the program that a process executes, to read its contents: that very file, whatever has its name now.
    ///
    /// `/proc/<pid>/exe` with `O_RDONLY|O_NONBLOCK|O_NOCTTY`. What is open stays so after the process has ended.
    /// - Throws: `ENOENT` for zombies and kernel threads, `ESRCH` once reaped, `EACCES` without ptrace access or the right
    ///   to read the file, and what its file system gives: `EIO`, `ESTALE`, `EAGAIN` while a lease is broken.
    func openExecutable(in directory: borrowing ProcessDirectory) throws(Errno) -> ProcFile

    /// `statx(2)` of an open file, whatever its name is now.
    func status(of file: borrowing ProcFile) throws(Errno) -> FileStatus

    /// `statx(2)` of what a path leads to for the process itself: below its own root, links followed, none of them out of it.
    ///
    /// Opened by `openat2(2)` with `O_PATH`, `RESOLVE_IN_ROOT` and `RESOLVE_NO_MAGICLINKS` in `/proc/<pid>/root`.
    /// - Throws: `ENOENT` and `ENOTDIR` when it leads nowhere, `ESRCH` once reaped, `ENOENT` for zombies, `EACCES` without
    ///   ptrace access, `EAGAIN` when a rename beside it makes the kernel give up, `ENOSYS` before Linux 5.6.
    func status(ofPath path: [UInt8], in directory: borrowing ProcessDirectory) throws(Errno) -> FileStatus

    /// Appends the thread ids listed in `task/`; empty once the process has been reaped.
    func threadIDs(in directory: borrowing ProcessDirectory, into tids: inout [ProcessID]) throws(Errno)

    /// The inode of a pidfd for the process: unique per boot since Linux 6.9 (pidfs).
    ///
    /// - Throws: `ESRCH` when there is no such process, `ENOSYS` when the kernel's pidfds all share one inode.
    func pidFDInode(of pid: ProcessID) throws(Errno) -> UInt64
}

/// A file below `/proc/<pid>`.
public enum ProcessFile: String, Hashable, Sendable, CaseIterable {
    case stat, status, cmdline, comm, cgroup, environ, io, statm, limits, maps, wchan
    case oomScore = "oom_score"
    case smapsRollup = "smaps_rollup"
}

/// A magic link below `/proc/<pid>`.
public enum ProcessLink: String, Hashable, Sendable, CaseIterable {
    case exe, cwd, root
    case pidNamespace = "ns/pid"
    case networkNamespace = "ns/net"
}

/// A file of `/proc` that belongs to no process.
public enum SystemFile: String, Hashable, Sendable, CaseIterable {
    case stat
    case uptime
    case memoryInformation = "meminfo"
    case bootID = "sys/kernel/random/boot_id"
    case pidMaximum = "sys/kernel/pid_max"
}

/// What `stat(2)` tells about the target of a magic link.
public struct LinkTargetStatus: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64
    /// 0: the file has no name any more.
    public var linkCount: UInt64
    public var size: UInt64
    /// File type and permission bits, as `st_mode`.
    public var mode: UInt32
    public var uid: UserID

    public init(device: UInt64, inode: UInt64, linkCount: UInt64, size: UInt64, mode: UInt32, uid: UserID) {
        self.device = device
        self.inode = inode
        self.linkCount = linkCount
        self.size = size
        self.mode = mode
        self.uid = uid
    }
}

/// An open `/proc/<pid>`; released when it goes out of scope.
public struct ProcessDirectory: ~Copyable, Sendable {
    public let token: Int
    private let release: @Sendable (Int) -> Void

    public init(token: Int, release: @escaping @Sendable (Int) -> Void) {
        self.token = token
        self.release = release
    }

    deinit { release(token) }
}

/// An open file of `/proc`, or one that a link there leads to; released when it goes out of scope.
public struct ProcFile: ~Copyable, Sendable {
    public let token: Int
    private let release: @Sendable (Int) -> Void

    public init(token: Int, release: @escaping @Sendable (Int) -> Void) {
        self.token = token
        self.release = release
    }

    deinit { release(token) }
}

extension ProcFileSystem {
    /// Reads until the end or until `limit` bytes, appending to `bytes`.
    ///
    /// - Returns: Whether the file ended within the limit.
    public func readAll(_ file: borrowing ProcFile, limit: Int, into bytes: inout [UInt8]) throws(Errno)
        -> Bool
    {
        var remaining = limit
        while remaining > 0 {
            let count = try read(file, count: remaining, into: &bytes)
            if count == 0 { return true }
            remaining -= count
        }
        var probe: [UInt8] = []
        return try read(file, count: 1, into: &probe) == 0
    }
}
