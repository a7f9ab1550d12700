import Backends
import CollectorCore
import EventModel
import HostSources
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// The whole source on a simulated host.
@Suite struct FilesystemSourceTests {
    private func expectBalanced(_ outcome: FileOutcome, _ note: String = "") throws {
        let account = try #require(outcome.account)
        #expect(account.isBalanced, "\(note) \(account)")
        #expect(account.lost == nil)
        let running = try #require(outcome.runningAccount)
        #expect(running.isBalanced, "\(note) \(running)")
        #expect(account.emitted == UInt64(outcome.events.count { $0.origin == .emitted }))
    }

    @Test func `a file is told from its creation to its end`() throws {
        let outcome = try watchFiles(
            for: .seconds(8),
            [
                Step(.seconds(1), newFile("/d/a", size: 5)),
                Step(.seconds(2), .write(path: path("/d/a"), .generated(3), at: nil, over: .zero)),
                Step(.seconds(3), .chmod(path: path("/d/a"), 0o600)),
                Step(.seconds(4), .rename(from: path("/d/a"), to: path("/d/b"), .replace)),
                Step(.seconds(5), .unlink(path: path("/d/b"))),
            ])
        #expect(
            outcome.lines == [
                "created /d/a", "modified /d/a", "modified /d/a +size +modified",
                "attributes /d/a +permissions", "renamed /d/a -> /d/b", "deleted /d/b",
            ])
        let modified = try #require(outcome.events[2].file)
        #expect(modified.size == 8 && modified.type == .regular && modified.metadata == .lateRead)
        #expect(modified.permissions == 0o644 && modified.uid == UserID(0) && modified.inode != nil)
        #expect(outcome.gaps.isEmpty)
        #expect(outcome.health == .healthy)
        try expectBalanced(outcome)
    }

    @Test func `a tree that is made at once is told whole, and no name twice`() throws {
        for seed in 1...UInt64(40) {
            let outcome = try watchFiles(
                WorldConfiguration(seed: seed), for: .seconds(3),
                [
                    Step(
                        .seconds(1), .makeFolders(path: path("/d/a/b/c"), permissions: 0o755),
                        newFile("/d/a/b/c/f", size: 1), newFile("/d/a/g")),
                    Step(.seconds(1) + .microseconds(30), newFile("/d/a/b/h")),
                    Step(.seconds(1) + .microseconds(60), newFile("/d/a/b/c/i")),
                ])
            let created = outcome.events.compactMap(\.file).filter { $0.operation == .created }.map(\.path)
            #expect(created.sorted() == outcome.truePaths.sorted(), "seed \(seed): \(outcome.lines)")
            try expectBalanced(outcome, "seed \(seed)")
        }
    }

    @Test func `a move out ends everything below, and a move in tells it`() throws {
        let outcome = try watchFiles(
            for: .seconds(4), given: [newFolder("/o"), newFile("/d/t/x"), newFolder("/d/t")].reversed(),
            [
                Step(.seconds(1), .rename(from: path("/d/t"), to: path("/o/t"), .replace)),
                Step(.seconds(2), .rename(from: path("/o/t"), to: path("/d/u"), .replace)),
                Step(.seconds(3), newFile("/d/u/y")),
            ])
        #expect(
            outcome.lines == [
                "deleted /d/t/x (derived)", "deleted /d/t", "created /d/u", "created /d/u/x (derived)",
                "created /d/u/y",
            ])
        try expectBalanced(outcome)
    }

    @Test func `a rename over a file tells the end of the one that was there`() throws {
        let outcome = try watchFiles(
            for: .seconds(3), given: [newFile("/d/a"), newFile("/d/b")],
            [
                Step(.seconds(1), .rename(from: path("/d/a"), to: path("/d/b"), .replace))
            ])
        #expect(outcome.lines == ["deleted /d/b (derived)", "renamed /d/a -> /d/b"])
        try expectBalanced(outcome)
    }

    @Test
    func
        `of two names that are exchanged one is renamed, the other ends and begins, and each keeps what it is`()
        throws
    {
        let outcome = try watchFiles(
            for: .seconds(3), given: [newFile("/d/a", size: 1), newFile("/d/b", size: 2)],
            [
                Step(.seconds(1), .rename(from: path("/d/a"), to: path("/d/b"), .exchange)),
                Step(.seconds(2), .chmod(path: path("/d/a"), 0o600)),
            ])
        #expect(
            outcome.lines == [
                "deleted /d/b (derived)", "renamed /d/a -> /d/b", "created /d/a",
                "attributes /d/a +permissions",
            ])
        #expect(outcome.events.last?.file?.size == 2)
        try expectBalanced(outcome)
    }

    @Test func `a renamed folder goes on being watched under its new path`() throws {
        let outcome = try watchFiles(
            for: .seconds(3), given: [newFolder("/d/a/b"), newFile("/d/a/b/f")],
            [
                Step(.seconds(1), .rename(from: path("/d/a"), to: path("/d/z"), .replace)),
                Step(.seconds(2), newFile("/d/z/b/g"), .unlink(path: path("/d/z/b/f"))),
            ])
        #expect(
            outcome.lines == ["renamed /d/a -> /d/z", "created /d/z/b/g", "deleted /d/z/b/f"])
        try expectBalanced(outcome)
    }

    @Test func `hard links are kept apart by their paths`() throws {
        let outcome = try watchFiles(
            for: .seconds(4), given: [newFile("/d/a", size: 1)],
            [
                Step(.seconds(1), .link(from: path("/d/a"), to: path("/d/b"))),
                Step(.seconds(2), .unlink(path: path("/d/a"))),
                Step(.seconds(3), .write(path: path("/d/b"), .generated(1), at: nil, over: .zero)),
            ])
        #expect(outcome.lines.filter { $0.hasPrefix("created") } == ["created /d/b"])
        #expect(outcome.events.first { $0.kind == .fileCreated }?.file?.linkCount == 2)
        #expect(outcome.lines.contains("deleted /d/a"))
        #expect(outcome.lines.last == "modified /d/b +size +modified")
        try expectBalanced(outcome)
    }

    @Test func `a file that stays open is told as modified after the settle time`() throws {
        let outcome = try watchFiles(
            for: .seconds(5), given: [newFile("/d/a")],
            [
                Step(.seconds(1), .hold(path: path("/d/a"), 1)),
                Step(.milliseconds(1_100), .writeHeld(1, .generated(10))),
                Step(.milliseconds(1_300), .writeHeld(1, .generated(10))),
                Step(.milliseconds(4_000), .release(1)),
            ])
        #expect(outcome.lines == ["modified /d/a +size +modified"])
        #expect(outcome.events.first?.file?.size == 20)
        try expectBalanced(outcome)
    }

    @Test func `a symbolic link is told and not followed`() throws {
        let outcome = try watchFiles(
            for: .seconds(3), given: [newFolder("/o"), newFile("/o/secret")],
            [
                Step(.seconds(1), .symlink(path: path("/d/l"), target: path("/o"))),
                Step(.seconds(2), newFile("/o/other")),
            ])
        #expect(outcome.lines == ["created /d/l"])
        #expect(outcome.events.first?.file?.type == .symlink)
        try expectBalanced(outcome)
    }

    @Test func `what is excluded is neither told nor watched, and is counted`() throws {
        let outcome = try watchFiles(
            for: .seconds(4), given: [newFolder("/d/cache"), newFolder("/d/own")],
            [
                Step(.seconds(1), newFile("/d/.a.swp"), newFile("/d/cache/x"), newFile("/d/own/y")),
                Step(.seconds(2), .rename(from: path("/d/.a.swp"), to: path("/d/a"), .replace)),
                Step(
                    .seconds(3), .removeTree(path: path("/d/own")), .removeTree(path: path("/d/cache"))),
            ]
        ) {
            $0.hashes = false
            for rule in ["*.swp", "/d/cache"] where !$0.rules.exclude(rule) { Issue.record("\(rule)") }
            $0.rules.excludeOwn(path("/d/own"))
        }
        #expect(outcome.lines == ["created /d/a"])
        let filtered = try #require(outcome.account).filtered
        #expect(filtered["exclude *.swp"] > 0 && filtered["exclude /d/cache"] > 0 && filtered["self"] == 1)
        try expectBalanced(outcome)
    }

    @Test func `an overflow is one gap, and a rescan states what was lost`() throws {
        for seed in 1...UInt64(10) {
            var configuration = WorldConfiguration(seed: seed)
            configuration.watchQueueLimit = 64
            let burst = FileBurst(
                folder: path("/d/s"), what: .create, count: 2_000, size: 1, duration: .zero)
            let outcome = try watchFiles(
                configuration, for: .seconds(4), given: [newFolder("/d/s"), newFile("/d/s/old")],
                [
                    Step(.seconds(1), .burst(burst)),
                    Step(.seconds(1) + .nanoseconds(1), .unlink(path: path("/d/s/old"))),
                ])
            #expect(outcome.gaps.map(\.cause) == [.watchQueueOverflow], "seed \(seed)")
            #expect(outcome.gaps.first?.lost == nil && outcome.gaps.first?.lostBounds.atLeast == 1)
            #expect(outcome.paths(from: ["/d/s", "/d/s/old"]) == outcome.truePaths, "seed \(seed)")
            #expect(outcome.lines.contains("deleted /d/s/old (resync)"))
            let created = outcome.events.filter { $0.kind == .fileCreated }.compactMap { $0.file?.path }
            #expect(created.count == Set(created).count)
            #expect(outcome.account?.overflows == 1)
            try expectBalanced(outcome, "seed \(seed)")
        }
    }

    @Test func `what changed while nobody watched is told after the next start`() throws {
        let disk = SimulatedDisk()
        let before: [FileAction] = [
            newFolder("/d/k"), newFile("/d/k/same", size: 1), newFile("/d/k/gone"), newFile("/d/k/written"),
            newFile("/d/k/mode"),
        ]
        let first = try watchFiles(disk: disk, for: .seconds(2), given: before)
        #expect(first.events.isEmpty && first.gaps.isEmpty)
        let after =
            before + [
                .unlink(path: path("/d/k/gone")), newFile("/d/k/new"),
                .write(path: path("/d/k/written"), .generated(9), at: nil, over: .zero),
                .chmod(path: path("/d/k/mode"), 0o600),
            ]
        let second = try watchFiles(disk: disk, for: .seconds(2), given: after)
        #expect(second.gaps.map(\.cause) == [.notRunning])
        let lines = second.lines.sorted()
        #expect(lines.contains("created /d/k/new (resync)"))
        #expect(lines.contains("deleted /d/k/gone (resync)"))
        #expect(lines.contains { $0.hasPrefix("modified /d/k/written +size") && $0.hasSuffix("(resync)") })
        #expect(lines.contains { $0.hasPrefix("attributes /d/k/mode +permissions") })
        #expect(!lines.contains { $0.contains("/d/k/same") })
        try expectBalanced(second)
    }

    @Test func `each file that is there makes an event when that is asked for`() throws {
        let outcome = try watchFiles(for: .seconds(2), given: [newFolder("/d/a"), newFile("/d/a/f")]) {
            $0.reportsBaseline = true
        }
        #expect(outcome.lines == ["baseline /d/a (baseline)", "baseline /d/a/f (baseline)"])
    }

    @Test func `folders without a watch are degraded health and a gap, and are looked at instead`() throws {
        var configuration = WorldConfiguration()
        configuration.watchLimit = 2
        let outcome = try watchFiles(
            configuration, for: .seconds(40),
            given: [newFolder("/d/a"), newFolder("/d/b"), newFolder("/d/c")],
            [Step(.seconds(5), newFile("/d/a/x"), newFile("/d/b/x"), newFile("/d/c/x"))])
        #expect(outcome.gaps.map(\.cause) == [.watchLost])
        #expect(outcome.paths(from: ["/d/a", "/d/b", "/d/c"]) == outcome.truePaths)
        #expect(outcome.lines.count { $0.hasSuffix("(resync)") } == 2)
        guard case .degraded(let reason) = outcome.health else { return #expect(Bool(false)) }
        #expect(reason.hasPrefix("2 folders could not be watched"))
        try expectBalanced(outcome)
    }

    @Test func `a mount below the root is not entered`() throws {
        let outcome = try watchFiles(
            for: .seconds(4), given: [newFolder("/d/m"), .mount(path: path("/d/m"), MountOptions())],
            [
                Step(.seconds(1), newFile("/d/m/inside")), Step(.seconds(2), newFile("/d/outside")),
            ])
        #expect(outcome.lines == ["created /d/outside"])
    }

    @Test func `a name that is not UTF-8 is escaped and marked`() throws {
        let outcome = try watchFiles(
            for: .seconds(3),
            [
                Step(.seconds(1), .create(path: path("/d/") + [0xff, 0x61], FileAttributes(), over: .zero))
            ])
        #expect(outcome.events.first?.file?.path == "/d/\\xffa")
        #expect(outcome.events.first?.escaped == ["path"])
    }

    @Test func `any moment may be interrupted by any error, and the index is right in the end`() throws {
        let operations: [(BackendOperation, Errno)] = [
            (.watchAdd, .noMemory), (.watchRead, .noMemory), (.rootOpen, .tooManyOpenFiles),
            (.rootOpen, .ioError),
            (.rootStatus, .ioError), (.rootStatus, .permissionDenied), (.rootList, .ioError),
        ]
        for (operation, error) in operations {
            for every in [2, 3, 7] {
                var rule = FaultRule(operation, .errno(error))
                rule.every = every
                rule.during = Instant(nanoseconds: 500_000_000)..<Instant(nanoseconds: 8_000_000_000)
                let outcome = try watchFiles(
                    faults: [rule], for: .seconds(40), given: [newFolder("/d/a/b"), newFile("/d/a/b/f")],
                    [
                        Step(.seconds(1), newFolder("/d/n/o/p"), newFile("/d/n/o/p/q"), newFile("/d/a/x")),
                        Step(.seconds(2), .rename(from: path("/d/a"), to: path("/d/n/a"), .replace)),
                        Step(.seconds(3), .unlink(path: path("/d/n/a/b/f")), newFile("/d/n/a/b/g")),
                        Step(.seconds(4), .removeTree(path: path("/d/n/o"))),
                    ])
                let beginning: Set<String> = ["/d/a", "/d/a/b", "/d/a/b/f"]
                #expect(
                    outcome.paths(from: beginning) == outcome.truePaths,
                    "\(operation) \(error) every \(every): \(outcome.lines)")
                #expect(outcome.indexLines == outcome.trueLines, "\(operation) \(error) every \(every)")
                try expectBalanced(outcome, "\(operation) \(error) every \(every)")
            }
        }
    }

    @Test func `after any work the events and the index say what is there`() throws {
        for seed in 1...UInt64(60) {
            var generator = FileRandom(seed: seed)
            var configuration = WorldConfiguration(seed: seed)
            if seed % 3 == 0 { configuration.watchQueueLimit = 12 }
            let given = [
                newFolder("/o/a"), newFolder("/d/a/b"), newFile("/d/a/x"), newFile("/d/a/b/y", size: 3),
            ]
            var steps: [Step] = []
            var time = Duration.seconds(1)
            for _ in 0..<60 {
                steps.append(Step(time, randomAction(&generator)))
                // Mostly at once, sometimes later.
                let pause = UInt8.random(in: 0...9, using: &generator)
                time += pause < 7 ? .microseconds(Int(pause) * 40) : .milliseconds(Int(pause) * 20)
            }
            let outcome = try watchFiles(configuration, for: .seconds(8), given: given, steps) {
                $0.hashes = seed % 2 == 0
            }
            let beginning: Set<String> = ["/d/a", "/d/a/b", "/d/a/x", "/d/a/b/y"]
            #expect(
                outcome.paths(from: beginning) == outcome.truePaths,
                "seed \(seed): \(outcome.lines) \(steps.map(\.actions))")
            #expect(outcome.indexLines == outcome.trueLines, "seed \(seed): \(outcome.lines)")
            try expectBalanced(outcome, "seed \(seed)")
        }
    }

    private func randomPath(_ generator: inout FileRandom) -> String {
        let root = UInt8.random(in: 0...7, using: &generator) == 0 ? "/o" : "/d"
        let depth = UInt8.random(in: 1...3, using: &generator)
        return (0..<depth).reduce(root) { path, _ in
            path + "/" + (["a", "b", "x", "y"].randomElement(using: &generator) ?? "a")
        }
    }

    private func randomAction(_ generator: inout FileRandom) -> FileAction {
        let one = randomPath(&generator)
        let other = randomPath(&generator)
        switch UInt8.random(in: 0...15, using: &generator) {
        case 0...2: return newFile(one, size: UInt64.random(in: 0...9, using: &generator))
        case 3...4: return newFolder(one)
        case 5...6: return .unlink(path: path(one))
        case 7: return .removeTree(path: path(one))
        case 8...10: return .rename(from: path(one), to: path(other), .replace)
        case 11: return .rename(from: path(one), to: path(other), .exchange)
        case 12: return .link(from: path(one), to: path(other))
        case 13: return .chmod(path: path(one), UInt16.random(in: 0...0o777, using: &generator))
        case 14: return .symlink(path: path(one), target: path(other))
        default: return .write(path: path(one), .generated(2), at: nil, over: .zero)
        }
    }

    @Test func `a root that is deleted is a gap and degraded health, and its files have ended`() throws {
        let outcome = try watchFiles(
            for: .seconds(12), given: [newFile("/d/a")],
            [Step(.seconds(1), .removeTree(path: path("/d")))])
        #expect(outcome.gaps.map(\.cause) == [.watchLost])
        #expect(outcome.lines.contains("deleted /d/a") && outcome.lines.last == "deleted /d (derived)")
        guard case .degraded(let reason) = outcome.health else { return #expect(Bool(false)) }
        #expect(reason.contains("1 roots are not there"))
        try expectBalanced(outcome)
    }

    @Test func `a run that ends by an error goes on with the same account behind a gap`() throws {
        var rule = FaultRule(.watchRead, .errno(.noMemory))
        rule.during = Instant(nanoseconds: 500_000_000)..<Instant(nanoseconds: 9_000_000_000)
        let outcome = try watchFiles(
            faults: [rule], for: .seconds(30), given: [newFile("/d/a")],
            [
                Step(.seconds(1), newFile("/d/b")), Step(.seconds(8), .unlink(path: path("/d/a"))),
                Step(.seconds(25), newFile("/d/c")),
            ])
        #expect(outcome.error == nil)
        #expect(outcome.gaps.contains { $0.cause == .notRunning })
        #expect(outcome.paths(from: ["/d/a"]) == outcome.truePaths)
        #expect(outcome.indexLines == outcome.trueLines)
        try expectBalanced(outcome)
    }

    @Test func `a damaged index is a baseline and degraded health, not a guess`() throws {
        var rule = FaultRule(.fileRead, .corrupt)
        rule.every = 1
        let disk = SimulatedDisk()
        _ = try watchFiles(disk: disk, for: .seconds(2), given: [newFile("/d/a")])
        let outcome = try watchFiles(
            faults: [rule], disk: disk, for: .seconds(2), given: [newFile("/d/a"), newFile("/d/b")])
        #expect(outcome.events.isEmpty)
    }

    @Test func `an account that is asked for before the source has begun is its own`() {
        let answer = Shared<SourceAccount?>(nil)
        let host = SimulatedHost(WorldConfiguration())
        let report = Simulation.run(host.pump) {
            try host.kernel.addFiles([newFolder("/d")])
            let source = FilesystemSource(
                endpoints: FilesystemSource.Endpoints(
                    watcher: try host.fileWatcher(), roots: [try host.rootedDirectory(path: path("/d"))],
                    index: nil),
                settings: FilesystemSourceSettings(), clock: host.clock)
            let asker = spawn(on: host.pump) {
                let account = await source.closeAccount()
                answer.change { $0 = account }
            }
            try? await host.clock.sleep(until: host.clock.monotonic.advanced(by: .milliseconds(1)))
            let collector = try Collector(
                configuration: CollectorConfiguration(),
                run: RunContext(bootID: WorldConfiguration().bootID, runID: RunID(1)), thread: host.pump)
            try collector.register(source, on: host.pump)
            let stopper = spawn(on: host.pump) {
                await asker.value
                collector.requestStop()
            }
            _ = try await collector.run()
            await stopper.value
        }
        #expect(report.ending == .completed)
        // That of the buffer, which stands in, has no bounds.
        #expect(answer.value?.lostBounds == LostBounds(atLeast: 0, atMost: 0))
    }
}
