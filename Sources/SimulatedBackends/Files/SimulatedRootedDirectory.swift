package import Backends
import EventModel
import KernelFormats

package import struct SystemPackage.Errno

/// A folder of the simulated host, open for the collector.
package final class SimulatedRootedDirectory: RootedDirectory {
    package let path: [UInt8]
    private let kernel: SimulatedKernel
    /// What keeps the folder open.
    private let token: Int
    /// Closes a handle; made once, as every open handle carries it.
    private let release: @Sendable (Int) -> Void

    /// Opens the folder by its path, through links if there are any.
    ///
    /// - Throws: `ENOENT`, `ENOTDIR`, `ELOOP`, `EACCES`, `EMFILE`, and what a dead file system gives.
    init(path: [UInt8], kernel: SimulatedKernel) throws(Errno) {
        self.kernel = kernel
        var path = path
        while path.last == 0x2f { path.removeLast() }
        self.path = path
        release = { kernel.world.closeFile($0) }
        let world = kernel.world
        let wanted = path
        token = try world.call(.rootOpen, file: world.faultName(wanted, for: .rootOpen)) {
            (_) throws(Errno) in
            let dentry = try world.fileSystem.resolve(wanted.isEmpty ? [0x2f] : wanted, followsLast: true)
            guard dentry.node.isDirectory else { throw .notDirectory }
            guard world.openHandleCount < world.configuration.descriptorLimit else { throw .tooManyOpenFiles }
            world.fileSystem.pin(dentry)
            return (world.fileSystem.handles.insertRoot(dentry), UInt64(dentry.node.id))
        }
    }

    /// Closes the root; handles that were opened through it stay open.
    package func close() {
        guard let dentry = kernel.world.fileSystem.handles.removeRoot(token) else { return }
        kernel.world.fileSystem.unpin(dentry, closing: nil)
    }

    // MARK: Opening

    package func open(_ path: [UInt8], as access: FileAccess) throws(Errno) -> FileHandle {
        let world = kernel.world
        let root = token
        let token = try world.call(.rootOpen, file: world.faultName(path, for: .rootOpen)) {
            (_) throws(Errno) in
            guard let top = world.fileSystem.handles.roots[root] else { throw .badFileDescriptor }
            let dentry = try world.resolveBeneath(top, path, opensLink: access == .path)
            return try world.openFile(dentry, access)
        }
        return FileHandle(token: token, release: release)
    }

    package func open(
        _ name: [UInt8], in folder: borrowing FileHandle, as access: FileAccess
    ) throws(Errno) -> FileHandle {
        let world = kernel.world
        let folderToken = folder.token
        let token = try world.call(.rootOpen, file: world.faultName(name, for: .rootOpen)) {
            (_) throws(Errno) in
            let folder = try world.openNode(folderToken).dentry
            try Self.checkName(name)
            let dentry = try world.resolveBeneath(folder, name, opensLink: access == .path)
            return try world.openFile(dentry, access)
        }
        return FileHandle(token: token, release: release)
    }

    package func reopen(_ file: borrowing FileHandle, as access: FileAccess) throws(Errno) -> FileHandle {
        let world = kernel.world
        let opened = file.token
        let token = try world.call(.rootOpen, file: world.faultName(ofFile: opened, for: .rootOpen)) {
            (_) throws(Errno) in
            let dentry = try world.openNode(opened).dentry
            guard dentry.node.type != .symlink || access == .path else { throw .tooManySymbolicLinkLevels }
            return try world.openFile(dentry, access)
        }
        return FileHandle(token: token, release: release)
    }

    private static func checkName(_ name: [UInt8]) throws(Errno) {
        guard !name.isEmpty, name != [0x2e], name != [0x2e, 0x2e], !name.contains(0x2f), !name.contains(0)
        else { throw .invalidArgument }
    }

    // MARK: Asking

    package func status(of file: borrowing FileHandle) throws(Errno) -> FileStatus {
        let world = kernel.world
        let token = file.token
        return try world.call(.rootStatus, file: world.faultName(ofFile: token, for: .rootStatus)) {
            (_) throws(Errno) in
            let node = try world.openNode(token).dentry.node
            try node.superblock.check()
            return (node.status, node.status.digest)
        }
    }

    package func status(of name: [UInt8], in folder: borrowing FileHandle) throws(Errno) -> FileStatus {
        let world = kernel.world
        let token = folder.token
        return try world.call(.rootStatus, file: world.faultName(name, for: .rootStatus)) {
            (_) throws(Errno) in
            let folder = try world.openNode(token).dentry
            try Self.checkName(name)
            let dentry = try world.resolveBeneath(folder, name, opensLink: true)
            try dentry.node.superblock.check()
            return (dentry.node.status, dentry.node.status.digest)
        }
    }

    package func readEntries(
        of folder: borrowing FileHandle, count: Int, into bytes: inout [UInt8]
    ) throws(Errno) -> Int {
        let world = kernel.world
        let token = folder.token
        return try world.call(.rootList, file: world.faultName(ofFile: token, for: .rootList)) {
            (effects) throws(Errno) in
            let room = min(count, max(effects.limit ?? .max, DirectoryEntry.greatestByteCount))
            let start = bytes.count
            try world.list(token, room, into: &bytes)
            var digest = Digest()
            digest.fold(bytes.span.extracting(start..<bytes.count))
            return (bytes.count - start, digest.value)
        }
    }

    package func read(
        _ file: borrowing FileHandle, at offset: UInt64, count: Int, into bytes: inout [UInt8]
    ) throws(Errno) -> Int {
        let world = kernel.world
        let token = file.token
        return try world.call(.rootRead, file: world.faultName(ofFile: token, for: .rootRead)) {
            (effects) throws(Errno) in
            let open = try world.openNode(token)
            let node = open.dentry.node
            guard open.access != .path else { throw .badFileDescriptor }
            guard !node.isDirectory else { throw .isDirectory }
            // A FIFO has no places (`pread(2)`).
            guard node.type != .fifo, node.type != .socket else { throw .illegalSeek }
            try node.superblock.check()
            let start = bytes.count
            node.content.read(at: offset, count: min(max(0, count), effects.limit ?? .max), into: &bytes)
            if bytes.count > start { world.fileSystem.notify(.access, of: open.dentry, isOpenFile: true) }
            var digest = Digest()
            digest.fold(bytes.span.extracting(start..<bytes.count))
            return (bytes.count - start, digest.value)
        }
    }

    package func isLocked(_ file: borrowing FileHandle) throws(Errno) -> Bool {
        let world = kernel.world
        let token = file.token
        return try world.call(.rootStatus, file: world.faultName(ofFile: token, for: .rootStatus)) {
            (_) throws(Errno) in
            let open = try world.openNode(token)
            guard open.access != .path else { throw .badFileDescriptor }
            return (open.dentry.node.isLocked, open.dentry.node.isLocked ? 1 : 0)
        }
    }
}

extension FileStatus {
    fileprivate var digest: UInt64 {
        var digest = Digest()
        for word in [device, inode, UInt64(mode), linkCount, size] { digest.fold(word) }
        digest.fold(UInt64(bitPattern: modified.nanoseconds))
        digest.fold(UInt64(bitPattern: changed.nanoseconds))
        return digest.value
    }
}
