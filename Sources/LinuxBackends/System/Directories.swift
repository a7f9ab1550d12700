import CLinux
import EventModel

import struct SystemPackage.Errno

/// What `fstatat(2)` tells.
struct StatResult: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64
    var linkCount: UInt64
    var size: UInt64
    var mode: UInt32
    var uid: UInt32

    /// Whether it is a regular file (`S_ISREG`, `inode(7)`).
    var isRegular: Bool { mode & 0o170000 == 0o100000 }
    /// Whether it is a socket (`S_ISSOCK`).
    var isSocket: Bool { mode & 0o170000 == 0o140000 }
    /// Whether somebody else than its owner may rename and remove what is in this folder: its group or everybody may
    /// write, and it is not sticky (`inode(7)`).
    var isFolderOfMany: Bool { mode & 0o022 != 0 && mode & 0o1000 == 0 }

    /// Whether both are about one file.
    func isSameFile(as other: StatResult) -> Bool { device == other.device && inode == other.inode }
}

/// Below which directory a name is looked up.
struct Base: Sendable {
    let rawValue: Int32
    /// `AT_FDCWD`, for absolute paths.
    static let root = Base(rawValue: -100)
    init(rawValue: Int32) { self.rawValue = rawValue }
    init(_ descriptor: borrowing OwnedDescriptor) { rawValue = descriptor.rawValue }
}

extension Syscall {
    /// Opens a directory only to resolve names under it (`O_PATH`).
    static func openPathDirectory(_ name: StaticString, in base: Base) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(
            adopting: try check { unsafe clinux_open_path_directory(base.rawValue, name.cString) })
    }

    /// Opens the directory that is named by `number` in decimal (`O_PATH`), and gives the bare descriptor.
    static func openNumberedDirectory(_ number: Int32, in base: Base) throws(Errno) -> Int32 {
        try check { clinux_open_numbered_directory(base.rawValue, number) }
    }

    /// Opens a directory to list it.
    static func openDirectory(_ name: StaticString, in base: Base) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(adopting: try check { unsafe clinux_open_directory(base.rawValue, name.cString) })
    }

    /// Opens a directory to list or synchronise it.
    static func openDirectory(path: String) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(
            adopting: try check {
                unsafe path.withCString { unsafe clinux_open_directory(Base.root.rawValue, $0) }
            })
    }

    /// Makes one directory; the process's umask applies.
    static func makeDirectory(path: String, mode: UInt32) throws(Errno) {
        _ = try check { unsafe path.withCString { unsafe clinux_make_directory($0, mode) } }
    }

    /// Opens what has this name, whatever it is, only to look at it and to change who owns it (`O_PATH`).
    static func openName(_ name: String, in base: Base) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(
            adopting: try check { unsafe name.withCString { unsafe clinux_open_name(base.rawValue, $0) } })
    }

    /// Opens the file that processes lock against each other, made with mode 0600 if it is missing.
    static func openLockFile(_ name: String, in base: Base) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(
            adopting: try check {
                unsafe name.withCString { unsafe clinux_open_lock_file(base.rawValue, $0) }
            })
    }

    /// Takes the lock of an open file until it is closed; `EAGAIN` when another open file has it (`flock(2)`).
    static func lock(_ descriptor: borrowing OwnedDescriptor) throws(Errno) {
        let number = descriptor.rawValue
        _ = try check { clinux_lock(number) }
    }

    /// Changes the mode of what is open, be it only as a name; the process's umask does not apply.
    static func setMode(_ mode: UInt32, of descriptor: borrowing OwnedDescriptor) throws(Errno) {
        let number = descriptor.rawValue
        _ = try check { clinux_set_mode(number, mode) }
    }

    /// Changes who owns what is open, be it only as a name; `nil` leaves user or group as they are.
    static func setOwner(
        _ user: UserID?, _ group: GroupID?, of descriptor: borrowing OwnedDescriptor
    ) throws(Errno) {
        let number = descriptor.rawValue
        _ = try check { clinux_set_owner(number, user?.rawValue ?? .max, group?.rawValue ?? .max) }
    }

    /// One `getdents64(2)`: replaces `entries` with records of the directory; empty at the end.
    static func listDirectory(
        _ descriptor: borrowing OwnedDescriptor, byteCount: Int, into entries: inout [UInt8]
    ) throws(Errno) {
        entries.removeAll(keepingCapacity: true)
        let number = descriptor.rawValue
        _ = try unsafe append(to: &entries, atMost: byteCount) { address, capacity in
            unsafe clinux_list_directory(number, capacity, address)
        }
    }

    /// The status of what `name` leads to, following links.
    static func status(_ name: StaticString, in base: Base) throws(Errno) -> StatResult {
        var status = clinux_status()
        _ = try check { unsafe clinux_status_at(base.rawValue, name.cString, &status) }
        return StatResult(status)
    }

    /// The status of an open file.
    static func status(of descriptor: borrowing OwnedDescriptor) throws(Errno) -> StatResult {
        try status("", in: Base(descriptor))
    }

    /// Appends the target of a symbolic link.
    ///
    /// - Throws: `ENAMETOOLONG` when it does not fit into `byteCount`.
    static func readLink(
        _ name: StaticString, in base: Base, atMost byteCount: Int, into bytes: inout [UInt8]
    ) throws(Errno) {
        let before = bytes.count
        // One more than allowed, because readlinkat(2) cuts in silence.
        _ = try unsafe append(to: &bytes, atMost: byteCount + 1) { address, capacity in
            unsafe clinux_read_link(base.rawValue, name.cString, capacity, address)
        }
        if bytes.count - before > byteCount {
            bytes.removeSubrange(before...)
            throw .fileNameTooLong
        }
    }

    /// Replaces the name `new` by what `old` names, in one step.
    static func rename(_ old: String, to new: String, in base: Base) throws(Errno) {
        _ = try check {
            unsafe old.withCString { old in
                unsafe new.withCString { new in unsafe clinux_rename_at(base.rawValue, old, new) }
            }
        }
    }

    static func unlink(_ name: String, in base: Base) throws(Errno) {
        _ = try check { unsafe name.withCString { unsafe clinux_unlink_at(base.rawValue, $0) } }
    }
}

extension StatResult {
    init(_ status: clinux_status) {
        self.init(
            device: status.device, inode: status.inode, linkCount: status.link_count, size: status.size,
            mode: status.mode, uid: status.uid)
    }
}

extension StaticString {
    /// The text as C wants it: literals end with a NUL.
    @unsafe var cString: UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
