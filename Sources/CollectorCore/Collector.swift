public import Backends
import DequeModule
public import EventModel
import Synchronization

/// Runs event sources and hands what they emit to subscribers, until told to stop; then says what became of everything.
///
/// A source that fails is contained: it runs again after a delay that grows, or is given up (``SourceDescriptor``,
/// ``CollectorConfiguration/maxRestarts``), and every change is a record that subscribers see. Sources can be added and
/// removed while it runs. All methods may be called from any thread.
public final class Collector: Sendable {
    /// As it is in force; see ``adjust(to:)`` for what may change.
    public var configuration: CollectorConfiguration { state.withLock { $0.configuration } }
    public let run: RunContext
    let thread: any ExecutionThread
    let bus: EventBus
    let state: Mutex<State>
    private let meter: (any ResourceMeter)?
    private let debugLog: (@Sendable (String) -> Void)?
    private let stopRequested = Wakeup()
    let stopping = Latch()

    enum Phase { case registering, running, stopping }

    struct State {
        var configuration: CollectorConfiguration
        var configurationGeneration: UInt64 = 0
        var refusedConfigurationCount: UInt64 = 0
        var phase = Phase.registering
        var began = Instant(nanoseconds: 0)
        /// In the order in which they were added; also those that have ended and were not replaced.
        var sources: [SourceRunner] = []
        /// On their way out.
        var leaving: [SourceRunner] = []
        var retired = RetiredSources()
        var board = HealthBoard()
        var sampler = TelemetrySampler()
        var lastCapabilities: CapabilityReport?
        /// Decided, not published yet: whoever publishes publishes all, so that the order stays.
        var outbox: Deque<CollectorRecord> = []
        var isPublishing = false
    }

    /// - Parameters:
    ///   - configuration: Checked here.
    ///   - run: Becomes part of the identity of every event.
    ///   - thread: Carries the runtime's own tasks and timers.
    ///   - meter: Measures the process for ``Telemetry``.
    ///   - debugLog: Told of decisions, one line each, if ``CollectorConfiguration/enableDebugLogging``; called on
    ///     various threads, must not block.
    /// - Throws: ``InvalidConfiguration``.
    public init(
        configuration: CollectorConfiguration, run: RunContext, thread: any ExecutionThread,
        meter: (any ResourceMeter)? = nil, debugLog: (@Sendable (String) -> Void)? = nil
    ) throws(InvalidConfiguration) {
        try configuration.validate()
        state = Mutex(State(configuration: configuration))
        self.run = run
        self.thread = thread
        self.meter = meter
        self.debugLog = debugLog
        bus = EventBus(subscriberLimit: 10 * configuration.maxEventSources, clock: thread.clock)
    }

    // MARK: - Subscribers

    /// Adds a subscriber; it sees what is published from now on.
    public func subscribe(_ options: SubscriptionOptions) throws(CollectorError) -> Subscription {
        try bus.subscribe(options)
    }

    /// Removes a subscriber: its stream ends after what is queued.
    public func unsubscribe(_ subscription: Subscription) { bus.unsubscribe(subscription) }

    // MARK: - What is known

    /// The union of the capabilities of the sources that have not ended.
    public var capabilities: SourceCapabilities {
        runners.reduce(into: []) { union, runner in
            if runner.supervision.isInService { union.formUnion(runner.descriptor.capabilities) }
        }
    }

    /// Events in the buffers of all sources.
    package var bufferedEventCount: Int { runners.reduce(0) { $0 + $1.bufferedEventCount } }

    /// How long a source that is asked for its health or its account may take to answer.
    public static let answerTimeout: Duration = .seconds(5)

    /// The worst health among the sources, all asked at once; one that does not answer in ``answerTimeout`` has failed.
    public func health() async -> Health { await healthReport().health }

    /// The health of each source, all asked at once; one that does not answer in ``answerTimeout`` has failed.
    public func healthReport() async -> HealthReport {
        let runners = runners
        let answers = await askAll(runners) { runner, deadline in
            runner.ending == nil ? await runner.ownHealth(until: deadline) : .healthy
        }
        let sources = zip(runners, answers).map { runner, own in
            let supervision = runner.supervision
            return SourceHealth(
                source: runner.name, state: supervision.state, health: max(supervision.health, own),
                since: supervision.since, restartCount: supervision.restartCount)
        }
        return HealthReport(
            component: configuration.componentName, health: sources.map(\.health).max() ?? .healthy,
            sources: sources, time: thread.clock.wall, monotonic: thread.clock.monotonic)
    }

    /// Measures the process, the buffers and the queues.
    public func telemetry() -> Telemetry {
        let now = thread.clock.monotonic
        // What cannot be measured is counted.
        let usage = meter.flatMap { try? $0.usage() }
        let isMeasured = meter != nil
        let (configuration, generation, refused) = state.withLock { state in
            (state.configuration, state.configurationGeneration, state.refusedConfigurationCount)
        }
        let (sources, began, percent, failures, forgotten) = state.withLock { state in
            let percent = isMeasured ? state.sampler.note(usage, at: now) : nil
            return (
                state.sources, state.began, percent, state.sampler.failureCount, state.retired.forgottenCount
            )
        }
        var telemetry = Telemetry(
            component: configuration.componentName, uptime: began.duration(to: now), resources: usage,
            cpuPercent: percent, failedMeasurementCount: failures, forgottenAccountCount: forgotten,
            sources: sources.map(\.telemetry), subscribers: bus.current.map(\.telemetry),
            time: thread.clock.wall, monotonic: now)
        telemetry.configurationGeneration = generation
        telemetry.refusedConfigurationCount = refused
        return telemetry
    }

    /// Asks every source to close its account, and gives it beside those of the subscribers.
    ///
    /// For a source that does not answer in ``answerTimeout``, the counts of its buffer stand in.
    public func closeAccounts() async -> Accounts {
        let (runners, retired) = state.withLock { ($0.sources + $0.leaving, $0.retired.accounts) }
        let sources = await askAll(runners) { await $0.account(until: $1) }
        return Accounts(sources: retired + sources, streams: bus.current.map(\.account))
    }

    /// The accounts as they stand, without asking anybody: what the buffers have counted, and the subscribers'.
    public var presentAccounts: Accounts {
        let (runners, retired) = state.withLock { ($0.sources + $0.leaving, $0.retired.accounts) }
        return Accounts(
            sources: retired + runners.map(\.bufferAccount), streams: bus.current.map(\.account))
    }

    // MARK: - Running

    /// Makes ``run()`` stop the sources, drain and return; callable at any time, also before it.
    public func requestStop() { stopRequested.signal() }

    /// Runs until ``requestStop()`` or until every source has ended for good by itself.
    ///
    /// Stops in order: sources, then their buffers, then the subscribers' queues, all within
    /// ``CollectorConfiguration/shutdownTimeout``. What does not make it is named in the report.
    /// - Throws: ``CollectorError`` when run twice.
    public func run() async throws(CollectorError) -> CollectorReport {
        let now = thread.clock.monotonic
        let runners = state.withLock { state -> [SourceRunner]? in
            guard state.phase == .registering else { return nil }
            state.phase = .running
            state.began = now
            return state.sources
        }
        guard let runners else {
            throw CollectorError(code: .alreadyRun, message: "a collector runs only once")
        }
        for runner in runners { runner.start() }
        announceCapabilities()
        _ = spawn(on: thread) { await self.watchHealth() }
        _ = spawn(on: thread) { await self.watchTelemetry() }
        _ = await stopRequested.wait(until: nil, on: thread.clock)
        let (leaving, retired) = state.withLock { state in
            state.phase = .stopping
            return (state.sources + state.leaving, state.retired)
        }
        stopping.open()
        return await shutDown(leaving, retired: retired)
    }

    private func watchHealth() async {
        let clock = thread.clock
        while await !stopping.wait(
            until: clock.monotonic.advanced(by: configuration.healthCheckInterval), on: clock)
        {
            let runners = runners
            // An answer must be there before the next question.
            let patience = min(Self.answerTimeout, configuration.healthCheckInterval)
            let answers = await askAll(runners, within: patience) { await $0.check(until: $1) }
            noteAnswers(zip(runners, answers).map { ($0, $1.attempt, $1.health) })
        }
    }

    private func watchTelemetry() async {
        let clock = thread.clock
        while await !stopping.wait(
            until: clock.monotonic.advanced(by: configuration.telemetryInterval), on: clock)
        {
            if configuration.enableTelemetry { bus.publish(.telemetry(telemetry())) }
        }
    }

    /// A source has changed its state: its runner calls this, on whatever thread.
    func noteChange(of runner: SourceRunner) {
        let supervision = runner.supervision
        debug("source \(runner.name): \(supervision.state.rawValue), run \(supervision.attempt)")
        let isOver = noteSupervision(of: runner)
        if isOver { stopRequested.signal() }
    }

    /// Asks sources at the same time, and gives their answers in their order.
    private func askAll<Answer: Sendable>(
        _ runners: [SourceRunner], within patience: Duration = answerTimeout,
        _ question: @escaping @Sendable (SourceRunner, Instant) async -> Answer
    ) async -> [Answer] {
        let deadline = thread.clock.monotonic.advanced(by: patience)
        return await withTaskGroup(of: (Int, Answer).self) { group in
            for (index, runner) in runners.enumerated() {
                group.addTask(executorPreference: thread) { (index, await question(runner, deadline)) }
            }
            var answers = [Answer?](repeating: nil, count: runners.count)
            for await (index, answer) in group { answers[index] = answer }
            return answers.compactMap { $0 }
        }
    }

    var answerDeadline: Instant { thread.clock.monotonic.advanced(by: Self.answerTimeout) }

    var runners: [SourceRunner] { state.withLock { $0.sources } }

    func debug(_ message: @autoclosure () -> String) {
        if let debugLog, configuration.enableDebugLogging { debugLog(message()) }
    }

    private func shutDown(_ runners: [SourceRunner], retired: RetiredSources) async -> CollectorReport {
        let configuration = configuration
        let clock = thread.clock
        let begin = clock.monotonic
        let deadline = begin.advanced(by: configuration.shutdownTimeout)
        // Half of the time belongs to the sources, so that one that hangs leaves the others' events time to drain; the
        // end of it to the accounts, so that a subscriber that hangs leaves time to say what became of everything.
        let sourceDeadline = begin.advanced(by: configuration.stopGrace)
        let pumpDeadline = begin.advanced(by: configuration.shutdownTimeout / 8 * 7)
        debug("stopping \(runners.count) sources")
        for runner in runners { runner.stop() }
        var failures = retired.failures
        var abandoned = retired.abandoned
        for runner in runners {
            switch await runner.waitUntilStopped(until: sourceDeadline) {
            case .stopped: continue
            case .failed(let reason): failures.append((runner.name, reason))
            case .abandoned: abandoned.append(runner.name)
            }
        }
        debug("draining, after \(begin.duration(to: clock.monotonic))")
        var sources: [SourceAccount] = retired.accounts
        var isDrained = true
        for runner in runners where await !runner.waitUntilPumped(until: pumpDeadline) { isDrained = false }
        for (index, runner) in runners.enumerated() {
            // One that does not answer must not take the time of the others.
            let share = clock.monotonic.duration(to: deadline) / (runners.count - index + 1)
            sources.append(await runner.account(until: clock.monotonic.advanced(by: share)))
        }
        bus.close()
        for subscription in bus.current where await !subscription.waitUntilDrained(until: deadline) {
            isDrained = false
        }
        sometimes(.drainTimedOut, when: !isDrained)
        debug("stopped, after \(begin.duration(to: clock.monotonic))")
        return CollectorReport(
            accounts: Accounts(sources: sources, streams: bus.current.map(\.account)), failures: failures,
            abandoned: abandoned, shutdownDuration: begin.duration(to: clock.monotonic),
            isWithinTimeout: isDrained && abandoned.isEmpty && clock.monotonic <= deadline)
    }
}

/// Both kinds of account at one time.
public struct Accounts: Sendable {
    /// Those of sources that were removed come first.
    public var sources: [SourceAccount]
    public var streams: [StreamAccount]

    /// Puts accounts together.
    public init(sources: [SourceAccount], streams: [StreamAccount]) {
        self.sources = sources
        self.streams = streams
    }
}

/// What a finished run leaves behind.
public struct CollectorReport: Sendable {
    public var accounts: Accounts
    /// Sources that have failed for good, or were waiting for their next run, and the error.
    public var failures: [(source: SourceName, reason: String)]
    /// Sources that did not stop in time.
    public var abandoned: [SourceName]
    public var shutdownDuration: Duration
    /// Whether every source stopped and every subscriber took everything within the time-out.
    public var isWithinTimeout: Bool
}
