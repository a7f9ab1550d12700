package import Backends
package import EventModel

/// Timers in the order of their deadlines; equal deadlines in the order of scheduling.
///
/// Scheduling, cancelling and taking cost O(log n): a binary heap of slots that know their place in it.
package struct TimerHeap<Action>: ~Copyable {
    private struct Slot {
        var generation: UInt64 = 0
        var deadline = Instant(nanoseconds: 0)
        var sequence: UInt64 = 0
        /// Where the slot stands in the heap; -1 when it is free.
        var place = -1
        var action: Action?
    }

    /// The most timers at a time: a token holds 24 bits of slot and 40 bits of generation.
    private static var slotBits: UInt64 { 24 }

    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var heap: [Int] = []
    private var nextSequence: UInt64 = 0

    package init() {}

    package var isEmpty: Bool { heap.isEmpty }
    package var count: Int { heap.count }
    package var earliestDeadline: Instant? { heap.first.map { slots[$0].deadline } }
    /// Timers scheduled so far; a bound for ``takeFirst(dueAt:scheduledBefore:)``.
    package var scheduledCount: UInt64 { nextSequence }

    /// Adds a timer.
    package mutating func schedule(at deadline: Instant, _ action: Action) -> TimerToken {
        let index: Int
        if let free = freeSlots.popLast() {
            index = free
        } else {
            index = slots.count
            precondition(UInt64(index) < 1 << Self.slotBits, "timers are bounded by their owners")
            slots.append(Slot())
        }
        slots[index].generation += 1
        slots[index].deadline = deadline
        slots[index].sequence = nextSequence
        slots[index].action = action
        nextSequence += 1
        heap.append(index)
        slots[index].place = heap.count - 1
        siftUp(heap.count - 1)
        return TimerToken(rawValue: slots[index].generation << Self.slotBits | UInt64(index))
    }

    /// Removes a timer and returns its action; `nil` when it has fired or has been cancelled.
    package mutating func cancel(_ token: TimerToken) -> Action? {
        let index = Int(token.rawValue & (1 << Self.slotBits - 1))
        let generation = token.rawValue >> Self.slotBits
        guard index < slots.count, slots[index].place >= 0,
            slots[index].generation & (1 << 40 - 1) == generation
        else { return nil }
        return remove(place: slots[index].place)
    }

    /// Takes the first timer if it is due and was scheduled before the timer number `limit`.
    ///
    /// The limit keeps timers that schedule timers at once from running for ever.
    package mutating func takeFirst(dueAt now: Instant, scheduledBefore limit: UInt64) -> Action? {
        guard let first = heap.first, slots[first].deadline <= now, slots[first].sequence < limit else {
            return nil
        }
        return remove(place: 0)
    }

    private mutating func remove(place: Int) -> Action? {
        let index = heap[place]
        let last = heap.count - 1
        if place != last {
            heap[place] = heap[last]
            slots[heap[place]].place = place
        }
        heap.removeLast()
        if place != last {
            siftUp(place)
            siftDown(place)
        }
        let action = slots[index].action.take()
        slots[index].place = -1
        freeSlots.append(index)
        return action
    }

    private func isOrdered(_ first: Int, _ second: Int) -> Bool {
        let (a, b) = (slots[first].deadline, slots[second].deadline)
        return a == b ? slots[first].sequence < slots[second].sequence : a < b
    }

    private mutating func exchange(_ first: Int, _ second: Int) {
        heap.swapAt(first, second)
        slots[heap[first]].place = first
        slots[heap[second]].place = second
    }

    private mutating func siftUp(_ start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard isOrdered(heap[place], heap[parent]) else { return }
            exchange(place, parent)
            place = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
                if isOrdered(heap[child], heap[least]) { least = child }
            }
            if least == place { return }
            exchange(place, least)
            place = least
        }
    }
}
