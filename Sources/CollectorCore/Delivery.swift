public import EventModel

/// One item of a subscriber's stream.
public enum Delivery: Sendable {
    /// Those events of a shared batch that pass the subscriber's filter.
    case events(SelectedEvents)
    /// Something is missing at this place.
    case gap(Gap)
    /// A source changed its state.
    case status(SourceStatus)
}

/// A batch and the indices in it that a subscriber asked for; no event is copied.
public struct SelectedEvents: Sequence, Sendable {
    public let batch: EventBatch
    /// Indices into the batch, ascending; `nil` stands for all.
    private let indices: [UInt16]?

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
        case starting, ready, stopped, failed
        /// Did not stop in time: its thread was left behind.
        case abandoned
    }

    public var source: SourceName
    public var state: State
    /// Why, for `failed` and `abandoned`.
    public var reason: String?
    public var time: WallTime
    public var monotonic: Instant

    package init(source: SourceName, state: State, reason: String?, time: WallTime, monotonic: Instant) {
        self.source = source
        self.state = state
        self.reason = reason
        self.time = time
        self.monotonic = monotonic
    }
}
