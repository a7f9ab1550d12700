import Backends
import DequeModule
import EventModel
import Synchronization

/// One source under supervision: its runs, its buffer's way to the bus, its timers. Decides nothing itself, see
/// ``SupervisionStateMachine``.
final class SourceRunner: Sendable {
    private struct State {
        var machine: SupervisionStateMachine
        var task: Task<Void, Never>?
        var timer: TimerToken?
        /// Decided, not carried out yet: whoever carries out carries out all, so that the order stays.
        var outbox: Deque<SupervisionStateMachine.Action> = []
        var isActing = false
        var hasPump = false
        /// A question that the source's thread has not answered yet.
        var isPingUnanswered = false
        var failedCheckCount = 0
    }

    let source: any EventSource
    let descriptor: SourceDescriptor
    private let thread: any ExecutionThread
    private let runtimeThread: any ExecutionThread
    private let buffer: SourceBuffer
    private let clock: any SystemClock
    private let bus: EventBus
    private let run: RunContext
    private let startupTimeout: Duration
    private let state: Mutex<State>
    private let onChange: @Sendable (SourceRunner) -> Void
    private let settled = Latch()
    private let pumped = Latch()

    /// - Parameter onChange: Called after each change that was announced, on whatever thread.
    init(
        source: any EventSource, descriptor: SourceDescriptor, thread: any ExecutionThread,
        runtimeThread: any ExecutionThread, bus: EventBus, configuration: CollectorConfiguration,
        run: RunContext, onChange: @escaping @Sendable (SourceRunner) -> Void
    ) {
        self.source = source
        self.descriptor = descriptor
        self.thread = thread
        self.runtimeThread = runtimeThread
        self.bus = bus
        self.run = run
        self.onChange = onChange
        startupTimeout = configuration.startupTimeout
        clock = runtimeThread.clock
        buffer = SourceBuffer(
            source: descriptor.name, run: run, configuration: configuration,
            policy: descriptor.overflowPolicy, clock: thread.clock, bus: bus)
        state = Mutex(
            State(
                machine: SupervisionStateMachine(
                    policy: descriptor.restartPolicy, schedule: configuration.restartSchedule,
                    startupTimeout: configuration.startupTimeout, grace: configuration.stopGrace)))
    }

    var name: SourceName { descriptor.name }

    // MARK: - Life

    /// Starts the first run on the source's own thread, and the pump of its buffer on the runtime's.
    func start() {
        state.withLock { $0.hasPump = true }
        _ = spawn(on: runtimeThread) {
            while let backlog = await self.buffer.next() { await self.bus.publish(backlog) }
            self.pumped.open()
        }
        _ = spawn(on: runtimeThread) { await self.buffer.flushOverdue() }
        change { $0.start(at: $1) }
    }

    /// Tells the source to end for good; does not wait.
    func stop() { change { $0.stop(at: $1) } }

    /// - Returns: How the source ended; one that has not by the deadline is abandoned.
    func waitUntilStopped(until deadline: Instant) async -> SupervisionStateMachine.Ending {
        if await !settled.wait(until: deadline, on: clock) {
            sometimes(.sourceAbandoned)
            change { $0.giveUp(at: $1) }
        }
        return ending ?? .stopped
    }

    /// - Returns: Whether the bus had taken everything before the deadline.
    func waitUntilPumped(until deadline: Instant) async -> Bool {
        await pumped.wait(until: deadline, on: clock)
    }

    var ending: SupervisionStateMachine.Ending? { state.withLock { $0.machine.ending } }

    /// Why it does not observe though it should.
    var failure: String? { state.withLock { $0.machine.failure } }

    // MARK: - Carrying out

    private func change(
        _ transition: (inout SupervisionStateMachine, Instant) -> [SupervisionStateMachine.Action]
    ) {
        let now = clock.monotonic
        let mustAct = state.withLock { state in
            state.outbox += transition(&state.machine, now)
            defer { if !state.outbox.isEmpty { state.isActing = true } }
            return !state.isActing && !state.outbox.isEmpty
        }
        guard mustAct else { return }
        while let action = state.withLock({ nextAction(&$0) }) { perform(action) }
    }

    private func nextAction(_ state: inout State) -> SupervisionStateMachine.Action? {
        let action = state.outbox.popFirst()
        if action == nil { state.isActing = false }
        return action
    }

    private func perform(_ action: SupervisionStateMachine.Action) {
        switch action {
        case .launch(let attempt, let interruption): launch(attempt, after: interruption)
        case .cancelRun: state.withLock { $0.task }?.cancel()
        case .setTimer(let number, let time): setTimer(number, at: time)
        case .clearTimer: replaceTimer(with: nil)
        case .announce(let newState, let reason, let attempt, let retryDelay):
            sometimes(.sourceFailed, when: newState == .failed)
            bus.publish(
                SourceStatus(
                    source: name, state: newState, reason: reason, attempt: attempt, retryDelay: retryDelay,
                    capabilities: descriptor.capabilities, time: clock.wall, monotonic: clock.monotonic))
            onChange(self)
        case .finish:
            replaceTimer(with: nil)
            buffer.finish()
            if !state.withLock({ $0.hasPump }) { pumped.open() }
            settled.open()
            onChange(self)
        }
    }

    private func launch(_ attempt: Int, after interruption: Interruption?) {
        if let interruption, descriptor.restartGap == .byRuntime { reportGap(since: interruption.since) }
        state.withLock { $0.failedCheckCount = 0 }
        let context = SourceContext(
            emitter: Emitter(buffer: buffer), clock: thread.clock, run: run, attempt: attempt,
            interruption: interruption
        ) {
            self.change { $0.noteReady(attempt, at: $1) }
        }
        let task = spawn(on: thread) {
            let end = await self.end(of: context)
            // What it emitted stands before the news of its end.
            self.buffer.flush()
            self.change { $0.noteEnd(attempt, end, at: $1) }
        }
        state.withLock { $0.task = task }
    }

    private func end(of context: SourceContext) async -> SupervisionStateMachine.RunEnd {
        do {
            try await source.run(context)
            return Task.isCancelled ? .cancelled : .returned
        } catch is CancellationError where Task.isCancelled {
            return .cancelled
        } catch {
            let mayPass = (error as? any SourceError)?.mayPass ?? true
            return .threw(reason: "\(error)".cut(to: CollectorLimits.reasonByteCount), mayPass: mayPass)
        }
    }

    /// Nobody knows what happened meanwhile.
    private func reportGap(since begin: Instant) {
        buffer.report(
            Gap(
                source: name, cause: .notRunning, lost: nil, lostBounds: LostBounds(atLeast: 0, atMost: nil),
                from: begin, until: clock.monotonic, time: clock.wall, processors: [], subscriber: nil))
    }

    private func setTimer(_ number: Int, at time: Instant) {
        let token = clock.schedule(at: time) { self.timerFired(number) }
        replaceTimer(with: token)
    }

    private func replaceTimer(with token: TimerToken?) {
        let former = state.withLock { state in
            defer { state.timer = token }
            return state.timer
        }
        if let former { clock.cancel(former) }
    }

    private func timerFired(_ number: Int) {
        // A source whose events nobody takes cannot get ready: that is not its fault.
        let isHeldUp = buffer.isFull
        change { machine, now in
            sometimes(.startTimedOut, when: machine.phase == .starting && !isHeldUp)
            return machine.noteTimer(number, isHeldUp: isHeldUp, at: now)
        }
    }

    // MARK: - Questions

    /// The source's own account, or, if it keeps none or does not answer, what its buffer counted.
    func account(until deadline: Instant) async -> SourceAccount {
        if case .abandoned = ending { return bufferAccount }
        // One that was never begun would be asked in vain until the deadline.
        guard state.withLock({ $0.machine.attempt > 0 }) else { return bufferAccount }
        let source = source
        return await ask(on: runtimeThread, until: deadline, { await source.closeAccount() }).flatMap { $0 }
            ?? bufferAccount
    }

    /// Events in its buffer.
    var bufferedEventCount: Int { buffer.queuedCount }

    /// What the buffer has counted: the account of a source that keeps none.
    var bufferAccount: SourceAccount {
        var account = SourceAccount(source: name)
        Emitter(buffer: buffer).enterCounts(into: &account)
        account.kernel = account.emitted + account.dropped.total
        account.lost = nil
        account.lostBounds = LostBounds(atLeast: 0, atMost: nil)
        return account
    }

    /// How the runtime sees the source, without asking it.
    var supervision: SourceSupervision {
        state.withLock { state in
            SourceSupervision(
                source: name, phase: state.machine.phase, since: state.machine.since,
                attempt: state.machine.attempt, restartCount: state.machine.restartCount)
        }
    }

    var telemetry: SourceTelemetry {
        let supervision = supervision
        let counts = buffer.counts
        return SourceTelemetry(
            source: name, state: supervision.state, restartCount: supervision.restartCount,
            queuedCount: buffer.queuedCount, emittedCount: counts.emitted + counts.synthetic,
            droppedCount: counts.dropped.total + counts.syntheticDropped)
    }

    /// Asks the source how it is; one that does not answer has failed.
    func ownHealth(until deadline: Instant) async -> Health {
        let source = source
        let answer = await ask(on: runtimeThread, until: deadline) { await source.checkHealth() }
        return answer.map { $0.cut(to: CollectorLimits.reasonByteCount) }
            ?? .failed(reason: "\(name) did not answer")
    }

    /// Asks the source and its thread; after too many failures in a row its run is cancelled and started again.
    func check(until deadline: Instant) async -> (attempt: Int, health: Health) {
        let supervision = supervision
        guard case .ready = supervision.phase else { return (supervision.attempt, .healthy) }
        let own = await ownHealth(until: deadline)
        let isThreadAlive = await ping(until: deadline)
        let stalled = Health.failed(reason: "its thread does not answer")
        let health = isThreadAlive ? own : max(own, stalled)
        let isTooMuch = state.withLock { state in
            guard case .failed = health else {
                state.failedCheckCount = 0
                return false
            }
            state.failedCheckCount += 1
            return state.failedCheckCount >= CollectorLimits.failedCheckCount
        }
        if isTooMuch, case .failed(let reason) = health {
            change { $0.noteHang(supervision.attempt, reason, at: $1) }
        }
        return (supervision.attempt, health)
    }

    /// Whether the source's thread still runs tasks; at most one question is under way.
    private func ping(until deadline: Instant) async -> Bool {
        let isFirst = state.withLock { state in
            defer { state.isPingUnanswered = true }
            return !state.isPingUnanswered
        }
        guard isFirst else { return false }
        return await ask(on: thread, until: deadline) { [self] in
            state.withLock { $0.isPingUnanswered = false }
            return true
        } ?? false
    }

    /// Has the source carry out a task.
    func perform(_ task: SourceTask, until deadline: Instant) async throws(TaskError) -> TaskAnswer {
        let source = source
        let result = await ask(on: runtimeThread, until: deadline) { () -> Result<TaskAnswer, TaskError> in
            do throws(TaskError) {
                return .success(try await source.perform(task))
            } catch {
                return .failure(error)
            }
        }
        guard let result else { throw TaskError(.timedOut, "source \"\(name)\" did not answer in time") }
        return try result.get()
    }

    /// Asks in a task of its own, so that one that never answers holds up nobody.
    private func ask<Answer: Sendable>(
        on thread: any ExecutionThread, until deadline: Instant,
        _ question: @escaping @Sendable () async -> Answer
    ) async -> Answer? {
        let box = AnswerBox<Answer>()
        _ = spawn(on: thread) { box.fill(await question()) }
        if await !box.filled.wait(until: deadline, on: clock) { sometimes(.answerTimedOut) }
        return box.answer
    }
}

/// Where an answer is put that may come too late.
private final class AnswerBox<Answer: Sendable>: Sendable {
    let filled = Latch()
    private let state = Mutex<Answer?>(nil)

    var answer: Answer? { state.withLock { $0 } }

    func fill(_ answer: Answer) {
        state.withLock { $0 = answer }
        filled.open()
    }
}

extension String {
    /// At most so many bytes of UTF-8, whole characters only; an ellipsis says that something was cut.
    func cut(to byteCount: Int) -> String {
        guard utf8.count > byteCount else { return self }
        var kept = ""
        var count = 3
        for character in self {
            count += character.utf8.count
            guard count <= byteCount else { break }
            kept.append(character)
        }
        return kept + "…"
    }
}

extension Health {
    fileprivate func cut(to byteCount: Int) -> Health {
        switch self {
        case .healthy: .healthy
        case .degraded(let reason): .degraded(reason: reason.cut(to: byteCount))
        case .failed(let reason): .failed(reason: reason.cut(to: byteCount))
        }
    }
}
