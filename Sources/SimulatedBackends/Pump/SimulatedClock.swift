package import Backends
package import EventModel

/// The clocks of the simulated host, and its timers.
package struct SimulatedClock: SystemClock {
    private let pump: Pump

    init(pump: Pump) { self.pump = pump }

    package var monotonic: Instant { pump.now }

    package var bootTime: BootTime { pump.bootTime }

    package var wall: WallTime { pump.wall }

    package func schedule(at deadline: Instant, _ action: @escaping @Sendable () -> Void) -> TimerToken {
        pump.state.schedule(at: deadline, action)
    }

    package func cancel(_ timer: TimerToken) { pump.state.cancel(timer) }
}

/// How the other clocks stand to `CLOCK_MONOTONIC`, all in nanoseconds.
struct WallClockState {
    /// `CLOCK_BOOTTIME` - `CLOCK_MONOTONIC`.
    var suspended: Int64
    /// `CLOCK_REALTIME` - `CLOCK_BOOTTIME`: the wall time of the boot, as one would compute it now (`btime`).
    var bootWall: Int64
    /// `CLOCK_MONOTONIC` and `CLOCK_MONOTONIC_RAW` when the rate last changed.
    var rateChange: (monotonic: Int64, raw: Int64)
    /// How much faster than the raw clock, in parts per million.
    var partsPerMillion: Int64 = 0

    init(_ configuration: WorldConfiguration) {
        suspended = max(0, configuration.suspendedBeforeStart.wholeNanoseconds)
        bootWall = configuration.bootWall.nanoseconds
        rateChange = (configuration.start.nanoseconds, configuration.start.nanoseconds)
    }

    /// `CLOCK_MONOTONIC_RAW`: what the oscillator says.
    func raw(at monotonic: Int64) -> Int64 {
        let elapsed = monotonic.subtractingClamped(rateChange.monotonic)
        let product = elapsed.multipliedFullWidth(by: 1_000_000)
        return rateChange.raw.addingClamped((1_000_000 + partsPerMillion).dividingFullWidth(product).quotient)
    }
}

extension Pump {
    /// `CLOCK_BOOTTIME`.
    package var bootTime: BootTime {
        BootTime(nanoseconds: state.now.nanoseconds.addingClamped(state.wall.suspended))
    }

    /// `CLOCK_REALTIME`.
    package var wall: WallTime {
        WallTime(nanoseconds: bootTime.nanoseconds.addingClamped(state.wall.bootWall))
    }

    /// `CLOCK_MONOTONIC_RAW`, for measuring a slew; no backend shows it.
    package var raw: Instant { Instant(nanoseconds: state.wall.raw(at: state.now.nanoseconds)) }

    /// The wall time of the boot as `/proc/stat` gives it: it moves when the wall clock is stepped.
    var bootWall: WallTime { WallTime(nanoseconds: state.wall.bootWall) }

    func stepRealtime(by duration: Duration) {
        state.wall.bootWall = state.wall.bootWall.addingClamped(duration.wholeNanoseconds)
    }

    func slew(partsPerMillion: Int64) {
        let monotonic = state.now.nanoseconds
        state.wall.rateChange = (monotonic, state.wall.raw(at: monotonic))
        state.wall.partsPerMillion = min(max(partsPerMillion, -100_000), 100_000)
    }

    func suspend(for duration: Duration) {
        state.wall.suspended = state.wall.suspended.addingClamped(max(0, duration.wholeNanoseconds))
    }

    func pauseMachine(for duration: Duration) {
        state.now = state.now.advanced(by: max(.zero, duration))
    }
}
