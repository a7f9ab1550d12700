public import Backends
public import EventModel

/// What a collector measures of itself: counts since its start, depths and resources now.
public struct Telemetry: Hashable, Sendable {
    public var component: String
    /// Since the run began.
    public var uptime: Duration
    /// `nil` without a `ResourceMeter`, or when it failed.
    public var resources: ResourceUsage?
    /// CPU time over wall time since the sample before, in percent of one CPU; `nil` for the first one.
    public var cpuPercent: Double?
    /// How often resources could not be measured.
    public var failedMeasurementCount: UInt64
    /// Accounts of removed sources that could not be kept: see ``CollectorLimits/retiredSourceCount``.
    public var forgottenAccountCount: UInt64
    /// See ``ConfigurationReport/generation``; 0 where nobody has announced one.
    public var configurationGeneration: UInt64 = 0
    /// Configurations that were refused.
    public var refusedConfigurationCount: UInt64 = 0
    public var sources: [SourceTelemetry]
    public var subscribers: [SubscriberTelemetry]
    public var time: WallTime
    public var monotonic: Instant

    package init(
        component: String, uptime: Duration, resources: ResourceUsage?, cpuPercent: Double?,
        failedMeasurementCount: UInt64, forgottenAccountCount: UInt64, sources: [SourceTelemetry],
        subscribers: [SubscriberTelemetry], time: WallTime, monotonic: Instant
    ) {
        self.component = component
        self.uptime = uptime
        self.resources = resources
        self.cpuPercent = cpuPercent
        self.failedMeasurementCount = failedMeasurementCount
        self.forgottenAccountCount = forgottenAccountCount
        self.sources = sources
        self.subscribers = subscribers
        self.time = time
        self.monotonic = monotonic
    }
}

/// What is measured of one source.
public struct SourceTelemetry: Hashable, Sendable {
    public var source: SourceName
    public var state: SourceLifeState
    public var restartCount: Int
    /// Events in its buffer that no subscriber's queue has taken.
    public var queuedCount: Int
    /// Events accepted, synthetic ones included, less those dropped afterwards.
    public var emittedCount: UInt64
    public var droppedCount: UInt64

    package init(
        source: SourceName, state: SourceLifeState, restartCount: Int, queuedCount: Int,
        emittedCount: UInt64, droppedCount: UInt64
    ) {
        self.source = source
        self.state = state
        self.restartCount = restartCount
        self.queuedCount = queuedCount
        self.emittedCount = emittedCount
        self.droppedCount = droppedCount
    }
}

/// What is measured of one subscriber.
public struct SubscriberTelemetry: Hashable, Sendable {
    public var subscriber: String
    public var queuedCount: Int
    /// Bytes that the queued batches keep alive, estimated.
    public var queuedByteCount: Int
    public var peakCount: Int
    public var deliveredCount: UInt64
    public var droppedCount: UInt64
    /// Records (status, health, telemetry) that did not fit: see ``CollectorLimits/pendingRecordCount``.
    public var droppedRecordCount: UInt64
    /// From the emission of a batch's first event to its delivery, in nanoseconds.
    public var latency: HistogramSummary
    /// Events per delivered batch, after the filter.
    public var batchSize: HistogramSummary

    package init(
        subscriber: String, queuedCount: Int, queuedByteCount: Int, peakCount: Int,
        deliveredCount: UInt64, droppedCount: UInt64, droppedRecordCount: UInt64,
        latency: HistogramSummary, batchSize: HistogramSummary
    ) {
        self.subscriber = subscriber
        self.queuedCount = queuedCount
        self.queuedByteCount = queuedByteCount
        self.peakCount = peakCount
        self.deliveredCount = deliveredCount
        self.droppedCount = droppedCount
        self.droppedRecordCount = droppedRecordCount
        self.latency = latency
        self.batchSize = batchSize
    }
}
