package import Backends
package import EventModel
import Synchronization

package import struct SystemPackage.Errno

/// A descriptor whose readability can be awaited, on the thread that watches it.
package final class ReadableDescriptor: Sendable {
    private typealias Waits = ReadinessStateMachine<CheckedContinuation<Readiness, Never>>

    /// The open descriptor; in non-blocking mode.
    package let descriptor: OwnedDescriptor
    private let thread: LinuxThread
    private let watch: UInt64
    private let waits = Mutex(Waits())

    /// - Throws: `EPERM` when the descriptor cannot be polled, `ENOSPC`, `ENOMEM`.
    package init(_ descriptor: consuming OwnedDescriptor, on thread: LinuxThread) throws(Errno) {
        watch = try thread.watch(descriptor.rawValue)
        self.descriptor = descriptor
        self.thread = thread
    }

    deinit { thread.unwatch(watch, descriptor: descriptor.rawValue) }

    /// Waits until the descriptor is readable or broken, the deadline passes, or ``interrupt()`` is called.
    ///
    /// One waiter at a time. A cancelled task returns at once with `interrupted`.
    package func readable(until deadline: Instant?) async -> Readiness {
        guard let id = waits.withLock({ $0.begin() }) else { return .interrupted }
        let timer = deadline.map { deadline in
            thread.schedule(at: deadline) { [weak self] in self?.finish(id, .deadlinePassed) }
        }
        thread.arm(watch, descriptor: descriptor.rawValue) { [weak self] in self?.finish(id, .readable) }
        let readiness = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early = waits.withLock { $0.attach(continuation, to: id) }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            finish(id, .interrupted)
        }
        if let timer { thread.cancel(timer) }
        thread.disarm(watch)
        waits.withLock { $0.end(id) }
        return readiness
    }

    /// Makes the present or the next ``readable(until:)`` return; callable from any thread.
    package func interrupt() {
        waits.withLock { $0.interrupt() }?.resume(returning: .interrupted)
    }

    private func finish(_ id: Waits.WaitID, _ readiness: Readiness) {
        waits.withLock { $0.finish(id, readiness) }?.resume(returning: readiness)
    }
}
