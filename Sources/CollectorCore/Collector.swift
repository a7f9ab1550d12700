public import Backends
public import EventModel
import Synchronization

/// Runs event sources and hands what they emit to subscribers, until told to stop; then says what became of everything.
///
/// Register sources and subscribe before ``run()``. All methods may be called from any thread.
public final class Collector: Sendable {
    private struct State {
        var sources: [SourceRunner] = []
        var hasStarted = false
    }

    public let configuration: CollectorConfiguration
    public let run: RunContext
    private let thread: any ExecutionThread
    private let bus: EventBus
    private let state = Mutex(State())
    private let stopRequested = Wakeup()

    /// - Parameter thread: Carries the runtime's own tasks and timers.
    /// - Throws: ``InvalidConfiguration``.
    public init(configuration: CollectorConfiguration, run: RunContext, thread: any ExecutionThread)
        throws(InvalidConfiguration)
    {
        try configuration.validate()
        self.configuration = configuration
        self.run = run
        self.thread = thread
        bus = EventBus(subscriberLimit: 10 * configuration.maxEventSources, clock: thread.clock)
    }

    /// Adds a source that will run on `thread`.
    ///
    /// - Throws: ``CollectorError``: too many sources, a name twice, or the collector is already running.
    public func register(_ source: any EventSource, on thread: any ExecutionThread) throws(CollectorError) {
        let descriptor = source.descriptor
        let runner = SourceRunner(
            source: source, thread: thread,
            buffer: SourceBuffer(
                source: descriptor.name, run: run, configuration: configuration,
                policy: descriptor.overflowPolicy,
                clock: thread.clock),
            runtimeThread: self.thread, bus: bus)
        let problem = state.withLock { state -> CollectorError? in
            guard !state.hasStarted else {
                return CollectorError(
                    code: .alreadyRun,
                    message: "cannot register \"\(descriptor.name)\": the collector is running")
            }
            guard state.sources.count < configuration.maxEventSources else {
                return CollectorError(
                    code: .tooManySources,
                    message: "cannot register \"\(descriptor.name)\": max_event_sources is "
                        + "\(configuration.maxEventSources)")
            }
            guard !state.sources.contains(where: { $0.name == descriptor.name }) else {
                return CollectorError(
                    code: .duplicateName, message: "there is already a source named \"\(descriptor.name)\"")
            }
            state.sources.append(runner)
            return nil
        }
        if let problem { throw problem }
    }

    /// Adds a subscriber; it sees what is published from now on.
    public func subscribe(_ options: SubscriptionOptions) throws(CollectorError) -> Subscription {
        try bus.subscribe(options)
    }

    /// Removes a subscriber: its stream ends after what is queued.
    public func unsubscribe(_ subscription: Subscription) { bus.unsubscribe(subscription) }

    /// The union of the sources' capabilities.
    public var capabilities: SourceCapabilities {
        runners.reduce(into: []) { $0.formUnion($1.source.descriptor.capabilities) }
    }

    /// How long a source that is asked for its health or its account may take to answer.
    public static let answerTimeout: Duration = .seconds(5)

    /// The worst health among the sources, each asked in turn; one that does not answer in ``answerTimeout`` has failed.
    public func health() async -> Health {
        var worst = Health.healthy
        for runner in runners { worst = max(worst, await runner.health(until: answerDeadline)) }
        return worst
    }

    /// Asks every source to close its account, and gives it beside those of the subscribers.
    ///
    /// For a source that does not answer in ``answerTimeout``, the counts of its buffer stand in.
    public func closeAccounts() async -> Accounts {
        var sources: [SourceAccount] = []
        for runner in runners { sources.append(await runner.account(until: answerDeadline)) }
        return Accounts(sources: sources, streams: bus.current.map(\.account))
    }

    /// Makes ``run()`` stop the sources, drain and return; callable at any time, also before it.
    public func requestStop() { stopRequested.signal() }

    /// Runs until ``requestStop()`` or until every source has ended by itself.
    ///
    /// Stops in order: sources, then their buffers, then the subscribers' queues, all within
    /// ``CollectorConfiguration/shutdownTimeout``. What does not make it is named in the report.
    /// - Throws: ``CollectorError`` when run twice.
    public func run() async throws(CollectorError) -> CollectorReport {
        let runners = state.withLock { state -> [SourceRunner]? in
            guard !state.hasStarted else { return nil }
            state.hasStarted = true
            return state.sources
        }
        guard let runners else {
            throw CollectorError(code: .alreadyRun, message: "a collector runs only once")
        }
        let remaining = Mutex(runners.count)
        for runner in runners {
            runner.start(context: run, startupTimeout: configuration.startupTimeout) { [stopRequested] in
                let isLast = remaining.withLock { count in
                    count -= 1
                    return count == 0
                }
                if isLast { stopRequested.signal() }
            }
        }
        _ = await stopRequested.wait(until: nil, on: thread.clock)
        return await shutDown(runners)
    }

    private var answerDeadline: Instant { thread.clock.monotonic.advanced(by: Self.answerTimeout) }

    private var runners: [SourceRunner] { state.withLock { $0.sources } }

    private func shutDown(_ runners: [SourceRunner]) async -> CollectorReport {
        let clock = thread.clock
        let begin = clock.monotonic
        let deadline = begin.advanced(by: configuration.shutdownTimeout)
        // Half of the time belongs to the sources, so that one that hangs leaves the others' events time to drain; the
        // end of it to the accounts, so that a subscriber that hangs leaves time to say what became of everything.
        let sourceDeadline = begin.advanced(by: configuration.shutdownTimeout / 2)
        let pumpDeadline = begin.advanced(by: configuration.shutdownTimeout / 8 * 7)
        for runner in runners { runner.cancel() }
        var abandoned: [SourceName] = []
        for runner in runners where await !runner.waitUntilStopped(until: sourceDeadline) {
            abandoned.append(runner.name)
        }
        var sources: [SourceAccount] = []
        var isDrained = true
        for runner in runners where await !runner.waitUntilPumped(until: pumpDeadline) { isDrained = false }
        for (index, runner) in runners.enumerated() {
            // One that does not answer must not take the time of the others.
            let share = clock.monotonic.duration(to: deadline) / (runners.count - index + 1)
            let isAbandoned = abandoned.contains(runner.name)
            sources.append(
                isAbandoned
                    ? runner.bufferAccount : await runner.account(until: clock.monotonic.advanced(by: share)))
        }
        bus.close()
        for subscription in bus.current where await !subscription.waitUntilDrained(until: deadline) {
            isDrained = false
        }
        return CollectorReport(
            accounts: Accounts(sources: sources, streams: bus.current.map(\.account)),
            failures: runners.compactMap { runner in runner.failure.map { (runner.name, $0) } },
            abandoned: abandoned, shutdownDuration: begin.duration(to: clock.monotonic),
            isWithinTimeout: isDrained && abandoned.isEmpty && clock.monotonic <= deadline)
    }
}

/// Both kinds of account at one time.
public struct Accounts: Sendable {
    public var sources: [SourceAccount]
    public var streams: [StreamAccount]
}

/// What a finished run leaves behind.
public struct CollectorReport: Sendable {
    public var accounts: Accounts
    /// Sources that ended with an error, and the error.
    public var failures: [(source: SourceName, reason: String)]
    /// Sources that did not stop in time.
    public var abandoned: [SourceName]
    public var shutdownDuration: Duration
    /// Whether every source stopped and every subscriber took everything within the time-out.
    public var isWithinTimeout: Bool
}
