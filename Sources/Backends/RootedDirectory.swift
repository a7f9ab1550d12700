public import EventModel

public import struct SystemPackage.Errno

/// A folder of the host and all that lies below it: nothing opened through it is ever outside.
///
/// At the level of `openat2(2)`, `statx(2)`, `getdents64(2)` and `pread(2)`. Opened before privileges are given up. Every
/// open resolves with `RESOLVE_BENEATH`, `RESOLVE_NO_SYMLINKS`, `RESOLVE_NO_MAGICLINKS`, and is repeated a bounded number of
/// times when a rename beside it makes the kernel give up (`EAGAIN`). `EINTR` never surfaces. In simulation each call
/// costs virtual time and the world may change within it.
public protocol RootedDirectory: Sendable {
    /// The absolute path by which the root was opened, without a slash at the end (the root of all is empty).
    ///
    /// A name for people and events: what it names now may be something else.
    var path: [UInt8] { get }

    /// Opens `path`, relative to the root; an empty path is the root itself.
    ///
    /// - Throws: `ENOENT`, `ENOTDIR`, `ELOOP` at a symbolic link (the last component included, unless `access` is `path`),
    ///   `EXDEV` when the path would leave the root, `EACCES`, `ENAMETOOLONG`, `EMFILE`, `ENFILE`, `ENOMEM`, `ENXIO` for
    ///   a socket, `EAGAIN` when renames never let it finish, `EIO`, `ESTALE`.
    func open(_ path: [UInt8], as access: FileAccess) throws(Errno) -> FileHandle

    /// Opens one name in a folder that is already open; as ``open(_:as:)``.
    ///
    /// - Parameters:
    ///   - name: No slash, not empty, not `.` or `..` (`EINVAL`).
    ///   - folder: Opened as ``FileAccess/folder`` or ``FileAccess/path``.
    ///   - access: What for.
    func open(_ name: [UInt8], in folder: borrowing FileHandle, as access: FileAccess) throws(Errno)
        -> FileHandle

    /// Opens once more what is open already: that very file, whatever has its name now (through `/proc/self/fd`).
    ///
    /// The way to read a file that was first opened as a ``FileAccess/path`` and looked at: nothing can take its place
    /// between the look and the open.
    /// - Throws: As ``open(_:as:)``; `ENOENT` also without `/proc`.
    func reopen(_ file: borrowing FileHandle, as access: FileAccess) throws(Errno) -> FileHandle

    /// `statx(2)` of what is open, whatever its name is now.
    func status(of file: borrowing FileHandle) throws(Errno) -> FileStatus

    /// `statx(2)` of one name in an open folder, not through a symbolic link.
    ///
    /// - Throws: `ENOENT`, `ENAMETOOLONG`, `EACCES`, `EIO`, `ESTALE`.
    func status(of name: [UInt8], in folder: borrowing FileHandle) throws(Errno) -> FileStatus

    /// One `getdents64(2)`: appends at most `count` bytes of `linux_dirent64` records; 0 at the end.
    ///
    /// Not a snapshot: names that come or go meanwhile may be missing or listed (`readdir(3)`).
    /// - Throws: `EINVAL` when not even one record has room, `ENOENT` for a folder that was removed, `EIO`.
    func readEntries(of folder: borrowing FileHandle, count: Int, into bytes: inout [UInt8]) throws(Errno)
        -> Int

    /// One `pread(2)` of at most `count` bytes at `offset`, appended to `bytes`; 0 at the end.
    ///
    /// - Throws: `EIO`, `EISDIR`.
    func read(_ file: borrowing FileHandle, at offset: UInt64, count: Int, into bytes: inout [UInt8])
        throws(Errno) -> Int

    /// Whether somebody else holds a lock on the file that would keep a writer out (`fcntl(2)`, `F_GETLK` for `F_WRLCK`).
    ///
    /// - Parameter file: Opened as ``FileAccess/contents``; with another access `EBADF`.
    func isLocked(_ file: borrowing FileHandle) throws(Errno) -> Bool
}

/// What a file is opened for.
public enum FileAccess: Hashable, Sendable, CaseIterable {
    /// `O_PATH|O_NOFOLLOW`: to ask for its status and to watch it; blocks on nothing, wakes no device, follows no link.
    case path
    /// `O_RDONLY|O_DIRECTORY`: to list it.
    case folder
    /// `O_RDONLY|O_NONBLOCK|O_NOCTTY`: to read it. Never waits for the writer of a FIFO. Open by ``path`` first, look what
    /// it is, and ``RootedDirectory/reopen(_:as:)`` that: opening a device has effects.
    case contents
}

/// An open file or folder; released when it goes out of scope.
public struct FileHandle: ~Copyable, Sendable {
    public let token: Int
    private let release: @Sendable (Int) -> Void

    public init(token: Int, release: @escaping @Sendable (Int) -> Void) {
        self.token = token
        self.release = release
    }

    deinit { release(token) }
}

/// What `statx(2)` tells of a file.
public struct FileStatus: Hashable, Sendable {
    /// `makedev` of the file system, as in `st_dev`.
    public var device: UInt64
    public var inode: UInt64
    /// File type and permission bits, as `st_mode`.
    public var mode: UInt32
    public var linkCount: UInt64
    public var uid: UserID
    public var gid: GroupID
    public var size: UInt64
    /// When contents last changed; can be set by anybody who may write (`utimensat(2)`).
    public var modified: WallTime
    /// When contents or status last changed; set by the kernel alone.
    public var changed: WallTime
    /// Names the mount (`STATX_MNT_ID`, Linux 5.8); 0 where the kernel does not say.
    public var mountID: UInt64

    public init(
        device: UInt64, inode: UInt64, mode: UInt32, linkCount: UInt64, uid: UserID, gid: GroupID,
        size: UInt64,
        modified: WallTime, changed: WallTime, mountID: UInt64
    ) {
        self.device = device
        self.inode = inode
        self.mode = mode
        self.linkCount = linkCount
        self.uid = uid
        self.gid = gid
        self.size = size
        self.modified = modified
        self.changed = changed
        self.mountID = mountID
    }

    /// The type within ``mode``; `nil` for a value that Linux does not have.
    public var type: FileType? { FileType(mode: mode) }
    /// Permission bits, 0 ... 0o7777.
    public var permissions: UInt16 { UInt16(mode & 0o7777) }
}
