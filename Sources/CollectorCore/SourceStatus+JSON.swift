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
            json.key("time")
            json.quoted { time.append(to: &$0) }
            json.member("monotonic_ns", monotonic.nanoseconds)
            json.endObject()
        }
    }
}
