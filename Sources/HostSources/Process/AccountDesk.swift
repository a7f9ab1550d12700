import Backends
import CollectorCore
import EventModel
import Synchronization

/// Where other threads ask a source for its account, and the source hands it out.
final class AccountDesk: Sendable {
    /// How long a request waits for a source that does not answer, before it takes the last account.
    static let patience: Duration = .seconds(5)

    /// A source that has not begun will: whoever asks until then waits, too.
    private struct State {
        var isOpen = true
        var nextID: UInt64 = 0
        var waiting: [(id: UInt64, continuation: CheckedContinuation<SourceAccount?, Never>)] = []
        var last: SourceAccount?
        var health = Health.healthy
        var memory = ProcessSourceMemory()
    }

    private let clock: any SystemClock
    private let state = Mutex(State())

    init(clock: any SystemClock) { self.clock = clock }

    func open() { state.withLock { $0.isOpen = true } }

    /// Answers who still waits, and everybody later, with the last account.
    func close() {
        state.withLock { $0.isOpen = false }
        answer(nil)
    }

    var hasRequests: Bool { state.withLock { !$0.waiting.isEmpty } }

    var health: Health {
        get { state.withLock { $0.health } }
        set { state.withLock { $0.health = newValue } }
    }

    /// What the source held when it last made up its account.
    var memory: ProcessSourceMemory {
        get { state.withLock { $0.memory } }
        set { state.withLock { $0.memory = newValue } }
    }

    /// Answers every request with `account`, or with the last one.
    func answer(_ account: SourceAccount?) {
        let (waiting, last) = state.withLock { state in
            defer { state.waiting = [] }
            if let account { state.last = account }
            return (state.waiting, state.last)
        }
        for request in waiting { request.continuation.resume(returning: last) }
    }

    /// Waits for the next account; `wake` makes the source look.
    func request(wake: @Sendable () -> Void) async -> SourceAccount? {
        await withCheckedContinuation { continuation in
            let (id, last) = state.withLock { state -> (UInt64?, SourceAccount?) in
                guard state.isOpen else { return (nil, state.last) }
                state.nextID += 1
                state.waiting.append((state.nextID, continuation))
                return (state.nextID, nil)
            }
            guard let id else { return continuation.resume(returning: last) }
            _ = clock.schedule(at: clock.monotonic.advanced(by: Self.patience)) { self.expire(id) }
            wake()
        }
    }

    private func expire(_ id: UInt64) {
        let (continuation, last) = state.withLock {
            state -> (CheckedContinuation<SourceAccount?, Never>?, SourceAccount?) in
            guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return (nil, nil) }
            sometimes(.accountLate)
            return (state.waiting.remove(at: index).continuation, state.last)
        }
        continuation?.resume(returning: last)
    }
}
