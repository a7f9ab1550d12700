package import CollectorCore
package import EventModel

/// What the schema has no class for: Base Events whose `unmapped` is the collector's own record.
extension OCSFProjection {
    /// Appends a gap, without a line break.
    ///
    /// Its severity is medium: what a report rests on is incomplete.
    package func append(_ gap: Gap, to bytes: inout [UInt8]) {
        let count = gap.lost.map(String.init) ?? "at least \(gap.lostBounds.atLeast)"
        append(
            "Gap", .medium, at: gap.time, message: "\(count) lost by \(gap.source): \(gap.cause.rawValue)",
            to: &bytes
        ) { gap.appendJSON(to: &$0) }
    }

    /// Appends a change in the life of a source, without a line break.
    package func append(_ status: SourceStatus, to bytes: inout [UInt8]) {
        let severity: OCSFSeverity =
            switch status.state {
            case .failed, .abandoned: .high
            case .stopping, .restarting: .low
            case .starting, .ready, .stopped: .informational
            }
        let reason = status.reason.map { ": " + $0 } ?? ""
        append(
            "Source Status", severity, at: status.time,
            message: "source \(status.source) is \(status.state.rawValue)\(reason)", to: &bytes
        ) { status.appendJSON(to: &$0) }
    }

    /// Appends what the collector says about itself, without a line break.
    package func append(_ record: CollectorRecord, to bytes: inout [UInt8]) {
        let (name, time): (String, WallTime) =
            switch record {
            case .capabilities(let report): ("Capabilities", report.time)
            case .health(let report): ("Health", report.time)
            case .telemetry(let telemetry): ("Telemetry", telemetry.time)
            case .configuration(let report): ("Configuration", report.time)
            }
        append(name, .informational, at: time, message: nil, to: &bytes) { record.appendJSON(to: &$0) }
    }

    /// Appends the account of a source, which was closed at `time`, without a line break.
    ///
    /// One that does not balance is of high severity: the collector miscounts.
    package func append(_ account: SourceAccount, at time: WallTime, to bytes: inout [UInt8]) {
        appendAccount(of: "source \(account.source)", account.isBalanced, at: time, to: &bytes) {
            account.appendJSON(to: &$0)
        }
    }

    /// Appends the account of a subscriber, which was closed at `time`, without a line break.
    package func append(_ account: StreamAccount, at time: WallTime, to bytes: inout [UInt8]) {
        appendAccount(of: "subscriber \(account.subscriber)", account.isBalanced, at: time, to: &bytes) {
            account.appendJSON(to: &$0)
        }
    }

    private func appendAccount(
        of owner: String, _ isBalanced: Bool, at time: WallTime, to bytes: inout [UInt8],
        record: (inout [UInt8]) -> Void
    ) {
        append(
            "Account", isBalanced ? .informational : .high, at: time,
            message: "the account of \(owner) \(isBalanced ? "balances" : "does not balance")", to: &bytes,
            record: record)
    }

    private func append(
        _ name: String, _ severity: OCSFSeverity, at time: WallTime, message: String?, to bytes: inout [UInt8],
        record: (inout [UInt8]) -> Void
    ) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            appendHead(OCSFClassification(unclassed: name, severity: severity), time: time, to: &json)
            if let message { json.member("message", message) }
            beginMetadata(&json)
            json.beginArray("profiles")
            json.value("host")
            json.value("datetime")
            json.endArray()
            json.endObject()
            appendDevice(bootID: nil, to: &json)
            json.key("unmapped")
            json.embedded(record)
            json.endObject()
        }
    }
}
