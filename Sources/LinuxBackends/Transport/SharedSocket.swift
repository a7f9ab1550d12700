import Backends
import EventModel
import Synchronization

import struct SystemPackage.Errno

/// A socket that one thread may close while others use it.
///
/// Calls hold a lock, so that the number of a closed descriptor, which the next file gets, is never used. They do not
/// wait, so the lock is held for as long as the kernel copies.
final class SharedSocket: Sendable {
    private let descriptor: Mutex<OwnedDescriptor?>
    private let waits: DescriptorWaits

    /// - Throws: `ENOSPC` (`fs.epoll.max_user_watches`), `ENOMEM`.
    init(_ descriptor: consuming OwnedDescriptor, on thread: LinuxThread) throws(Errno) {
        waits = try DescriptorWaits(for: descriptor.rawValue, on: thread)
        self.descriptor = Mutex(descriptor)
    }

    deinit { close() }

    /// Makes a call that does not wait.
    ///
    /// - Throws: `ENOTCONN` after ``close()``, and what the call throws.
    func use<Result>(_ call: (Int32) throws(Errno) -> Result) throws(Errno) -> Result {
        // Out of the closure by a variable: what a lock's body returns would have to be sendable.
        var result: Result?
        try descriptor.withLock { (descriptor) throws(Errno) in
            guard let number = descriptor?.rawValue else { throw .socketNotConnected }
            result = try call(number)
        }
        guard let result else { preconditionFailure("a call has a result") }
        return result
    }

    /// Waits until the socket is ready for one of `events` or broken, the deadline passes, or ``interrupt()`` is called.
    ///
    /// A closed socket is broken. One waiter at a time; a cancelled task returns at once with `interrupted`.
    func ready(for events: PollEvents, until deadline: Instant?) async -> Readiness {
        await waits.wait(until: deadline) { id in
            descriptor.withLock { descriptor in
                if let number = descriptor?.rawValue {
                    waits.arm(id, number, for: events)
                } else {
                    waits.finish(id, .readable)
                }
            }
        }
    }

    func interrupt() { waits.interrupt() }

    /// Closes the descriptor, once, and ends the present wait.
    func close() {
        let isClosedNow = descriptor.withLock { descriptor in
            guard let open = descriptor.take() else { return false }
            waits.remove(open.rawValue)
            return true
        }
        if isClosedNow { waits.finishPresent() }
    }
}
