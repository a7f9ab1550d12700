extension NetworkEvent {
    /// Writes the members of the `network` object: see ``EventJSON``.
    package func appendMembers(to json: inout JSONWriter) {
        json.member("connection_id", connectionID)
        json.member("source_address", source.address)
        json.member("source_port", UInt64(source.port))
        json.member("destination_address", destination.address)
        json.member("destination_port", UInt64(destination.port))
        json.member("protocol", protocolName.rawValue)
        json.member("state", state.rawValue)
        json.member("pid", ifPresent: pid)
        json.member("sent_bytes", sentByteCount)
        json.member("received_bytes", receivedByteCount)
    }
}

extension PerformanceEvent {
    /// Writes the members of the `performance` object: see ``EventJSON``.
    package func appendMembers(to json: inout JSONWriter) {
        json.member("metric", metricName)
        json.member("value", value)
        json.member("unit", unit)
        json.member("pid", ifPresent: pid)
        json.member("component", component)
    }
}

extension TriggerRequest {
    /// Writes the members of the `trigger_request` object: see ``EventJSON``.
    package func appendMembers(to json: inout JSONWriter) {
        json.member("trigger_id", triggerID)
        json.member("target_collector", targetCollector)
        json.member("analysis_type", analysisType.label)
        json.member("priority", priority.rawValue)
        json.member("target_pid", ifPresent: targetPID)
        json.member("target_path", ifPresent: targetPath)
        json.member("correlation_id", correlationID)
        json.beginObject("metadata")
        for (key, value) in metadata {
            json.foreignKey(key)
            json.value(value)
        }
        json.endObject()
    }
}
