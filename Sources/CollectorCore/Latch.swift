package import Backends
package import EventModel
import Synchronization

/// Opens once and stays open; any number of tasks may wait for it.
package final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var nextID: UInt64 = 0
        var waiters: [(id: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var isOpen: Bool { state.withLock { $0.isOpen } }

    /// Lets everybody through; callable from any thread, never blocks.
    package func open() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            state.isOpen = true
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: true) }
    }

    /// - Returns: Whether it was open before the deadline; not ended by cancellation.
    package func wait(until deadline: Instant?, on clock: any SystemClock) async -> Bool {
        var timer: TimerToken?
        let isOpen = await withCheckedContinuation { continuation in
            guard let id = park(continuation) else { return continuation.resume(returning: true) }
            // The task resumes only after this closure has returned, so `timer` is not shared.
            if let deadline { timer = clock.schedule(at: deadline) { [weak self] in self?.expire(id) } }
        }
        if let timer, isOpen { clock.cancel(timer) }
        return isOpen
    }

    private func park(_ continuation: CheckedContinuation<Bool, Never>) -> UInt64? {
        state.withLock { state in
            if state.isOpen { return nil }
            state.nextID += 1
            state.waiters.append((state.nextID, continuation))
            return state.nextID
        }
    }

    private func expire(_ id: UInt64) {
        let continuation = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters.remove(at: index).continuation
        }
        continuation?.resume(returning: false)
    }
}
