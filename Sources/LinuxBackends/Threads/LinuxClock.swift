package import Backends
package import EventModel

/// The host's clocks, with timers that fire on one thread.
package struct LinuxClock: SystemClock {
    private let thread: LinuxThread

    package init(thread: LinuxThread) { self.thread = thread }

    package var monotonic: Instant { Syscall.monotonic }
    package var bootTime: BootTime { Syscall.bootTime }
    package var wall: WallTime { Syscall.wall }

    package func schedule(at deadline: Instant, _ action: @escaping @Sendable () -> Void) -> TimerToken {
        thread.schedule(at: deadline, action)
    }

    package func cancel(_ timer: TimerToken) { thread.cancel(timer) }
}
