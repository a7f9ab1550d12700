package import EventModel

/// Keeps the last known health of each source, and tells when something has changed: pure state.
package struct HealthBoard: Sendable {
    private struct Entry {
        var supervision: SourceSupervision
        /// What the source answered last, about the run that was asked.
        var own = Health.healthy
        var since: Instant

        var health: Health { max(supervision.health, own) }
    }

    private var entries: [Entry] = []

    package init() {}

    /// Enters what the runtime sees.
    ///
    /// - Returns: Whether that changes the health of the source.
    package mutating func note(_ supervision: SourceSupervision, at now: Instant) -> Bool {
        guard let index = entries.firstIndex(where: { $0.supervision.source == supervision.source }) else {
            entries.append(Entry(supervision: supervision, since: now))
            return supervision.health != .healthy
        }
        return change(index, at: now) { entry in
            // What a source said of one run is nothing about the next.
            if entry.supervision.attempt != supervision.attempt || supervision.phase != .ready {
                entry.own = .healthy
            }
            entry.supervision = supervision
        }
    }

    /// Enters what a source has answered about its run `attempt`; an answer about an earlier run is none.
    ///
    /// - Returns: Whether that changes its health.
    package mutating func note(_ own: Health, of source: SourceName, attempt: Int, at now: Instant) -> Bool {
        guard let index = entries.firstIndex(where: { $0.supervision.source == source }),
            entries[index].supervision.attempt == attempt, entries[index].supervision.phase == .ready
        else { return false }
        return change(index, at: now) { $0.own = own }
    }

    /// Forgets a source.
    ///
    /// - Returns: Whether it was not healthy.
    package mutating func remove(_ source: SourceName) -> Bool {
        guard let index = entries.firstIndex(where: { $0.supervision.source == source }) else { return false }
        return entries.remove(at: index).health != .healthy
    }

    package var overall: Health { entries.map(\.health).max() ?? .healthy }

    package var sources: [SourceHealth] {
        entries.map { entry in
            SourceHealth(
                source: entry.supervision.source, state: entry.supervision.state, health: entry.health,
                since: entry.since, restartCount: entry.supervision.restartCount)
        }
    }

    private mutating func change(_ index: Int, at now: Instant, _ body: (inout Entry) -> Void) -> Bool {
        let former = entries[index].health
        body(&entries[index])
        guard entries[index].health != former else { return false }
        entries[index].since = now
        return true
    }
}
