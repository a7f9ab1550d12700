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
    func run(_ context: SourceContext) async throws

    /// How the source sees itself; asked from another thread than its own.
    func checkHealth() async -> Health

    /// Makes the account of everything up to now, for a source that is running; `nil` when it keeps none of its own.
    ///
    /// Asked from another thread. A source that has stopped answers with its last account.
    func closeAccount() async -> SourceAccount?
}

extension EventSource {
    public func checkHealth() async -> Health { .healthy }
    public func closeAccount() async -> SourceAccount? { nil }
}

/// What a source is.
public struct SourceDescriptor: Sendable {
    /// Unique in a collector.
    public var name: SourceName
    public var capabilities: SourceCapabilities
    /// What happens when the source's buffer stays full for longer than
    /// ``CollectorConfiguration/maxBackpressureWait``.
    public var overflowPolicy: OverflowPolicy

    public init(name: SourceName, capabilities: SourceCapabilities, overflowPolicy: OverflowPolicy) {
        self.name = name
        self.capabilities = capabilities
        self.overflowPolicy = overflowPolicy
    }
}

/// What the runtime gives a source for one run.
public struct SourceContext: Sendable {
    /// Where events go.
    public let emitter: Emitter
    /// The clock of the source's own thread.
    public let clock: any SystemClock
    public let run: RunContext
    private let onReady: @Sendable () -> Void

    package init(
        emitter: Emitter, clock: any SystemClock, run: RunContext, onReady: @escaping @Sendable () -> Void
    ) {
        self.emitter = emitter
        self.clock = clock
        self.run = run
        self.onReady = onReady
    }

    /// Says that observing has begun; bounded by ``CollectorConfiguration/startupTimeout``. Further calls do nothing.
    public func ready() { onReady() }
}
