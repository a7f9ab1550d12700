import Backends
import EventModel
import Foundation
import SimulatedBackends
import Testing

@Suite struct PumpTests {
    /// Three tasks that take turns; the order in which they finish their rounds is the schedule.
    private func race(_ configuration: WorldConfiguration) -> (report: SimulationReport, order: [Int]) {
        let order = Shared<[Int]>([])
        let host = SimulatedHost(configuration)
        let report = Simulation.run(host.pump) {
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<3 {
                    group.addTask {
                        for _ in 0..<20 {
                            order.change { $0.append(task) }
                            await Task.yield()
                        }
                    }
                }
            }
        }
        return (report, order.value)
    }

    @Test(arguments: [SchedulingPolicy.fifo, .random, .pct(depth: 3)])
    func `the same seed gives the same run`(policy: SchedulingPolicy) {
        var configuration = WorldConfiguration(seed: 11)
        configuration.policy = policy
        let first = race(configuration)
        let second = race(configuration)
        #expect(first.report == second.report)
        #expect(first.order == second.order)
        #expect(first.report.ending == .completed)
        #expect(first.report.firstDifferingInterval(from: second.report) == nil)
    }

    @Test(arguments: [SchedulingPolicy.random, .pct(depth: 3)])
    func `other seeds give other schedules`(policy: SchedulingPolicy) {
        var orders: Set<[Int]> = []
        var hashes: Set<UInt64> = []
        for seed in 1...UInt64(30) {
            var configuration = WorldConfiguration(seed: seed)
            configuration.policy = policy
            let run = race(configuration)
            orders.insert(run.order)
            hashes.insert(run.report.hash)
        }
        // Strict priorities give fewer orders than free choice.
        #expect(orders.count > (policy == .random ? 20 : 5))
        #expect(hashes.count >= orders.count)
    }

    @Test func `the first-in policy has one schedule for all seeds`() {
        var orders: Set<[Int]> = []
        for seed in 1...UInt64(10) {
            var configuration = WorldConfiguration(seed: seed)
            configuration.policy = .fifo
            orders.insert(race(configuration).order)
        }
        #expect(orders.count == 1)
    }

    @Test func `a trace that differs late names the checkpoint interval`() {
        func run(extra: Bool) -> SimulationReport {
            simulate(WorldConfiguration(seed: 3)) { host in
                for step in 0..<5_000 {
                    host.pump.fold(UInt64(step == 3_000 && extra ? 1 : 0))
                }
            }
        }
        #expect(run(extra: false).firstDifferingInterval(from: run(extra: true)) == 2)
    }

    @Test func `captured steps are those asked for`() {
        var configuration = WorldConfiguration(seed: 3)
        configuration.captureRange = 5..<8
        let report = simulate(configuration) { host in
            for step in 0..<20 { host.pump.fold(UInt64(step)) }
        }
        #expect(report.captured.map(\.step) == [5, 6, 7])
        #expect(report.recent.last?.step == report.stepCount - 1)
    }

    @Test func `a day of waiting takes no real time`() {
        let report = simulate(WorldConfiguration()) { host in
            for _ in 0..<24 { await sleep(for: .seconds(3_600), on: host.clock) }
        }
        #expect(report.ending == .completed)
        #expect(report.end.nanoseconds >= 86_400_000_000_000)
        #expect(report.jobCount < 100)
    }

    @Test func `timers fire never early, and equal deadlines in the order of scheduling`() {
        var configuration = WorldConfiguration(seed: 5)
        configuration.timerLateness = .zero ... .microseconds(500)
        let report = simulate(configuration) { host in
            let fired = Shared<[(due: Int64, at: Int64)]>([])
            var generator = SeededGenerator(seed: 7, stream: .world)
            for _ in 0..<500 {
                let due = generator.draw(0...10_000_000)
                _ = host.clock.schedule(at: Instant(nanoseconds: due)) {
                    fired.change { $0.append((due, host.clock.monotonic.nanoseconds)) }
                }
            }
            await sleep(until: Instant(nanoseconds: 20_000_000), on: host.clock)
            let all = fired.value
            #expect(all.count == 500)
            #expect(all.allSatisfy { $0.at >= $0.due })
            #expect(all.contains { $0.at > $0.due })
        }
        #expect(report.ending == .completed)
        simulate(WorldConfiguration(seed: 5)) { host in
            let order = Shared<[Int]>([])
            for index in 0..<50 {
                _ = host.clock.schedule(at: Instant(nanoseconds: 1_000)) { order.change { $0.append(index) } }
            }
            await sleep(until: Instant(nanoseconds: 1_000), on: host.clock)
            #expect(order.value == Array(0..<50))
        }
    }

    @Test func `a cancelled timer does not fire`() {
        simulate(WorldConfiguration()) { host in
            let fired = Shared(0)
            let tokens = (0..<1_000).map { index in
                host.clock.schedule(at: Instant(nanoseconds: 1_000 + Int64(index))) {
                    fired.change { $0 += 1 }
                }
            }
            for token in tokens.dropLast() { host.clock.cancel(token) }
            await sleep(until: Instant(nanoseconds: 10_000), on: host.clock)
            #expect(fired.value == 1)
            host.clock.cancel(tokens[0])
        }
    }

    @Test func `a task that waits for nothing is a deadlock that says who waits`() throws {
        let report = simulate(WorldConfiguration()) { host in
            let socket = try host.openConnectorSocket()
            _ = await socket.readable(until: nil)
        }
        guard case .deadlock(let description) = report.ending else {
            Issue.record("ended as \(report.ending)")
            return
        }
        #expect(description.contains("netlink socket"))
    }

    @Test func `two tasks that wait for each other are a deadlock in some schedules`() {
        actor Fork {
            private var isTaken = false
            private var waiters: [CheckedContinuation<Void, Never>] = []
            func take() async {
                if isTaken { await withCheckedContinuation { waiters.append($0) } } else { isTaken = true }
            }
            func put() { if waiters.isEmpty { isTaken = false } else { waiters.removeFirst().resume() } }
        }
        var deadlocks = 0
        for seed in 1...UInt64(60) {
            let report = simulate(WorldConfiguration(seed: seed)) { _ in
                let left = Fork()
                let right = Fork()
                await withTaskGroup(of: Void.self) { group in
                    for (first, second) in [(left, right), (right, left)] {
                        group.addTask {
                            await first.take()
                            await second.take()
                            await second.put()
                            await first.put()
                        }
                    }
                }
            }
            if case .deadlock = report.ending { deadlocks += 1 }
        }
        #expect((1..<60).contains(deadlocks))
    }

    @Test func `tasks that spin at one instant are a livelock`() {
        var configuration = WorldConfiguration()
        configuration.limits.jobCountPerInstant = 1_000
        let report = simulate(configuration) { _ in while true { await Task.yield() } }
        guard case .livelock = report.ending else {
            Issue.record("ended as \(report.ending)")
            return
        }
    }

    @Test func `a run for ever ends at its limits`() {
        var configuration = WorldConfiguration()
        configuration.limits.end = Instant(nanoseconds: 5_000_000_000)
        let late = simulate(configuration) { host in
            while true { await sleep(for: .seconds(1), on: host.clock) }
        }
        #expect(late.ending == .timeLimit)
        configuration.limits.jobCount = 50
        let many = simulate(configuration) { host in
            while true { await sleep(for: .nanoseconds(1), on: host.clock) }
        }
        #expect(many.ending == .jobLimit)
    }

    @Test func `an error of the body is the end of the run`() {
        struct Refusal: Error {}
        let host = SimulatedHost(WorldConfiguration())
        let report = Simulation.run(host.pump) { throw Refusal() }
        #expect(report.ending == .threw(description: "Refusal()"))
    }

    @Test func `a job from another thread traps`() async {
        await #expect(processExitsWith: .failure) {
            let pump = Pump(WorldConfiguration())
            await withCheckedContinuation { continuation in
                let thread = Thread {
                    _ = Task(executorPreference: pump) {}
                    continuation.resume()
                }
                thread.start()
            }
        }
    }

    @Test func `a stopped thread takes no more jobs`() async {
        await #expect(processExitsWith: .failure) {
            let host = SimulatedHost(WorldConfiguration())
            let thread = host.threads.makeThread(named: "procfs")
            thread.stop()
            _ = Simulation.run(host.pump) {
                await withTaskExecutorPreference(thread) { await Task.yield() }
            }
        }
    }

    @Test func `work on a simulated thread runs in the pump`() {
        let report = simulate(WorldConfiguration()) { host in
            let thread = host.threads.makeThread(named: "procfs")
            let sum = await withTaskExecutorPreference(thread) {
                await withTaskGroup(of: Int.self) { group in
                    for value in 1...10 {
                        group.addTask {
                            await sleep(for: .microseconds(value), on: thread.clock)
                            return value
                        }
                    }
                    return await group.reduce(0, +)
                }
            }
            #expect(sum == 55)
            thread.stop()
        }
        #expect(report.ending == .completed)
    }
}

/// A planted bug of the kind that the simulator is for: an actor that forgets what may happen while it waits.
@Suite struct CanaryTests {
    private actor Ledger {
        private(set) var entryCount = 0
        func record() { entryCount += 1 }
    }

    private actor Account {
        private(set) var balance = 100
        private let ledger = Ledger()

        /// Checks, waits, then acts on what it has checked before: wrong.
        func withdrawCarelessly(_ amount: Int) async {
            guard balance >= amount else { return }
            await ledger.record()
            balance -= amount
        }

        /// Acts on what it has checked, then waits.
        func withdraw(_ amount: Int) async {
            guard balance >= amount else { return }
            balance -= amount
            await ledger.record()
        }
    }

    private enum Twin { case careless, careful }

    private func overdrawnSeeds(_ twin: Twin, policy: SchedulingPolicy) -> Int {
        var count = 0
        for seed in 1...UInt64(100) {
            var configuration = WorldConfiguration(seed: seed)
            configuration.policy = policy
            let balance = Shared(0)
            let report = simulate(configuration) { host in
                let account = Account()
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            switch twin {
                            case .careless: await account.withdrawCarelessly(80)
                            case .careful: await account.withdraw(80)
                            }
                        }
                    }
                }
                let rest = await account.balance
                balance.change { $0 = rest }
            }
            #expect(report.ending == .completed)
            if balance.value < 0 { count += 1 }
        }
        return count
    }

    @Test(arguments: [SchedulingPolicy.random, .pct(depth: 3)])
    func `the planted re-entrancy bug shows for some seeds and its fixed twin for none`(
        policy: SchedulingPolicy
    ) {
        let found = overdrawnSeeds(.careless, policy: policy)
        #expect((1..<100).contains(found), "found for \(found) of 100 seeds")
        #expect(overdrawnSeeds(.careful, policy: policy) == 0)
    }
}
