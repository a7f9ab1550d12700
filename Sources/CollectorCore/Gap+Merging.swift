package import EventModel

extension Gap {
    /// Both gaps as one, when they have the same source, cause and subscriber.
    package func merged(with later: Gap) -> Gap? {
        guard source == later.source, cause == later.cause, subscriber == later.subscriber else { return nil }
        var gap = self
        if let a = lost, let b = later.lost { gap.lost = a + b } else { gap.lost = nil }
        #if MUTANTS
            if Mutation.mergedLossForgotten.isActive { gap.lost = later.lost }
        #endif
        gap.lostBounds.atLeast += later.lostBounds.atLeast
        if let a = lostBounds.atMost, let b = later.lostBounds.atMost {
            gap.lostBounds.atMost = a + b
        } else {
            gap.lostBounds.atMost = nil
        }
        gap.from = min(from, later.from)
        gap.until = max(until, later.until)
        gap.time = later.time
        for loss in later.processors {
            if let index = gap.processors.firstIndex(where: { $0.processor == loss.processor }) {
                gap.processors[index].lost += loss.lost
                gap.processors[index].before = loss.before
            } else {
                gap.processors.append(loss)
            }
        }
        gap.processors.sort { $0.processor < $1.processor }
        return gap
    }
}
