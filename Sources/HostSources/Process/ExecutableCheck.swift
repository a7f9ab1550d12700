import Backends
import CollectorCore
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// What a process executes, opened to be hashed: the very file that runs, whatever its path names by now.
final class ExecutableCheck {
    let order: TaskDesk.Order
    let process: TrackedProcess
    /// Opened before the process was seen to be the tracked one: nothing in it can be about a later bearer of the pid.
    let directory: ProcessDirectory
    let file: ProcFile
    var digest: FileDigest
    let attemptCount: Int

    init(
        _ order: TaskDesk.Order, _ process: TrackedProcess, directory: consuming ProcessDirectory,
        file: consuming ProcFile, before: FileStatus, attemptCount: Int
    ) {
        self.order = order
        self.process = process
        self.directory = directory
        self.file = file
        digest = FileDigest(of: before)
        self.attemptCount = attemptCount
    }

    /// Hashes the next piece.
    ///
    /// - Returns: Whether there is more to read.
    func step(_ procfs: any ProcFileSystem) throws(Errno) -> Bool {
        var bytes: [UInt8] = []
        _ = try procfs.read(file, count: FileDigest.sliceByteCount, into: &bytes)
        return digest.take(bytes)
    }

    /// What the process's link says and its path names, once everything was read.
    ///
    /// - Returns: `nil` when the process executes something else by now.
    func look(_ procfs: any ProcFileSystem) throws(Errno) -> Image? {
        var last: (link: ExecutableLink, path: [UInt8], onDisk: ImageOnDisk?)?
        for _ in 0..<Self.lookLimit {
            let link = try readLink(procfs)
            let status = try procfs.status(of: file)
            let current = try procfs.status(of: .exe, in: directory)
            guard status.device == current.device, status.inode == current.inode else { return nil }
            // What the path names counts only if the link still says the same behind it: then it was the process's path.
            if let last, last.link == link {
                return Image(path: last.path, onDisk: last.onDisk, status: status)
            }
            let (path, onDisk) = try place(of: link, status, procfs)
            last = (link, path, onDisk)
        }
        return nil
    }

    /// A file that is renamed all the time is given up.
    private static let lookLimit = 4

    struct Image {
        /// Without the kernel's ` (deleted)`.
        var path: [UInt8]
        var onDisk: ImageOnDisk?
        var status: FileStatus
    }

    private func readLink(_ procfs: any ProcFileSystem) throws(Errno) -> ExecutableLink {
        var target: [UInt8] = []
        try procfs.readLink(.exe, in: directory, into: &target)
        return ExecutableLink(target: target)
    }

    /// A text that ends in ` (deleted)` is the path of a file that is named so, or of one whose name is gone.
    private func place(
        of link: ExecutableLink, _ status: FileStatus, _ procfs: any ProcFileSystem
    ) throws(Errno) -> (path: [UInt8], onDisk: ImageOnDisk?) {
        let whole = try onDisk(link.target, status, procfs)
        guard link.isMarkedDeleted, whole != .same else { return (link.target, whole) }
        let path = Array(link.path)
        return (path, try onDisk(path, status, procfs))
    }

    /// Links say where a file is from the root of the collector or of another mount namespace; the process's own root, said in
    /// the same way, tells where that is for the process.
    private func onDisk(
        _ path: [UInt8], _ status: FileStatus, _ procfs: any ProcFileSystem
    ) throws(Errno) -> ImageOnDisk? {
        do throws(Errno) {
            var root: [UInt8] = []
            try procfs.readLink(.root, in: directory, into: &root)
            if root == [0x2f] { root = [] }
            // Executed before it changed its root.
            guard path.starts(with: root), path.count > root.count, path[root.count] == 0x2f else {
                return nil
            }
            let named = try procfs.status(ofPath: Array(path[root.count...]), in: directory)
            return named.device == status.device && named.inode == status.inode ? .same : .replaced
        } catch {
            switch error {
            // Whether this is about a process that has ended shows in the next look at its link.
            case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .fileNameTooLong:
                return .missing
            case .noSuchProcess: throw error
            default: return nil
            }
        }
    }
}
