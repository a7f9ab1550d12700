package import Backends
package import EventModel

package import struct SystemPackage.Errno

/// `/proc` of this host.
///
/// Everything is opened below one descriptor of `/proc` that is opened once, so that a later mount over it changes
/// nothing. Holds no state that changes: callable from any thread, and never blocks longer than the kernel does.
package final class LinuxProcFileSystem: ProcFileSystem {
    /// Room for about a thousand entries of `/proc` per call.
    private static let listingByteCount = 32_768
    /// Room for about a hundred entries of `task` per call.
    private static let threadListingByteCount = 4_096

    private let root: OwnedDescriptor
    /// Whether each pidfd has an inode of its own (pidfs, Linux 6.9).
    private let hasUniquePIDFDInodes: Bool

    /// Opens `/proc`.
    ///
    /// - Throws: `ENOENT` or `ENOTDIR` when it is not mounted.
    package init() throws(Errno) {
        root = try Syscall.openPathDirectory("/proc", in: .root)
        hasUniquePIDFDInodes = Self.probePIDFDInodes()
    }

    package func processIDs(into pids: inout [ProcessID]) throws(Errno) {
        let directory = try Syscall.openDirectory(".", in: Base(root))
        try list(directory, byteCount: Self.listingByteCount, into: &pids)
    }

    package func openProcess(_ pid: ProcessID) throws(Errno) -> ProcessDirectory {
        let descriptor = try Syscall.openNumberedDirectory(pid.rawValue, in: Base(root))
        return ProcessDirectory(token: Int(descriptor), release: Self.release)
    }

    package func open(_ file: ProcessFile, in directory: borrowing ProcessDirectory) throws(Errno) -> ProcFile
    {
        ProcFile(token: Int(try Syscall.openFile(file.path, in: directory.base)), release: Self.release)
    }

    package func open(_ file: SystemFile) throws(Errno) -> ProcFile {
        ProcFile(token: Int(try Syscall.openFile(file.path, in: Base(root))), release: Self.release)
    }

    package func read(_ file: borrowing ProcFile, count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int
    {
        try Syscall.read(Int32(file.token), atMost: count, into: &bytes)
    }

    package func readLink(
        _ link: ProcessLink, in directory: borrowing ProcessDirectory, into bytes: inout [UInt8]
    ) throws(Errno) {
        try Syscall.readLink(link.path, in: directory.base, atMost: Limits.pathByteCount, into: &bytes)
    }

    package func status(
        of link: ProcessLink, in directory: borrowing ProcessDirectory
    ) throws(Errno) -> LinkTargetStatus {
        let status = try Syscall.status(link.path, in: directory.base)
        return LinkTargetStatus(
            device: status.device, inode: status.inode, linkCount: status.linkCount, size: status.size,
            mode: status.mode, uid: UserID(status.uid))
    }

    package func openExecutable(in directory: borrowing ProcessDirectory) throws(Errno) -> ProcFile {
        let descriptor = try Syscall.openContents(ProcessLink.exe.path, in: directory.base)
        return ProcFile(token: Int(descriptor), release: Self.release)
    }

    package func status(of file: borrowing ProcFile) throws(Errno) -> FileStatus {
        try Syscall.fileStatus([], in: Base(rawValue: Int32(file.token)))
    }

    package func status(
        ofPath path: [UInt8], in directory: borrowing ProcessDirectory
    ) throws(Errno) -> FileStatus {
        let root = try Syscall.openPathDirectory(ProcessLink.root.path, in: directory.base)
        let file = try Syscall.open(path, inRoot: root)
        return try Syscall.fileStatus([], in: Base(file))
    }

    package func threadIDs(
        in directory: borrowing ProcessDirectory, into tids: inout [ProcessID]
    ) throws(Errno) {
        do {
            let tasks = try Syscall.openDirectory("task", in: directory.base)
            try list(tasks, byteCount: Self.threadListingByteCount, into: &tids)
        } catch .noSuchFileOrDirectory {
            // The kernel's names for a process that has been reaped, before and during the listing.
        } catch .noSuchProcess {
        }
    }

    package func pidFDInode(of pid: ProcessID) throws(Errno) -> UInt64 {
        guard hasUniquePIDFDInodes else { throw .noFunction }
        // The call takes a process, and answers EINVAL for what can never be one.
        guard pid.rawValue > 0 else { throw .noSuchProcess }
        return try Syscall.status(of: Syscall.openProcess(pid.rawValue)).inode
    }

    private func list(
        _ directory: borrowing OwnedDescriptor, byteCount: Int, into pids: inout [ProcessID]
    ) throws(Errno) {
        var entries: [UInt8] = []
        while true {
            try Syscall.listDirectory(directory, byteCount: byteCount, into: &entries)
            if entries.isEmpty { return }
            DirectoryEntries.appendNumbers(of: entries.span, to: &pids)
        }
    }

    /// Before pidfs all pidfds are anonymous inodes: one device and one inode with every event counter.
    private static func probePIDFDInodes() -> Bool {
        do {
            let own = try Syscall.status(of: Syscall.openProcess(Syscall.processID))
            let anonymous = try Syscall.status(of: Syscall.openEventCounter())
            return own.device != anonymous.device
        } catch {
            // No pidfds before Linux 5.3, or none left to probe with: the caller learns ENOSYS.
            return false
        }
    }

    private static let release: @Sendable (Int) -> Void = { Syscall.close(Int32($0)) }
}

extension ProcessDirectory {
    fileprivate var base: Base { Base(rawValue: Int32(token)) }
}
