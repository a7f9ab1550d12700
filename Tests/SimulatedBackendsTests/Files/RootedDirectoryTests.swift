import Backends
import EventModel
import KernelFormats
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

@Suite struct RootedDirectoryTests {
    private func host(
        _ given: [FileAction], _ configuration: WorldConfiguration = WorldConfiguration()
    ) throws -> (SimulatedHost, SimulatedRootedDirectory) {
        let host = SimulatedHost(configuration)
        try host.kernel.addFiles([.makeFolders(path: bytes("/d"), permissions: 0o755)] + given)
        return (host, try host.rootedDirectory(path: bytes("/d/")))
    }

    private func names(_ root: SimulatedRootedDirectory, _ path: String, count: Int = 4_096) throws
        -> [String]
    {
        let folder = try root.open(bytes(path), as: .folder)
        var listed: [UInt8] = []
        while try root.readEntries(of: folder, count: count, into: &listed) > 0 {}
        var reader = DirectoryEntryReader(at: 0, count: listed.count)
        var names: [String] = []
        while let entry = try reader.next(in: listed.span) {
            if !entry.isSelfOrParent { names.append(String(decoding: entry.name, as: UTF8.self)) }
        }
        return names
    }

    /// The error of opening; closures cannot hold handles.
    private func openError(_ root: SimulatedRootedDirectory, _ path: String, as access: FileAccess) -> Errno?
    {
        do throws(Errno) {
            _ = try root.open(bytes(path), as: access)
            return nil
        } catch {
            return error
        }
    }

    private func listError(_ root: SimulatedRootedDirectory, _ folder: borrowing FileHandle) -> Errno? {
        var listed: [UInt8] = []
        do throws(Errno) {
            _ = try root.readEntries(of: folder, count: 4_096, into: &listed)
            return nil
        } catch {
            return error
        }
    }

    private func statusError(_ root: SimulatedRootedDirectory, _ file: borrowing FileHandle) -> Errno? {
        do throws(Errno) {
            _ = try root.status(of: file)
            return nil
        } catch {
            return error
        }
    }

    private func watchError(_ watcher: SimulatedFileWatcher, _ file: borrowing FileHandle) -> Errno? {
        do throws(Errno) {
            _ = try watcher.addWatch(file, mask: 0x2)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("missing", Errno.noSuchFileOrDirectory), ("a/b", .notDirectory),
        ("link", .tooManySymbolicLinkLevels),
        ("link/x", .tooManySymbolicLinkLevels), ("..", .improperLink), ("s/../../etc", .improperLink),
        ("/etc", .improperLink), ("socket", .noSuchAddressOrDevice),
    ])
    func `what leads out, through a link or nowhere is refused as openat2 does`(
        path: String, errno: Errno
    ) throws {
        let (host, root) = try host([
            file("/d/a"), .makeFolder(path: bytes("/d/s"), permissions: 0o755),
            .symlink(path: bytes("/d/link"), target: bytes("/etc")),
            .makeNode(path: bytes("/d/socket"), .socket, permissions: 0o666),
        ])
        #expect(openError(root, path, as: .contents) == errno)
        #expect(host.kernel.openHandleCount == 0)
    }

    @Test func `a link itself opens as a path`() throws {
        let (_, root) = try host([.symlink(path: bytes("/d/link"), target: bytes("/etc"))])
        let link = try root.open(bytes("link"), as: .path)
        let status = try root.status(of: link)
        #expect(status.type == .symlink)
        #expect(status.size == 4)
    }

    @Test func `what was looked at is opened again, whatever has its name now`() throws {
        let (host, root) = try host([file("/d/a", size: 5)])
        let look = try root.open(bytes("a"), as: .path)
        try host.kernel.perform(.rename(from: bytes("/d/a"), to: bytes("/d/b"), .replace))
        try host.kernel.perform(.makeNode(path: bytes("/d/a"), .fifo, permissions: 0o644))
        let handle = try root.reopen(look, as: .contents)
        let status = try root.status(of: handle)
        #expect(status.size == 5)
        #expect(host.kernel.fileTruth.openings.map(\.type) == [.regular])
    }

    @Test func `a root that was renamed is still the same folder`() throws {
        let (host, root) = try host([file("/d/a")])
        try host.kernel.perform(.rename(from: bytes("/d"), to: bytes("/e"), .replace))
        #expect(try names(root, "") == ["a"])
    }

    @Test func `an inode number is given to the next file`() throws {
        let (host, root) = try host([file("/d/a", size: 5)])
        let before = try root.status(of: root.open(bytes("a"), as: .path))
        try host.kernel.perform(.unlink(path: bytes("/d/a")))
        try host.kernel.perform(file("/d/b", size: 6))
        let after = try root.status(of: root.open(bytes("b"), as: .path))
        #expect(after.inode == before.inode)
        let tree = host.kernel.fileTree(below: bytes("/d"))
        #expect(tree.map { String(decoding: $0.path, as: UTF8.self) } == ["/d", "/d/b"])
        #expect(tree[1].size == 6)
    }

    @Test func `an inode is not given again while it is open`() throws {
        let (host, root) = try host([file("/d/a")])
        let handle = try root.open(bytes("a"), as: .path)
        try host.kernel.perform(.unlink(path: bytes("/d/a")))
        try host.kernel.perform(file("/d/b"))
        let status = try root.status(of: root.open(bytes("b"), as: .path))
        let old = try root.status(of: handle)
        #expect(status.inode != old.inode)
    }

    @Test func `a listing in small parts shows every name once`() throws {
        let (_, root) = try host((0..<200).map { file("/d/f\($0)") })
        let listed = try names(root, "", count: 300)
        #expect(listed.sorted() == (0..<200).map { "f\($0)" }.sorted())
        #expect(listed != listed.sorted())
    }

    @Test func `a listing goes on where it was, though names come and go`() throws {
        let (host, root) = try host((0..<100).map { file("/d/f\($0)") })
        let folder = try root.open([], as: .folder)
        var listed: [UInt8] = []
        _ = try root.readEntries(of: folder, count: 1_000, into: &listed)
        for number in 0..<100 where number % 3 == 0 {
            try host.kernel.perform(.unlink(path: bytes("/d/f\(number)")))
        }
        while try root.readEntries(of: folder, count: 1_000, into: &listed) > 0 {}
        var reader = DirectoryEntryReader(at: 0, count: listed.count)
        var seen: Set<[UInt8]> = []
        while let entry = try reader.next(in: listed.span) {
            let isNew = seen.insert(entry.name).inserted
            #expect(isNew)
        }
        for number in 0..<100 where number % 3 != 0 { #expect(seen.contains(bytes("f\(number)"))) }
    }

    @Test func `a removed folder lists nothing, and says why`() throws {
        let (host, root) = try host([.makeFolder(path: bytes("/d/s"), permissions: 0o755)])
        let folder = try root.open(bytes("s"), as: .folder)
        try host.kernel.perform(.removeFolder(path: bytes("/d/s")))
        #expect(listError(root, folder) == .noSuchFileOrDirectory)
    }

    @Test func `contents are the same whatever pieces they are read in, and a tebibyte takes no room`() throws
    {
        let tebibyte: UInt64 = 1 << 40
        let (host, root) = try host([file("/d/a", size: 10_000), file("/d/big", size: tebibyte)])
        let handle = try root.open(bytes("a"), as: .contents)
        var whole: [UInt8] = []
        let count = try root.read(handle, at: 0, count: 20_000, into: &whole)
        #expect(count == 10_000)
        var parts: [UInt8] = []
        while try root.read(handle, at: UInt64(parts.count), count: 333, into: &parts) > 0 {}
        #expect(parts == whole)
        let big = try root.open(bytes("big"), as: .contents)
        var tail: [UInt8] = []
        let tailCount = try root.read(big, at: tebibyte - 3, count: 10, into: &tail)
        #expect(tailCount == 3)
        #expect(host.kernel.fileTruth.openings.count == 2)
    }

    @Test func `a dead mount fails every call upon it, and none beside it`() throws {
        let (host, root) = try host([
            file("/d/a"), .makeFolder(path: bytes("/d/m"), permissions: 0o755),
            .mount(path: bytes("/d/m"), MountOptions()), file("/d/m/x"),
        ])
        try host.kernel.perform(.fail(path: bytes("/d/m"), .staleNFSFileHandle))
        #expect(openError(root, "m/x", as: .path) == .staleNFSFileHandle)
        #expect(openError(root, "m", as: .folder) == .staleNFSFileHandle)
        _ = try root.open(bytes("a"), as: .path)
        try host.kernel.perform(.fail(path: bytes("/d/m"), nil))
        _ = try root.open(bytes("m/x"), as: .path)
    }

    @Test func `a mount is busy while a file is open, unless it is left lazily`() throws {
        let (host, root) = try host([
            .makeFolder(path: bytes("/d/m"), permissions: 0o755), .mount(path: bytes("/d/m"), MountOptions()),
            file("/d/m/x"),
        ])
        let handle = try root.open(bytes("m/x"), as: .path)
        #expect(throws: Errno.resourceBusy) {
            try host.kernel.perform(.unmount(path: bytes("/d/m"), .orderly))
        }
        try host.kernel.perform(.unmount(path: bytes("/d/m"), .lazy))
        #expect(openError(root, "m/x", as: .path) == .noSuchFileOrDirectory)
        let status = try root.status(of: handle)
        #expect(status.size == 0)
    }

    @Test func `a full disk takes no more`() throws {
        var options = MountOptions()
        options.capacity = 8_192
        let (host, _) = try host([
            .makeFolder(path: bytes("/d/m"), permissions: 0o755), .mount(path: bytes("/d/m"), options),
        ])
        #expect(throws: Errno.noSpace) { try host.kernel.perform(file("/d/m/x", size: 9_000)) }
        #expect(host.kernel.fileTree(below: bytes("/d/m")).last?.size == 0)
        try host.kernel.perform(file("/d/m/y", size: 8_000))
    }

    @Test func `without the capability only what the permissions allow opens`() throws {
        var configuration = WorldConfiguration()
        configuration.ownCapabilities = []
        configuration.ownUserID = UserID(997)
        let (host, root) = try host([file("/d/a")], configuration)
        try host.kernel.perform(.chmod(path: bytes("/d/a"), 0o600))
        #expect(openError(root, "a", as: .contents) == .permissionDenied)
        let handle = try root.open(bytes("a"), as: .path)
        let watcher = try host.fileWatcher()
        #expect(watchError(watcher, handle) == .permissionDenied)
        try host.kernel.perform(.chown(path: bytes("/d/a"), UserID(997), GroupID(0)))
        _ = try root.open(bytes("a"), as: .contents)
    }

    @Test func `the end of the collector closes all it had open`() throws {
        let (host, root) = try host([file("/d/a")])
        let watcher = try host.fileWatcher()
        let handle = try root.open(bytes("a"), as: .contents)
        _ = try watcher.addWatch(handle, mask: 0x2)
        _ = host.kernel.restartCollector()
        #expect(host.kernel.openHandleCount == 0)
        #expect(statusError(root, handle) == .badFileDescriptor)
    }

    @Test func `a write that lasts is seen in pieces`() async throws {
        let (host, root) = try host([])
        var attributes = FileAttributes()
        attributes.bytes = .generated(4_000)
        try host.kernel.perform(.create(path: bytes("/d/a"), attributes, over: .milliseconds(4)))
        let handle = try root.open(bytes("a"), as: .path)
        var sizes: Set<UInt64> = []
        for _ in 0..<2_000 { sizes.insert(try root.status(of: handle).size) }
        #expect(sizes == [0, 1_000, 2_000, 3_000, 4_000] || sizes == [1_000, 2_000, 3_000, 4_000])
    }
}
