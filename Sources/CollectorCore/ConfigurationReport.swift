public import EventModel
import Synchronization

/// What became of an attempt to change the configuration of a collector that runs.
public struct ConfigurationReport: Hashable, Sendable {
    public var component: String
    /// Counts the configurations that have been in force, from 1; a refused one does not count.
    public var generation: UInt64
    /// Keys of settings whose value has changed now.
    public var changed: [String]
    /// Keys of settings that have another value at the next start.
    public var pending: [String]
    /// Why nothing has changed, one problem each; empty when the configuration is in force.
    public var problems: [String]
    public var time: WallTime
    public var monotonic: Instant

    /// Makes a report from its parts.
    public init(
        component: String, generation: UInt64, changed: [String] = [], pending: [String] = [],
        problems: [String] = [], time: WallTime, monotonic: Instant
    ) {
        self.component = component
        self.generation = generation
        self.changed = changed
        self.pending = pending
        self.problems = problems
        self.time = time
        self.monotonic = monotonic
    }
}

extension ConfigurationReport {
    /// Appends the report as a JSON object, without a line break:
    /// `{"record":"status","kind":"collector.configuration",...}`.
    public func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "status")
            json.member("schema", Int64(EventJSON.schemaVersion))
            json.member("kind", "collector.configuration")
            json.member("component", component)
            json.member("generation", generation)
            for (name, values) in [("changed", changed), ("pending", pending), ("problems", problems)] {
                json.beginArray(name)
                for value in values { json.value(value) }
                json.endArray()
            }
            json.key("time")
            json.quoted { time.append(to: &$0) }
            json.member("monotonic_ns", monotonic.nanoseconds)
            json.endObject()
        }
    }
}

extension Collector {
    /// Takes over what may change while it runs: how often health is asked and telemetry made, whether it is, and whether
    /// decisions are told. An interval that is under way ends as it began.
    ///
    /// - Throws: ``InvalidConfiguration``, and then nothing has changed.
    public func adjust(to configuration: CollectorConfiguration) throws(InvalidConfiguration) {
        var next = self.configuration
        next.healthCheckInterval = configuration.healthCheckInterval
        next.telemetryInterval = configuration.telemetryInterval
        next.enableTelemetry = configuration.enableTelemetry
        next.enableDebugLogging = configuration.enableDebugLogging
        try next.validate()
        state.withLock { $0.configuration = next }
    }

    /// Tells subscribers what became of a change, and counts it in ``Telemetry``.
    public func announce(_ report: ConfigurationReport) {
        state.withLock { state in
            state.configurationGeneration = report.generation
            if !report.problems.isEmpty { state.refusedConfigurationCount += 1 }
            state.outbox.append(.configuration(report))
        }
        publishRecords()
    }
}
