package import Backends
package import EventModel

package import struct SystemPackage.Errno

/// `/proc` of the simulated host, as the collector's credentials and the mount options let it appear.
///
/// A handle belongs to the process it was opened for, never to a later one with the same pid. What files contain is
/// decided when the kernel would decide it: at the first read of most, at every read of `cmdline`, `environ` and `maps`.
package final class SimulatedProcFileSystem: ProcFileSystem {
    private let kernel: SimulatedKernel
    /// Closes a handle; made once, as every open handle carries it.
    private let release: @Sendable (Int) -> Void

    package init(kernel: SimulatedKernel) {
        self.kernel = kernel
        release = { kernel.world.handles.remove($0) }
    }

    /// How many handles are open now.
    package var openHandleCount: Int { kernel.world.handles.count }

    // MARK: Listing

    package func processIDs(into pids: inout [ProcessID]) throws(Errno) {
        let world = kernel.world
        let listed = try world.call(.procfsList) { (_) throws(Errno) in
            var listed: [ProcessID] = []
            var digest = Digest()
            var next: Int32 = 1
            // Not a snapshot: the kernel looks for the next pid again and again while the world goes on.
            while true {
                let index = world.lowerBound(next)
                guard index < world.listedPIDs.count else { break }
                let pid = ProcessID(world.listedPIDs[index])
                next = pid.rawValue + 1
                guard let process = world.process(pid), world.isListed(process) else { continue }
                listed.append(pid)
                digest.fold(UInt64(bitPattern: Int64(pid.rawValue)))
                if listed.count % Self.entriesPerCost == 0 { world.spendCallCost() }
            }
            return (listed, digest.value)
        }
        pids.append(contentsOf: listed)
    }

    /// Listing 5 000 processes takes 2.5 ms on a real host; here one call's cost for each so many entries.
    private static let entriesPerCost = 20

    package func threadIDs(in directory: borrowing ProcessDirectory, into tids: inout [ProcessID])
        throws(Errno)
    {
        let world = kernel.world
        let process = world.handles.process(directory.token)
        let listed = try world.call(.procfsThreads, pid: process.pid) { (_) throws(Errno) in
            guard !process.isReaped else { return ([ProcessID](), 0) }
            try world.checkEntry(process)
            let listed = process.threadIDs
            return (listed, UInt64(listed.count))
        }
        tids.append(contentsOf: listed)
    }

    // MARK: Opening

    package func openProcess(_ pid: ProcessID) throws(Errno) -> ProcessDirectory {
        let world = kernel.world
        let process = try world.call(.procfsDirectory, pid: pid) { (_) throws(Errno) in
            guard let process = world.process(ofThread: pid), world.canFind(process) else {
                throw .noSuchFileOrDirectory
            }
            guard world.openHandleCount < world.configuration.descriptorLimit else { throw .tooManyOpenFiles }
            return (process, UInt64(process.incarnation.rawValue))
        }
        return ProcessDirectory(token: world.handles.insert(process), release: release)
    }

    package func open(_ file: ProcessFile, in directory: borrowing ProcessDirectory) throws(Errno) -> ProcFile
    {
        let world = kernel.world
        let process = world.handles.process(directory.token)
        let token = try world.call(.procfsOpen, pid: process.pid, file: file.rawValue) { (_) throws(Errno) in
            guard !process.isReaped else { throw .noSuchProcess }
            try world.checkEntry(process)
            try world.checkOpen(file, of: process)
            guard world.openHandleCount < world.configuration.descriptorLimit else { throw .tooManyOpenFiles }
            return (
                world.handles.insert(OpenFile(file, of: process)), UInt64(process.incarnation.rawValue)
            )
        }
        return ProcFile(token: token, release: release)
    }

    package func open(_ file: SystemFile) throws(Errno) -> ProcFile {
        let world = kernel.world
        let token = try world.call(.procfsOpen, file: file.rawValue) { (_) throws(Errno) in
            guard world.openHandleCount < world.configuration.descriptorLimit else { throw .tooManyOpenFiles }
            return (world.handles.insert(OpenFile(file)), 0)
        }
        return ProcFile(token: token, release: release)
    }

    // MARK: Reading

    package func read(_ file: borrowing ProcFile, count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int
    {
        let world = kernel.world
        let token = file.token
        let (process, name, operation) = world.handles.subject(ofFile: token)
        return try world.call(operation, pid: process?.pid, file: name) { (effects) throws(Errno) in
            let count = effects.isAtEnd ? 0 : min(max(count, 0), effects.limit ?? .max)
            let start = bytes.count
            try world.handles.read(token, count, from: world, into: &bytes)
            var digest = Digest()
            digest.fold(bytes.span.extracting(start..<bytes.count))
            return (bytes.count - start, digest.value)
        }
    }

    package func readLink(
        _ link: ProcessLink, in directory: borrowing ProcessDirectory, into bytes: inout [UInt8]
    ) throws(Errno) {
        let world = kernel.world
        let process = world.handles.process(directory.token)
        try world.call(.procfsReadLink, pid: process.pid, file: link.rawValue) { (_) throws(Errno) in
            let text = try world.target(of: link, process).text
            var digest = Digest()
            digest.fold(text.span)
            bytes.append(contentsOf: text)
            return ((), digest.value)
        }
    }

    package func status(
        of link: ProcessLink, in directory: borrowing ProcessDirectory
    ) throws(Errno) -> LinkTargetStatus {
        let world = kernel.world
        let process = world.handles.process(directory.token)
        return try world.call(.procfsStatus, pid: process.pid, file: link.rawValue) { (_) throws(Errno) in
            let status = try world.target(of: link, process).status
            return (status, status.inode)
        }
    }

    package func pidFDInode(of pid: ProcessID) throws(Errno) -> UInt64 {
        let world = kernel.world
        return try world.call(.procfsPIDFD, pid: pid) { (_) throws(Errno) in
            guard world.configuration.kernel.hasPIDFS else { throw .noFunction }
            guard let process = world.process(pid) else {
                // A thread that is not the first has no pidfd of its own.
                if world.threadOwners[pid] != nil { throw .invalidArgument }
                throw .noSuchProcess
            }
            guard !process.isReaped else { throw .noSuchProcess }
            return (process.pidFDInode, process.pidFDInode)
        }
    }
}

// MARK: - Programs

extension SimulatedProcFileSystem {
    package func openExecutable(in directory: borrowing ProcessDirectory) throws(Errno) -> ProcFile {
        let world = kernel.world
        let process = world.handles.process(directory.token)
        let token = try world.call(.imageOpen, pid: process.pid) { (_) throws(Errno) in
            let program = try world.program(of: process)
            guard world.openHandleCount < world.configuration.descriptorLimit else { throw .tooManyOpenFiles }
            return (world.handles.insert(OpenFile(program, of: process)), program.inode)
        }
        return ProcFile(token: token, release: release)
    }

    package func status(of file: borrowing ProcFile) throws(Errno) -> FileStatus {
        let world = kernel.world
        let file = world.handles.file(file.token)
        return try world.call(.imageStatus, pid: file.process?.pid, file: file.name) { (_) throws(Errno) in
            (file.status, file.status.inode)
        }
    }

    /// What a process finds at a path: a program that has been named, else what the file system has there.
    ///
    /// All processes share one root.
    package func status(
        ofPath path: [UInt8], in directory: borrowing ProcessDirectory
    ) throws(Errno) -> FileStatus {
        let world = kernel.world
        let process = world.handles.process(directory.token)
        return try world.call(.imageStatus, pid: process.pid, file: ProcessLink.root.rawValue) {
            (_) throws(Errno) in
            _ = try world.target(of: .root, process)
            if let program = world.files.file(named: path) { return (program.status, program.inode) }
            let node = try world.fileSystem.resolve(path, followsLast: true).node
            return (node.status, node.number)
        }
    }
}
