import Backends
import CollectorCore
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// Watching processes without the connector: `/proc` is listed from time to time, and each process looked at in turn.
///
/// What is found is told as a resync tells it. What lived between two looks is not seen; how many that were at most
/// follows from the kernel's count of forks, and is told as a gap for each interval.
extension ProcessLoop {
    func poll() async throws {
        if polling.hasBegun {
            reportInterruption()
            polling.pace.demandListing(at: now)
        } else {
            try await beginPolling()
        }
        context.ready()
        while !Task.isCancelled {
            adoptSettings()
            if let due = tracker.lateReads.nextDue, due <= now {
                let begin = reader.openCount
                try await lookAgain()
                polling.pace.spend(reader.openCount - begin)
            }
            pollSlice()
            await emitOutput()
            if desk.hasRequests { desk.answer(pollingAccount()) }
            if hasTaskWork { performTasks() }
            flushIfDue()
            tellTroubles()
            if hasTaskWork { await Task.yield() } else { await waitForWork() }
        }
        await endPolling()
    }

    private func beginPolling() async throws {
        sometimes(.pollingBegun)
        reportMissedTime()
        saveCursor()
        // An earlier attempt may have ended before the baseline.
        polling.forks = UnseenForks()
        polling.forks.open(with: forksSinceBoot() ?? forksSinceBoot() ?? forksSinceBoot())
        polling.openedAt = now
        polling.settledAt = now
        try await scanBaseline()
        // Who was on the first list has been found, too, if he was made after the count was read.
        let newest = tracker.ticks(at: polling.openedAt)
        if newest > 0, !troubles.isProcHidden {
            polling.forks.noteFound(
                UInt64(tracker.table.values.count { $0.isStartTicksExact && $0.startTicks > newest + 1 }))
        }
        polling.hasBegun = true
        polling.pace.demandListing(at: now)
        polling.due = now
    }

    /// Says that nobody has looked for a while, after a run that ended by an error.
    private func reportInterruption() {
        guard let interruption = context.interruption else { return }
        context.emitter.report(
            Gap(
                source: .process, cause: .notRunning, lost: nil,
                lostBounds: LostBounds(atLeast: 0, atMost: nil), from: interruption.since, until: now,
                time: context.clock.wall, processors: [], subscriber: nil))
    }

    private func endPolling() async {
        let count = forksSinceBoot()
        await emitOutput()
        report(polling.forks.close(at: count), until: now)
        desk.answer(pollingAccount(forks: count))
        saveCursor()
        tellTroubles()
    }

    // MARK: - Account

    private func pollingAccount() -> SourceAccount { pollingAccount(forks: forksSinceBoot()) }

    /// No message of the kernel is read, so none is counted; how much may be missing is told in forks.
    private func pollingAccount(forks: UInt64?) -> SourceAccount {
        desk.memory = memory
        var account = SourceAccount(source: .process)
        account.lost = nil
        account.lostBounds = LostBounds(atLeast: 0, atMost: polling.forks.bound(at: forks))
        account.filtered = tracker.filtered.tally
        context.emitter.enterCounts(into: &account)
        return account
    }

    private func report(_ missing: UnseenForks.Missing, until end: Instant) {
        let atMost: UInt64?
        switch missing {
        case .nothing: return polling.settledAt = end
        case .atMost(let count): atMost = count
        case .unknown: atMost = nil
        }
        sometimes(.unseenTold)
        context.emitter.report(
            Gap(
                source: .process, cause: .betweenPolls, lost: nil,
                lostBounds: LostBounds(atLeast: 0, atMost: atMost), from: polling.settledAt, until: end,
                time: context.clock.wall, processors: [], subscriber: nil))
        polling.settledAt = end
    }

    // MARK: - Slices

    /// As much as the rate allows now.
    private func pollSlice() {
        polling.pace.refill(at: now)
        if polling.pace.isListingDue(at: now, hasLooks: polling.hasLooks) { takeListing() }
        if polling.pace.mayLook, polling.hasLooks { tracker.setClocks(sampleClocks()) }
        while polling.pace.mayLook, let next = polling.nextLook() {
            let begin = reader.openCount
            look(next)
            polling.pace.spend(reader.openCount - begin)
        }
        if let duration = polling.endTurn(at: now) {
            let isSlow = duration > polling.pace.interval * 2
            sometimes(.turnStretched, when: isSlow)
            troubles.turnDuration = isSlow ? .seconds(duration.components.seconds + 1) : nil
        }
        polling.due = polling.pace.nextWork(hasLooks: polling.hasLooks)
    }

    private func takeListing() {
        let begin = now
        // Before the list: whoever was made until now and is not on it has ended.
        let forks = forksSinceBoot()
        guard let pids = listProcesses() else {
            polling.failedListingCount += 1
            let delay = Self.retryDelay(after: polling.failedListingCount)
            return polling.pace.noteFailedListing(retryAfter: delay, at: now)
        }
        polling.failedListingCount = 0
        polling.pace.noteListing(of: pids.count, at: begin)
        troubles.isProcHidden = !pids.contains(ProcessID(1))
        sometimes(.procHidden, when: troubles.isProcHidden)
        let listed = Set(pids.map(\.rawValue))
        tracker.ended.keep(listed)
        let newcomers = pids.filter { tracker.table[$0.rawValue] == nil }
        let room = max(0, Limits.trackedProcessCount - tracker.table.count)
        let waitingCount = newcomers.count { !tracker.ended.contains($0.rawValue) }
        tracker.untrackedCount = max(tracker.untrackedCount, UInt64(max(0, waitingCount - room)))
        if let forks {
            report(polling.forks.settle(at: forks, waitingCount: min(waitingCount, room)), until: begin)
        }
        polling.takeListing(
            absent: tracker.table.keys.filter { !listed.contains($0) }.sorted(), newcomers: newcomers,
            known: pids.filter { tracker.table[$0.rawValue] != nil }, at: begin)
    }

    // MARK: - Looks

    private func look(_ next: PollingProgress.Look) {
        switch next {
        case .absent(let pid):
            guard let process = tracker.table[pid] else { return }
            lookForAbsent(process)
        case .newcomer(let pid):
            if let process = tracker.table[pid.rawValue] { return lookAnew(at: process) }
            lookAtNewcomer(pid)
        case .known(let pid):
            guard let process = tracker.table[pid.rawValue] else { return }
            lookAnew(at: process)
        }
    }

    private func lookAtNewcomer(_ pid: ProcessID) {
        guard tracker.table.count < Limits.trackedProcessCount else { return }
        // Who has ended may be listed for as long as his parent likes.
        if tracker.ended.contains(pid.rawValue) {
            let reading = reader.read(pid, depth: .probe)
            guard let stat = reading.stat, reading.failure == nil, !stat.isDead else { return }
        }
        let reading = reader.read(pid, depth: .full)
        tracker.adopt(reading, origin: .resync)
        if tracker.table[pid.rawValue] != nil {
            // Of whom nothing could be read, nobody knows since when it has lived.
            if reading.failure == nil { noteFound() }
        } else if let stat = reading.stat, reading.failure == nil, stat.isDead {
            // Nobody saw it alive: it is among those that are missing.
            tracker.ended.insert(pid.rawValue)
        }
    }

    /// Whether one more was found of those that the kernel has counted.
    private func noteFound() {
        // Behind hidepid a process can be hidden and found again.
        if !troubles.isProcHidden { polling.forks.noteFound() }
    }

    /// Looks at a process that is tracked, whose pid may be another's since the last look.
    private func lookAnew(at process: TrackedProcess) {
        let pid = process.event.pid
        // Only who began within a tick of the last look can have been followed by another with the same start.
        let seen = process.scannedAt ?? polling.openedAt
        if process.startTicks == 0 || process.startTicks + 1 >= tracker.ticks(at: seen) {
            process.doubtedSince = process.doubtedSince ?? seen
        }
        let reading = isYoung(process, at: seen) ? reader.read(pid, depth: .full) : lookAtListed(pid)
        // The next list says whether it is gone.
        guard reading.failure != .vanished else { return }
        judge(reading, of: process)
    }

    /// Whether it had just begun when it was looked at last: then it may have been on its way into its control group.
    private func isYoung(_ process: TrackedProcess, at seen: Instant) -> Bool {
        process.startTicks + settings.clockTicksPerSecond > tracker.ticks(at: seen)
    }

    private func judge(_ reading: ProcessReading, of process: TrackedProcess) {
        let identity = process.event.identity
        if reading.failure != nil, reading.pidFDInode != 0, process.pidFDInode != 0,
            reading.pidFDInode != process.pidFDInode
        {
            // Another one, and it cannot be looked at either.
            tracker.infer(endOf: process, at: now)
            tracker.adopt(reading, origin: .resync)
        } else if reading.failure == nil, let stat = reading.stat, stat.isDead,
            tracker.isOf(reading, process)
        {
            // By now it may have been collected, and another have its pid.
            return tracker.infer(endOf: process, at: reading.aliveAt)
        } else {
            tracker.reconcile(reading)
        }
        guard let present = tracker.table[process.event.pid.rawValue] else { return }
        if present.event.identity != identity { noteFound() }
    }

    /// Looks for a process that is not on the list.
    private func lookForAbsent(_ process: TrackedProcess) {
        let pid = process.event.pid
        let reading = reader.read(pid, depth: .probe)
        guard reading.failure == .vanished else {
            return reading.failure == nil ? lookAnew(at: process) : ()
        }
        if troubles.isProcHidden {
            switch existence(of: process) {
            case true?: return
            case false?: break
            case nil: process.event.isAmbiguous = true
            }
        }
        tracker.infer(endOf: process, at: now)
        tracker.ended.remove(pid.rawValue)
    }

    /// Whether a process that is not shown exists; `nil` when that cannot be told: it may have become somebody else's, and
    /// be hidden for that.
    private func existence(of process: TrackedProcess) -> Bool? {
        do throws(Errno) {
            let inode = try endpoints.procfs.pidFDInode(of: process.event.pid)
            return process.pidFDInode == 0 ? nil : inode == process.pidFDInode
        } catch {
            switch error {
            case .noSuchProcess: return false
            // Asked again at the next listing.
            case _ where error.mayPass: return true
            default: return nil
            }
        }
    }
}

extension ProcessStat {
    /// Whether all of the process has ended, and only its parent has not collected it yet.
    fileprivate var isDead: Bool { state == .zombie && threadCount <= 1 }
}
