public import EventModel

/// The host's clocks, and the one way to be woken at a time.
public protocol SystemClock: Sendable {
    /// `CLOCK_MONOTONIC`.
    var monotonic: Instant { get }
    /// `CLOCK_BOOTTIME`.
    var bootTime: BootTime { get }
    /// `CLOCK_REALTIME`.
    var wall: WallTime { get }

    /// Calls `action` once, at `deadline` or later, never earlier; equal deadlines fire in the order of scheduling.
    ///
    /// `action` runs on the thread that owns the clock and must not block.
    func schedule(at deadline: Instant, _ action: @escaping @Sendable () -> Void) -> TimerToken

    /// Forgets a timer; harmless after it fired. When it returns, `action` may still be running on another thread.
    func cancel(_ timer: TimerToken)
}

/// Names one scheduled timer of one clock.
public struct TimerToken: Hashable, Sendable {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}
