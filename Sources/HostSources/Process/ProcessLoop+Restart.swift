import Backends
import CollectorCore
import EventModel

/// How a run ends by an error and the next one goes on: one account over all of them, and a gap between them.
extension ProcessLoop {
    /// Leaves nothing behind that was read and counted, and makes up the account without asking the kernel again.
    func settle() async {
        guard fences.hasOpened else { return }
        finishPending()
        await emitOutput()
        context.emitter.flush()
        for processor in ledger.accounts { ledger.markFenced(processor: processor.processor, false) }
        desk.answer(account(forksBefore: nil, forksAfter: nil))
        // A next run of the collector may be the one to go on.
        saveCursor()
    }

    /// Goes on after a run that ended by an error.
    ///
    /// The socket has kept what it had room for; the kernel numbers what it had not. What happened while nobody was
    /// subscribed has no number: that is the gap, and a resync states what is different after it.
    func resumeInterval() async throws {
        finishPending()
        await emitOutput()
        let since = context.interruption?.since ?? now
        context.emitter.report(
            Gap(
                source: .process, cause: .notRunning, lost: nil,
                lostBounds: LostBounds(atLeast: 0, atMost: nil), from: since, until: now,
                time: context.clock.wall, processors: [], subscriber: nil))
        tracker.noteInterruption(since: since)
        resyncPace.demand(at: now)
        try await resyncIfDue()
    }

    /// Handles what is pending without looking at `/proc`: later looks fill in what an EXEC message does not tell.
    private func finishPending() {
        let round = pending
        pending = Round()
        overflows += UInt64(round.overflows)
        tracker.setClocks(sampleClocks())
        if round.hasLoss {
            tracker.isUncertain = true
            tracker.noteLoss(in: round, forksSinceBoot: nil)
        }
        tracker.process(round, readings: [])
    }
}
