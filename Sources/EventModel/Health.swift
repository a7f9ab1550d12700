/// The state of a source or of the whole collector; ordered from best to worst, so that `max` is worst-of.
public enum Health: Hashable, Comparable, Sendable {
    /// All is well.
    case healthy
    /// It works, but not as it should.
    case degraded(reason: String)
    /// It does not work.
    case failed(reason: String)

    private var rank: (order: Int, reason: String) {
        switch self {
        case .healthy: (0, "")
        case .degraded(let reason): (1, reason)
        case .failed(let reason): (2, reason)
        }
    }

    /// Whether `a` is better than `b`; equal states are ordered by their reasons, so that the order is total.
    public static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
}

/// What happens to an event for which a bounded queue has no room.
public enum OverflowPolicy: String, Hashable, Sendable, CaseIterable {
    /// The producer waits; nothing is dropped here.
    case block
    /// The oldest queued event is dropped and counted.
    case dropOldest = "drop-oldest"
    /// The new event is dropped and counted.
    case dropNewest = "drop-newest"
}
