import CollectorCore
import EventModel

/// What is done about messages that were lost, before and after what arrived is handled.
extension ProcessLoop {
    /// Before anything is made of messages with a loss: who may be somebody else by now is looked at once more.
    func noteLosses(of round: Round) {
        if round.hasLoss {
            overflows += UInt64(round.overflows)
            tracker.isUncertain = true
            scheduleResync()
            tracker.setClocks(sampleClocks())
            tracker.noteLoss(in: round, forksSinceBoot: forksSinceBoot())
        }
        if tracker.turns.isInDoubt {
            for process in tracker.doubtfulSubjects(of: round) {
                tracker.settleDoubt(about: process, by: reader.readIdentity(of: process))
            }
        }
        for (process, count) in tracker.doubtfulEnds(in: round) {
            let reading = reader.read(process.event.pid, depth: .probe)
            tracker.settleThreads(of: process, by: reading, laterThreadExitCount: count)
        }
    }

    private func scheduleResync() {
        #if MUTANTS
            // What is too early is dropped instead of postponed.
            if Mutation.resyncForgotten.isActive, resyncPace.isTooEarly(at: now) { return }
        #endif
        let isTooEarly = resyncPace.isTooEarly(at: now)
        resyncPace.noteLoss(at: now)
        sometimes(.resyncPostponed, when: isTooEarly)
    }
}
