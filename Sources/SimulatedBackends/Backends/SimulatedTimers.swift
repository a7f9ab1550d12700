import Backends
import EventModel

/// The clocks as the collector's threads have them: their timers can be late.
struct SimulatedTimers: SystemClock {
    let kernel: SimulatedKernel

    var monotonic: Instant { kernel.now }

    var bootTime: BootTime { kernel.pump.bootTime }

    var wall: WallTime { kernel.pump.wall }

    func schedule(at deadline: Instant, _ action: @escaping @Sendable () -> Void) -> TimerToken {
        let lateness = kernel.world.applyFaults(toWait: .clockTimer).lateness
        return kernel.pump.clock.schedule(at: deadline.advanced(by: lateness), action)
    }

    func cancel(_ timer: TimerToken) { kernel.pump.clock.cancel(timer) }
}
