/// The descriptors that a thread's poller knows, and who waits for them.
struct WatchTable {
    typealias Waiter = @Sendable () -> Void

    private struct Slot {
        var generation: UInt64 = 0
        var isUsed = false
        var waiter: Waiter?
    }

    private var slots: [Slot] = []
    private var freeSlots: [Int] = []

    /// Reserves a place; the result is the data of its reports.
    mutating func add() -> UInt64 {
        let index: Int
        if let free = freeSlots.popLast() {
            index = free
        } else {
            index = slots.count
            slots.append(Slot())
        }
        slots[index].generation += 1
        slots[index].isUsed = true
        return slots[index].generation << 32 | UInt64(index)
    }

    mutating func remove(_ watch: UInt64) -> Waiter? {
        guard let index = index(of: watch) else { return nil }
        slots[index].isUsed = false
        freeSlots.append(index)
        return slots[index].waiter.take()
    }

    /// Sets who is called at the next report; one at a time.
    mutating func setWaiter(_ waiter: @escaping Waiter, for watch: UInt64) {
        guard let index = index(of: watch) else {
            preconditionFailure("a watch is removed after its last use")
        }
        precondition(slots[index].waiter == nil, "a descriptor has one waiter at a time")
        slots[index].waiter = waiter
    }

    /// Takes the waiter, if there is one and the watch still exists.
    mutating func takeWaiter(for watch: UInt64) -> Waiter? {
        guard let index = index(of: watch) else { return nil }
        return slots[index].waiter.take()
    }

    private func index(of watch: UInt64) -> Int? {
        let index = Int(watch & 0xffff_ffff)
        guard index < slots.count, slots[index].isUsed, slots[index].generation & 0xffff_ffff == watch >> 32
        else {
            return nil
        }
        return index
    }
}
