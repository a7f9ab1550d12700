import CollectorCore
import Synchronization

/// Where other threads hand in tasks for a source's loop, and get what came of them.
final class TaskDesk: Sendable {
    /// The most tasks that wait; more are refused.
    private static let limit = 64

    /// A task that somebody waits for.
    struct Order: Sendable {
        let task: SourceTask
        private let continuation: CheckedContinuation<Result<TaskAnswer, TaskError>, Never>

        fileprivate init(
            _ task: SourceTask, _ continuation: CheckedContinuation<Result<TaskAnswer, TaskError>, Never>
        ) {
            self.task = task
            self.continuation = continuation
        }

        /// To be called exactly once.
        func finish(_ result: Result<TaskAnswer, TaskError>) { continuation.resume(returning: result) }
    }

    private struct State {
        var isOpen = false
        var waiting: [Order] = []
    }

    private let state = Mutex(State())

    func open() { state.withLock { $0.isOpen = true } }

    /// Refuses what waits, and all that comes later.
    func close() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isOpen = false
            return state.waiting
        }
        for order in waiting { order.finish(.failure(Self.notRunning)) }
    }

    private static let notRunning = TaskError(
        .exhausted, "the source is not running at the moment; ask again")

    var isEmpty: Bool { state.withLock { $0.waiting.isEmpty } }

    /// The task that has waited longest.
    func takeFirst() -> Order? { state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() } }

    /// Hands in a task and waits for what comes of it; `wake` makes the source look.
    func perform(_ task: SourceTask, wake: @Sendable () -> Void) async throws(TaskError) -> TaskAnswer {
        let result = await withCheckedContinuation { continuation in
            let order = Order(task, continuation)
            let refusal = state.withLock { state -> TaskError? in
                guard state.isOpen else { return Self.notRunning }
                guard state.waiting.count < Self.limit else {
                    return TaskError(.exhausted, "\(Self.limit) tasks wait already; ask again")
                }
                state.waiting.append(order)
                return nil
            }
            if let refusal { return order.finish(.failure(refusal)) }
            wake()
        }
        return try result.get()
    }
}
