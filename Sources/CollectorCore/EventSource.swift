public import Backends
public import EventModel

/// Something that observes one domain of the host and emits events.
///
/// A source is one main loop. The specification's `start` and `stop` are running and cancelling ``run(_:)``.
public protocol EventSource: Sendable {
    var descriptor: SourceDescriptor { get }

    /// Observes until the task is cancelled.
    ///
    /// Runs on the thread that it was registered with; may block it. Call ``SourceContext/ready()`` once observing has
    /// begun. When cancelled, emit what is already known and return; the runtime then drains what was emitted.
    ///
    /// After an error, or an end that nobody asked for, it is called again with the same endpoints, as
    /// ``SourceDescriptor/restartPolicy`` says; never while an earlier call has not returned. An error that conforms to
    /// ``SourceError`` can say that this would be of no use.
    func run(_ context: SourceContext) async throws

    /// How the source sees itself; asked from another thread than its own, every
    /// ``CollectorConfiguration/healthCheckInterval``.
    ///
    /// A source that answers `failed`, or not at all, ``CollectorLimits/failedCheckCount`` times in a row is cancelled
    /// and run again.
    func checkHealth() async -> Health

    /// Makes the account of everything up to now, for a source that is running; `nil` when it keeps none of its own.
    ///
    /// Asked from another thread. A source that has stopped answers with its last account.
    func closeAccount() async -> SourceAccount?

    /// Carries out one of ``SourceDescriptor/tasks``; asked from another thread, only while the source is ready.
    ///
    /// - Throws: ``TaskError``. What cannot be done is never answered as if it had been.
    func perform(_ task: SourceTask) async throws(TaskError) -> TaskAnswer
}

extension EventSource {
    public func checkHealth() async -> Health { .healthy }
    public func closeAccount() async -> SourceAccount? { nil }
    public func perform(_ task: SourceTask) async throws(TaskError) -> TaskAnswer {
        throw TaskError(.unsupported, "source \"\(descriptor.name)\" carries out no tasks")
    }
}

/// What a source is.
public struct SourceDescriptor: Sendable {
    /// Unique in a collector.
    public var name: SourceName
    public var capabilities: SourceCapabilities
    /// What happens when the source's buffer stays full for longer than
    /// ``CollectorConfiguration/maxBackpressureWait``.
    public var overflowPolicy: OverflowPolicy
    /// What happens when a run ends though nobody asked it to.
    public var restartPolicy: RestartPolicy
    /// Who says that something is missing between two runs.
    public var restartGap: RestartGap
    /// What ``EventSource/perform(_:)`` can carry out, in a fixed order.
    public var tasks: [TaskKind]

    public init(
        name: SourceName, capabilities: SourceCapabilities, overflowPolicy: OverflowPolicy,
        restartPolicy: RestartPolicy = .always, restartGap: RestartGap = .byRuntime, tasks: [TaskKind] = []
    ) {
        self.name = name
        self.capabilities = capabilities
        self.overflowPolicy = overflowPolicy
        self.restartPolicy = restartPolicy
        self.restartGap = restartGap
        self.tasks = tasks
    }
}

/// What the runtime gives a source for one run.
public struct SourceContext: Sendable {
    /// Where events go.
    public let emitter: Emitter
    /// The clock of the source's own thread.
    public let clock: any SystemClock
    public let run: RunContext
    /// The number of this call of ``EventSource/run(_:)``, from 1.
    public let attempt: Int
    /// What lies between the call before and this one; `nil` for the first one.
    public let interruption: Interruption?
    private let onReady: @Sendable () -> Void

    package init(
        emitter: Emitter, clock: any SystemClock, run: RunContext, attempt: Int = 1,
        interruption: Interruption? = nil, onReady: @escaping @Sendable () -> Void
    ) {
        self.emitter = emitter
        self.clock = clock
        self.run = run
        self.attempt = attempt
        self.interruption = interruption
        self.onReady = onReady
    }

    /// Says that observing has begun; bounded by ``CollectorConfiguration/startupTimeout``. Further calls do nothing.
    public func ready() { onReady() }
}
