import EventModel

extension HealthReport {
    /// Appends the report as a JSON object, without a line break:
    /// `{"record":"status","kind":"collector.health",...}`.
    public func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "status")
            json.member("schema", Int64(EventJSON.schemaVersion))
            json.member("kind", "collector.health")
            json.member("component", component)
            json.member(health)
            json.beginArray("sources")
            for source in sources {
                json.beginObject()
                json.member("source", source.source.rawValue)
                json.member("state", source.state.rawValue)
                json.member(source.health)
                json.member("since_ns", source.since.nanoseconds)
                json.member("restarts", Int64(source.restartCount))
                json.endObject()
            }
            json.endArray()
            json.key("time")
            json.quoted { time.append(to: &$0) }
            json.member("monotonic_ns", monotonic.nanoseconds)
            json.endObject()
        }
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ health: Health) {
        switch health {
        case .healthy: member("health", "healthy")
        case .degraded(let reason):
            member("health", "degraded")
            member("reason", reason)
        case .failed(let reason):
            member("health", "failed")
            member("reason", reason)
        }
    }
}
