import EventModel
import HostSources
import KernelFormats

/// What rules at the source of processes cost and save: lives of processes from the messages to the events.
///
/// Each life is a FORK, an EXEC with what was read of the process, and an EXIT message. Reading, the bus and subscribers are
/// not part of it: what a rule saves there comes on top.
struct RulesBenchmark {
    private static let lifeCount = 20_000
    private static let messagesPerLife = 3
    private static let parent = ProcessID(77)

    private let repetitions: Int

    init(_ setup: Setup) { repetitions = setup.repetitions(short: 5, full: 25) }

    func measure() throws -> [Row] {
        var (none, idle, dropping) = (Samples(), Samples(), Samples())
        // In turn, so that what disturbs one disturbs all.
        for repetition in 0...repetitions {
            let costs = (
                try passLives(exclude: [], droppedShare: 0),
                try passLives(exclude: Self.idleRules, droppedShare: 0),
                try passLives(exclude: ["uid:2000-2899"], droppedShare: 0.9)
            )
            guard repetition > 0 else { continue }
            none.add(costs.0)
            idle.add(costs.1)
            dropping.add(costs.2)
        }
        let ratio = dropping.quietest / none.quietest
        let idleRatio = idle.quietest / none.quietest
        return [
            Row(
                .rules, "CPU per message, a rule drops 90 %", Quantity(dropping.quietest, .nanoseconds),
                peer: ("without rules", Quantity(none.quietest, .nanoseconds)), ratio: ratio,
                bar: Row.Bar(
                    judged: Quantity(ratio, .times), floor: .atMost(0.9), target: .atMost(0.7), kind: .ratio),
                remark: "fork, exec and exit of \(Self.lifeCount) processes, quietest of \(repetitions)"),
            Row(
                .rules, "CPU per message, \(Self.idleRules.count) rules that match nothing",
                Quantity(idle.quietest, .nanoseconds),
                peer: ("without rules", Quantity(none.quietest, .nanoseconds)), ratio: idleRatio,
                bar: Row.Bar(
                    judged: Quantity(idleRatio, .times), floor: .atMost(1.5), target: .atMost(1.2),
                    kind: .ratio)),
        ]
    }

    /// Of every kind, and none of them ever true.
    private static let idleRules: [String] = (0..<40).flatMap { index in
        [
            "exe:/opt/vendor\(index)/bin/agent", "exe:/srv/build\(index)/*", "name:agent-\(index)",
            "uid:\(100_000 + index * 10)-\(100_005 + index * 10)", "cgroup:/machine.slice/vm\(index)/*",
            "parent:/opt/vendor\(index)/bin/supervisor",
        ]
    }

    /// - Returns: CPU nanoseconds per message.
    private func passLives(exclude: [String], droppedShare: Double) throws -> Double {
        var settings = ProcessSourceSettings()
        settings.rules.exclude = exclude.compactMap { ProcessRule($0) }
        var tracker = ProcessTracker(
            settings: settings, bootID: BootID(high: 1, low: 1), ownProcessID: ProcessID(1_000_000))
        tracker.adopt(reading(Self.parent, uid: 0), origin: .baseline)
        let parents = (0..<10).map { ProcessID(100 + $0) }
        for (index, parent) in parents.enumerated() {
            tracker.adopt(reading(parent, uid: 2_000 + UInt32(index) * 100), origin: .baseline)
        }
        _ = tracker.output.takeAll()
        var eventCount = 0
        var sequence: UInt32 = 0
        var image = execReading(Self.parent)
        let begin = threadCPUNanoseconds()
        for life in 0..<Self.lifeCount {
            let pid = ProcessID(Int32(1_000 + life))
            var round = Round()
            for event in Self.life(of: pid, parent: parents[life % parents.count]) {
                sequence += 1
                round.append(
                    ConnectorMessage(
                        processor: 0, sequence: sequence,
                        timestamp: Instant(nanoseconds: 1_000_000_000 + Int64(sequence) * 1_000), event: event
                    ),
                    after: nil)
            }
            image.pid = pid
            image.stat?.startTicks = UInt64(1_000_000_000 + Int64(sequence) * 1_000) / 10_000_000
            tracker.process(round, readings: [ExecReading(index: 1, reading: image)])
            for item in tracker.output.takeAll() {
                if case .events(let events) = item { eventCount += events.count }
            }
        }
        let cost = Double(threadCPUNanoseconds() - begin)
        let messageCount = Self.lifeCount * Self.messagesPerLife
        let expected = Int((Double(messageCount) * (1 - droppedShare)).rounded())
        guard eventCount == expected else {
            throw BenchmarkError("\(eventCount) of \(expected) messages became events")
        }
        return cost / Double(messageCount)
    }

    private static func life(of pid: ProcessID, parent: ProcessID) -> [ConnectorEvent] {
        let task = ConnectorTask(leaderOf: pid)
        return [
            .fork(parent: ConnectorTask(leaderOf: parent), child: task), .exec(task),
            .exit(task, code: 0, signal: 17, parent: nil),
        ]
    }

    private func reading(_ pid: ProcessID, uid: UInt32) -> ProcessReading {
        var reading = execReading(pid)
        reading.depth = .full
        var status = ProcessStatus()
        status.uid = .init(UserID(uid))
        status.gid = .init(GroupID(uid))
        reading.status = .value(status)
        reading.cgroup = .value(CgroupFile(unifiedPath: Array("/system.slice/build.service".utf8)))
        return reading
    }

    private func execReading(_ pid: ProcessID) -> ProcessReading {
        var reading = ProcessReading(pid: pid, depth: .exec)
        reading.aliveAt = Instant(nanoseconds: 1_000_000_000)
        var stat = ProcessStat(pid: pid, comm: Array("cc1plus".utf8))
        stat.ppid = Self.parent
        stat.vsize = 1 << 20
        reading.stat = stat
        reading.exe = .value(ExecutableLink(target: Array("/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus".utf8)))
        reading.commandLine = .value(
            CommandLineFile(
                arguments: ["/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus", "-quiet", "-imultiarch", "main.cc"]
                    .map { Array($0.utf8) }))
        return reading
    }
}
