import struct SystemPackage.Errno

/// The calls of the kernel that the backends use, one function a call, each with typed errors.
///
/// `EINTR` is repeated here and never surfaces. `EBADF` and `EFAULT` are our own bugs and trap.
enum Syscall {
    /// Repeats `call` while it is interrupted, and turns a negated errno into an error.
    @inline(__always)
    static func check<Result: SignedInteger & FixedWidthInteger>(_ call: () -> Result) throws(Errno) -> Result
    {
        while true {
            let result = call()
            if result >= 0 { return result }
            let errno = Errno(rawValue: Int32(truncatingIfNeeded: -result))
            if errno == .interrupted { continue }
            precondition(errno != .badFileDescriptor && errno != .badAddress, "a call got a bad argument")
            throw errno
        }
    }

    /// For calls that fail only if an argument is wrong, which would be our bug.
    @inline(__always)
    static func infallible<Result: SignedInteger & FixedWidthInteger>(_ name: StaticString, _ result: Result)
        -> Result
    {
        precondition(result >= 0, "\(name) failed: \(-result)")
        return result
    }
}
