import Backends
import CollectorCore
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// The process source's main loop: drain, look, drain again, and only then believe what was seen.
///
/// A look at `/proc/<pid>` after a drain proves something about the process of an earlier message only if the next
/// drain holds no message that says otherwise; so each round is handled after the next one has been read.
final class ProcessLoop {
    let endpoints: ProcessSource.Endpoints
    let settings: ProcessSourceSettings
    let context: SourceContext
    let desk: AccountDesk
    var tracker: ProcessTracker
    var ledger = SequenceLedger()
    var reader: ProcessReader
    var batch = DatagramBatch(capacity: 256, slotByteCount: 256)
    /// Read from the socket, not handled yet.
    var pending = Round()
    var overflows: UInt64 = 0
    /// Outside the account, shown by health.
    var troubles = ProcessTroubles()
    private var toldTroubles = ProcessTroubles()
    var fences = FenceProgress()
    /// Marks this listener's own request.
    var ticket: UInt32 = 0
    /// The answer to it: 0 or an `errno`.
    var acknowledgement: UInt32?
    var openingForks: (before: UInt64, after: UInt64)?
    var lastResync: Instant?
    var resyncDue: Instant?
    var sampleDue: Instant?
    private var pace = LoopPace()

    init(
        endpoints: ProcessSource.Endpoints, settings: ProcessSourceSettings, context: SourceContext,
        desk: AccountDesk
    ) {
        self.endpoints = endpoints
        self.settings = settings
        self.context = context
        self.desk = desk
        tracker = ProcessTracker(
            settings: settings, bootID: context.run.bootID, ownProcessID: endpoints.fence.ownProcessID)
        reader = ProcessReader(procfs: endpoints.procfs, clock: context.clock)
    }

    func run() async throws {
        try await subscribe()
        defer { unsubscribe() }
        try openInterval()
        reportMissedTime()
        try await scanBaseline()
        context.ready()
        sampleDue = now.advanced(by: settings.sampleInterval)
        while !Task.isCancelled {
            try await handlePending()
            try await lookAgain()
            try await resyncIfDue()
            try await sampleIfDue()
            if desk.hasRequests { desk.answer(try await closeAccount()) }
            flushIfDue()
            tellTroubles()
            if pending.isEmpty {
                await waitForWork()
                try gather()
                pace.noteDrain(of: pending.messages.count, at: now)
            }
        }
        desk.answer(try await closeAccount())
        saveCursor()
        tellTroubles()
    }

    private func tellTroubles() {
        troubles.untrackedCount = tracker.untrackedCount
        guard troubles != toldTroubles else { return }
        toldTroubles = troubles
        desk.health = troubles.health
    }

    var now: Instant { context.clock.monotonic }

    // MARK: - Steps

    /// Reads the next round, looks at the processes of the present one, and handles it.
    func handlePending() async throws {
        guard !pending.isEmpty else { return }
        let round = pending
        var readings: [Int: ProcessReading] = [:]
        for plan in round.planReadings() {
            var reading: ProcessReading
            if let obstacle = plan.obstacle {
                reading = ProcessReading(pid: plan.pid, depth: .exec)
                reading.failure = obstacle
            } else {
                reading = reader.read(plan.pid, depth: .exec)
            }
            reading.isNameLate = plan.isRenamedLater
            readings[plan.index] = reading
        }
        pending = try receive()
        if !readings.isEmpty { examine(&readings) }
        noteOverflows(of: round)
        tracker.setClocks(sampleClocks())
        tracker.process(round, readings: readings)
        try await emitOutput()
    }

    /// Withdraws readings that the next round contradicts.
    private func examine(_ readings: inout [Int: ProcessReading]) {
        let contradictions = pending.contradictions()
        // Behind a full round there may be more in the socket, which speaks of these processes too.
        let isWhole = pending.messages.count < Round.messageLimit
        let mayHideReuse = !isWhole || pending.overflows > 0 || !pending.losses.isEmpty
        for index in readings.keys {
            guard let pid = readings[index]?.pid.rawValue else { continue }
            if mayHideReuse { readings[index]?.evidence = .lateRead }
            guard let contradiction = contradictions[pid] else { continue }
            if contradiction.contains(.reborn) {
                readings[index]?.failure = .reused
            } else if contradiction.contains(.executed) {
                readings[index]?.failure = .superseded
            }
            if contradiction.contains(.ended) { readings[index]?.mayHaveEnded = true }
            if contradiction.contains(.renamed) { readings[index]?.isNameLate = true }
        }
    }

    private func noteOverflows(of round: Round) {
        guard round.overflows > 0 || !round.losses.isEmpty else { return }
        overflows += UInt64(round.overflows)
        tracker.isUncertain = true
        scheduleResync()
    }

    func scheduleResync() {
        guard resyncDue == nil else { return }
        let earliest = lastResync.map { $0.advanced(by: settings.resyncInterval) } ?? now
        resyncDue = max(earliest, now)
    }

    /// Waits for messages, for something that is due, or for the time to hand out what was emitted.
    private func waitForWork() async {
        if let tick = pace.nextTick(at: now) {
            // Under load there will be messages by then: one wake-up instead of two. A cancelled sleep returns early, and
            // the loop sees the cancellation itself.
            try? await context.clock.sleep(until: tick)
        } else {
            let deadlines = [tracker.lateReads.nextDue, resyncDue, sampleDue, pace.flushDue].compactMap { $0 }
            _ = await endpoints.connector.readable(until: deadlines.min())
        }
        flushIfDue()
    }

    private func flushIfDue() {
        guard let due = pace.flushDue, due <= now else { return }
        context.emitter.flush()
        pace.noteFlush(at: now)
    }

    func emitOutput() async throws {
        for item in tracker.output.takeAll() {
            switch item {
            case .events(var events):
                await context.emitter.emit(contentsOf: &events)
                pace.noteEmission(at: now)
            case .gap(let gap): context.emitter.report(gap)
            }
        }
    }

    func sampleClocks() -> ClockSample {
        ClockSample(
            monotonic: context.clock.monotonic, boot: context.clock.bootTime, wall: context.clock.wall)
    }

    // MARK: - Socket

    /// Everything that is queued, up to ``Round/messageLimit``.
    func receive() throws -> Round {
        var round = Round()
        try receive(into: &round)
        return round
    }

    /// Adds everything that is queued to what is pending.
    func gather() throws {
        try receive(into: &pending)
    }

    private func receive(into round: inout Round) throws {
        while round.messages.count < Round.messageLimit, try receiveBatch(noting: &round) {
            for slot in batch.datagrams.indices { decode(slot, into: &round) }
            if batch.isDrained { return }
        }
    }

    /// - Returns: Whether the socket may hold more; with an overflow the batch is empty.
    private func receiveBatch(noting round: inout Round) throws(Errno) -> Bool {
        do throws(Errno) {
            try endpoints.connector.receive(into: &batch)
            return true
        } catch {
            batch.datagrams.removeAll(keepingCapacity: true)
            batch.isDrained = false
            guard error != .resourceTemporarilyUnavailable else { return false }
            guard error == .noBufferSpace else { throw error }
            round.overflows += 1
            return true
        }
    }

    private func decode(_ slot: Int, into round: inout Round) {
        let datagram = batch.datagrams[slot]
        // Only the kernel has port 0; a process can send to any port (netlink(7)).
        guard datagram.senderPort == 0, !datagram.isTruncated else { return troubles.strayCount += 1 }
        var items = ConnectorDatagramReader(at: slot * batch.slotByteCount, count: datagram.byteCount)
        while let message = nextMessage(of: &items) { enter(message, into: &round) }
    }

    /// The next message of a datagram; the rest of one that makes no sense is counted as one stray.
    private func nextMessage(of items: inout ConnectorDatagramReader) -> ConnectorMessage? {
        do {
            while let item = try items.next(in: batch.bytes.span) {
                if case .message(let message) = item { return message }
            }
        } catch {
            troubles.strayCount += 1
        }
        return nil
    }

    private func enter(_ message: ConnectorMessage, into round: inout Round) {
        // The kernel sends everybody's acknowledgements to everybody.
        if case .acknowledgement(let error) = message.event, acknowledgement == nil,
            message.acknowledgement == ticket &+ 1
        {
            acknowledgement = error
        }
        guard message.isNumbered else { return }
        if case .comm(let task, let name) = message.event, task.tgid == endpoints.fence.ownProcessID,
            fences.isToken(name)
        {
            fences.note(message.processor)
            if !fences.hasOpened { return ledger.open(processor: message.processor, at: message.sequence) }
        }
        switch ledger.observe(
            processor: message.processor, sequence: message.sequence, opensUnfenced: fences.hasOpened)
        {
        case .beforeInterval: return
        case .repeated: troubles.strayCount += 1
        case .next: round.append(message, after: nil)
        case .missing(let count, let after):
            round.append(
                message,
                after: ProcessorLoss(
                    processor: message.processor, lost: count, after: after, before: message.sequence))
        }
    }
}
