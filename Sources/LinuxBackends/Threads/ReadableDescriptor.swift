package import Backends
package import EventModel

package import struct SystemPackage.Errno

/// A descriptor whose readability can be awaited, on the thread that watches it.
package final class ReadableDescriptor: Sendable {
    /// The open descriptor; in non-blocking mode.
    package let descriptor: OwnedDescriptor
    private let waits: DescriptorWaits

    /// - Throws: `EPERM` when the descriptor cannot be polled, `ENOSPC`, `ENOMEM`.
    package init(_ descriptor: consuming OwnedDescriptor, on thread: LinuxThread) throws(Errno) {
        waits = try DescriptorWaits(for: descriptor.rawValue, on: thread)
        self.descriptor = descriptor
    }

    deinit { waits.remove(descriptor.rawValue) }

    /// Waits until the descriptor is readable or broken, the deadline passes, or ``interrupt()`` is called.
    ///
    /// One waiter at a time. A cancelled task returns at once with `interrupted`.
    package func readable(until deadline: Instant?) async -> Readiness {
        await waits.wait(until: deadline) { waits.arm($0, descriptor.rawValue, for: .readable) }
    }

    /// Makes the present or the next ``readable(until:)`` return; callable from any thread.
    package func interrupt() { waits.interrupt() }
}
