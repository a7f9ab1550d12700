package import EventModel

package import struct SystemPackage.Errno

/// Something that a process of the simulated host does to files.
///
/// Each takes what system calls it says, as root, and has exactly their consequences for those who watch. Paths are
/// absolute.
package enum FileAction: Hashable, Sendable {
    /// `open(O_CREAT|O_EXCL|O_WRONLY)`, `write(2)`, `close(2)`.
    case create(path: [UInt8], FileAttributes, over: Duration)
    /// `open(O_WRONLY)`, `pwrite(2)`, `close(2)`; without an offset at the end.
    case write(path: [UInt8], FileBytes, at: UInt64?, over: Duration)
    /// `open(O_WRONLY|O_CREAT|O_TRUNC)`, `write(2)`, `close(2)`.
    case overwrite(path: [UInt8], FileBytes, over: Duration)
    /// `open(O_RDWR)`, `mmap(2)`, `msync(2)`, `close(2)`: the contents at the beginning change without a word.
    case map(path: [UInt8], FileBytes)
    /// `truncate(2)`.
    case truncate(path: [UInt8], size: UInt64)
    /// `open(O_RDONLY)`, `read(2)`, `close(2)`.
    case read(path: [UInt8])
    case chmod(path: [UInt8], UInt16)
    case chown(path: [UInt8], UserID, GroupID)
    /// `utimensat(2)` of the modification time.
    case setModified(path: [UInt8], WallTime)
    case rename(from: [UInt8], to: [UInt8], RenameMode)
    case link(from: [UInt8], to: [UInt8])
    case symlink(path: [UInt8], target: [UInt8])
    case unlink(path: [UInt8])
    case makeFolder(path: [UInt8], permissions: UInt16)
    /// `mkdir -p`: whatever is missing on the way, one after the other at the same time.
    case makeFolders(path: [UInt8], permissions: UInt16)
    case removeFolder(path: [UInt8])
    /// `rm -r`: names in the order of their listing, depth first.
    case removeTree(path: [UInt8])
    /// `mknod(2)` of a FIFO, a device or a socket.
    case makeNode(path: [UInt8], FileType, permissions: UInt16)
    /// `open(O_WRONLY)` of what is there, kept open under a number.
    case hold(path: [UInt8], Int)
    /// `write(2)` of so many bytes at the end of what is kept open.
    case writeHeld(Int, FileBytes)
    /// `close(2)`.
    case release(Int)
    /// `fcntl(2)`: a lock for writing on the whole file, or its end.
    case lock(path: [UInt8], Bool)
    /// `mount(2)` of a tmpfs.
    case mount(path: [UInt8], MountOptions)
    /// `umount2(2)`; lazily: `MNT_DETACH`.
    case unmount(path: [UInt8], UnmountMode)
    /// The disk or the server below a mounted file system goes away with this error, or comes back with `nil`.
    case fail(path: [UInt8], Errno?)
    /// Many files `path/f0 ...`, evenly spread over a time.
    case burst(FileBurst)
}

/// How a file is made.
package struct FileAttributes: Hashable, Sendable {
    package var bytes = FileBytes.generated(0)
    package var permissions: UInt16 = 0o644
    package var uid = UserID(0)
    package var gid = GroupID(0)

    package init() {}
}

/// What is written.
package enum FileBytes: Hashable, Sendable {
    /// So many bytes that the world chooses.
    case generated(UInt64)
    case given([UInt8])
    /// Nothing is written, the file is only so long.
    case hole(UInt64)

    package var count: UInt64 {
        switch self {
        case .generated(let count), .hole(let count): count
        case .given(let bytes): UInt64(bytes.count)
        }
    }
}

/// `flags` of `renameat2(2)`.
package enum RenameMode: String, Hashable, Sendable, CaseIterable {
    case replace
    case keep = "no-replace"
    case exchange
}

package enum UnmountMode: Hashable, Sendable {
    /// `EBUSY` while files are open.
    case orderly
    /// `MNT_DETACH`: gone at once by path, in truth when the last file is closed.
    case lazy
}

package struct MountOptions: Hashable, Sendable {
    /// Room in bytes.
    package var capacity: UInt64 = .max
    /// Whether listings say what each file is.
    package var tellsTypes = true

    package init() {}
}

/// Many files in one folder.
package struct FileBurst: Hashable, Sendable {
    package enum What: String, Hashable, Sendable, CaseIterable {
        /// Each is made and stays.
        case create
        /// Each is made and, before the next, deleted.
        case churn
        /// Files that an earlier burst made are deleted.
        case delete
        /// Files that an earlier burst made are written to.
        case write
        /// Each is written beside, as `fN.dpkg-new`, and renamed over the file, as dpkg unpacks.
        case replace
    }

    package var folder: [UInt8]
    package var what: What
    package var count: Int
    package var size: UInt64
    package var duration: Duration

    package init(folder: [UInt8], what: What, count: Int, size: UInt64, duration: Duration) {
        self.folder = folder
        self.what = what
        self.count = count
        self.size = size
        self.duration = duration
    }
}
