import Backends
import EventModel

extension Telemetry {
    /// Appends the measurements as a JSON object, without a line break:
    /// `{"record":"telemetry","kind":"collector.telemetry",...}`.
    public func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "telemetry")
            json.member("schema", Int64(EventJSON.schemaVersion))
            json.member("kind", "collector.telemetry")
            json.member("component", component)
            json.member("uptime_ns", uptime.wholeNanoseconds)
            if let resources { json.members(resources) }
            if let cpuPercent { json.member("cpu_percent", (cpuPercent * 1_000).rounded() / 1_000) }
            if failedMeasurementCount > 0 { json.member("failed_measurements", failedMeasurementCount) }
            if forgottenAccountCount > 0 { json.member("forgotten_accounts", forgottenAccountCount) }
            if configurationGeneration > 0 {
                json.member("configuration_generation", configurationGeneration)
            }
            if refusedConfigurationCount > 0 {
                json.member("refused_configurations", refusedConfigurationCount)
            }
            json.beginArray("sources")
            for source in sources { json.value(source) }
            json.endArray()
            json.beginArray("subscribers")
            for subscriber in subscribers { json.value(subscriber) }
            json.endArray()
            json.key("time")
            json.quoted { time.append(to: &$0) }
            json.member("monotonic_ns", monotonic.nanoseconds)
            json.endObject()
        }
    }
}

extension JSONWriter {
    fileprivate mutating func members(_ resources: ResourceUsage) {
        member("cpu_user_ns", resources.userTime.wholeNanoseconds)
        member("cpu_system_ns", resources.systemTime.wholeNanoseconds)
        member("resident_bytes", Int64(resources.residentByteCount))
        member("open_descriptors", Int64(resources.descriptorCount))
        member("threads", Int64(resources.threadCount))
    }

    fileprivate mutating func value(_ source: SourceTelemetry) {
        beginObject()
        member("source", source.source.rawValue)
        member("state", source.state.rawValue)
        member("restarts", Int64(source.restartCount))
        member("queued", Int64(source.queuedCount))
        member("emitted", source.emittedCount)
        member("dropped", source.droppedCount)
        endObject()
    }

    fileprivate mutating func value(_ subscriber: SubscriberTelemetry) {
        beginObject()
        member("subscriber", subscriber.subscriber)
        member("queued", Int64(subscriber.queuedCount))
        member("queued_bytes", Int64(subscriber.queuedByteCount))
        member("peak_queued", Int64(subscriber.peakCount))
        member("delivered", subscriber.deliveredCount)
        member("dropped", subscriber.droppedCount)
        if subscriber.droppedRecordCount > 0 { member("dropped_records", subscriber.droppedRecordCount) }
        member("latency_ns", subscriber.latency)
        member("batch_events", subscriber.batchSize)
        endObject()
    }

    private mutating func member(_ name: String, _ summary: HistogramSummary) {
        beginObject(name)
        member("count", summary.count)
        member("p50", summary.median)
        member("p90", summary.p90)
        member("p99", summary.p99)
        member("max", summary.maximum)
        endObject()
    }
}
