package import EventModel

/// A binary heap of deadlines: the earliest first, equal deadlines in the order of insertion.
package struct TimerHeap<Payload> {
    package struct Entry {
        package let deadline: Instant
        /// Position among all insertions; breaks ties.
        package let sequence: UInt64
        package let payload: Payload
    }

    private var entries: [Entry] = []
    private var nextSequence: UInt64 = 0

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }
    package var count: Int { entries.count }
    package var earliest: Entry? { entries.first }
    package var nextDeadline: Instant? { entries.isEmpty ? nil : entries[0].deadline }

    package mutating func insert(_ payload: Payload, at deadline: Instant) {
        entries.append(Entry(deadline: deadline, sequence: nextSequence, payload: payload))
        nextSequence += 1
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(child, parent) else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    package mutating func popEarliest() -> Entry? {
        guard let last = entries.popLast() else { return nil }
        guard let first = entries.first else { return last }
        entries[0] = last
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < entries.count else { break }
            let right = left + 1
            let child = right < entries.count && precedes(right, left) ? right : left
            guard precedes(child, parent) else { break }
            entries.swapAt(child, parent)
            parent = child
        }
        return first
    }

    /// Drops the entries that `isStale` names; keeps the order of the others.
    package mutating func removeAll(where isStale: (Payload) -> Bool) {
        let kept = entries.filter { !isStale($0.payload) }
        entries = kept.sorted { ($0.deadline, $0.sequence) < ($1.deadline, $1.sequence) }
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        let (first, second) = (entries[a].deadline, entries[b].deadline)
        return first == second ? entries[a].sequence < entries[b].sequence : first < second
    }
}
