package import EventModel
import HeapModule

/// Processes to be looked at again, the earliest first; those due at one time in the order of their entry.
///
/// Bounded: a look for which there is no room is left out and counted, and the process is known by its messages only.
package struct LateReadQueue {
    /// Most looks that are due later. A process takes at most one or two at a time; those that have ended since stay
    /// until their time, so that a storm of forks can fill it.
    package static let countLimit = 2 * Limits.trackedProcessCount

    private struct Entry: Comparable {
        var due: Instant
        var order: UInt64
        var identity: ProcessIdentity

        static func < (a: Self, b: Self) -> Bool { (a.due, a.order) < (b.due, b.order) }
    }

    private var entries = Heap<Entry>()
    private var order: UInt64 = 0

    /// Looks that were left out for want of room.
    package private(set) var droppedCount: UInt64 = 0

    package init() {}

    package var nextDue: Instant? { entries.min?.due }
    package var count: Int { entries.count }

    package mutating func append(_ identity: ProcessIdentity, due: Instant) {
        guard entries.count < Self.countLimit else { return droppedCount += 1 }
        order += 1
        entries.insert(Entry(due: due, order: order, identity: identity))
    }

    package mutating func popDue(at now: Instant) -> ProcessIdentity? {
        guard let first = entries.min, first.due <= now else { return nil }
        return entries.popMin()?.identity
    }
}
