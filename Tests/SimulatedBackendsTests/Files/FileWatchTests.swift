import Backends
import EventModel
import KernelFormats
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// A host with `/d` and everything in it watched as `inotifywait` would, whose watcher is read as text.
struct WatchedHost {
    let host: SimulatedHost
    let watcher: SimulatedFileWatcher
    let root: SimulatedRootedDirectory
    private(set) var names: [Int32: String] = [:]

    init(_ configuration: WorldConfiguration = WorldConfiguration(), given: [FileAction] = []) throws {
        host = SimulatedHost(configuration)
        try host.kernel.addFiles([.makeFolders(path: Array("/d".utf8), permissions: 0o755)] + given)
        watcher = try host.fileWatcher()
        root = try host.rootedDirectory(path: Array("/d".utf8))
    }

    @discardableResult
    mutating func watch(_ path: String, mask: UInt32 = 0xfff) throws -> Int32 {
        let file = try root.open(Array(path.utf8), as: .path)
        let watch = try watcher.addWatch(file, mask: mask)
        names[watch] = path.isEmpty ? "." : path
        return watch
    }

    func `do`(_ actions: FileAction...) throws {
        for action in actions { try host.kernel.perform(action) }
    }

    /// What is queued: the watch, the bits, the name.
    func told() throws -> [String] {
        var bytes: [UInt8] = []
        while watcher.queuedCount > 0 { _ = try watcher.read(count: 65_536, into: &bytes) }
        var reader = InotifyReader(at: 0, count: bytes.count)
        var lines: [String] = []
        while let record = try reader.next(in: bytes.span) {
            let bits = Self.bits.filter { record.mask.contains($0.mask) }.map(\.name).joined(separator: "|")
            let watch = record.watch < 0 ? "-" : names[record.watch] ?? String(record.watch)
            lines.append(
                [watch, bits, String(decoding: record.name, as: UTF8.self)].filter { !$0.isEmpty }
                    .joined(separator: " "))
        }
        return lines
    }

    private static let bits: [(mask: InotifyMask, name: String)] = [
        (.access, "ACCESS"), (.modify, "MODIFY"), (.attributes, "ATTRIB"), (.closeWrite, "CLOSE_WRITE"),
        (.closeNoWrite, "CLOSE_NOWRITE"), (.open, "OPEN"), (.movedFrom, "MOVED_FROM"),
        (.movedTo, "MOVED_TO"), (.create, "CREATE"), (.delete, "DELETE"), (.deleteSelf, "DELETE_SELF"),
        (.moveSelf, "MOVE_SELF"), (.unmount, "UNMOUNT"), (.queueOverflow, "OVERFLOW"),
        (.ignored, "IGNORED"), (.isDirectory, "ISDIR"),
    ]
}

func file(_ path: String, size: UInt64 = 0) -> FileAction {
    var attributes = FileAttributes()
    attributes.bytes = .generated(size)
    return .create(path: Array(path.utf8), attributes, over: .zero)
}

/// Every expected list was printed by Linux 6.18 for the same calls.
@Suite struct FileWatchTests {
    @Test func `a new file is created, opened, written and closed`() throws {
        var world = try WatchedHost()
        try world.watch("")
        try world.do(file("/d/a", size: 1))
        #expect(try world.told() == [". CREATE a", ". OPEN a", ". MODIFY a", ". CLOSE_WRITE a"])
        try world.do(.overwrite(path: bytes("/d/a"), .generated(1), over: .zero))
        #expect(try world.told() == [". OPEN a", ". MODIFY a", ". CLOSE_WRITE a"])
    }

    @Test func `the last unlink tells the inode first, and the folder last`() throws {
        var world = try WatchedHost(given: [file("/d/a")])
        try world.watch("")
        try world.watch("a")
        try world.do(.unlink(path: bytes("/d/a")))
        #expect(try world.told() == ["a ATTRIB", "a DELETE_SELF", "a IGNORED", ". DELETE a"])
    }

    @Test func `an open file outlives its name and goes on telling its folder`() throws {
        var world = try WatchedHost(given: [file("/d/a")])
        try world.watch("")
        try world.watch("a")
        try world.do(.hold(path: bytes("/d/a"), 1), .unlink(path: bytes("/d/a")))
        #expect(try world.told() == [". OPEN a", "a OPEN", "a ATTRIB", ". DELETE a"])
        try world.do(.writeHeld(1, .generated(1)), .release(1))
        #expect(
            try world.told() == [
                ". MODIFY a", "a MODIFY", ". CLOSE_WRITE a", "a CLOSE_WRITE", "a DELETE_SELF", "a IGNORED",
            ])
    }

    @Test func `a handle of the collector puts off the end of an inode`() throws {
        var world = try WatchedHost(given: [file("/d/a")])
        try world.watch("a")
        do {
            let handle = try world.root.open(bytes("a"), as: .path)
            try world.do(.unlink(path: bytes("/d/a")))
            #expect(try world.told() == ["a ATTRIB"])
            let status = try world.root.status(of: handle)
            #expect(status.linkCount == 0)
        }
        #expect(try world.told() == ["a DELETE_SELF", "a IGNORED"])
    }

    @Test func `a folder that is removed ends its watch before its own folder hears of it`() throws {
        var world = try WatchedHost(given: [.makeFolder(path: bytes("/d/s"), permissions: 0o755)])
        try world.watch("")
        let watch = try world.watch("s")
        try world.do(.removeFolder(path: bytes("/d/s")))
        #expect(try world.told() == ["s DELETE_SELF", "s IGNORED", ". DELETE|ISDIR s"])
        #expect(throws: Errno.invalidArgument) { try world.watcher.removeWatch(watch) }
    }

    @Test func `a rename over a file tells of no deletion`() throws {
        var world = try WatchedHost(given: [file("/d/a"), file("/d/b")])
        try world.watch("")
        try world.watch("a")
        try world.watch("b")
        try world.do(.rename(from: bytes("/d/a"), to: bytes("/d/b"), .replace))
        #expect(
            try world.told() == [
                ". MOVED_FROM a", ". MOVED_TO b", "b ATTRIB", "a MOVE_SELF", "b DELETE_SELF", "b IGNORED",
            ])
    }

    @Test func `an exchange is two renames`() throws {
        var world = try WatchedHost(given: [file("/d/x"), file("/d/y")])
        try world.watch("")
        try world.watch("x")
        try world.watch("y")
        try world.do(.rename(from: bytes("/d/x"), to: bytes("/d/y"), .exchange))
        #expect(
            try world.told() == [
                ". MOVED_FROM x", ". MOVED_TO y", "x MOVE_SELF", ". MOVED_FROM y", ". MOVED_TO x",
                "y MOVE_SELF",
            ])
    }

    @Test func `a write through one hard link is told where that link is`() throws {
        var world = try WatchedHost(given: [
            file("/d/a"), .makeFolder(path: bytes("/d/s"), permissions: 0o755),
        ])
        try world.watch("")
        try world.watch("s")
        try world.watch("a")
        try world.do(.link(from: bytes("/d/a"), to: bytes("/d/s/b")))
        #expect(try world.told() == ["a ATTRIB", "s CREATE b"])
        try world.do(.write(path: bytes("/d/s/b"), .generated(1), at: 0, over: .zero))
        #expect(
            try world.told() == [
                "s OPEN b", "a OPEN", "s MODIFY b", "a MODIFY", "s CLOSE_WRITE b", "a CLOSE_WRITE",
            ])
        try world.do(.unlink(path: bytes("/d/s/b")))
        #expect(try world.told() == ["a ATTRIB", "s DELETE b"])
    }

    @Test func `writes that nobody has read about are told once`() throws {
        var world = try WatchedHost(given: [file("/d/a")])
        try world.watch("", mask: 0x2)
        for _ in 0..<50 { try world.do(.write(path: bytes("/d/a"), .generated(1), at: nil, over: .zero)) }
        #expect(try world.told() == [". MODIFY a"])
    }

    @Test func `a full queue tells of it once, behind what it held`() throws {
        var configuration = WorldConfiguration()
        configuration.watchQueueLimit = 8
        var world = try WatchedHost(configuration)
        try world.watch("", mask: 0x100)
        for number in 0..<20 { try world.do(file("/d/f\(number)")) }
        let lines = try world.told()
        #expect(lines == (0..<8).map { ". CREATE f\($0)" } + ["- OVERFLOW"])
        #expect(world.host.kernel.watchLosses.records == 12)
        try world.do(file("/d/later"))
        #expect(try world.told() == [". CREATE later"])
    }

    @Test func `a folder moved away goes on telling, under the same watch`() throws {
        var world = try WatchedHost(given: [.makeFolder(path: bytes("/d/p"), permissions: 0o755)])
        try world.watch("")
        try world.watch("p")
        try world.do(.rename(from: bytes("/d/p"), to: bytes("/out"), .replace), file("/out/c"))
        #expect(
            try world.told() == [
                ". MOVED_FROM|ISDIR p", "p MOVE_SELF", "p CREATE c", "p OPEN c", "p CLOSE_WRITE c",
            ])
    }

    @Test func `an unmount ends the watches of its file system, the newest inode first`() throws {
        var world = try WatchedHost(given: [
            .makeFolder(path: bytes("/d/m"), permissions: 0o755), .mount(path: bytes("/d/m"), MountOptions()),
            file("/d/m/q"), .makeFolder(path: bytes("/d/m/sub"), permissions: 0o755),
        ])
        try world.watch("m")
        try world.watch("m/q")
        try world.watch("m/sub")
        try world.do(.unmount(path: bytes("/d/m"), .orderly))
        #expect(
            try world.told() == [
                "m/sub UNMOUNT|ISDIR", "m/sub IGNORED", "m/q UNMOUNT", "m/q IGNORED", "m UNMOUNT|ISDIR",
                "m IGNORED",
            ])
    }

    @Test func `with IN_EXCL_UNLINK an open file without a name tells of its attributes alone`() throws {
        var world = try WatchedHost(given: [file("/d/b")])
        try world.watch("", mask: 0xfff | 0x0400_0000)
        try world.do(
            .hold(path: bytes("/d/b"), 1), .unlink(path: bytes("/d/b")), .writeHeld(1, .generated(1)),
            .release(1))
        #expect(try world.told() == [". OPEN b", ". DELETE b"])
    }

    @Test func `one inode has one watch, and a later mask replaces the earlier one`() throws {
        var world = try WatchedHost(given: [
            file("/d/a"), .link(from: bytes("/d/a"), to: bytes("/d/b")),
        ])
        let first = try world.watch("a", mask: 0x2)
        #expect(try world.watch("b", mask: 0x4) == first)
        try world.do(
            .write(path: bytes("/d/a"), .generated(1), at: 0, over: .zero), .chmod(path: bytes("/d/a"), 0o600)
        )
        #expect(try world.told() == ["b ATTRIB"])
        #expect(throws: Errno.fileExists) { try world.watch("a", mask: 0x2 | 0x1000_0000) }
        #expect(try world.watch("a", mask: 0x2 | 0x2000_0000) == first)
        try world.do(.write(path: bytes("/d/a"), .generated(1), at: 0, over: .zero))
        #expect(try world.told() == ["a MODIFY"])
    }

    @Test func `watches are limited, numbered once, and only folders where that is asked for`() throws {
        var configuration = WorldConfiguration()
        configuration.watchLimit = 2
        var world = try WatchedHost(configuration, given: [file("/d/a"), file("/d/b")])
        let first = try world.watch("")
        try world.watch("a")
        #expect(throws: Errno.noSpace) { try world.watch("b") }
        try world.watcher.removeWatch(first)
        #expect(try world.told() == [". IGNORED"])
        #expect(try world.watch("b") == 3)
        #expect(throws: Errno.notDirectory) { try world.watch("a", mask: 0x2 | 0x0100_0000) }
        #expect(throws: Errno.invalidArgument) { try world.watch("a", mask: 0) }
    }

    @Test func `a buffer without room for a record is refused, and 272 bytes hold any`() throws {
        var world = try WatchedHost()
        try world.watch("", mask: 0x100)
        let name = Array(repeating: UInt8(0xff), count: 255)
        try world.do(.create(path: bytes("/d/") + name, FileAttributes(), over: .zero))
        var read: [UInt8] = []
        #expect(throws: Errno.invalidArgument) { try world.watcher.read(count: 271, into: &read) }
        #expect(try world.watcher.read(count: 272, into: &read) == 272)
        let record = try InotifyRecord(parsing: read.span)
        #expect(record.name == name)
    }

    @Test func `mkdir -p is told as far as there are watches`() throws {
        var world = try WatchedHost()
        try world.watch("")
        try world.do(.makeFolders(path: bytes("/d/a/b/c"), permissions: 0o755))
        #expect(try world.told() == [". CREATE|ISDIR a"])
    }
}
