import CLinux
import EventModel

extension Syscall {
    /// `CLOCK_MONOTONIC`.
    @inline(__always)
    static var monotonic: Instant {
        Instant(nanoseconds: infallible("clock_gettime", clinux_monotonic_nanoseconds()))
    }
    /// `CLOCK_BOOTTIME`.
    @inline(__always)
    static var bootTime: BootTime {
        BootTime(nanoseconds: infallible("clock_gettime", clinux_boot_time_nanoseconds()))
    }
    /// `CLOCK_REALTIME`; negative before 1970, so nothing is checked.
    @inline(__always)
    static var wall: WallTime { WallTime(nanoseconds: clinux_wall_nanoseconds()) }
}
