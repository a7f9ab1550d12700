import EventModel
import HostSources
import KernelFormats
import SimulatedBackends
import Synchronization
import Testing

let sampleBootID = BootID(high: 0x1111_2222_3333_4444, low: 0x5555_6666_7777_8888)
let ownPID = ProcessID(900)

func pid(_ number: Int32) -> ProcessID { ProcessID(number) }
func leader(_ number: Int32) -> ConnectorTask { ConnectorTask(leaderOf: ProcessID(number)) }
func thread(_ tid: Int32, of tgid: Int32) -> ConnectorTask {
    ConnectorTask(tid: ProcessID(tid), tgid: ProcessID(tgid))
}
func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// Messages of one CPU, one millisecond apart unless said otherwise.
struct MessageMaker {
    var processor: UInt32 = 0
    var sequence: UInt32 = 100
    var milliseconds: Int64 = 1_000

    mutating func make(_ event: ConnectorEvent) -> ConnectorMessage {
        sequence &+= 1
        milliseconds += 1
        return ConnectorMessage(
            processor: processor, sequence: sequence, timestamp: at(milliseconds), event: event)
    }
}

/// A tracker with the messages that feed it and what came out.
struct Bench {
    var tracker: ProcessTracker
    var maker = MessageMaker()
    var events: [Event] = []
    var gaps: [Gap] = []

    init(_ change: (inout ProcessSourceSettings) -> Void = { _ in }) {
        var settings = ProcessSourceSettings()
        change(&settings)
        tracker = ProcessTracker(settings: settings, bootID: sampleBootID, ownProcessID: ownPID)
        tracker.turns.setMaximum(4_194_304)
        tracker.markForks(sinceBoot: 0, unhandledCount: 0)
        setClock(to: 1_000)
    }

    mutating func setClock(to milliseconds: Int64) {
        let nanoseconds = milliseconds * 1_000_000
        tracker.clocks = ClockSample(
            monotonic: Instant(nanoseconds: nanoseconds), boot: BootTime(nanoseconds: nanoseconds),
            wall: WallTime(nanoseconds: 1_700_000_000_000_000_000 + nanoseconds))
    }

    /// Handles messages as one round; `readings` belong to the EXEC messages among them, in order.
    @discardableResult
    mutating func feed(
        _ events: [ConnectorEvent], readings: [ProcessReading] = [], losing loss: ProcessorLoss? = nil
    )
        -> [Event]
    {
        var round = Round()
        var byIndex: [Int: ProcessReading] = [:]
        var rest = readings.makeIterator()
        for (index, event) in events.enumerated() {
            round.append(maker.make(event), after: index == 0 ? loss : nil)
            if case .exec = event, let reading = rest.next() { byIndex[index] = reading }
        }
        setClock(to: maker.milliseconds)
        if let loss {
            // Each of the lost messages may have been a FORK.
            let forks = events.count { if case .fork = $0 { true } else { false } }
            tracker.noteLoss(
                in: round, forksSinceBoot: tracker.forkCount + UInt64(forks) + loss.lost)
        }
        tracker.process(round, readings: byIndex)
        return collect()
    }

    @discardableResult
    mutating func feed(_ event: ConnectorEvent, reading: ProcessReading? = nil) -> [Event] {
        feed([event], readings: reading.map { [$0] } ?? [])
    }

    /// What was put out since the last time.
    @discardableResult
    mutating func collect() -> [Event] {
        var new: [Event] = []
        for item in tracker.output.takeAll() {
            switch item {
            case .events(let chunk): new += chunk
            case .gap(let gap): gaps.append(gap)
            }
        }
        events += new
        return new
    }

    /// A process that a first scan has found.
    @discardableResult
    mutating func adopt(
        _ number: Int32, ppid: Int32 = 1, _ change: (inout ProcessReading) -> Void = { _ in }
    ) -> [Event] {
        var reading = makeReading(
            number, ppid: ppid, startMilliseconds: 100 + Int64(number) / 100, aliveAt: maker.milliseconds)
        change(&reading)
        tracker.adopt(reading, origin: .baseline)
        return collect()
    }

    /// A child of `parent`, made by a FORK message.
    @discardableResult
    mutating func fork(_ child: Int32, of parent: Int32 = 1) -> ProcessEvent? {
        feed(.fork(parent: leader(parent), child: leader(child))).first?.process
    }

    /// The same; fails when there was no event.
    mutating func forkKnown(_ child: Int32, of parent: Int32 = 1) throws -> ProcessEvent {
        let process = fork(child, of: parent)
        return try #require(process)
    }

    func tracked(_ number: Int32) -> TrackedProcess? { tracker.table[number] }

    /// The reading that an honest look at a process born `startMilliseconds` after the boot gives.
    func makeReading(
        _ number: Int32, ppid: Int32 = 1, name: String = "sh", exe: String = "/bin/sh",
        arguments: [String] = ["sh"],
        startMilliseconds: Int64, aliveAt: Int64? = nil, depth: ProcessReading.Depth = .full
    ) -> ProcessReading {
        var reading = ProcessReading(pid: ProcessID(number), depth: depth)
        reading.aliveAt = at(aliveAt ?? maker.milliseconds)
        var stat = ProcessStat(pid: ProcessID(number), comm: Array(name.utf8))
        stat.ppid = ProcessID(ppid)
        stat.session = ProcessID(1)
        stat.startTicks = UInt64(startMilliseconds / 10)
        stat.vsize = 1 << 20
        stat.rssPageCount = 3
        reading.stat = stat
        reading.exe = .value(ExecutableLink(target: Array(exe.utf8)))
        reading.commandLine = .value(CommandLineFile(arguments: arguments.map { Array($0.utf8) }))
        reading.pidNamespace = .value(0xEFFF_FFFC)
        if depth == .full {
            var status = ProcessStatus()
            status.uid = .init(UserID(1_000))
            status.gid = .init(GroupID(1_000))
            reading.status = .value(status)
            reading.cgroup = .value(CgroupFile(unifiedPath: Array("/user.slice".utf8)))
        }
        return reading
    }

    /// The reading after EXEC of a process whose FORK message was the last message.
    func makeExecReading(
        _ number: Int32, name: String = "cat", exe: String = "/bin/cat", arguments: [String] = ["cat", "x"]
    ) -> ProcessReading {
        makeReading(
            number, name: name, exe: exe, arguments: arguments, startMilliseconds: maker.milliseconds,
            depth: .exec)
    }

    /// A reading that found nobody.
    func makeFailedReading(_ number: Int32, _ reason: UnknownReason = .vanished) -> ProcessReading {
        var reading = ProcessReading(pid: ProcessID(number), depth: .full)
        reading.failure = reason
        return reading
    }
}

extension Event {
    var process: ProcessEvent? {
        if case .process(let process) = subject { process } else { nil }
    }
}

extension Array where Element == Event {
    var kinds: [EventKind] { map(\.kind) }
    var suspicions: [SuspicionReason] { compactMap { $0.process?.suspicion?.reason } }
}

/// A value that tasks of a simulation share with the test.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value { mutex.withLock { $0 } }

    func change(_ body: (inout Value) -> Void) { mutex.withLock { body(&$0) } }
}
