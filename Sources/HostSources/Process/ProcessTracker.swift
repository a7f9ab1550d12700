import CollectorCore
package import EventModel
import KernelFormats

/// Turns connector messages and readings of `/proc` into events: pure state, no I/O, no clock.
///
/// Messages of one round are handled in the order in which they arrived. A message gives at most one event of origin
/// ``EventOrigin/emitted``; every message is counted exactly once, as emitted or as filtered.
package struct ProcessTracker {
    var settings: ProcessSourceSettings
    let bootID: BootID
    let ownProcessID: ProcessID
    /// Live incarnations by pid. Never iterated for output without sorting.
    package var table: [Int32: TrackedProcess] = [:]
    /// Processes to look at again, in the order of their time.
    package var lateReads = LateReadQueue()
    /// Events in order, and where among them something is missing.
    package var output = TrackerOutput()
    package var filtered: FilterCounts
    /// FORK messages, threads included.
    package var forkCount: UInt64 = 0
    /// Processes that could not be tracked because the table was full.
    package var untrackedCount: UInt64 = 0
    /// How often messages were lost.
    package var lossCount = 0
    /// The pids that may have changed hands within what was lost.
    package var turns = PIDTurns()
    /// Since when there is doubt about who has these pids.
    var doubtBegan = Instant(nanoseconds: 0)
    /// How often doubt arose or grew: who was known for certain after the last time is beyond it.
    var lossEpoch = 0
    /// Forks since boot at a moment, and how many of them had been seen.
    var forkMark: (sinceBoot: UInt64, seen: UInt64)?
    /// Forks since boot when doubt began; not more than that.
    var forksBeforeDoubt: UInt64?
    /// Who may still be listed in `/proc` although the stream has said its end.
    var ended = EndedProcesses()
    /// Scans in a row that found somebody nobody knows, and could not look at them.
    package var doubtfulScanCount = 0
    /// Messages were lost and no resync has followed yet, so thread counts may be wrong.
    package var isUncertain = false
    package var clocks = ClockSample()
    /// The clocks as they were read last before a suspend, and first after it.
    private var beforeSuspend: ClockSample?
    private var resumedBy = Instant(nanoseconds: .min)
    private var round = Round()
    /// While thread counts may be wrong: EXIT messages of leaders that an EXEC message shows to be no deaths.
    private(set) var exitsBeforeExec: Set<Int> = []
    /// When the account's interval began: nothing before it can be missing.
    package var watchedSince = Instant(nanoseconds: 0)
    /// The stamp of each CPU's last message: what a CPU lost came after it, whatever other CPUs sent meanwhile.
    private var lastStamps: [Instant?] = []

    package init(settings: ProcessSourceSettings, bootID: BootID, ownProcessID: ProcessID) {
        self.settings = settings
        filtered = FilterCounts(rules: settings.rules)
        self.bootID = bootID
        self.ownProcessID = ownProcessID
    }

    /// Handles the messages of a round; `readings` are in the order of the EXEC messages they belong to.
    package mutating func process(_ newRound: Round, readings: [ExecReading]) {
        round = newRound
        exitsBeforeExec = isUncertain || !round.losses.isEmpty ? round.exitsBeforeExec() : []
        defer { round = Round() }
        var losses = round.losses.makeIterator()
        var loss = losses.next()
        var nextReading = 0
        for index in round.messages.indices {
            while let (before, missing) = loss, before <= index {
                report(missing, noticedAt: round.messages[index].timestamp)
                loss = losses.next()
            }
            #if MUTANTS
                if Mutation.execDeferred.isActive, case .exec = round.messages[index].event {
                    if nextReading < readings.count, readings[nextReading].index == index { nextReading += 1 }
                    continue
                }
            #endif
            let message = round.messages[index]
            if nextReading < readings.count, readings[nextReading].index == index {
                handle(message, at: index, reading: readings[nextReading].reading)
                nextReading += 1
            } else {
                handle(message, at: index, reading: nil)
            }
            noteStamp(of: message)
        }
        #if MUTANTS
            if Mutation.execDeferred.isActive { handleDeferredExecutions(readings) }
        #endif
    }

    #if MUTANTS
        private mutating func handleDeferredExecutions(_ readings: [ExecReading]) {
            for index in round.messages.indices {
                guard case .exec = round.messages[index].event else { continue }
                let reading = readings.first { $0.index == index }
                handle(round.messages[index], at: index, reading: reading?.reading)
            }
        }
    #endif

    private mutating func report(_ loss: ProcessorLoss, noticedAt instant: Instant) {
        isUncertain = true
        lossCount += 1
        let lastStamp = lastStamp(of: loss.processor)
        #if MUTANTS
            let from = Mutation.gapTooShort.isActive ? instant : min(lastStamp ?? watchedSince, instant)
        #else
            let from = min(lastStamp ?? watchedSince, instant)
        #endif
        #if MUTANTS
            if Mutation.forgottenGap.isActive { return }
        #endif
        output.append(
            Gap(
                source: .process, cause: .kernelOverflow, lost: loss.lost, lostBounds: .exactly(loss.lost),
                from: from, until: instant, time: wallTime(at: instant), processors: [loss],
                subscriber: nil))
    }

    /// The stamp of the last message of a processor.
    func lastStamp(of processor: UInt32) -> Instant? {
        Int(processor) < lastStamps.count ? lastStamps[Int(processor)] : nil
    }

    private mutating func noteStamp(of message: ConnectorMessage) {
        let processor = Int(message.processor)
        if processor < lastStamps.count {
            lastStamps[processor] = message.timestamp
        } else if processor < Limits.processorCount {
            lastStamps += Array(repeating: nil, count: processor + 1 - lastStamps.count)
            lastStamps[processor] = message.timestamp
        }
    }

    /// A resync has stated what is different: thread counts and incarnations are certain again.
    package mutating func becomeCertain() {
        endDoubt()
        isUncertain = false
    }

    /// Nobody listened for a while: ends may have been missed, as after a loss.
    mutating func noteInterruption(since begin: Instant) {
        isUncertain = true
        lossCount += 1
        noteUncountedLoss(since: begin)
    }

    // MARK: - Look-up

    /// The live incarnation of `pid`, or a new one known only from this message.
    mutating func incarnationOrSeen(of pid: ProcessID, by message: ConnectorMessage) -> TrackedProcess {
        if let known = table[pid.rawValue] { return known }
        sometimes(.birthUnseen)
        var event = ProcessEvent(
            identity: ProcessIdentity(
                pid: pid,
                birth: .seen(
                    processor: message.processor, sequence: message.sequence, timestamp: message.timestamp)))
        event.provenance.setInheritable(.unknown(.gap))
        let process = TrackedProcess(event: event, escaped: [], startTicks: 0, isStartTicksExact: false)
        process.mayHaveMoreThreads = true
        insert(process)
        lateReads.append(process.event.identity, due: message.timestamp.advanced(by: settings.lateReadDelay))
        return process
    }

    mutating func insert(_ process: TrackedProcess) {
        let pid = process.event.pid.rawValue
        guard table[pid] != nil || table.count < Limits.trackedProcessCount else {
            sometimes(.trackerFull)
            return untrackedCount += 1
        }
        process.lossCountAtBirth = lossCount
        // In a round with a loss it may have come before that.
        process.lossEpoch = round.hasLoss ? lossEpoch - 1 : lossEpoch
        process.threadEpoch = process.lossEpoch
        table[pid] = process
        ended.remove(pid)
    }

    mutating func remove(_ process: TrackedProcess) {
        let pid = process.event.pid.rawValue
        guard table[pid] === process else { return }
        table[pid] = nil
        ended.insert(pid)
    }

    // MARK: - Time

    /// Takes a new reading of the clocks; a jump of boot time against monotonic time is a suspend in between.
    package mutating func setClocks(_ sample: ClockSample) {
        let jump = sample.suspended - clocks.suspended
        if clocks.boot.nanoseconds != 0, abs(jump) > 1_000_000 {
            sometimes(.suspendNoticed)
            beforeSuspend = clocks
            resumedBy = sample.monotonic
        }
        clocks = sample
    }

    /// Start ticks as `stat` will show them, for a process announced at `timestamp`; 0 when a suspend makes it unknown.
    ///
    /// Equal to the kernel's value in 1 999 of 2 000 forks; off by one where the stamp and the start lie in two ticks.
    func ticks(at timestamp: Instant) -> UInt64 {
        var sample = clocks
        if let beforeSuspend, timestamp <= resumedBy {
            guard timestamp <= beforeSuspend.monotonic else { return 0 }
            sample = beforeSuspend
        }
        let boot = timestamp.nanoseconds.addingClamped(sample.suspended)
        return UInt64(max(0, boot)) / (1_000_000_000 / settings.clockTicksPerSecond)
    }

    /// The wall time of a start, from the present wall clock: a step of it moves the label, never the identity.
    func wallTime(ofTicks ticks: UInt64) -> WallTime {
        let start = Int64(clamping: ticks).multipliedReportingOverflow(
            by: Int64(1_000_000_000 / settings.clockTicksPerSecond))
        let age = clocks.boot.nanoseconds.subtractingClamped(start.overflow ? .max : start.partialValue)
        return WallTime(nanoseconds: clocks.wall.nanoseconds.subtractingClamped(age))
    }

    func wallTime(at timestamp: Instant) -> WallTime {
        let age = clocks.monotonic.nanoseconds.subtractingClamped(timestamp.nanoseconds)
        return WallTime(nanoseconds: clocks.wall.nanoseconds.subtractingClamped(age))
    }

    // MARK: - Output

    /// Makes the one event of a kernel message, or counts the message as filtered.
    mutating func emit(
        _ kind: EventKind, _ process: TrackedProcess, by message: ConnectorMessage,
        adding change: (inout ProcessEvent) -> Void = { _ in }
    ) {
        #if MUTANTS
            let isOwn = process.event.pid == ownProcessID && !Mutation.ownEvents.isActive
        #else
            let isOwn = process.event.pid == ownProcessID
        #endif
        guard !isOwn else { return filtered.own += 1 }
        // Before anything is made of it: what nobody wants shall cost little.
        let decision = decision(on: process)
        guard decision == .admitted else { return filtered.note(decision) }
        var subject = process.event
        // Whom a FORK message announces is never in doubt.
        if kind != .processFork, isInDoubt(process) { markAmbiguous(&subject) }
        change(&subject)
        output.append(
            Event(
                source: .process, kind: kind, origin: .emitted, time: wallTime(at: message.timestamp),
                monotonic: message.timestamp, subject: .process(subject), escaped: process.escaped))
    }

    /// What the rules say about a process; they are asked again only when something about it has changed.
    func decision(on process: TrackedProcess) -> ProcessRules.Decision {
        guard !settings.rules.isEmpty else { return .admitted }
        if let known = process.decision { return known }
        let decision = settings.rules.decide(on: process.event, parentPath: process.parentPath)
        process.decision = decision
        return decision
    }

    private func markAmbiguous(_ subject: inout ProcessEvent) {
        sometimes(.identityAmbiguous)
        subject.isAmbiguous = true
    }

    /// Makes an event that stands for no kernel message.
    mutating func conclude(
        _ kind: EventKind, _ origin: EventOrigin, _ process: TrackedProcess, at timestamp: Instant,
        adding change: (inout ProcessEvent) -> Void = { _ in }
    ) {
        guard process.event.pid != ownProcessID, decision(on: process) == .admitted else { return }
        var subject = process.event
        // That whoever had a pid is gone is certain even when it is not who had it last.
        if kind != .processExit, isInDoubt(process) { markAmbiguous(&subject) }
        change(&subject)
        output.append(
            Event(
                source: .process, kind: kind, origin: origin, time: wallTime(at: timestamp),
                monotonic: timestamp,
                subject: .process(subject), escaped: process.escaped))
    }
}

/// What a tracker has produced since it was last emptied, in order.
package struct TrackerOutput {
    package enum Item {
        case events(ContiguousArray<Event>)
        case gap(Gap)
    }

    /// Events per item: as many as a batch takes, so that they become one uncopied.
    static let chunkCount = 100

    private var closed: [Item] = []
    private var open: ContiguousArray<Event> = []
    /// Room of events that were taken, to be filled again.
    private var spare: ContiguousArray<Event> = []

    var isEmpty: Bool { closed.isEmpty && open.isEmpty }

    mutating func append(_ event: Event) {
        if open.isEmpty {
            swap(&open, &spare)
            open.reserveCapacity(Self.chunkCount)
        }
        open.append(event)
        if open.count == Self.chunkCount { close() }
    }

    mutating func append(_ gap: Gap) {
        close()
        closed.append(.gap(gap))
    }

    package mutating func takeAll() -> [Item] {
        close()
        defer { closed = [] }
        return closed
    }

    /// Takes the events if there are some, few, and no gap among them: what is there mostly costs no list.
    mutating func takeOneChunk() -> ContiguousArray<Event>? {
        guard closed.isEmpty, !open.isEmpty else { return nil }
        defer { open = [] }
        return open
    }

    /// Takes back an array whose events have been handed on.
    mutating func recycle(_ room: consuming ContiguousArray<Event>) {
        if room.isEmpty { spare = room }
    }

    private mutating func close() {
        guard !open.isEmpty else { return }
        closed.append(.events(open))
        open = []
    }
}

/// Messages that gave no event, by reason.
package struct FilterCounts {
    var thread: UInt64 = 0
    var own: UInt64 = 0
    private var notIncluded: UInt64 = 0
    /// For each exclude that is counted by itself, and one more for all others.
    private var excluded: [UInt64]
    var acknowledgement: UInt64 = 0
    var unknown: UInt64 = 0
    private var rules = ProcessRules()
    /// What rules counted that are not in force any more.
    private var past = Tally()

    init(rules: ProcessRules) {
        excluded = []
        adopt(rules)
    }

    /// Counts by other rules from now on.
    mutating func adopt(_ next: ProcessRules) {
        for entry in ruleTally.entries {
            let isKnown = past[entry.reason] > 0 || past.entries.count < Self.pastRuleCount
            past.add(entry.count, to: isKnown ? entry.reason : "exclude former")
        }
        rules = next
        notIncluded = 0
        excluded = Array(repeating: 0, count: min(next.exclude.count, ProcessRules.countedRuleCount + 1))
    }

    /// Most rules that are not in force any more whose counts are told by themselves.
    private static let pastRuleCount = 128

    private var ruleTally: Tally {
        var tally = Tally()
        tally.add(notIncluded, to: rules.reason(of: .notIncluded) ?? "")
        for (index, count) in excluded.enumerated() {
            tally.add(count, to: rules.reason(of: .excluded(index)) ?? "")
        }
        return tally
    }

    mutating func note(_ decision: ProcessRules.Decision) {
        switch decision {
        case .admitted: return
        case .notIncluded: notIncluded += 1
        case .excluded(let index): excluded[min(index, ProcessRules.countedRuleCount)] += 1
        }
    }

    package var tally: Tally {
        var tally = Tally()
        tally.add(thread, to: "thread")
        tally.add(own, to: "self")
        tally.merge(past)
        tally.merge(ruleTally)
        tally.add(acknowledgement, to: "ack")
        tally.add(unknown, to: "unknown_kind")
        return tally
    }
}

/// The three clocks, read together.
package struct ClockSample {
    package var monotonic: Instant
    package var boot: BootTime
    package var wall: WallTime

    /// How long the host has been suspended since boot, in nanoseconds.
    var suspended: Int64 { boot.nanoseconds.subtractingClamped(monotonic.nanoseconds) }

    package init(
        monotonic: Instant = Instant(nanoseconds: 0), boot: BootTime = BootTime(nanoseconds: 0),
        wall: WallTime = WallTime(nanoseconds: 0)
    ) {
        self.monotonic = monotonic
        self.boot = boot
        self.wall = wall
    }
}

extension ProcessProvenance {
    /// Gives every field that a child takes over from its parent the same provenance.
    mutating func setInheritable(_ provenance: Provenance) {
        name = provenance
        exe = provenance
        cmdline = provenance
        uid = provenance
        gid = provenance
        session = provenance
        cgroup = provenance
        pidNamespace = provenance
    }

    /// Takes over what a child takes over from its parent.
    mutating func inherit(from parent: ProcessProvenance) {
        Self.inherit(parent.name, into: &name)
        Self.inherit(parent.exe, into: &exe)
        Self.inherit(parent.cmdline, into: &cmdline)
        Self.inherit(parent.uid, into: &uid)
        Self.inherit(parent.gid, into: &gid)
        Self.inherit(parent.session, into: &session)
        Self.inherit(parent.cgroup, into: &cgroup)
        Self.inherit(parent.pidNamespace, into: &pidNamespace)
    }

    private static func inherit(_ parent: Provenance, into child: inout Provenance) {
        switch parent {
        case .absent: break
        case .unknown(let reason): child = .unknown(reason)
        default: child = .inherited
        }
    }
}
