package import EventModel

/// Says when the loop may be quick and when it must be thrifty.
///
/// A wake-up costs more than a message. Rare messages are read at once, so that short-lived processes are still there to be
/// looked at, and handed out at once; under load messages gather for a moment before they are read, and events before
/// they wake the subscribers.
package struct LoopPace {
    /// Drains right after a message that are free at a time, and how fast that allowance comes back.
    private static let burst = 64.0
    private static let drainsPerSecond = 500.0
    /// Least time between two drains without allowance: short beside the life of most processes.
    private static let drainInterval = Duration.milliseconds(1)
    /// Least time between two flushes: it bounds what a subscriber waits beyond the event.
    private static let flushInterval = Duration.milliseconds(20)

    /// Bytes of receive buffer that the kernel charges for one message (measured: 8 KiB hold nine).
    private static let bufferCostPerMessage = 900

    /// Most messages of one drain after which the next ones may gather: a quarter of what the buffer holds.
    private let gatherLimit: Int
    private var allowance = Self.burst
    private var hasLoad = false
    private var lastCount = 0
    private var lastDrain = Instant(nanoseconds: .min / 2)
    private var lastFlush = Instant(nanoseconds: .min / 2)
    /// When what was emitted is to be handed out; `nil` when nothing waits.
    package private(set) var flushDue: Instant?

    package init(receiveBufferByteCount: Int = 8 << 20) {
        gatherLimit = receiveBufferByteCount / Self.bufferCostPerMessage / 4
    }

    /// When to read next without waiting for a message; `nil` to wait for one.
    package func nextTick(at now: Instant) -> Instant? {
        guard hasLoad, allowance < 1, lastCount <= gatherLimit else { return nil }
        let tick = lastDrain.advanced(by: Self.drainInterval)
        return tick > now ? tick : nil
    }

    /// Notes that the socket was read, and what came of it: reading in vain shows that the load is over.
    package mutating func noteDrain(of messageCount: Int, at now: Instant) {
        let elapsed = Double(lastDrain.duration(to: now).wholeNanoseconds) / 1e9
        allowance = min(Self.burst, allowance + max(0, elapsed) * Self.drainsPerSecond)
        if messageCount > 0 { allowance = max(0, allowance - 1) }
        hasLoad = messageCount > 0
        lastCount = messageCount
        lastDrain = now
    }

    package mutating func noteEmission(at now: Instant) {
        guard flushDue == nil else { return }
        flushDue = max(now, lastFlush.advanced(by: Self.flushInterval))
    }

    package mutating func noteFlush(at now: Instant) {
        lastFlush = now
        flushDue = nil
    }
}
