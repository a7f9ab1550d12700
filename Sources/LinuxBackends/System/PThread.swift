import CLinux

import struct SystemPackage.Errno

extension Syscall {
    private final class Body: Sendable {
        let call: @Sendable () -> Void
        init(_ call: @escaping @Sendable () -> Void) { self.call = call }
    }

    /// Runs `body` on a new thread that receives no signals and belongs to nobody.
    ///
    /// - Throws: `EAGAIN` at the limits of threads (`pthread_create(3)`).
    static func startThread(_ body: @escaping @Sendable () -> Void) throws(Errno) {
        let context = unsafe Unmanaged.passRetained(Body(body))
        let result = unsafe clinux_start_thread(
            { context in
                // A thread whose stack is full can still say so.
                clinux_alternate_stack_take()
                defer { clinux_alternate_stack_give_back() }
                if let context = unsafe context {
                    unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().call()
                }
                return nil
            }, context.toOpaque())
        if result < 0 {
            unsafe context.release()
            throw Errno(rawValue: -result)
        }
    }

    /// Sets the name of the calling thread; it is cut to 15 bytes, and at its first NUL.
    static func setThreadName(_ name: String) {
        _ = infallible("prctl", unsafe name.withCString { unsafe clinux_set_thread_name($0) })
    }

    /// Sets the name of the calling thread, in bytes without a NUL.
    static func setThreadName(_ name: [UInt8]) {
        var terminated = name.map { CChar(bitPattern: $0) }
        terminated.append(0)
        _ = infallible("prctl", unsafe clinux_set_thread_name(terminated))
    }

    /// The name of the calling thread, at most 15 bytes of any value.
    static func threadName() -> [UInt8] {
        var name = [CChar](repeating: 0, count: 16)
        _ = infallible("prctl", unsafe clinux_get_thread_name(&name))
        return name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }
}
