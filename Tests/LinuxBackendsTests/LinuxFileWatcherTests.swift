import Backends
import EventModel
import Glibc
import KernelFormats
import LinuxBackends
import Testing

import struct SystemPackage.Errno

@Suite(.timeLimit(.minutes(10)))
struct LinuxFileWatcherTests {
    private typealias Body =
        @Sendable (String, LinuxRootedDirectory, LinuxFileWatcher, LinuxThread) async throws -> Void

    /// Runs `body` with a folder of its own and a watcher.
    private func withWatcher(_ body: @escaping Body) async throws {
        var template = Array("/tmp/collector-test-XXXXXX".utf8CString)
        let folder = try #require(unsafe mkdtemp(&template).map { unsafe String(cString: $0) })
        try await onLinuxThread { thread in
            let root = try LinuxRootedDirectory(path: Array(folder.utf8))
            try await body(folder, root, try LinuxFileWatcher(on: thread), thread)
        }
        try Child("/bin/rm", "-rf", folder).wait()
    }

    private static let mask = InotifyMask.allEvents.subtracting([.open, .access, .closeNoWrite])

    private func make(_ path: String) { _ = unsafe close(open(path, O_CREAT | O_WRONLY, 0o644)) }

    private func readMore(_ watcher: LinuxFileWatcher, into bytes: inout [UInt8]) -> Bool {
        do {
            return try watcher.read(count: 4_096, into: &bytes) > 0
        } catch {
            #expect(error == .resourceTemporarilyUnavailable)
            return false
        }
    }

    /// So many records, waited for: a file is closed only when no process has it, and one that another test is just
    /// starting has everything that is open here, until its exec.
    private func records(
        _ count: Int, of watcher: LinuxFileWatcher, on thread: LinuxThread
    ) async throws -> [InotifyRecord] {
        var records: [InotifyRecord] = []
        let deadline = thread.after(.seconds(120))
        while records.count < count {
            guard await watcher.readable(until: deadline) == .readable else {
                Issue.record("\(count) records did not come, only \(records)")
                break
            }
            records += try self.records(watcher)
        }
        return records
    }

    /// What is there now.
    private func records(_ watcher: LinuxFileWatcher) throws -> [InotifyRecord] {
        var bytes: [UInt8] = []
        while readMore(watcher, into: &bytes) {}
        var reader = InotifyReader(at: 0, count: bytes.count)
        var records: [InotifyRecord] = []
        while let record = try reader.next(in: bytes.span) { records.append(record) }
        return records
    }

    @Test func `what happens in a watched folder is read`() async throws {
        try await withWatcher { folder, root, watcher, thread in
            let watch = try watcher.watch(root.file([], as: .path), mask: Self.mask.rawValue)
            make("\(folder)/a")
            var records = try await records(2, of: watcher, on: thread)
            #expect(unsafe rename("\(folder)/a", "\(folder)/b") == 0)
            #expect(unsafe unlink("\(folder)/b") == 0)
            records += try self.records(watcher)
            try #require(records.count == 5)
            #expect(records.allSatisfy { $0.watch == watch })
            #expect(records.map(\.mask) == [.create, .closeWrite, .movedFrom, .movedTo, .delete])
            #expect(records.map { String(decoding: $0.name, as: UTF8.self) } == ["a", "a", "a", "b", "b"])
            #expect(records[2].cookie == records[3].cookie && records[2].cookie != 0)
        }
    }

    @Test func `a watch is on what is open, not on its name`() async throws {
        try await withWatcher { folder, root, watcher, thread in
            #expect(unsafe mkdir("\(folder)/old", 0o755) == 0)
            let handle = try root.file("old", as: .path)
            #expect(unsafe rename("\(folder)/old", "\(folder)/moved") == 0)
            #expect(unsafe mkdir("\(folder)/old", 0o755) == 0)
            _ = try watcher.watch(handle, mask: Self.mask.rawValue)
            make("\(folder)/old/x")
            make("\(folder)/moved/y")
            let records = try await records(2, of: watcher, on: thread)
            #expect(records.map { String(decoding: $0.name, as: UTF8.self) } == ["y", "y"])
        }
    }

    @Test func `a symbolic link is watched itself`() async throws {
        try await withWatcher { folder, root, watcher, _ in
            make("\(folder)/file")
            #expect(unsafe symlink("file", "\(folder)/link") == 0)
            let handle = try root.file("link", as: .path)
            _ = try watcher.watch(handle, mask: Self.mask.rawValue)
            #expect(unsafe chmod("\(folder)/file", 0o600) == 0)
            #expect(try records(watcher).isEmpty)
            #expect(unsafe rename("\(folder)/link", "\(folder)/other") == 0)
            #expect(try records(watcher).map(\.mask) == [.moveSelf])
        }
    }

    @Test func `a removed watch says so, and is unknown from then on`() async throws {
        try await withWatcher { _, root, watcher, _ in
            let watch = try watcher.watch(root.file([], as: .path), mask: Self.mask.rawValue)
            try watcher.removeWatch(watch)
            #expect(try records(watcher) == [InotifyRecord(watch: watch, mask: .ignored)])
            #expect(throws: Errno.invalidArgument) { try watcher.removeWatch(watch) }
            #expect(throws: Errno.invalidArgument) { try watcher.removeWatch(-1) }
            let next = try watcher.watch(root.file([], as: .path), mask: Self.mask.rawValue)
            #expect(next > watch)
        }
    }

    @Test func `what cannot be watched is told`() async throws {
        try await withWatcher { folder, root, watcher, _ in
            make("\(folder)/file")
            let file = try root.file("file", as: .path)
            #expect(throws: Errno.notDirectory) {
                try watcher.watch(file, mask: Self.mask.union(.onlyDirectory).rawValue)
            }
            #expect(throws: Errno.invalidArgument) { try watcher.watch(file, mask: 0) }
            _ = try watcher.watch(file, mask: Self.mask.rawValue)
            #expect(throws: Errno.fileExists) {
                try watcher.watch(file, mask: Self.mask.union(.createOnly).rawValue)
            }
        }
    }

    @Test func `a record that has no room is refused and kept`() async throws {
        try await withWatcher { folder, root, watcher, _ in
            _ = try watcher.watch(root.file([], as: .path), mask: InotifyMask.create.rawValue)
            make("\(folder)/" + String(repeating: "n", count: 255))
            var bytes: [UInt8] = [7]
            #expect(throws: Errno.invalidArgument) { try watcher.read(count: 271, into: &bytes) }
            #expect(bytes == [7])
            #expect(try watcher.read(count: InotifyRecord.greatestByteCount, into: &bytes) == 272)
            #expect(bytes.count == 273)
        }
    }

    @Test func `a wait ends with the first record, the deadline or an interruption`() async throws {
        try await withWatcher { folder, root, watcher, thread in
            _ = try watcher.watch(root.file([], as: .path), mask: Self.mask.rawValue)
            #expect(await watcher.readable(until: thread.after(.milliseconds(1))) == .deadlinePassed)
            watcher.interrupt()
            #expect(await watcher.readable(until: nil) == .interrupted)
            make("\(folder)/a")
            #expect(await watcher.readable(until: nil) == .readable)
            #expect(try await records(2, of: watcher, on: thread).count == 2)
            #expect(await watcher.readable(until: thread.after(.milliseconds(1))) == .deadlinePassed)
        }
    }

    @Test func `a wait is ended by what another thread does`() async throws {
        try await withWatcher { folder, root, watcher, _ in
            _ = try watcher.watch(root.file([], as: .path), mask: Self.mask.rawValue)
            async let making: Void = onLinuxThread(named: "other") { _ in make("\(folder)/a") }
            #expect(await watcher.readable(until: nil) == .readable)
            try await making
        }
    }
}
