import CollectorCore
import EventModel
import KernelFormats

/// Who may be somebody else since messages were lost.
///
/// An end and a birth may both be among what was lost: then messages about a pid are of another process than the one that is
/// tracked. Until a look has shown that it is still the same one, events about it say that they are ambiguous. A look proves
/// it for all messages that were read before, because a pid that has changed hands does not come back to the first.
extension ProcessTracker {
    /// Messages were lost, before those that are to be handled next or among them.
    ///
    /// - Parameter forkCount: Forks since boot; `nil` when that cannot be read.
    package mutating func noteLoss(in round: Round, forksSinceBoot forkCount: UInt64?) {
        beginDoubt(at: round.calmUntil ?? beginning(of: round.losses.map(\.loss)))
        let forks = forkCount.flatMap { count in
            forksBeforeDoubt.map { Int(clamping: count > $0 ? count - $0 : 0) }
        }
        turns.extendDoubt(to: forks, usedCount: usedPIDCount)
        lossEpoch += 2
    }

    /// What is missed when an overflow was noticed long ago is part of what it dropped.
    private func beginning(of losses: [ProcessorLoss]) -> Instant {
        guard !turns.isInDoubt else { return doubtBegan }
        return losses.map { lastStamp(of: $0.processor) ?? watchedSince }.min() ?? watchedSince
    }

    /// Nobody counted what was missed.
    mutating func noteUncountedLoss(since begin: Instant) {
        beginDoubt(at: begin)
        turns.extendDoubt(to: nil, usedCount: 0)
        lossEpoch += 2
    }

    private mutating func beginDoubt(at begin: Instant) {
        guard !turns.isInDoubt else { return doubtBegan = min(doubtBegan, begin) }
        doubtBegan = begin
        forksBeforeDoubt = forkMark.map { $0.sinceBoot &+ (forkCount &- $0.seen) }
        turns.beginDoubt()
    }

    /// A resync has looked at everybody: doubt stays with those of whom it could not say who they are.
    mutating func endDoubt() {
        guard turns.isInDoubt else { return }
        for process in table.values where process.doubtedSince == nil && isInDoubt(process) {
            process.doubtedSince = doubtBegan
        }
        turns.endDoubt()
        forksBeforeDoubt = nil
    }

    /// Takes note of the forks since boot at a moment, from which those that are not seen are counted.
    ///
    /// - Parameter unhandledCount: FORK messages that were read and not handled yet.
    package mutating func markForks(sinceBoot count: UInt64?, unhandledCount: UInt64) {
        forkMark = count.map { ($0, forkCount &+ unhandledCount) }
    }

    /// Processes and their threads, as far as they are known.
    private var usedPIDCount: Int { table.values.reduce(0) { $0 + 1 + $1.otherThreadCount } }

    // MARK: - Who

    /// Whether messages about a process may be about another one that has its pid by now.
    package func isInDoubt(_ process: TrackedProcess) -> Bool {
        if process.doubtedSince != nil { return true }
        guard process.lossEpoch < lossEpoch, turns.isInDoubt else { return false }
        // Who was born before our eyes keeps the pid at least until all the others have had their turn.
        if let birthTurn = process.birthTurn {
            return turns.mayHaveLapped(since: Int64(clamping: forkCount &- birthTurn))
        }
        return turns.mayHaveChanged(process.event.pid)
    }

    /// Takes note of what a look says about who has the pid of a process, if that is in doubt.
    package mutating func settleDoubt(about process: TrackedProcess, by reading: ProcessReading) {
        guard isInDoubt(process), reading.failure == nil, let stat = reading.stat else { return }
        let began = process.doubtedSince ?? doubtBegan
        guard isOf(reading, process) else {
            sometimes(.reuseBehindLoss)
            return process.doubtedSince = began
        }
        // A successor was born after the loss began: only where start times tie can it be taken for the one before, and then
        // no later look will tell them apart either.
        let isProven =
            reading.pidFDInode != 0 && process.pidFDInode != 0
            || process.startTicks > 0 && stat.startTicks + 1 < ticks(at: began)
        guard isProven else { return becomeAmbiguous(process, at: reading.aliveAt) }
        process.doubtedSince = nil
        process.lossEpoch = lossEpoch
    }

    /// From now on a process may be taken for its predecessor, which is said once.
    private mutating func becomeAmbiguous(_ process: TrackedProcess, at instant: Instant) {
        guard !process.event.isAmbiguous else { return }
        process.event.isAmbiguous = true
        conclude(.processModified, .resync, process, at: instant)
    }

    /// Processes that messages are about and that may not be the ones that are tracked, in the order of the messages.
    package func doubtfulSubjects(of round: Round) -> [TrackedProcess] {
        var found: [TrackedProcess] = []
        var seen: Set<Int32> = []
        func add(_ pid: ProcessID) {
            guard seen.insert(pid.rawValue).inserted, let process = table[pid.rawValue], isInDoubt(process)
            else { return }
            found.append(process)
        }
        for message in round.messages {
            switch message.event {
            case .fork(let parent, let child):
                if child.isLeader {
                    add(parent.tgid)
                    // Whoever had the pid of a child before is gone.
                    seen.insert(child.tgid.rawValue)
                } else {
                    add(child.tgid)
                }
            case .exec(let task), .uid(let task, _, _), .gid(let task, _, _), .session(let task),
                .ptrace(let task, _), .comm(let task, _), .coredump(let task, _), .exit(let task, _, _, _):
                add(task.tgid)
            case .acknowledgement, .unknown: continue
            }
        }
        return found
    }

    // MARK: - Threads

    /// Processes whose first threads end and that may have threads of which nobody has told, in the order of the messages.
    package func doubtfulEnds(in round: Round) -> [(process: TrackedProcess, laterThreadExitCount: Int)] {
        // Without a loss every thread has been told of.
        guard lossEpoch > 0 else { return [] }
        return round.leaderExits().compactMap { exit in
            guard let process = table[exit.pid.rawValue],
                process.mayHaveMoreThreads || process.threadEpoch < lossEpoch
            else { return nil }
            return (process, exit.laterThreadExitCount)
        }
    }

    /// Takes note of what a look says about the threads that a process has left behind its first one.
    package mutating func settleThreads(
        of process: TrackedProcess, by reading: ProcessReading, laterThreadExitCount: Int
    ) {
        if reading.failure == nil, isOf(reading, process), let stat = reading.stat,
            stat.state != .zombie || stat.threadCount > 1
        {
            return process.noteThreads(stat, at: reading.aliveAt, epoch: lossEpoch)
        }
        let isGone = reading.failure == nil || reading.failure == .vanished
        // What cannot be looked at now is found out later.
        guard isGone else { return process.mayHaveMoreThreads = true }
        // It has ended by now, with the last of the threads whose ends follow.
        process.otherThreadCount = laterThreadExitCount
        process.mayHaveMoreThreads = false
        process.threadEpoch = lossEpoch
    }
}
