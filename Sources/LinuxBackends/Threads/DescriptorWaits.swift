import Backends
import EventModel
import Synchronization

import struct SystemPackage.Errno

/// The waits for one descriptor, one at a time, each ended on the thread that watches it.
///
/// It does not own the descriptor: whoever does calls ``remove(_:)`` before closing it, and arms only what is open.
final class DescriptorWaits: Sendable {
    private typealias Machine = ReadinessStateMachine<CheckedContinuation<Readiness, Never>>
    typealias WaitID = ReadinessStateMachine<CheckedContinuation<Readiness, Never>>.WaitID

    private let thread: LinuxThread
    private let watch: UInt64
    private let machine = Mutex(Machine())

    /// - Throws: `EPERM` when the descriptor cannot be polled, `ENOSPC`, `ENOMEM`.
    init(for descriptor: Int32, on thread: LinuxThread) throws(Errno) {
        watch = try thread.watch(descriptor)
        self.thread = thread
    }

    /// Makes the thread forget the descriptor; once, before it is closed.
    func remove(_ descriptor: Int32) { thread.unwatch(watch, descriptor: descriptor) }

    /// Waits until there is a report, the deadline passes, or ``interrupt()`` is called.
    ///
    /// A cancelled task returns at once with `interrupted`.
    /// - Parameter ask: Asks for the report, by ``arm(_:_:for:)`` or ``finish(_:_:)``.
    func wait(until deadline: Instant?, _ ask: (WaitID) -> Void) async -> Readiness {
        guard let id = machine.withLock({ $0.begin() }) else { return .interrupted }
        let timer = deadline.map { deadline in
            thread.schedule(at: deadline) { [weak self] in self?.finish(id, .deadlinePassed) }
        }
        ask(id)
        let readiness = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early = machine.withLock { $0.attach(continuation, to: id) }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            finish(id, .interrupted)
        }
        if let timer { thread.cancel(timer) }
        thread.disarm(watch)
        machine.withLock { $0.end(id) }
        return readiness
    }

    /// Asks for a report that ends the wait `id`.
    func arm(_ id: WaitID, _ descriptor: Int32, for events: PollEvents) {
        thread.arm(watch, descriptor: descriptor, for: events) { [weak self] in self?.finish(id, .readable) }
    }

    /// Ends the wait `id` for this cause, if it is the first.
    func finish(_ id: WaitID, _ readiness: Readiness) {
        machine.withLock { $0.finish(id, readiness) }?.resume(returning: readiness)
    }

    /// Ends the present wait, if there is one, as a report would.
    func finishPresent() {
        machine.withLock { $0.finishPresent(.readable) }?.resume(returning: .readable)
    }

    /// Ends the present wait, or the next if there is none; callable from any thread.
    func interrupt() {
        machine.withLock { $0.interrupt() }?.resume(returning: .interrupted)
    }
}
