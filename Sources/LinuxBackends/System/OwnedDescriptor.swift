import CLinux

/// An open file descriptor, closed when it goes out of scope.
package struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number; valid as long as this value lives.
    package let rawValue: Int32

    /// Takes the duty to close `rawValue`.
    package init(adopting rawValue: Int32) {
        precondition(rawValue >= 0, "a descriptor is not negative")
        self.rawValue = rawValue
    }

    deinit { Syscall.close(rawValue) }
}

extension Syscall {
    /// Releases a descriptor; write errors that close(2) may report are the business of fsync(2).
    static func close(_ descriptor: Int32) {
        // Not repeated after EINTR: Linux has released the descriptor by then, and another thread may own the number.
        let result = clinux_close(descriptor)
        precondition(result != -9, "a descriptor is closed once")
    }
}
