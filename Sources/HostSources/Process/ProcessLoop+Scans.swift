import Backends
import CollectorCore
import EventModel
import KernelFormats

import struct SystemPackage.Errno

extension ProcessLoop {
    /// Processes looked at between two reads of the socket, so that a scan does not make its queue overflow.
    private static var scanChunkCount: Int { 64 }

    // MARK: - Baseline

    func scanBaseline() async throws {
        let readings = try await scanPatiently()
        tracker.setClocks(sampleClocks())
        for reading in readings { tracker.adopt(reading, origin: .baseline) }
        await emitOutput()
        context.emitter.flush()
        // Threads were counted while messages about them were queued: until those are handled, a leader's EXIT may be an exec.
        tracker.isUncertain = true
        try await handlePending()
        if resyncPace.due == nil { tracker.becomeCertain() }
    }

    /// The first scan has nothing to fall back on: it is tried until it succeeds, for a few seconds.
    private func scanPatiently() async throws -> [ProcessReading] {
        var failureCount = 0
        while true {
            if let readings = try scan() { return readings }
            failureCount += 1
            let error = troubles.listError ?? .ioError
            guard error.mayPass, failureCount < Self.failureLimit else {
                throw ProcessSourceError.unlistable(error)
            }
            await pause(for: Self.retryDelay(after: failureCount))
            try Task.checkCancellation()
            try gather()
        }
    }

    /// Looks at every process; what the queue tells about births meanwhile is left to the queue.
    ///
    /// - Returns: `nil` when `/proc` cannot be listed now.
    private func scan() throws -> [ProcessReading]? {
        guard let pids = listProcesses() else { return nil }
        troubles.isProcHidden = !pids.contains(ProcessID(1))
        sometimes(.procHidden, when: troubles.isProcHidden)
        var readings: [ProcessReading] = []
        readings.reserveCapacity(pids.count)
        for (index, pid) in pids.enumerated() {
            readings.append(lookAtListed(pid))
            if index % Self.scanChunkCount == Self.scanChunkCount - 1 { try gather() }
        }
        try gather()
        let contradictions = pending.contradictions()
        for index in readings.indices {
            let contradiction = contradictions[readings[index].pid.rawValue] ?? []
            if contradiction.contains(.reborn) { readings[index].failure = .reused }
            if contradiction.contains(.ended) { readings[index].mayHaveEnded = true }
            if !contradiction.subtracting(.threadEnded).isEmpty { readings[index].evidence = .lateRead }
        }
        // Parents start before their children: in this order a parent is known when its child comes.
        return readings.sorted { a, b in
            (a.stat?.startTicks ?? 0, a.pid) < (b.stat?.startTicks ?? 0, b.pid)
        }
    }

    /// Looks at a process that a scan has found.
    ///
    /// What no message tells of cannot have been missed with lost ones: of the process that is tracked it is read once, and
    /// its pidfd's inode only while something else may have its pid.
    func lookAtListed(_ pid: ProcessID) -> ProcessReading {
        guard let process = tracker.table[pid.rawValue], process.isPlaceKnown else {
            return reader.read(pid, depth: .full)
        }
        var depth = ProcessReading.Depth.told
        if process.pidFDInode == 0 || tracker.isInDoubt(process) { depth.insert(.inode) }
        let reading = reader.read(pid, depth: depth)
        guard reading.failure == nil, !tracker.isOf(reading, process) else { return reading }
        // It is somebody else, of whom nothing is known.
        return reader.read(pid, depth: .full)
    }

    // MARK: - Resync

    /// After a loss: says exactly how much was lost, then states what is different.
    func resyncIfDue() async throws {
        guard let due = resyncPace.due, due <= now else { return }
        let begin = now
        sometimes(.resyncBegun)
        resyncPace.begin(at: begin)
        // An administrator may have moved it.
        tracker.turns.setMaximum(pidMaximum())
        // The account's fence also brings out what was lost at the end, so that the gap stands before its resync.
        desk.answer(try await closeAccount())
        let overflowsBefore = overflows + UInt64(pending.overflows)
        guard let readings = try scan() else { return resyncPace.retry(at: now) }
        tracker.setClocks(sampleClocks())
        var found: Set<Int32> = []
        var isDoubtful = false
        for reading in readings {
            found.insert(reading.pid.rawValue)
            guard !tracker.isDoubtful(reading) else {
                isDoubtful = true
                continue
            }
            tracker.reconcile(reading)
        }
        tracker.doubtfulScanCount = isDoubtful ? tracker.doubtfulScanCount + 1 : 0
        tracker.ended.keep(found)
        // Whoever could not be judged is looked at again, but not for ever.
        if isDoubtful, tracker.doubtfulScanCount < Self.failureLimit { resyncPace.retry(at: now) }
        #if MUTANTS
            if Mutation.absentForgotten.isActive { found.formUnion(tracker.table.keys) }
        #endif
        for pid in tracker.table.keys.sorted() where !found.contains(pid) {
            guard let process = tracker.table[pid] else { continue }
            process.missedLookCount += 1
            tracker.lateReads.append(process.event.identity, due: begin.advanced(by: settings.lateReadDelay))
        }
        await emitOutput()
        let isComplete = overflows + UInt64(pending.overflows) == overflowsBefore
        sometimes(isComplete ? .resyncCompleted : .resyncOverrun)
        // What was queued during the scan is handled while thread counts are still in doubt.
        try await handlePending()
        if isComplete { tracker.becomeCertain() }
    }

    // MARK: - Later looks

    /// Looks at processes that have lived for a while, and at those whose end is in doubt.
    func lookAgain() async throws {
        var readings: [(identity: ProcessIdentity, reading: ProcessReading)] = []
        while readings.count < Self.scanChunkCount, let identity = tracker.lateReads.popDue(at: now) {
            guard let process = tracker.table[identity.pid.rawValue], process.event.identity == identity
            else {
                sometimes(.lateLookStale)
                continue
            }
            if let due = process.retryDue, due <= now { process.retryDue = nil }
            // Who waits for its last thread to end has nothing else to tell.
            let depth = process.leaderExitCode == nil ? process.unread.union(.inode) : .inode
            readings.append((identity, reader.read(identity.pid, depth: depth)))
        }
        guard !readings.isEmpty else { return }
        try gather()
        let contradictions = pending.contradictions()
        tracker.setClocks(sampleClocks())
        for (identity, reading) in readings {
            guard let process = tracker.table[identity.pid.rawValue] else { continue }
            if contradictions[identity.pid.rawValue] != nil {
                sometimes(.lateLookContradicted)
                tracker.lateReads.append(identity, due: now.advanced(by: settings.lateReadDelay))
            } else {
                tracker.settle(reading, of: process, isProcHidden: troubles.isProcHidden)
            }
        }
        await emitOutput()
    }

    // MARK: - Samples

    /// Measures CPU and memory of every tracked process, and saves the cursor.
    func sampleIfDue() async throws {
        guard let due = sampleDue, due <= now else { return }
        sampleDue = now.advanced(by: settings.sampleInterval)
        #if MUTANTS
            let pids =
                Mutation.unorderedSample.isActive
                ? Array(tracker.table.keys) : tracker.table.keys.sorted()
        #else
            let pids = tracker.table.keys.sorted()
        #endif
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
    /// Whether a scan has found somebody who is not tracked, could not be looked at, and may be a dead one whose end was told.
    package func isDoubtful(_ reading: ProcessReading) -> Bool {
        guard let reason = reading.failure, reason != .vanished, reason != .reused else { return false }
        let pid = reading.pid.rawValue
        return table[pid] == nil && ended.contains(pid)
    }

    /// Looks in vain after which a process is left to its EXIT message.
    private static var missedLookLimit: Int { 8 }

    /// Decides what a later look means for a process.
    package mutating func settle(_ reading: ProcessReading, of process: TrackedProcess, isProcHidden: Bool) {
        settleDoubt(about: process, by: reading)
        if process.mayHaveMoreThreads, reading.failure == nil, let stat = reading.stat, isOf(reading, process)
        {
            process.noteThreads(stat, at: reading.aliveAt, epoch: lossEpoch)
        }
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
        let isDead = reading.stat.map { $0.state == .zombie && $0.threadCount <= 1 } ?? false
        if !isGone, isDead, mayHaveEndedUntold(process) {
            process.event.isZombie = true
            return doubt(process)
        }
        guard isGone else {
            process.missedLookCount = 0
            if reading.failure == nil {
                applyLate(reading, to: process, origin: .derived)
                process.unread = []
            }
            return lookAgainIfFailed(reading, at: process)
        }
        process.missedLookCount += 1
        #if MUTANTS
            if Mutation.absenceIsDeath.isActive { return infer(endOf: process, at: clocks.monotonic) }
        #endif
        // Without a loss since its birth the EXIT message will come; with hidepid absence means nothing.
        if lossCount > process.lossCountAtBirth, !isProcHidden, process.missedLookCount > 1 {
            infer(endOf: process, at: clocks.monotonic)
        } else if process.missedLookCount < Self.missedLookLimit {
            let delay = settings.lateReadDelay * (1 << process.missedLookCount)
            lateReads.append(process.event.identity, due: clocks.monotonic.advanced(by: delay))
        } else {
            sometimes(.lateLooksGivenUp)
        }
    }

    /// Whether the EXIT message of a process may be one that was lost, or that came before the collector listened.
    func mayHaveEndedUntold(_ process: TrackedProcess) -> Bool {
        lossCount > process.lossCountAtBirth || process.isBirthUntold
    }

    /// A zombie whose EXIT message has not come: it is ended once a second look has found it so, since by then the message
    /// would have.
    private mutating func doubt(_ process: TrackedProcess) {
        process.event.isZombie = true
        process.missedLookCount += 1
        guard process.missedLookCount == 1 else { return infer(endOf: process, at: clocks.monotonic) }
        lateReads.append(
            process.event.identity, due: clocks.monotonic.advanced(by: settings.lateReadDelay * 2))
    }

    /// Looks once more at a process of which something could not be read, for a reason that passes: later and later, but
    /// never not at all; and only at that.
    package mutating func lookAgainIfFailed(_ reading: ProcessReading, at process: TrackedProcess) {
        guard reading.hasFailed else { return process.failedLookCount = 0 }
        sometimes(.readingFailed)
        process.unread.formUnion(reading.failedDepth)
        process.failedLookCount = min(process.failedLookCount + 1, Self.missedLookLimit)
        let delay = settings.lateReadDelay * (1 << process.failedLookCount)
        let due = clocks.monotonic.advanced(by: delay)
        // One look is enough, however many readings have failed before it.
        if let earlier = process.retryDue, earlier <= due { return }
        process.retryDue = due
        lateReads.append(process.event.identity, due: due)
    }
}
