import Backends
import CollectorCore
import EventModel
import HostSources
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// The process source under supervision: its runs are one account and one story.
@Suite struct ProcessRestartTests {
    struct Outcome: Sendable {
        var events: [Event] = []
        var gaps: [Gap] = []
        var states: [SourceStatus.State] = []
        var report: CollectorReport?

        func pids(_ kind: EventKind) -> [Int32] {
            events.filter { $0.kind == kind }.compactMap { $0.process?.identity.pid.rawValue }
        }
    }

    /// Short lives before, around and after the failures, and one process that lives on.
    private func watch(seed: UInt64, faults: [FaultRule], maxRestarts: Int = 5) -> Outcome {
        var configuration = WorldConfiguration(seed: seed)
        configuration.start = Instant(nanoseconds: 100_000_000_000)
        let outcome = Shared(Outcome())
        let host = SimulatedHost(configuration, faults: FaultPlan(faults))
        host.kernel.addProcess(pid(77), ProcessTemplate(path: "/usr/bin/bash"))
        for second in [1, 2, 6, 20] {
            host.kernel.schedule(at: host.kernel.now.advanced(by: .seconds(second))) {
                $0.burst(parent: pid(77), count: 40, over: .milliseconds(900), executing: .file("/bin/true"))
            }
        }
        let report = Simulation.run(host.pump) {
            let source = ProcessSource(
                endpoints: ProcessSource.Endpoints(
                    procfs: host.procFileSystem, connector: try host.openConnectorSocket(), fence: host.fence,
                    cursor: host.durableFile(named: "cursor")),
                settings: ProcessSourceSettings(), clock: host.clock)
            var collectorConfiguration = CollectorConfiguration()
            collectorConfiguration.maxRestarts = maxRestarts
            let collector = try Collector(
                configuration: collectorConfiguration,
                run: RunContext(bootID: host.kernel.configuration.bootID, runID: RunID(1)), thread: host.pump)
            try collector.register(source, on: host.pump)
            let subscription = try collector.subscribe(
                SubscriptionOptions(
                    name: "all", filter: .everything, queueLimit: 10_000, overflowPolicy: .block))
            let taker = spawn(on: host.pump) {
                while let item = await subscription.next() { outcome.change { $0.take(item) } }
            }
            _ = host.clock.schedule(at: host.clock.monotonic.advanced(by: .seconds(30))) {
                collector.requestStop()
            }
            let report = try await collector.run()
            await taker.value
            outcome.change { $0.report = report }
        }
        #expect(report.ending == .completed, "seed \(seed)")
        return outcome.value
    }

    private func fatal(nth: Int, _ operation: BackendOperation = .netlinkReceive) -> FaultRule {
        var rule = FaultRule(operation, .errno(.invalidArgument))
        rule.nth = nth
        return rule
    }

    @Test func `after an error the source goes on: a gap, a resync, one balanced account`() throws {
        for seed in 1...UInt64(10) {
            for nth in [3, 10, 30, 60, 90] {
                let outcome = watch(seed: seed, faults: [fatal(nth: nth)])
                let place: Comment = "seed \(seed), call \(nth)"
                let report = try #require(outcome.report)
                #expect(report.failures.isEmpty, place)
                #expect(outcome.states.filter { $0 == .restarting }.count == 1, place)
                #expect(outcome.states.last == .stopped)
                let account = try #require(report.accounts.sources.first)
                #expect(account.isBalanced, place)
                let stream = try #require(report.accounts.streams.first)
                #expect(stream.isBalanced && stream.emitted == account.emitted, place)
                // A failure before the first fence has nothing to go on with.
                if nth > 3 {
                    #expect(outcome.gaps.filter { $0.cause == .notRunning }.count == 1, place)
                }
                #expect(outcome.events.last { $0.kind == .processExit }.map(\.origin) == .emitted)
                // Nobody is born twice, and whoever was seen to be born has ended.
                let born = outcome.pids(.processFork) + outcome.pids(.processBaseline)
                #expect(Set(outcome.pids(.processExit)).isSubset(of: Set(born)), place)
                #expect(outcome.pids(.processFork).count >= 40, place)
            }
        }
    }

    @Test func `several failures are one account still`() throws {
        let outcome = watch(seed: 3, faults: [fatal(nth: 20), fatal(nth: 60), fatal(nth: 70)])
        let report = try #require(outcome.report)
        #expect(outcome.states.filter { $0 == .restarting }.count == 3)
        #expect(outcome.gaps.filter { $0.cause == .notRunning }.count == 3)
        let account = try #require(report.accounts.sources.first)
        #expect(account.isBalanced && account.processors.allSatisfy { $0.isFenced })
        #expect(account.kernel == account.processors.reduce(0) { $0 + $1.kernel })
    }

    @Test func `a source that is given up leaves an account of all that it had read`() throws {
        var rule = FaultRule(.netlinkReceive, .errno(.invalidArgument))
        rule.nth = 40
        rule.times = 1_000_000
        let outcome = watch(seed: 5, faults: [rule], maxRestarts: 2)
        let report = try #require(outcome.report)
        #expect(report.failures.map(\.source) == [.process])
        let account = try #require(report.accounts.sources.first)
        #expect(account.isBalanced && account.emitted > 0)
        #expect(account.processors.allSatisfy { !$0.isFenced }, "no fence has closed it")
        #expect(report.accounts.streams.first?.emitted == account.emitted)
    }
}

extension ProcessRestartTests.Outcome {
    mutating func take(_ item: Delivery) {
        switch item {
        case .events(let selected): events += selected.map { $0 }
        case .gap(let gap): gaps.append(gap)
        case .status(let status): states.append(status.state)
        case .record: break
        }
    }
}

@Suite struct LateReadQueueLimitTests {
    @Test func `a look for which there is no room is left out and counted`() {
        var queue = LateReadQueue()
        for number in 0..<Int32(LateReadQueue.countLimit + 3) {
            let identity = ProcessIdentity(pid: ProcessID(number), birth: .scan(startTicks: 1, pidFDInode: 0))
            queue.append(identity, due: Instant(nanoseconds: Int64(number)))
        }
        #expect(queue.count == LateReadQueue.countLimit && queue.droppedCount == 3)
        #expect(queue.popDue(at: Instant(nanoseconds: 0))?.pid == ProcessID(0))
    }
}
