import Backends
import CLinux
import EventModel

import struct SystemPackage.Errno

extension Syscall {
    /// Opens a directory by any path, only to resolve names under it (`O_PATH`).
    static func openPathDirectory(_ path: [UInt8]) throws(Errno) -> OwnedDescriptor {
        let text = try text(path)
        return OwnedDescriptor(
            adopting: try check { unsafe clinux_open_path_directory(Base.root.rawValue, text) })
    }

    /// One `openat2(2)` that leaves neither `base` nor the path for a link, and gives the bare descriptor.
    ///
    /// - Throws: `ENOSYS` before Linux 5.6, `EAGAIN` when a rename beside it makes the kernel give up.
    static func openBeneath(_ path: [UInt8], in base: Base, as access: FileAccess) throws(Errno) -> Int32 {
        let text = try text(path)
        return try check { unsafe clinux_open_beneath(base.rawValue, text, access.code) }
    }

    /// Opens what a magic link leads to, to read its contents, and gives the bare descriptor.
    static func openContents(_ link: StaticString, in base: Base) throws(Errno) -> Int32 {
        try check { unsafe clinux_open_contents(base.rawValue, link.cString) }
    }

    /// Opens what a path leads to within `root`, only to look at it (`O_PATH`).
    static func open(_ path: [UInt8], inRoot root: borrowing OwnedDescriptor) throws(Errno) -> OwnedDescriptor
    {
        let text = try text(path)
        let number = root.rawValue
        return OwnedDescriptor(adopting: try check { unsafe clinux_open_in_root(number, text) })
    }

    /// Opens once more what a descriptor has open, and gives the bare descriptor.
    static func reopen(_ descriptor: Int32, as access: FileAccess) throws(Errno) -> Int32 {
        try check { clinux_reopen(descriptor, access.code) }
    }

    /// The status of `name`, not through a symbolic link; of `base` itself if the name is empty.
    static func fileStatus(_ name: [UInt8], in base: Base) throws(Errno) -> FileStatus {
        let text = try text(name)
        var status = clinux_file_status()
        _ = try check { unsafe clinux_file_status_at(base.rawValue, text, &status) }
        return FileStatus(status)
    }

    /// One `getdents64(2)`, appended to `entries`; 0 at the end.
    static func readEntries(
        _ descriptor: Int32, atMost count: Int, into entries: inout [UInt8]
    ) throws(Errno) -> Int {
        try unsafe append(to: &entries, atMost: count) { address, capacity in
            unsafe clinux_list_directory(descriptor, capacity, address)
        }
    }

    /// One `pread(2)`, appended to `bytes`; 0 at the end.
    static func read(
        _ descriptor: Int32, at offset: UInt64, atMost count: Int, into bytes: inout [UInt8]
    ) throws(Errno) -> Int {
        try unsafe append(to: &bytes, atMost: count) { address, capacity in
            unsafe clinux_read_at(descriptor, offset, capacity, address)
        }
    }

    /// Whether another process holds a lock that would keep a writer out.
    static func isWriteLocked(_ descriptor: Int32) throws(Errno) -> Bool {
        try check { clinux_is_write_locked(descriptor) } == 1
    }

    /// A path with a NUL at its end; `EINVAL` when it holds another.
    private static func text(_ path: [UInt8]) throws(Errno) -> [CChar] {
        guard !path.contains(0) else { throw .invalidArgument }
        return path.map { CChar(bitPattern: $0) } + [0]
    }
}

extension FileAccess {
    fileprivate var code: clinux_access {
        switch self {
        case .path: CLINUX_ACCESS_PATH
        case .folder: CLINUX_ACCESS_FOLDER
        case .contents: CLINUX_ACCESS_CONTENTS
        }
    }
}

extension FileStatus {
    fileprivate init(_ status: clinux_file_status) {
        self.init(
            device: status.device, inode: status.inode, mode: status.mode, linkCount: status.link_count,
            uid: UserID(status.uid), gid: GroupID(status.gid), size: status.size,
            modified: WallTime(seconds: status.modified_seconds, status.modified_nanoseconds),
            changed: WallTime(seconds: status.changed_seconds, status.changed_nanoseconds),
            mountID: status.mount_id)
    }
}

extension WallTime {
    /// Clamped to the years 1677 to 2262: file systems keep later times, and whoever may write can set them.
    fileprivate init(seconds: Int64, _ nanoseconds: UInt32) {
        let (product, isBeyond) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isOver) = product.addingReportingOverflow(Int64(nanoseconds))
        self.init(nanoseconds: isBeyond || isOver ? (seconds < 0 ? .min : .max) : sum)
    }
}
