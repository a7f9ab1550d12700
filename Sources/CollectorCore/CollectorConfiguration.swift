/// The limits and time-outs of a collector; names and defaults are the specification's.
public struct CollectorConfiguration: Sendable {
    /// Most sources; 1 or more.
    public var maxEventSources = 16
    /// Events buffered per source between emission and the bus; 1 or more.
    public var eventBufferSize = 1_000
    /// Time for sources to stop, queues to drain and subscribers to finish.
    public var shutdownTimeout: Duration = .seconds(30)
    /// Time between two questions to each source how it is.
    public var healthCheckInterval: Duration = .seconds(60)
    /// Time for a source to call ``SourceContext/ready()``; its life has no limit.
    public var startupTimeout: Duration = .seconds(10)
    /// Whether ``Collector`` tells its debug log what it decides and what took how long.
    public var enableDebugLogging = false
    /// Events per batch; 1 ... 65 535, because selections are 16-bit.
    public var maxBatchSize = 100
    /// How long an event may wait for its batch to fill.
    public var batchTimeout: Duration = .milliseconds(100)
    /// Fill of a source's buffer at which the source is told, as a share of ``eventBufferSize``; above 0, at most 1.
    public var backpressureThreshold = 0.8
    /// How long emission waits for room before the source's overflow policy decides.
    public var maxBackpressureWait: Duration = .milliseconds(500)
    /// Whether subscribers get a ``Telemetry`` record every ``telemetryInterval``; without it nothing is measured.
    public var enableTelemetry = true
    public var telemetryInterval: Duration = .seconds(30)
    /// Names this collector in its records about itself.
    public var componentName = "collector-core"

    /// The delay before a failed source runs again; doubles with each restart within ``restartWindow``.
    public var restartDelay: Duration = .seconds(1)
    /// The longest delay before a failed source runs again.
    public var maxRestartDelay: Duration = .seconds(60)
    /// Most restarts of one source within ``restartWindow``; one more failure is final. 0 never restarts.
    public var maxRestarts = 5
    public var restartWindow: Duration = .seconds(600)

    public init() {}

    /// - Throws: ``InvalidConfiguration`` naming the first setting that is out of range, and the range.
    public func validate() throws(InvalidConfiguration) {
        func require(_ condition: Bool, _ setting: String, _ expected: String) throws(InvalidConfiguration) {
            guard condition else { throw InvalidConfiguration(setting: setting, expected: expected) }
        }
        try require(maxEventSources > 0, "max_event_sources", "1 or more")
        try require(eventBufferSize > 0, "event_buffer_size", "1 or more")
        try require(shutdownTimeout > .zero, "shutdown_timeout", "longer than 0s")
        try require(startupTimeout > .zero, "startup_timeout", "longer than 0s")
        try require((1...65_535).contains(maxBatchSize), "max_batch_size", "1 to 65535")
        try require(batchTimeout > .zero, "batch_timeout", "longer than 0s")
        try require(
            backpressureThreshold > 0 && backpressureThreshold <= 1, "backpressure_threshold",
            "above 0% up to 100%")
        try require(maxBackpressureWait > .zero, "max_backpressure_wait", "longer than 0s")
        try require(healthCheckInterval > .zero, "health_check_interval", "longer than 0s")
        try require(telemetryInterval > .zero, "telemetry_interval", "longer than 0s")
        try require(restartDelay > .zero, "restart_delay", "longer than 0s")
        try require(maxRestartDelay >= restartDelay, "max_restart_delay", "at least restart_delay")
        try require((0...1_000).contains(maxRestarts), "max_restarts", "0 to 1000")
        try require(restartWindow > .zero, "restart_window", "longer than 0s")
        try require(!componentName.isEmpty, "component_name", "a name")
    }
}

extension CollectorConfiguration {
    var restartSchedule: RestartSchedule {
        RestartSchedule(
            firstDelay: restartDelay, longestDelay: maxRestartDelay, limit: maxRestarts,
            window: restartWindow)
    }

    /// How long a source that was cancelled may take to end; the rest of the time-out belongs to draining.
    var stopGrace: Duration { shutdownTimeout / 2 }
}

/// A setting that is out of its range.
public struct InvalidConfiguration: Error, Hashable, Sendable, CustomStringConvertible {
    public var setting: String
    public var expected: String

    public var description: String { "\(setting): expected \(expected)" }
}
