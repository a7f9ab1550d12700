import CLinux

import struct SystemPackage.Errno

extension Syscall {
    /// Opens a pidfd; `ESRCH` when there is no such process.
    static func openProcess(_ pid: Int32) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(adopting: try check { clinux_pidfd_open(pid) })
    }

    static var processID: Int32 { clinux_process_id() }

    static var pageByteCount: Int { infallible("sysconf", clinux_page_byte_count()) }

    /// User and system time of this process.
    static func ownUsage() -> (user: Duration, system: Duration) {
        var user: Int64 = 0
        var system: Int64 = 0
        _ = infallible("getrusage", unsafe clinux_own_usage(&user, &system))
        return (.nanoseconds(user), .nanoseconds(system))
    }
}
