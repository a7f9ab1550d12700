import EventModel

extension SourceStatus {
    /// Appends the status as a JSON object, without a line break: `{"record":"status","kind":"collector.source",...}`.
    public func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "status")
            json.member("schema", Int64(EventJSON.schemaVersion))
            json.member("kind", "collector.source")
            json.member("source", source.rawValue)
            json.member("state", state.rawValue)
            if let reason { json.member("reason", reason) }
            json.member("attempt", Int64(attempt))
            if let retryDelay { json.member("retry_in_ns", retryDelay.wholeNanoseconds) }
            json.member("capabilities", capabilities)
            json.key("time")
            json.quoted { time.append(to: &$0) }
            json.member("monotonic_ns", monotonic.nanoseconds)
            json.endObject()
        }
    }
}

extension CapabilityReport {
    /// Appends the report as a JSON object, without a line break:
    /// `{"record":"status","kind":"collector.capabilities",...}`.
    public func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "status")
            json.member("schema", Int64(EventJSON.schemaVersion))
            json.member("kind", "collector.capabilities")
            json.member("component", component)
            json.member("capabilities", capabilities)
            json.beginArray("sources")
            for source in sources { json.value(source.rawValue) }
            json.endArray()
            json.key("time")
            json.quoted { time.append(to: &$0) }
            json.member("monotonic_ns", monotonic.nanoseconds)
            json.endObject()
        }
    }
}

extension CollectorRecord {
    /// Appends the record as a JSON object, without a line break.
    public func appendJSON(to bytes: inout [UInt8]) {
        switch self {
        case .capabilities(let report): report.appendJSON(to: &bytes)
        case .health(let report): report.appendJSON(to: &bytes)
        case .telemetry(let telemetry): telemetry.appendJSON(to: &bytes)
        case .configuration(let report): report.appendJSON(to: &bytes)
        }
    }
}

extension JSONWriter {
    mutating func member(_ name: String, _ capabilities: SourceCapabilities) {
        beginArray(name)
        for label in capabilities.labels { value(label) }
        endArray()
    }
}
