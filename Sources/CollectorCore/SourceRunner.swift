import Backends
import DequeModule
import EventModel
import Synchronization

/// One source while it runs: its task, its buffer's pump to the bus, its start-up time-out.
final class SourceRunner: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var isReady = false
        var hasStopped = false
        var failure: String?
        /// Subscribers have been told of ``failure``.
        var isFailureTold = false
    }

    let source: any EventSource
    let name: SourceName
    private let thread: any ExecutionThread
    private let runtimeThread: any ExecutionThread
    private let buffer: SourceBuffer
    private let clock: any SystemClock
    private let bus: EventBus
    private let state = Mutex(State())
    private let stopped = Wakeup()
    private let pumped = Wakeup()

    init(
        source: any EventSource, thread: any ExecutionThread, buffer: SourceBuffer,
        runtimeThread: any ExecutionThread, bus: EventBus
    ) {
        self.source = source
        name = source.descriptor.name
        self.thread = thread
        self.runtimeThread = runtimeThread
        self.buffer = buffer
        clock = runtimeThread.clock
        self.bus = bus
    }

    var failure: String? { state.withLock { $0.failure } }

    /// Starts the source on its own thread, and its pump on the runtime's; `onStop` is called when it has ended.
    func start(context: RunContext, startupTimeout: Duration, onStop: @escaping @Sendable () -> Void) {
        let emitter = Emitter(buffer: buffer)
        let sourceContext = SourceContext(emitter: emitter, clock: thread.clock, run: context) {
            self.becomeReady()
        }
        publish(.starting, reason: nil)
        let task = spawn(on: thread) {
            do {
                try await self.source.run(sourceContext)
                self.end(failure: nil)
            } catch {
                self.end(failure: error is CancellationError ? nil : "\(error)")
            }
            onStop()
        }
        state.withLock { $0.task = task }
        _ = clock.schedule(at: clock.monotonic.advanced(by: startupTimeout)) {
            self.checkReadiness(within: startupTimeout)
        }
        _ = spawn(on: runtimeThread) {
            while let items = await self.buffer.next() {
                for item in items { await self.bus.publish(item) }
            }
            self.pumped.signal()
        }
        _ = spawn(on: runtimeThread) { await self.buffer.closeOverdueBatches() }
    }

    func cancel() { state.withLock { $0.task }?.cancel() }

    /// - Returns: Whether the source ended before the deadline; if not, its buffer is closed under it.
    func waitUntilStopped(until deadline: Instant) async -> Bool {
        while !state.withLock({ $0.hasStopped }) {
            if await stopped.wait(until: deadline, on: clock) == .deadlinePassed {
                publish(.abandoned, reason: "did not stop within the time-out")
                buffer.finish()
                return false
            }
        }
        return true
    }

    /// - Returns: Whether the bus had taken everything before the deadline.
    func waitUntilPumped(until deadline: Instant) async -> Bool {
        await pumped.wait(until: deadline, on: clock) == .signalled
    }

    /// The source's own account, or, if it keeps none or does not answer, what its buffer counted.
    func account(until deadline: Instant) async -> SourceAccount {
        let source = source
        return await ask(until: deadline, { await source.closeAccount() }).flatMap { $0 } ?? bufferAccount
    }

    /// What the buffer has counted: the account of a source that keeps none.
    var bufferAccount: SourceAccount {
        var account = SourceAccount(source: name)
        Emitter(buffer: buffer).enterCounts(into: &account)
        account.kernel = account.emitted + account.dropped.total
        account.lost = nil
        account.lostBounds = LostBounds(atLeast: 0, atMost: nil)
        return account
    }

    /// How the runtime and the source itself see the source; one that does not answer has failed.
    func health(until deadline: Instant) async -> Health {
        let source = source
        let own = await ask(until: deadline) { await source.checkHealth() }
        let seen: Health = failure.map { .failed(reason: $0) } ?? .healthy
        return max(seen, own ?? .failed(reason: "\(name) did not answer"))
    }

    /// Asks the source in a task of its own, so that one that never answers holds up nobody.
    private func ask<Answer: Sendable>(
        until deadline: Instant, _ question: @escaping @Sendable () async -> Answer
    ) async -> Answer? {
        let box = AnswerBox<Answer>()
        _ = spawn(on: runtimeThread) { box.fill(await question()) }
        _ = await box.filled.wait(until: deadline, on: clock)
        return box.answer
    }

    private func becomeReady() {
        let isFirst = state.withLock { state in
            defer { state.isReady = true }
            return !state.isReady && !state.hasStopped && state.failure == nil
        }
        if isFirst { publish(.ready, reason: nil) }
    }

    /// Only readiness has a time limit: a source that was ready in time lives on.
    private func checkReadiness(within timeout: Duration) {
        let reason = "was not ready within \(timeout)"
        let task = state.withLock { state -> Task<Void, Never>? in
            guard !state.isReady, !state.hasStopped, state.failure == nil else { return nil }
            state.failure = reason
            state.isFailureTold = true
            return state.task
        }
        guard let task else { return }
        publish(.failed, reason: reason)
        task.cancel()
    }

    private func end(failure: String?) {
        let (reason, isTold) = state.withLock { state in
            state.hasStopped = true
            if state.failure == nil { state.failure = failure }
            return (state.failure, state.isFailureTold)
        }
        if !isTold { publish(reason == nil ? .stopped : .failed, reason: reason) }
        buffer.finish()
        stopped.signal()
    }

    private func publish(_ state: SourceStatus.State, reason: String?) {
        bus.publish(
            SourceStatus(
                source: name, state: state, reason: reason, time: clock.wall, monotonic: clock.monotonic))
    }
}

/// Where an answer is put that may come too late.
private final class AnswerBox<Answer: Sendable>: Sendable {
    let filled = Wakeup()
    private let state = Mutex<Answer?>(nil)

    var answer: Answer? { state.withLock { $0 } }

    func fill(_ answer: Answer) {
        state.withLock { $0 = answer }
        filled.signal()
    }
}
