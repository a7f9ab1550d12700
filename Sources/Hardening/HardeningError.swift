package import struct SystemPackage.Errno

/// A step of hardening that the system refused.
package struct HardeningError: Error, Equatable, CustomStringConvertible {
    /// The step, in the imperative.
    package var step: String
    package var errno: Errno

    package init(_ step: String, _ errno: Errno) {
        self.step = step
        self.errno = errno
    }

    package var description: String { "cannot \(step): \(errno)" }

    /// Turns a negated errno into an error.
    static func check(_ step: @autoclosure () -> String, _ result: Int32) throws(HardeningError) {
        if result < 0 { throw HardeningError(step(), Errno(rawValue: -result)) }
    }
}
