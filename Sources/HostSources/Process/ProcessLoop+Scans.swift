import Backends
import CollectorCore
import EventModel
import KernelFormats

extension ProcessLoop {
    /// Processes looked at between two reads of the socket, so that a scan does not make its queue overflow.
    private static var scanChunkCount: Int { 64 }

    // MARK: - Baseline

    func scanBaseline() async throws {
        let readings = try scan()
        tracker.setClocks(sampleClocks())
        for reading in readings { tracker.adopt(reading, origin: .baseline) }
        try await emitOutput()
        context.emitter.flush()
        // Threads were counted while messages about them were queued: until those are handled, a leader's EXIT may be an exec.
        tracker.isUncertain = true
        try await handlePending()
        if resyncDue == nil { tracker.becomeCertain() }
    }

    /// Looks at every process; what the queue tells about births meanwhile is left to the queue.
    private func scan() throws -> [ProcessReading] {
        var pids: [ProcessID] = []
        try endpoints.procfs.processIDs(into: &pids)
        troubles.isProcHidden = !pids.contains(ProcessID(1))
        var readings: [ProcessReading] = []
        readings.reserveCapacity(pids.count)
        for (index, pid) in pids.enumerated() {
            readings.append(reader.read(pid, depth: .full))
            if index % Self.scanChunkCount == Self.scanChunkCount - 1 { try gather() }
        }
        try gather()
        let contradictions = pending.contradictions()
        for index in readings.indices {
            let contradiction = contradictions[readings[index].pid.rawValue] ?? []
            if contradiction.contains(.reborn) { readings[index].failure = .reused }
            if contradiction.contains(.ended) { readings[index].mayHaveEnded = true }
            if !contradiction.isEmpty { readings[index].evidence = .lateRead }
        }
        // Parents start before their children: in this order a parent is known when its child comes.
        return readings.sorted { a, b in
            (a.stat?.startTicks ?? 0, a.pid) < (b.stat?.startTicks ?? 0, b.pid)
        }
    }

    // MARK: - Resync

    /// After a loss: says exactly how much was lost, then states what is different.
    func resyncIfDue() async throws {
        guard let due = resyncDue, due <= now else { return }
        let begin = now
        lastResync = begin
        resyncDue = nil
        // The account's fence also brings out what was lost at the end, so that the gap stands before its resync.
        desk.answer(try await closeAccount())
        let lossBegan = tracker.lossBegan ?? begin
        let overflowsBefore = overflows + UInt64(pending.overflows)
        let readings = try scan()
        tracker.setClocks(sampleClocks())
        var found: Set<Int32> = []
        for reading in readings {
            found.insert(reading.pid.rawValue)
            tracker.reconcile(reading, gapFrom: lossBegan)
        }
        for pid in tracker.table.keys.sorted() where !found.contains(pid) {
            guard let process = tracker.table[pid] else { continue }
            process.missedLookCount += 1
            tracker.lateReads.append(process.event.identity, due: begin.advanced(by: settings.lateReadDelay))
        }
        try await emitOutput()
        let isComplete = overflows + UInt64(pending.overflows) == overflowsBefore
        // What was queued during the scan is handled while thread counts are still in doubt.
        try await handlePending()
        if isComplete { tracker.becomeCertain() }
    }

    // MARK: - Later looks

    /// Looks at processes that have lived for a while, and at those whose end is in doubt.
    func lookAgain() async throws {
        var readings: [(identity: ProcessIdentity, reading: ProcessReading)] = []
        while readings.count < Self.scanChunkCount, let identity = tracker.lateReads.popDue(at: now) {
            guard tracker.table[identity.pid.rawValue]?.event.identity == identity else { continue }
            readings.append((identity, reader.read(identity.pid, depth: .full)))
        }
        guard !readings.isEmpty else { return }
        try gather()
        let contradictions = pending.contradictions()
        tracker.setClocks(sampleClocks())
        for (identity, reading) in readings {
            guard let process = tracker.table[identity.pid.rawValue] else { continue }
            if contradictions[identity.pid.rawValue] != nil {
                tracker.lateReads.append(identity, due: now.advanced(by: settings.lateReadDelay))
            } else {
                tracker.settle(reading, of: process, isProcHidden: troubles.isProcHidden)
            }
        }
        try await emitOutput()
    }

    // MARK: - Samples

    /// Measures CPU and memory of every tracked process, and saves the cursor.
    func sampleIfDue() async throws {
        guard let due = sampleDue, due <= now else { return }
        sampleDue = now.advanced(by: settings.sampleInterval)
        let pids = tracker.table.keys.sorted()
        for start in stride(from: 0, to: pids.count, by: Self.scanChunkCount) {
            let chunk = pids[start..<min(start + Self.scanChunkCount, pids.count)]
            let readings = chunk.map { reader.read(ProcessID($0), depth: .probe) }
            try gather()
            let contradictions = pending.contradictions()
            for reading in readings
            where reading.failure == nil && contradictions[reading.pid.rawValue] == nil {
                guard let process = tracker.table[reading.pid.rawValue], tracker.isOf(reading, process) else {
                    continue
                }
                tracker.applyStat(reading, to: process)
            }
        }
        saveCursor()
    }
}

extension ProcessTracker {
    /// Looks in vain after which a process is left to its EXIT message.
    private static var missedLookLimit: Int { 8 }

    /// Decides what a later look means for a process.
    package mutating func settle(_ reading: ProcessReading, of process: TrackedProcess, isProcHidden: Bool) {
        let isGone = reading.failure == .vanished || (reading.failure == nil && !isOf(reading, process))
        if let code = process.leaderExitCode {
            let isDeadZombie = reading.stat.map { $0.state == .zombie && $0.threadCount <= 1 } ?? false
            guard isGone || isDeadZombie else {
                return lateReads.append(
                    process.event.identity, due: clocks.monotonic.advanced(by: .seconds(1)))
            }
            // Its last thread's EXIT message was lost, or came before its start was counted.
            remove(process)
            return conclude(.processExit, .derived, process, at: clocks.monotonic) {
                $0.exit = ProcessExit(code: code)
            }
        }
        guard isGone else {
            process.missedLookCount = 0
            if reading.failure == nil { applyLate(reading, to: process, origin: .derived) }
            return
        }
        process.missedLookCount += 1
        // Without a loss since its birth the EXIT message will come; with hidepid absence means nothing.
        if lossCount > process.lossCountAtBirth, !isProcHidden, process.missedLookCount > 1 {
            infer(endOf: process, at: clocks.monotonic)
        } else if process.missedLookCount < Self.missedLookLimit {
            let delay = settings.lateReadDelay * (1 << process.missedLookCount)
            lateReads.append(process.event.identity, due: clocks.monotonic.advanced(by: delay))
        }
    }
}
