import Glibc

/// The collector's own process.
package enum HostProcess {
    /// Ends the process at once, without running anything on the way (`_exit(2)`).
    package static func exitNow(_ code: Int32) -> Never { _exit(code) }

    /// The effective user id (`geteuid(2)`).
    package static var effectiveUserID: UInt32 { geteuid() }

    /// Whether a variable of the environment is set and not empty.
    package static func hasEnvironment(_ name: String) -> Bool {
        guard let value = unsafe getenv(name) else { return false }
        return unsafe value.pointee != 0
    }
}
