package import Backends
package import EventModel

/// Timers in the order of their deadlines; equal deadlines in the order of scheduling.
///
/// Scheduling, cancelling and taking cost O(log n): a binary heap of slots that know their place in it.
package struct TimerHeap<Action>: ~Copyable {
    private struct Slot {
        var generation: UInt64 = 0
        /// Where the timer stands in the heap; -1 when the slot is free.
        var place = -1
        var action: Action?
    }

    /// What the order needs stands in the heap itself: comparing touches no slot.
    private struct Entry {
        var deadline: Instant
        var sequence: UInt64
        var slot: Int

        static func < (a: Self, b: Self) -> Bool {
            a.deadline == b.deadline ? a.sequence < b.sequence : a.deadline < b.deadline
        }
    }

    /// The most timers at a time: a token holds 24 bits of slot and 40 bits of generation.
    private static var slotBits: UInt64 { 24 }

    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var heap: [Entry] = []
    private var nextSequence: UInt64 = 0

    package init() {}

    package var isEmpty: Bool { heap.isEmpty }
    package var count: Int { heap.count }
    package var earliestDeadline: Instant? { heap.first?.deadline }
    /// Timers scheduled so far; a bound for ``takeFirst(dueAt:scheduledBefore:)``.
    package var scheduledCount: UInt64 { nextSequence }

    /// Adds a timer.
    package mutating func schedule(at deadline: Instant, _ action: Action) -> TimerToken {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = slots.count
            precondition(UInt64(slot) < 1 << Self.slotBits, "timers are bounded by their owners")
            slots.append(Slot())
        }
        slots[slot].generation += 1
        slots[slot].action = action
        let entry = Entry(deadline: deadline, sequence: nextSequence, slot: slot)
        nextSequence += 1
        heap.append(entry)
        siftUp(entry, from: heap.count - 1)
        return TimerToken(rawValue: slots[slot].generation << Self.slotBits | UInt64(slot))
    }

    /// Removes a timer and returns its action; `nil` when it has fired or has been cancelled.
    package mutating func cancel(_ token: TimerToken) -> Action? {
        let slot = Int(token.rawValue & (1 << Self.slotBits - 1))
        let generation = token.rawValue >> Self.slotBits
        guard slot < slots.count, slots[slot].place >= 0,
            slots[slot].generation & (1 << 40 - 1) == generation
        else { return nil }
        return remove(place: slots[slot].place)
    }

    /// Takes the first timer if it is due and was scheduled before the timer number `limit`.
    ///
    /// The limit keeps timers that schedule timers at once from running for ever.
    package mutating func takeFirst(dueAt now: Instant, scheduledBefore limit: UInt64) -> Action? {
        guard let first = heap.first, first.deadline <= now, first.sequence < limit else { return nil }
        return remove(place: 0)
    }

    private mutating func remove(place: Int) -> Action? {
        let slot = heap[place].slot
        let last = heap.removeLast()
        if place < heap.count {
            // The last one fills the hole, wherever it belongs.
            if place > 0, last < heap[(place - 1) / 2] {
                siftUp(last, from: place)
            } else {
                siftDown(last, from: place)
            }
        }
        slots[slot].place = -1
        freeSlots.append(slot)
        return slots[slot].action.take()
    }

    private mutating func put(_ entry: Entry, at place: Int) {
        heap[place] = entry
        slots[entry.slot].place = place
    }

    private mutating func siftUp(_ entry: Entry, from start: Int) {
        var place = start
        while place > 0, entry < heap[(place - 1) / 2] {
            put(heap[(place - 1) / 2], at: place)
            place = (place - 1) / 2
        }
        put(entry, at: place)
    }

    private mutating func siftDown(_ entry: Entry, from start: Int) {
        var place = start
        while 2 * place + 1 < heap.count {
            var child = 2 * place + 1
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            if !(heap[child] < entry) { break }
            put(heap[child], at: place)
            place = child
        }
        put(entry, at: place)
    }
}
