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
    }

    let source: any EventSource
    let name: SourceName
    private let thread: any ExecutionThread
    private let buffer: SourceBuffer
    private let clock: any SystemClock
    private let bus: EventBus
    private let state = Mutex(State())
    private let stopped = Wakeup()
    private let pumped = Wakeup()

    init(
        source: any EventSource, thread: any ExecutionThread, buffer: SourceBuffer, runtimeClock: any SystemClock,
        bus: EventBus
    ) {
        self.source = source
        name = source.descriptor.name
        self.thread = thread
        self.buffer = buffer
        clock = runtimeClock
        self.bus = bus
    }

    var failure: String? { state.withLock { $0.failure } }

    /// Starts the source on its own thread, and its pump on the runtime's; `onStop` is called when it has ended.
    func start(
        on runtimeThread: any ExecutionThread, context: RunContext, startupTimeout: Duration,
        onStop: @escaping @Sendable () -> Void
    ) {
        let emitter = Emitter(buffer: buffer)
        let sourceContext = SourceContext(emitter: emitter, clock: thread.clock, run: context) { self.becomeReady() }
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

    func waitUntilPumped(until deadline: Instant) async { _ = await pumped.wait(until: deadline, on: clock) }

    /// The source's own account, or, if it keeps none, what its buffer counted.
    func account() async -> SourceAccount {
        if let account = await source.closeAccount() { return account }
        var account = SourceAccount(source: name)
        Emitter(buffer: buffer).enterCounts(into: &account)
        account.kernel = account.emitted + account.dropped.total
        account.lost = nil
        account.lostBounds = LostBounds(atLeast: 0, atMost: nil)
        return account
    }

    private func becomeReady() {
        let isFirst = state.withLock { state in
            defer { state.isReady = true }
            return !state.isReady && !state.hasStopped
        }
        if isFirst { publish(.ready, reason: nil) }
    }

    /// Only readiness has a time limit: a source that was ready in time lives on.
    private func checkReadiness(within timeout: Duration) {
        let task = state.withLock { state -> Task<Void, Never>? in
            guard !state.isReady, !state.hasStopped else { return nil }
            state.failure = "was not ready within \(timeout)"
            return state.task
        }
        task?.cancel()
    }

    private func end(failure: String?) {
        let reason = state.withLock { state -> String? in
            state.hasStopped = true
            if state.failure == nil { state.failure = failure }
            return state.failure
        }
        publish(reason == nil ? .stopped : .failed, reason: reason)
        buffer.finish()
        stopped.signal()
    }

    private func publish(_ state: SourceStatus.State, reason: String?) {
        bus.publish(
            SourceStatus(source: name, state: state, reason: reason, time: clock.wall, monotonic: clock.monotonic))
    }
}
