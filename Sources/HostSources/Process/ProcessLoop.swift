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
    /// Where messages come from; silent where there is no connector.
    let socket: any NetlinkSocket
    var settings: ProcessSourceSettings
    let settingsDesk: SettingsDesk<ProcessSourceSettings>
    /// That of the present run.
    private(set) var context: SourceContext
    let desk: AccountDesk
    let taskDesk: TaskDesk
    var executableCheck: ExecutableCheck?
    /// Further ones that wait for their turn.
    var waitingVerifications: [TaskDesk.Order] = []
    var tracker: ProcessTracker
    var ledger = SequenceLedger()
    var reader: ProcessReader
    var batch = DatagramBatch(capacity: 256, slotByteCount: 256)
    /// Read from the socket, not handled yet.
    var pending = Round()
    /// A round without messages, for its room.
    private var spare = Round()
    var overflows: UInt64 = 0
    /// Outside the account, shown by health.
    var troubles = ProcessTroubles()
    private var toldTroubles = ProcessTroubles()
    /// Receives that failed in a row.
    var receiveFailureCount = 0
    /// When the last receive began that was told of no overflow.
    private var calmUntil: Instant?
    var fences = FenceProgress()
    /// The processors that were online when they could last be listed.
    var knownProcessors: [UInt32] = []
    /// Marks this listener's own request.
    var ticket: UInt32 = 0
    /// The answer to it: 0 or an `errno`.
    var acknowledgement: UInt32?
    var openingForks: (before: UInt64, after: UInt64)?
    var resyncPace: ResyncPace
    var sampleDue: Instant?
    private var pace: LoopPace
    /// How far looking has come where there is no connector.
    var polling: PollingProgress

    init(
        endpoints: ProcessSource.Endpoints, socket: any NetlinkSocket,
        settingsDesk: SettingsDesk<ProcessSourceSettings>,
        context: SourceContext,
        desk: AccountDesk, taskDesk: TaskDesk
    ) {
        self.endpoints = endpoints
        self.socket = socket
        // What is new up to here is in.
        _ = settingsDesk.take()
        settings = settingsDesk.present
        self.settingsDesk = settingsDesk
        self.context = context
        self.desk = desk
        self.taskDesk = taskDesk
        pace = LoopPace(receiveBufferByteCount: settings.receiveBufferByteCount)
        resyncPace = ResyncPace(interval: settings.resyncInterval)
        polling = PollingProgress(
            pace: PollingPace(
                interval: settings.pollInterval, rate: settings.pollRate, at: context.clock.monotonic))
        troubles.pollingReason = endpoints.pollingReason
        tracker = ProcessTracker(
            settings: settings, bootID: context.run.bootID, ownProcessID: endpoints.fence.ownProcessID)
        reader = ProcessReader(
            procfs: endpoints.procfs, clock: context.clock,
            redaction: settings.redactsArguments
                ? ArgumentRedaction(additionalNames: settings.secretNames) : nil)
    }

    /// Observes until cancelled; may be called again after an error, and then goes on with the same account.
    func run(_ context: SourceContext) async throws {
        self.context = context
        defer { refuseVerifications() }
        do {
            try await observe()
        } catch {
            await settle()
            throw error
        }
    }

    private func observe() async throws {
        guard endpoints.connector != nil else { return try await poll() }
        try await subscribe()
        defer { unsubscribe() }
        if fences.hasOpened {
            try await resumeInterval()
        } else {
            // What was read before the account is open is not part of it.
            pending = Round()
            try openInterval()
            reportMissedTime()
            try await scanBaseline()
        }
        context.ready()
        sampleDue = now.advanced(by: settings.sampleInterval)
        while !Task.isCancelled {
            try await handlePending()
            if isWorkDue {
                try await lookAgain()
                try await resyncIfDue()
                try await sampleIfDue()
            }
            adoptSettings()
            if desk.hasRequests { desk.answer(try await closeAccount()) }
            if hasTaskWork { performTasks() }
            flushIfDue()
            tellTroubles()
            if pending.isEmpty {
                if hasTaskWork { await Task.yield() } else { await waitForWork() }
                try gather()
                pace.noteDrain(of: pending.messages.count, at: now)
            }
        }
        #if MUTANTS
            if Mutation.cursorTooEarly.isActive { return desk.answer(try await closeAccount()) }
        #endif
        sometimes(.stoppedUncertain, when: tracker.isUncertain || pending.overflows > 0)
        desk.answer(try await closeAccount())
        saveCursor()
        tellTroubles()
    }

    func tellTroubles() {
        troubles.untrackedCount = tracker.untrackedCount
        troubles.droppedLookCount = tracker.lateReads.droppedCount
        troubles.resyncInterval = resyncPace.stretchedInterval(at: now)
        troubles.postponedScanCount = troubles.resyncInterval == nil ? 0 : resyncPace.postponedCount
        guard troubles != toldTroubles else { return }
        toldTroubles = troubles
        desk.health = troubles.health
    }

    var now: Instant { context.clock.monotonic }

    /// When something is to be done without a message.
    private var nextWork: Instant? {
        var earliest = tracker.lateReads.nextDue
        if let resyncDue = resyncPace.due { earliest = min(earliest ?? resyncDue, resyncDue) }
        if let sampleDue { earliest = min(earliest ?? sampleDue, sampleDue) }
        if let pollDue = polling.due { earliest = min(earliest ?? pollDue, pollDue) }
        return earliest
    }

    private var isWorkDue: Bool { nextWork.map { $0 <= now } ?? false }

    // MARK: - Steps

    /// Looks at the processes of the present round, reads the next one, and handles the first.
    func handlePending() async throws {
        guard !pending.isEmpty else { return }
        try handleRound()
        await emitOutput()
    }

    private func handleRound() throws {
        var round = pending
        noteLosses(of: round)
        var readings = look(at: round.planReadings())
        // Only what was looked at needs to be confirmed.
        pending = readings.isEmpty ? takeSpare() : try receive()
        if !readings.isEmpty { examine(&readings) }
        tracker.setClocks(sampleClocks())
        tracker.process(round, readings: readings)
        round.clear()
        spare = round
    }

    private func look(at plans: [Round.ExecPlan]) -> [ExecReading] {
        var readings: [ExecReading] = []
        readings.reserveCapacity(plans.count)
        for plan in plans {
            var reading: ProcessReading
            if let obstacle = plan.obstacle {
                sometimes(.readingTooLate)
                reading = ProcessReading(pid: plan.pid, depth: .exec)
                reading.failure = obstacle
            } else {
                reading = reader.read(plan.pid, depth: .exec)
            }
            reading.isNameLate = plan.isRenamedLater
            readings.append(ExecReading(index: plan.index, reading: reading))
        }
        return readings
    }

    /// Withdraws readings that the next round contradicts.
    private func examine(_ readings: inout [ExecReading]) {
        #if MUTANTS
            if Mutation.staleReadBelieved.isActive { return }
        #endif
        let contradictions = pending.contradictions()
        // Behind a full round there may be more in the socket, which speaks of these processes too.
        let isWhole = pending.messages.count < Round.messageLimit
        sometimes(.roundFull, when: !isWhole)
        let mayHideReuse = !isWhole || pending.overflows > 0 || !pending.losses.isEmpty
        for index in readings.indices {
            if mayHideReuse { readings[index].reading.evidence = .lateRead }
            guard let contradiction = contradictions[readings[index].reading.pid.rawValue] else { continue }
            if contradiction.contains(.reborn) {
                sometimes(.readingReused)
                readings[index].reading.failure = .reused
            } else if contradiction.contains(.executed) {
                sometimes(.readingSuperseded)
                readings[index].reading.failure = .superseded
            }
            if contradiction.contains(.ended) { readings[index].reading.mayHaveEnded = true }
            if contradiction.contains(.renamed) { readings[index].reading.isNameLate = true }
        }
    }

    /// Waits for messages, for something that is due, or for the time to hand out what was emitted.
    func waitForWork() async {
        if receiveFailureCount > 0 {
            // The socket is readable and cannot be read: waiting for it would be a loop without a pause.
            await pause(for: Self.retryDelay(after: receiveFailureCount))
        } else if let tick = pace.nextTick(at: now) {
            // Under load there will be messages by then: one wake-up instead of two.
            await doze(until: tick)
        } else {
            var deadline = nextWork
            if let flushDue = pace.flushDue { deadline = min(deadline ?? flushDue, flushDue) }
            _ = await socket.readable(until: deadline)
        }
        flushIfDue()
    }

    /// Sleeps for a moment, a thousand times a second: too short to be worth a way to end it early.
    private func doze(until tick: Instant) async {
        await withCheckedContinuation { waiter in
            _ = context.clock.schedule(at: tick) { waiter.resume() }
        }
    }

    func flushIfDue() {
        guard let due = pace.flushDue, due <= now else { return }
        context.emitter.flush()
        pace.noteFlush(at: now)
    }

    func emitOutput() async {
        if var events = tracker.output.takeOneChunk() {
            await emit(&events)
            return tracker.output.recycle(events)
        }
        guard !tracker.output.isEmpty else { return }
        for item in tracker.output.takeAll() {
            switch item {
            case .events(var events): await emit(&events)
            case .gap(let gap): context.emitter.report(gap)
            }
        }
    }

    private func emit(_ events: inout ContiguousArray<Event>) async {
        await context.emitter.emit(contentsOf: &events)
        pace.noteEmission(at: now)
    }

    func sampleClocks() -> ClockSample {
        ClockSample(
            monotonic: context.clock.monotonic, boot: context.clock.bootTime, wall: context.clock.wall)
    }

    // MARK: - Socket

    /// Everything that is queued, up to ``Round/messageLimit``.
    func receive() throws -> Round {
        var round = takeSpare()
        do {
            try receive(into: &round)
        } catch {
            // They have been counted already, and will not come again.
            pending.append(contentsOf: round)
            throw error
        }
        return round
    }

    private func takeSpare() -> Round {
        defer { spare = Round() }
        return spare
    }

    /// Adds everything that is queued to what is pending.
    func gather() throws {
        try receive(into: &pending)
    }

    private func receive(into round: inout Round) throws {
        while round.messages.count < Round.messageLimit, try receiveBatch(noting: &round) {
            decode(batch, into: &round)
            if batch.isDrained { return }
        }
    }

    /// - Returns: Whether the socket may hold more; with an overflow the batch is empty.
    private func receiveBatch(noting round: inout Round) throws(Errno) -> Bool {
        let begin = now
        do throws(Errno) {
            try socket.receive(into: &batch)
            noteReceive()
            calmUntil = begin
            return true
        } catch {
            batch.datagrams.removeAll(keepingCapacity: true)
            batch.isDrained = false
            guard error != .resourceTemporarilyUnavailable else {
                noteReceive()
                calmUntil = begin
                return false
            }
            #if MUTANTS
                if Mutation.overflowIsFatal.isActive { throw error }
            #endif
            guard error == .noBufferSpace else {
                try noteFailedReceive(error)
                return false
            }
            sometimes(.receiveOverflow)
            round.overflows += 1
            round.calmUntil = round.calmUntil ?? calmUntil ?? tracker.watchedSince
            return true
        }
    }

    private func decode(_ batch: borrowing DatagramBatch, into round: inout Round) {
        let bytes = batch.bytes.span
        round.messages.reserveCapacity(round.messages.count + batch.datagrams.count)
        for (slot, datagram) in batch.datagrams.enumerated() {
            // Only the kernel has port 0; a process can send to any port (netlink(7)).
            #if MUTANTS
                let isForged = datagram.senderPort != 0 && !Mutation.forgedSenderBelieved.isActive
            #else
                let isForged = datagram.senderPort != 0
            #endif
            guard !isForged, !datagram.isTruncated else {
                sometimes(.senderForged, when: datagram.senderPort != 0)
                sometimes(.datagramTruncated, when: datagram.isTruncated)
                troubles.strayCount += 1
                continue
            }
            var items = ConnectorDatagramReader(at: slot * batch.slotByteCount, count: datagram.byteCount)
            while let message = nextMessage(of: &items, in: bytes) { enter(message, into: &round) }
        }
    }

    /// The next message of a datagram; the rest of one that makes no sense is counted as one stray.
    private func nextMessage(
        of items: inout ConnectorDatagramReader, in bytes: Span<UInt8>
    ) -> ConnectorMessage? {
        do {
            while let item = try items.next(in: bytes) {
                if case .message(let message) = item { return message }
            }
        } catch {
            sometimes(.datagramMalformed)
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
            // The first one opens, however late it is heard: when a fence had to be repeated, the others count like any message.
            if !ledger.isOpen(processor: message.processor) {
                return ledger.open(processor: message.processor, at: message.sequence)
            }
        }
        switch ledger.observe(
            processor: message.processor, sequence: message.sequence, opensUnfenced: fences.hasOpened)
        {
        case .beforeInterval: return
        case .repeated:
            sometimes(.sequenceRepeated)
            troubles.strayCount += 1
        case .next: round.append(message, after: nil)
        case .missing(let count, let after):
            round.append(
                message,
                after: ProcessorLoss(
                    processor: message.processor, lost: count, after: after, before: message.sequence))
        }
    }
}
