package import Backends

package import struct SystemPackage.Errno

/// A folder of this host, with `openat2(2)`: Linux 5.6 or later.
///
/// Holds no state that changes: callable from any thread, and never blocks longer than the kernel does.
package final class LinuxRootedDirectory: RootedDirectory {
    /// How often an open is repeated that a rename beside it made fail: each time takes another rename at the wrong
    /// moment, so that only somebody who renames without a pause gets that far.
    private static let attemptLimit = 64

    package let path: [UInt8]
    private let root: OwnedDescriptor

    /// Opens a folder by its absolute path, through symbolic links.
    ///
    /// - Throws: `EINVAL` for a path that is not absolute, `ENOSYS` when the kernel or a seccomp filter has no
    ///   `openat2(2)`, and as `open(2)`: `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`.
    package init(path: [UInt8]) throws(Errno) {
        guard path.first == .slash else { throw .invalidArgument }
        root = try Syscall.openPathDirectory(path)
        self.path = Array(path[..<((path.lastIndex { $0 != .slash } ?? -1) + 1)])
        // Better now, with a name, than at the first file.
        _ = try open([], as: .path)
    }

    package func open(_ path: [UInt8], as access: FileAccess) throws(Errno) -> FileHandle {
        // openat2(2) knows no empty path.
        try open(path.isEmpty ? [.period] : path, in: Base(root), as: access)
    }

    package func open(
        _ name: [UInt8], in folder: borrowing FileHandle, as access: FileAccess
    ) throws(Errno) -> FileHandle {
        try Self.checkName(name)
        return try open(name, in: Base(rawValue: folder.descriptor), as: access)
    }

    package func reopen(
        _ file: borrowing FileHandle, as access: FileAccess
    ) throws(Errno) -> FileHandle {
        FileHandle(token: Int(try Syscall.reopen(file.descriptor, as: access)), release: Self.release)
    }

    package func status(of file: borrowing FileHandle) throws(Errno) -> FileStatus {
        try Syscall.fileStatus([], in: Base(rawValue: file.descriptor))
    }

    package func status(
        of name: [UInt8], in folder: borrowing FileHandle
    ) throws(Errno) -> FileStatus {
        try Self.checkName(name)
        return try Syscall.fileStatus(name, in: Base(rawValue: folder.descriptor))
    }

    package func readEntries(
        of folder: borrowing FileHandle, count: Int, into bytes: inout [UInt8]
    ) throws(Errno) -> Int {
        try Syscall.readEntries(folder.descriptor, atMost: count, into: &bytes)
    }

    package func read(
        _ file: borrowing FileHandle, at offset: UInt64, count: Int, into bytes: inout [UInt8]
    ) throws(Errno) -> Int {
        try Syscall.read(file.descriptor, at: offset, atMost: count, into: &bytes)
    }

    package func isLocked(_ file: borrowing FileHandle) throws(Errno) -> Bool {
        try Syscall.isWriteLocked(file.descriptor)
    }

    private func open(_ path: [UInt8], in base: Base, as access: FileAccess) throws(Errno) -> FileHandle {
        var attemptCount = 1
        while true {
            do {
                let descriptor = try Syscall.openBeneath(path, in: base, as: access)
                return FileHandle(token: Int(descriptor), release: Self.release)
            } catch {
                guard error == .resourceTemporarilyUnavailable, attemptCount < Self.attemptLimit else {
                    throw error
                }
                attemptCount += 1
            }
        }
    }

    /// A name leads to something in its folder and nowhere else.
    private static func checkName(_ name: [UInt8]) throws(Errno) {
        let isRelative = name == [.period] || name == [.period, .period]
        guard !name.isEmpty, !isRelative, !name.contains(.slash) else { throw .invalidArgument }
    }

    private static let release: @Sendable (Int) -> Void = { Syscall.close(Int32($0)) }
}

extension FileHandle {
    var descriptor: Int32 { Int32(token) }
}

extension UInt8 {
    fileprivate static let slash = UInt8(ascii: "/")
    fileprivate static let period = UInt8(ascii: ".")
}
