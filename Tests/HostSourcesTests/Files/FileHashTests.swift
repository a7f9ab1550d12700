import Backends
import CollectorCore
import Digests
import EventModel
import HostSources
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// Hashes of contents.
@Suite struct FileHashTests {
    private func watch(
        faults: [FaultRule] = [], for duration: Duration = .seconds(4), given: [FileAction] = [],
        _ steps: [Step],
        change: @escaping @Sendable (inout FilesystemSourceSettings) -> Void = { _ in }
    ) throws -> FileOutcome {
        try watchFiles(faults: faults, for: duration, given: given, steps, change: change)
    }

    private func hash(of entry: FileTruthEntry) -> String {
        var bytes: [UInt8] = []
        entry.content.read(at: 0, count: Int(entry.size), into: &bytes)
        return SHA256.digest(bytes).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }

    @Test func `a written file is told with the hash of what it holds`() throws {
        let outcome = try watch([Step(.seconds(1), newFile("/d/a", size: 200_000))])
        let file = try #require(outcome.events.last?.file)
        #expect(outcome.lines.count == 2 && file.operation == .modified)
        let entry = try #require(outcome.tree.first { $0.path == path("/d/a") })
        #expect(file.fileHash == hash(of: entry) && file.hashAlgorithm == .sha256)
        #expect(file.size == 200_000)
        #expect(try #require(outcome.account).isBalanced)
    }

    @Test func `what an editor saves by a rename is told with its hash under its new name`() throws {
        let outcome = try watch(
            given: [newFile("/d/a", size: 1)],
            [
                Step(
                    .seconds(1), newFile("/d/.a.new", size: 100),
                    .rename(from: path("/d/.a.new"), to: path("/d/a"), .replace))
            ])
        let file = try #require(outcome.events.last?.file)
        #expect(file.operation == .renamed)
        let entry = try #require(outcome.tree.first { $0.path == path("/d/a") })
        #expect(file.fileHash == hash(of: entry))
        #expect(try #require(outcome.account).isBalanced)
    }

    @Test func `a file that is too large is told without a hash, and with why`() throws {
        let outcome = try watch([Step(.seconds(1), newFile("/d/a", size: 5_000))]) {
            $0.hashSizeLimit = 4_999
        }
        #expect(outcome.events.last?.file?.hashObstacle == .tooLarge)
        #expect(outcome.events.last?.file?.fileHash == nil)
    }

    @Test func `a file that changes while it is read has no hash that anybody could believe`() throws {
        // Each read takes a second in which the file is written to.
        var rule = FaultRule(.rootRead, .stall(.seconds(1)))
        rule.every = 1
        let steps = (0..<40).map { number in
            Step(
                .seconds(1) + .milliseconds(100 * number),
                .write(path: path("/d/a"), .generated(1), at: nil, over: .zero))
        }
        let outcome = try watch(faults: [rule], for: .seconds(12), given: [newFile("/d/a", size: 10)], steps)
        let files = outcome.events.compactMap(\.file)
        #expect(files.contains { $0.hashObstacle == .changing })
        let last = try #require(files.last)
        let entry = try #require(outcome.tree.first { $0.path == path("/d/a") })
        #expect(last.fileHash == hash(of: entry))
        #expect(try #require(outcome.account).isBalanced)
    }

    @Test func `what would take too long to read is told without a hash`() throws {
        let outcome = try watch(
            for: .seconds(30), (0..<20).map { Step(.seconds(1), newFile("/d/f\($0)", size: 40_000)) }
        ) { $0.hashByteRate = 65_536 }
        let obstacles = outcome.events.compactMap { $0.file?.hashObstacle }
        let hashes = outcome.events.compactMap { $0.file?.fileHash }
        #expect(obstacles.count + hashes.count == 20)
        #expect(obstacles.allSatisfy { $0 == .overBudget } && !obstacles.isEmpty && hashes.count >= 4)
        #expect(try #require(outcome.account).isBalanced)
    }

    @Test func `a change that no budget can hash in time is told before the next one`() throws {
        let outcome = try watch(
            for: .seconds(6),
            [
                Step(.seconds(1), newFile("/d/large", size: 4 << 20)),
                Step(.seconds(4), newFile("/d/next")),
            ]
        ) { $0.hashByteRate = 10_240 }
        #expect(outcome.lines.prefix(3) == ["created /d/large", "modified /d/large", "created /d/next"])
        #expect(outcome.events.dropFirst().first?.file?.hashObstacle == .overBudget)
    }

    @Test func `a file that is read too slowly is told without a hash, in time`() throws {
        var rule = FaultRule(.rootRead, .stall(.milliseconds(900)))
        rule.every = 1
        let outcome = try watch(
            faults: [rule], for: .seconds(10),
            [
                Step(.seconds(1), newFile("/d/slow", size: 1 << 20)),
                Step(.seconds(6), newFile("/d/next")),
            ])
        #expect(outcome.lines.prefix(3) == ["created /d/slow", "modified /d/slow", "created /d/next"])
        #expect(outcome.events.dropFirst().first?.file?.hashObstacle == .overBudget)
        #expect(try #require(outcome.account).isBalanced)
    }

    @Test func `a small file takes what little is left of the budget`() throws {
        let outcome = try watch(
            [
                Step(.seconds(1), newFile("/d/first", size: 60_000)),
                Step(.seconds(2), newFile("/d/small", size: 100)),
            ]
        ) { $0.hashByteRate = 1_000 }
        let last = try #require(outcome.events.last?.file)
        #expect(last.path == "/d/small" && last.fileHash != nil)
    }

    @Test func `a FIFO in the place of a file is never opened`() throws {
        let outcome = try watch(
            given: [newFile("/d/a", size: 1)],
            [
                Step(
                    .seconds(1), .write(path: path("/d/a"), .generated(1), at: nil, over: .zero),
                    .unlink(path: path("/d/a")), .makeNode(path: path("/d/a"), .fifo, permissions: 0o644)),
                Step(.seconds(2), newFile("/d/b")),
            ])
        #expect(outcome.lines.last == "created /d/b")
        let hashes = outcome.events.compactMap { $0.file?.fileHash }
        #expect(hashes.isEmpty)
        #expect(outcome.events.contains { $0.file?.type == .fifo })
    }
}
