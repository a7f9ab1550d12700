import CollectorCore
import EventModel
import HostSources
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// `list_files`, asked of the filesystem source on a simulated host.
@Suite struct ListFilesTests {
    struct Outcome: Sendable {
        var pages: [TaskAnswer] = []
        var error: TaskError?
        var account: SourceAccount?

        var paths: [String] { pages.flatMap(\.files).map(\.path) }
    }

    /// Lists everything below `/d` two seconds after the beginning; between two pages the host goes on for 10 ms.
    private func list(
        prefix: String = "/", limit: Int = 3, given: [FileAction], faults: [FaultRule] = [],
        during actions: [FileAction] = [], packageDatabase: String? = nil
    ) throws -> Outcome {
        let outcome = Shared(Outcome())
        let host = SimulatedHost(WorldConfiguration(), faults: FaultPlan(faults))
        try host.kernel.addFiles([newFolder("/d")] + given)
        for (number, action) in actions.enumerated() {
            let time = Duration.milliseconds(2_005 + 10 * number)
            host.kernel.schedule(at: host.kernel.now.advanced(by: time)) { try? $0.perform(action) }
        }
        let report = Simulation.run(host.pump) {
            let source = FilesystemSource(
                endpoints: FilesystemSource.Endpoints(
                    watcher: try host.fileWatcher(), roots: [try host.rootedDirectory(path: path("/d"))],
                    packageDatabase: try packageDatabase.map { try host.rootedDirectory(path: path($0)) },
                    index: nil),
                settings: FilesystemSourceSettings(), clock: host.clock)
            let collector = try Collector(
                configuration: CollectorConfiguration(),
                run: RunContext(bootID: WorldConfiguration().bootID, runID: RunID(1)), thread: host.pump)
            try collector.register(source, on: host.pump)
            let asker = spawn(on: host.pump) {
                let clock = host.clock
                try? await clock.sleep(until: clock.monotonic.advanced(by: .seconds(2)))
                var after: [UInt8]?
                do throws(TaskError) {
                    while true {
                        let answer = try await collector.perform(
                            .listFiles(prefix: prefix, after: after, limit: limit),
                            until: clock.monotonic.advanced(by: .seconds(5)))
                        outcome.change { $0.pages.append(answer) }
                        after = answer.fileCursor
                        guard answer.hasMore else { break }
                        try? await clock.sleep(until: clock.monotonic.advanced(by: .milliseconds(10)))
                    }
                } catch {
                    outcome.change { $0.error = error }
                }
                collector.requestStop()
            }
            let report = try await collector.run()
            asker.cancel()
            outcome.change { $0.account = report.accounts.sources.first }
        }
        #expect(report.ending == .completed)
        return outcome.value
    }

    private let files = [
        newFolder("/d/a"), newFile("/d/a/x", size: 5), newFile("/d/a-b", size: 7), newFile("/d/a.c"),
        newFolder("/d/e"), newFile("/d/z", size: 9),
    ]
    private let sorted = ["/d/a", "/d/a-b", "/d/a.c", "/d/a/x", "/d/e", "/d/z"]

    @Test func `pages come in the order of the paths' bytes, with what is known of each file`() throws {
        let outcome = try list(given: files)
        #expect(outcome.paths == sorted && outcome.pages.count == 2)
        #expect(outcome.pages.map(\.hasMore) == [true, false])
        let file = try #require(outcome.pages.first?.files[1])
        #expect(file.size == 7 && file.type == .regular && file.operation == .baseline)
        #expect(
            file.permissions != nil && file.uid == UserID(0) && file.inode != nil && file.modifiedTime != nil)
        #expect(file.fileHash == nil && file.metadata == .lateRead)
        #expect(outcome.pages.allSatisfy { $0.totalCount >= 6 })
        #expect(outcome.account?.isBalanced == true)
    }

    @Test func `a prefix may end within a name`() throws {
        #expect(try list(prefix: "/d/a.", given: files).paths == ["/d/a.c"])
        #expect(try list(prefix: "/d/a/", given: files).paths == ["/d/a/x"])
        #expect(try list(prefix: "/d/a", given: files).paths == Array(sorted[..<4]))
        #expect(try list(prefix: "/elsewhere", given: files).paths.isEmpty)
    }

    @Test func `bytes that are no text do not end the list`() throws {
        var attributes = FileAttributes()
        attributes.bytes = .generated(1)
        let odd = (0..<7).map { number in
            FileAction.create(path: path("/d/") + [0xf8 + UInt8(number)], attributes, over: .zero)
        }
        let outcome = try list(limit: 2, given: files + odd)
        #expect(outcome.paths == sorted + ["8", "9", "a", "b", "c", "d", "e"].map { "/d/\\xf\($0)" })
    }

    @Test func `what is below no watched root is not listed`() throws {
        let outcome = try list(
            given: files + [newFolder("/p"), newFolder("/p/info"), newFile("/p/status", size: 3)],
            packageDatabase: "/p")
        #expect(outcome.paths == sorted)
    }

    @Test func `files that come and go between pages, and calls that fail, leave order and account whole`()
        throws
    {
        for seed in 1...UInt64(5) {
            var rules: [FaultRule] = []
            for operation in [BackendOperation.rootOpen, .rootStatus, .watchRead, .rootRead] {
                var rule = FaultRule(operation, .errno(.noMemory))
                rule.every = Int(seed) * 7
                rules.append(rule)
            }
            let given = files + (0..<40).map { newFile("/d/e/\($0)", size: 3) }
            let changes = (0..<20).flatMap { number in
                [
                    newFile("/d/a/n\(number)", size: 1), .unlink(path: path("/d/e/\(number * 2)")),
                    .rename(from: path("/d/e/\(number * 2 + 1)"), to: path("/d/e/r\(number)"), .replace),
                ]
            }
            let outcome = try list(given: given, faults: rules, during: changes)
            #expect(outcome.error == nil)
            let paths = outcome.paths.map { Array($0.utf8) }
            #expect(zip(paths, paths.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
            #expect(outcome.paths.contains("/d/z") && outcome.paths.contains("/d/a/x"))
            #expect(outcome.account?.isBalanced == true)
        }
    }
}
