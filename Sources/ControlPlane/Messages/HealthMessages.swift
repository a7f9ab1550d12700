package import CollectorCore
package import EventModel
package import WireMessages

extension WireHealthState {
    /// The message of a state.
    package init(_ health: Health) {
        self.init()
        switch health {
        case .healthy: level = .healthy
        case .degraded(let reason):
            level = .degraded
            self.reason = reason
        case .failed(let reason):
            level = .failed
            self.reason = reason
        }
    }
}

extension Health {
    /// Reads a state.
    package init(_ message: WireHealthState) throws(MessageError) {
        switch message.level {
        case .healthy: self = .healthy
        case .degraded: self = .degraded(reason: message.reason)
        case .failed: self = .failed(reason: message.reason)
        case .UNRECOGNIZED: throw MessageError(field: "level", expected: "a value of Level from 0 to 2")
        }
    }
}

extension WireHealth {
    /// The message of a report.
    package init(_ report: HealthReport) {
        self.init()
        component = report.component
        overall = WireHealthState(report.health)
        sources = report.sources.map { WireSourceHealth($0) }
        timeUnixNs = report.time.nanoseconds
        monotonicNs = report.monotonic.nanoseconds
    }
}

extension HealthReport {
    /// Reads a report.
    package init(_ message: WireHealth) throws(MessageError) {
        guard message.hasOverall else { throw MessageError(field: "overall", expected: "a value") }
        self.init(
            component: message.component,
            health: try within("overall") { () throws(MessageError) in try Health(message.overall) },
            sources: try converted(message.sources, "sources", atMost: MessageLimits.reportEntryCount) {
                (source) throws(MessageError) in try SourceHealth(source)
            },
            time: WallTime(nanoseconds: message.timeUnixNs),
            monotonic: Instant(nanoseconds: message.monotonicNs))
    }
}

extension WireSourceHealth {
    /// The message of how one source is.
    package init(_ source: SourceHealth) {
        self.init()
        self.source = source.source.rawValue
        state = source.state.rawValue
        health = WireHealthState(source.health)
        sinceMonotonicNs = source.since.nanoseconds
        restarts = UInt32(clamping: source.restartCount)
    }
}

extension SourceHealth {
    /// Reads how one source is.
    package init(_ message: WireSourceHealth) throws(MessageError) {
        guard message.hasHealth else { throw MessageError(field: "health", expected: "a value") }
        self.init(
            source: try SourceName(message.source, "source"), state: try named(message.state, "state"),
            health: try within("health") { () throws(MessageError) in try Health(message.health) },
            since: Instant(nanoseconds: message.sinceMonotonicNs),
            restartCount: try number(message.restarts, "restarts"))
    }
}

extension WireSourceStatus {
    /// The message of a change in a source's life.
    package init(_ status: SourceStatus) {
        self.init()
        source = status.source.rawValue
        state = status.state.rawValue
        if let reason = status.reason { self.reason = reason }
        attempt = UInt32(clamping: status.attempt)
        if let delay = status.retryDelay { retryInNs = delay.wholeNanoseconds }
        capabilities = status.capabilities.labels
        timeUnixNs = status.time.nanoseconds
        monotonicNs = status.monotonic.nanoseconds
    }
}

extension SourceStatus {
    /// Reads a change in a source's life.
    package init(_ message: WireSourceStatus) throws(MessageError) {
        self.init(
            source: try SourceName(message.source, "source"), state: try named(message.state, "state"),
            reason: message.hasReason ? message.reason : nil, attempt: try number(message.attempt, "attempt"),
            retryDelay: message.hasRetryInNs ? .nanoseconds(message.retryInNs) : nil,
            capabilities: try SourceCapabilities(labels: message.capabilities),
            time: WallTime(nanoseconds: message.timeUnixNs),
            monotonic: Instant(nanoseconds: message.monotonicNs))
    }
}

extension WireCapabilities {
    /// The message of what the sources are able to observe; ``tasks`` is not theirs to say.
    package init(_ report: CapabilityReport) {
        self.init()
        component = report.component
        capabilities = report.capabilities.labels
        sources = report.sources.map(\.rawValue)
        timeUnixNs = report.time.nanoseconds
        monotonicNs = report.monotonic.nanoseconds
    }
}

extension CapabilityReport {
    /// Reads what the sources are able to observe.
    package init(_ message: WireCapabilities) throws(MessageError) {
        self.init(
            component: message.component, capabilities: try SourceCapabilities(labels: message.capabilities),
            sources: try converted(message.sources, "sources", atMost: MessageLimits.reportEntryCount) {
                (source) throws(MessageError) in try SourceName(source, "name")
            },
            time: WallTime(nanoseconds: message.timeUnixNs),
            monotonic: Instant(nanoseconds: message.monotonicNs))
    }
}

extension SourceCapabilities {
    /// Reads the names that ``labels`` gives.
    fileprivate init(labels: [String]) throws(MessageError) {
        self.init(rawValue: 0)
        let bits = try converted(labels, "capabilities", atMost: 32) { (label) throws(MessageError) in
            let bit = (0..<32 as Range<UInt32>).first {
                SourceCapabilities(rawValue: 1 << $0).labels == [label]
            }
            guard let bit else {
                let known = SourceCapabilities(rawValue: 0x7f).labels.map { "\"\($0)\"" }
                throw MessageError(
                    field: "name", expected: "one of \(known.joined(separator: ", ")), \"bit7\" to \"bit31\"")
            }
            return bit
        }
        for bit in bits { rawValue |= 1 << bit }
    }
}
