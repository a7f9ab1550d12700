import Backends
package import CollectorCore
import EventModel
package import WireMessages

extension WireTelemetry {
    /// The message of measurements.
    package init(_ telemetry: Telemetry) {
        self.init()
        component = telemetry.component
        uptimeNs = telemetry.uptime.wholeNanoseconds
        if let resources = telemetry.resources { self.resources = Resources(resources) }
        if let percent = telemetry.cpuPercent { cpuPercent = percent }
        failedMeasurements = telemetry.failedMeasurementCount
        forgottenAccounts = telemetry.forgottenAccountCount
        configurationGeneration = telemetry.configurationGeneration
        refusedConfigurations = telemetry.refusedConfigurationCount
        sources = telemetry.sources.map { Source($0) }
        subscribers = telemetry.subscribers.map { Subscriber($0) }
        timeUnixNs = telemetry.time.nanoseconds
        monotonicNs = telemetry.monotonic.nanoseconds
    }
}

extension Telemetry {
    /// Reads measurements.
    package init(_ message: WireTelemetry) throws(MessageError) {
        let limit = MessageLimits.reportEntryCount
        self.init(
            component: message.component, uptime: .nanoseconds(message.uptimeNs),
            resources: message.hasResources
                ? try within("resources") { () throws(MessageError) in try ResourceUsage(message.resources) }
                : nil,
            cpuPercent: message.hasCpuPercent ? message.cpuPercent : nil,
            failedMeasurementCount: message.failedMeasurements,
            forgottenAccountCount: message.forgottenAccounts,
            sources: try converted(message.sources, "sources", atMost: limit) {
                (source) throws(MessageError) in try SourceTelemetry(source)
            },
            subscribers: try converted(message.subscribers, "subscribers", atMost: limit) {
                (subscriber) throws(MessageError) in try SubscriberTelemetry(subscriber)
            },
            time: WallTime(nanoseconds: message.timeUnixNs),
            monotonic: Instant(nanoseconds: message.monotonicNs))
        configurationGeneration = message.configurationGeneration
        refusedConfigurationCount = message.refusedConfigurations
    }
}

extension WireTelemetry.Resources {
    fileprivate init(_ usage: ResourceUsage) {
        self.init()
        userTimeNs = usage.userTime.wholeNanoseconds
        systemTimeNs = usage.systemTime.wholeNanoseconds
        residentBytes = UInt64(clamping: usage.residentByteCount)
        descriptors = UInt64(clamping: usage.descriptorCount)
        threads = UInt64(clamping: usage.threadCount)
    }
}

extension ResourceUsage {
    fileprivate init(_ message: WireTelemetry.Resources) throws(MessageError) {
        self.init(
            userTime: .nanoseconds(message.userTimeNs), systemTime: .nanoseconds(message.systemTimeNs),
            residentByteCount: try number(message.residentBytes, "resident_bytes"),
            descriptorCount: try number(message.descriptors, "descriptors"),
            threadCount: try number(message.threads, "threads"))
    }
}

extension WireTelemetry.Source {
    fileprivate init(_ source: SourceTelemetry) {
        self.init()
        self.source = source.source.rawValue
        state = source.state.rawValue
        restarts = UInt32(clamping: source.restartCount)
        queued = UInt64(clamping: source.queuedCount)
        emitted = source.emittedCount
        dropped = source.droppedCount
    }
}

extension SourceTelemetry {
    fileprivate init(_ message: WireTelemetry.Source) throws(MessageError) {
        self.init(
            source: try SourceName(message.source, "source"), state: try named(message.state, "state"),
            restartCount: try number(message.restarts, "restarts"),
            queuedCount: try number(message.queued, "queued"), emittedCount: message.emitted,
            droppedCount: message.dropped)
    }
}

extension WireTelemetry.Subscriber {
    fileprivate init(_ subscriber: SubscriberTelemetry) {
        self.init()
        self.subscriber = subscriber.subscriber
        queued = UInt64(clamping: subscriber.queuedCount)
        queuedBytes = UInt64(clamping: subscriber.queuedByteCount)
        peak = UInt64(clamping: subscriber.peakCount)
        delivered = subscriber.deliveredCount
        dropped = subscriber.droppedCount
        droppedRecords = subscriber.droppedRecordCount
        latencyNs = WireTelemetry.Histogram(subscriber.latency)
        batchSize = WireTelemetry.Histogram(subscriber.batchSize)
    }
}

extension SubscriberTelemetry {
    fileprivate init(_ message: WireTelemetry.Subscriber) throws(MessageError) {
        guard message.hasLatencyNs else { throw MessageError(field: "latency_ns", expected: "a value") }
        guard message.hasBatchSize else { throw MessageError(field: "batch_size", expected: "a value") }
        self.init(
            subscriber: message.subscriber, queuedCount: try number(message.queued, "queued"),
            queuedByteCount: try number(message.queuedBytes, "queued_bytes"),
            peakCount: try number(message.peak, "peak"), deliveredCount: message.delivered,
            droppedCount: message.dropped, droppedRecordCount: message.droppedRecords,
            latency: HistogramSummary(message.latencyNs), batchSize: HistogramSummary(message.batchSize))
    }
}

extension WireTelemetry.Histogram {
    fileprivate init(_ summary: HistogramSummary) {
        self.init()
        count = summary.count
        p50 = summary.median
        p90 = summary.p90
        p99 = summary.p99
        max = summary.maximum
    }
}

extension HistogramSummary {
    fileprivate init(_ message: WireTelemetry.Histogram) {
        self.init(
            count: message.count, median: message.p50, p90: message.p90, p99: message.p99,
            maximum: message.max)
    }
}
