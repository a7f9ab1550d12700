import Backends
import EventModel
import Synchronization

/// Lets one task wait for a signal or a deadline; a signal that comes first is remembered, several count as one.
package final class Wakeup: Sendable {
    package enum Reason: Sendable { case signalled, deadlinePassed }

    private struct State {
        var isSignalled = false
        var waiter: CheckedContinuation<Reason, Never>?
        var waitID: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Wakes the waiter, or the next one at once; callable from any thread, never blocks.
    package func signal() {
        let waiter = state.withLock { state -> CheckedContinuation<Reason, Never>? in
            guard let waiter = state.waiter else {
                state.isSignalled = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume(returning: .signalled)
    }

    /// Waits for ``signal()`` or `deadline`; not ended by cancellation, see ``waitUnlessCancelled(until:on:)``.
    package func wait(until deadline: Instant?, on clock: any SystemClock) async -> Reason {
        if takeSignal() { return .signalled }
        var timer: TimerToken?
        let reason = await withCheckedContinuation { (waiter: CheckedContinuation<Reason, Never>) in
            guard let id = park(waiter) else { return waiter.resume(returning: .signalled) }
            // The task resumes only after this closure returns, so `timer` is not shared.
            if let deadline { timer = clock.schedule(at: deadline) { [weak self] in self?.expire(id) } }
        }
        if let timer, reason == .signalled { clock.cancel(timer) }
        return reason
    }

    /// The same, but a cancelled task returns at once with `signalled`: check `Task.isCancelled`.
    package func waitUnlessCancelled(until deadline: Instant?, on clock: any SystemClock) async -> Reason {
        await withTaskCancellationHandler {
            await wait(until: deadline, on: clock)
        } onCancel: {
            signal()
        }
    }

    private func takeSignal() -> Bool {
        state.withLock { state in
            defer { state.isSignalled = false }
            return state.isSignalled
        }
    }

    /// - Returns: The id of this wait; `nil` when a signal was already there.
    private func park(_ waiter: CheckedContinuation<Reason, Never>) -> UInt64? {
        state.withLock { state in
            precondition(state.waiter == nil, "a wakeup has one waiter at a time")
            if state.isSignalled {
                state.isSignalled = false
                return nil
            }
            state.waitID += 1
            state.waiter = waiter
            return state.waitID
        }
    }

    private func expire(_ id: UInt64) {
        let waiter = state.withLock { state -> CheckedContinuation<Reason, Never>? in
            guard state.waitID == id, let waiter = state.waiter else { return nil }
            state.waiter = nil
            return waiter
        }
        waiter?.resume(returning: .deadlinePassed)
    }
}

extension SystemClock {
    /// Sleeps until `deadline`, or until the task is cancelled.
    ///
    /// - Throws: `CancellationError` when cancelled.
    public func sleep(until deadline: Instant) async throws {
        _ = await Wakeup().waitUnlessCancelled(until: deadline, on: self)
        try Task.checkCancellation()
    }
}
