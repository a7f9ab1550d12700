import EventModel
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

    /// The version of this product.
    package static let version = "0.1.0"

    /// The host's name as the kernel of this uts namespace has it (`uname(2)`); bytes that are not UTF-8 are escaped.
    package static var hostName: String {
        // The kernel's name has at most 64 bytes (`__NEW_UTS_LEN`) and its NUL.
        var bytes = [CChar](repeating: 0, count: 65)
        let result = unsafe gethostname(&bytes, bytes.count)
        precondition(result == 0, "a buffer of the kernel's own size must hold the host's name")
        return KernelText.decode(bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }).text
    }
}
