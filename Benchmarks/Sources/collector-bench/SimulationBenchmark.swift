import CollectorSimulation

/// How much faster than life an idle day passes on the simulated kernel.
///
/// A day in which little happens is mostly sampling: what is measured is how well virtual time jumps from one thing to
/// the next, with the whole collector, all oracles and the truth log.
struct SimulationBenchmark {
    private static let hourCount = 24

    private let repetitions: Int

    init(_ setup: Setup) { repetitions = setup.repetitions(short: 2, full: 5) }

    func measure() throws -> [Row] {
        let scenario = try Scenario(parsing: Array(Self.idleDay.utf8), path: "idle-day")
        var wall = Samples()
        var eventCount = 0
        var virtual = 0.0
        for seed in 1...UInt64(repetitions) {
            let begin = monotonicNanoseconds()
            let record = ScenarioRunner.run(scenario, seed: seed)
            wall.add(Double(monotonicNanoseconds() - begin))
            guard record.verdict == .pass else {
                throw BenchmarkError(
                    "the idle day fails with seed \(seed): \(record.failures.map(\.message))")
            }
            eventCount = record.eventCount
            virtual = Double(record.virtualNanoseconds)
        }
        let ratio = virtual / wall.quietest
        return [
            Row(
                .simulation, "an idle day of 24 h on the simulated kernel",
                Quantity(wall.quietest / 1_000_000, .milliseconds), peer: ("wall time", nil), ratio: ratio,
                bar: Row.Bar(
                    judged: Quantity(ratio, .times), floor: .atLeast(2_000), target: .atLeast(20_000),
                    kind: .ratio),
                remark: "\(eventCount) events; quietest of \(repetitions) seeds, one run each")
        ]
    }

    /// A few services, and a job every hour.
    private static var idleDay: String {
        var lines = [
            "scenario idle-day v1", #"about "A day on which nothing happens but a job every hour""#, "seed 1",
            "host kernel=6.12 cpus=2", "", "given", "  proc 1 /sbin/init", "  proc 20 /usr/sbin/cron ppid=1",
            "  proc 21 /usr/sbin/sshd ppid=1", "  proc 22 /usr/lib/systemd/systemd-journald ppid=1", "",
            "when", "  @0s start",
        ]
        for hour in 0..<hourCount {
            let second = hour * 3_600 + 60
            let pid = 500 + hour
            lines += [
                "  @\(second)s fork 20 -> \(pid)", "  @\(second)s exec \(pid) /usr/bin/run-parts",
                "  @\(second + 2)s exit \(pid) code=0", "  @\(second + 2)s reap \(pid)",
            ]
        }
        lines += [
            "  @\(hourCount * 3_600)s stop SIGTERM", "", "expect",
            "  count process.exec origin=emitted == \(hourCount)",
            "  accounts balanced", "  shutdown within=5s code=0",
        ]
        return lines.joined(separator: "\n") + "\n"
    }
}
