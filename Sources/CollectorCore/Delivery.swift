public import EventModel

/// One item of a subscriber's stream.
public enum Delivery: Sendable {
    /// Those events of a shared batch that pass the subscriber's filter.
    case events(SelectedEvents)
    /// Something is missing at this place.
    case gap(Gap)
    /// A source changed its state.
    case status(SourceStatus)
    /// What the collector says about itself.
    case record(CollectorRecord)
}

/// What a collector says about itself.
public enum CollectorRecord: Sendable {
    /// Sources were added or removed, or have failed for good.
    case capabilities(CapabilityReport)
    /// The health of a source, or of the whole, has changed.
    case health(HealthReport)
    /// Regular measurements.
    case telemetry(Telemetry)
    /// The configuration has changed, or was asked to and has not.
    case configuration(ConfigurationReport)
}

/// A batch and the indices in it that a subscriber asked for; no event is copied.
public struct SelectedEvents: Sequence, Sendable {
    public let batch: EventBatch
    /// Indices into the batch, ascending; `nil` stands for all.
    /// `nil` for the whole batch.
    package let indices: [UInt16]?

    package init(batch: EventBatch, indices: [UInt16]?) {
        self.batch = batch
        self.indices = indices
    }

    public var count: Int { indices?.count ?? batch.events.count }

    /// Calls `body` with each selected event in place.
    public func forEach(_ body: (borrowing Event, Int) throws -> Void) rethrows {
        guard let indices else {
            for index in batch.events.indices { try body(batch.events[index], index) }
            return
        }
        for index in indices { try body(batch.events[Int(index)], Int(index)) }
    }

    public func makeIterator() -> AnyIterator<Event> {
        var position = 0
        return AnyIterator {
            guard position < count else { return nil }
            defer { position += 1 }
            return batch.events[indices.map { Int($0[position]) } ?? position]
        }
    }
}

/// A change in the life of a source.
public struct SourceStatus: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// A run begins.
        case starting
        case ready
        /// Its run was cancelled because it was not ready in time, hung or said that it has failed.
        case stopping
        /// Its run has ended; another one follows after ``SourceStatus/retryDelay``.
        case restarting
        /// Ended for good, as it should.
        case stopped
        /// Ended for good, with an error or because it had been restarted too often.
        case failed
        /// Its run did not end in time: its thread was left behind.
        case abandoned
    }

    public var source: SourceName
    public var state: State
    /// Why, for `stopping`, `restarting`, `failed` and `abandoned`.
    public var reason: String?
    /// The number of the run, from 1; 0 for a source that never ran.
    public var attempt: Int
    /// How long until the next run, for `restarting`.
    public var retryDelay: Duration?
    public var capabilities: SourceCapabilities
    public var time: WallTime
    public var monotonic: Instant

    package init(
        source: SourceName, state: State, reason: String?, attempt: Int = 1, retryDelay: Duration? = nil,
        capabilities: SourceCapabilities = [], time: WallTime, monotonic: Instant
    ) {
        self.source = source
        self.state = state
        self.reason = reason
        self.attempt = attempt
        self.retryDelay = retryDelay
        self.capabilities = capabilities
        self.time = time
        self.monotonic = monotonic
    }
}

/// What the sources that have not ended are able to observe, after a change.
public struct CapabilityReport: Hashable, Sendable {
    public var component: String
    /// The union over all sources.
    public var capabilities: SourceCapabilities
    /// The sources, in the order in which they were added.
    public var sources: [SourceName]
    public var time: WallTime
    public var monotonic: Instant

    package init(
        component: String, capabilities: SourceCapabilities, sources: [SourceName], time: WallTime,
        monotonic: Instant
    ) {
        self.component = component
        self.capabilities = capabilities
        self.sources = sources
        self.time = time
        self.monotonic = monotonic
    }
}
