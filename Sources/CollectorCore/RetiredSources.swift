import EventModel

/// What removed sources leave behind, merged by name: bounded, however many come and go.
struct RetiredSources: Sendable {
    private struct Entry {
        var account: SourceAccount
        var failure: String?
        var isAbandoned = false
    }

    private var entries: [Entry] = []
    /// Accounts that were dropped for want of room.
    private(set) var forgottenCount: UInt64 = 0

    mutating func add(_ account: SourceAccount, ending: SupervisionStateMachine.Ending?) {
        var entry = Entry(account: account)
        if let index = entries.firstIndex(where: { $0.account.source == account.source }) {
            entry = entries.remove(at: index)
            entry.account.merge(account)
        } else if entries.count >= CollectorLimits.retiredSourceCount {
            entries.removeFirst()
            forgottenCount += 1
        }
        switch ending {
        case .failed(let reason): entry.failure = reason
        case .abandoned: entry.isAbandoned = true
        case .stopped, nil: break
        }
        entries.append(entry)
    }

    var accounts: [SourceAccount] { entries.map(\.account) }

    var failures: [(source: SourceName, reason: String)] {
        entries.compactMap { entry in entry.failure.map { (entry.account.source, $0) } }
    }

    var abandoned: [SourceName] { entries.filter(\.isAbandoned).map(\.account.source) }
}

extension SourceAccount {
    /// Adds the account of another interval of the same source; shares of processors do not add up and are left out.
    package mutating func merge(_ other: SourceAccount) {
        kernel += other.kernel
        emitted += other.emitted
        filtered.merge(other.filtered)
        coalesced += other.coalesced
        dropped.merge(other.dropped)
        if let a = lost, let b = other.lost { lost = a + b } else { lost = nil }
        lostBounds.atLeast += other.lostBounds.atLeast
        if let a = lostBounds.atMost, let b = other.lostBounds.atMost {
            lostBounds.atMost = a + b
        } else {
            lostBounds.atMost = nil
        }
        overflows += other.overflows
        syntheticDropped += other.syntheticDropped
        processors = []
        forkCheck = nil
    }
}
