public import EventModel

/// A source's way into the pipeline. One producer at a time.
public struct Emitter: Sendable {
    package let buffer: SourceBuffer

    package init(buffer: SourceBuffer) { self.buffer = buffer }

    /// Emits one event. Does not suspend while the source's buffer has room.
    public func emit(_ event: Event) async {
        var events: ContiguousArray<Event> = [event]
        await buffer.emit(&events)
    }

    /// Emits events in their order and empties the array.
    ///
    /// Cheapest with 2 ... ``CollectorConfiguration/maxBatchSize`` events at a time: they become a batch uncopied.
    public func emit(contentsOf events: inout ContiguousArray<Event>) async {
        await buffer.emit(&events)
    }

    /// Hands the open batch to the subscribers now: call it before waiting for more.
    public func flush() { buffer.flush() }

    /// Records that something is missing at this place of the stream.
    public func report(_ gap: Gap) { buffer.report(gap) }

    /// Whether the buffer is filled to ``CollectorConfiguration/backpressureThreshold`` or more.
    public var isUnderPressure: Bool { buffer.isUnderPressure }

    /// Enters what became of the emitted events into an account.
    public func enterCounts(into account: inout SourceAccount) {
        let counts = buffer.counts
        account.emitted = counts.emitted
        account.dropped = counts.dropped
        account.syntheticDropped = counts.syntheticDropped
    }
}
