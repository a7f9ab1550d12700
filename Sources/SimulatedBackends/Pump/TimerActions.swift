import Backends

/// What pending timers will do, by their tokens: a slot for each, used again after the timer has fired or was cancelled.
struct TimerActions {
    private struct Slot {
        /// Distinguishes the slot's present timer from earlier ones.
        var generation: UInt32 = 0
        var action: (@Sendable () -> Void)?
    }

    private var slots: [Slot] = []
    private var freeSlots: [Int] = []

    /// How many timers are pending.
    var count: Int { slots.count - freeSlots.count }

    mutating func insert(_ action: @escaping @Sendable () -> Void) -> TimerToken {
        let index: Int
        if let free = freeSlots.popLast() {
            index = free
            slots[index].action = action
        } else {
            index = slots.count
            slots.append(Slot(action: action))
        }
        return TimerToken(rawValue: UInt64(slots[index].generation) << 32 | UInt64(index))
    }

    func contains(_ token: TimerToken) -> Bool { index(of: token) != nil }

    /// Forgets a timer.
    ///
    /// - Returns: What it would have done; `nil` when it is not pending any more.
    mutating func remove(_ token: TimerToken) -> (@Sendable () -> Void)? {
        guard let index = index(of: token) else { return nil }
        let action = slots[index].action
        slots[index].action = nil
        slots[index].generation &+= 1
        freeSlots.append(index)
        return action
    }

    private func index(of token: TimerToken) -> Int? {
        let index = Int(token.rawValue & 0xffff_ffff)
        guard index < slots.count, slots[index].generation == UInt32(token.rawValue >> 32),
            slots[index].action != nil
        else { return nil }
        return index
    }
}
