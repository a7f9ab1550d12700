package import EventModel
import SwiftProtobuf
import WireMessages

/// Reads events from the bytes of a message; gives what ``EventBatch/init(_:)`` gives for the same bytes.
///
/// For what comes hundreds of thousands of times a second: processes and files are read without a message in
/// between, which would take several times as long. One difference: a message that stands twice where one belongs
/// is refused, not merged.
package enum EventDecoder {
    /// Some events of a batch, as a server sends them.
    package struct Events: Sendable {
        /// Only those that the server selected.
        package var batch: EventBatch
        /// The last sequence that was looked at; 0 when the server does not say.
        package var through: UInt64
    }

    /// The request that a `ServerMessage` with events belongs to; `nil` for one with anything else.
    ///
    /// Looks at the first bytes only: what follows may still make no sense.
    package static func request(ofEventsIn payload: [UInt8]) -> UInt64? {
        let bytes = payload.span
        var reader = FieldReader(bytes)
        guard let tag = try? reader.next(in: bytes), tag.field == 1, tag.layout == .number,
            let id = try? reader.number(in: bytes), let body = try? reader.next(in: bytes), body.field == 7,
            body.layout == .bytes
        else { return nil }
        return id
    }

    /// The events of a `ServerMessage`.
    ///
    /// - Throws: ``MessageError`` when there are none, or something in them makes no sense.
    package static func events(inServerMessage payload: [UInt8]) throws(MessageError) -> Events {
        let bytes = payload.span
        var reader = FieldReader(bytes)
        var events: Events?
        while let tag = try reader.next(in: bytes) {
            switch (tag.field, tag.layout) {
            case (7, .bytes):
                try once(events == nil, "events")
                var inner = try reader.inner(in: bytes)
                events = try batch(bytes, &inner)
            default: try reader.skip(tag, in: bytes)
            }
        }
        guard let events else { throw MessageError(field: "body", expected: "events") }
        return events
    }

    /// The events of an `EventBatch`.
    package static func events(inBatch message: [UInt8]) throws(MessageError) -> Events {
        let bytes = message.span
        var reader = FieldReader(bytes)
        return try batch(bytes, &reader)
    }

    // MARK: - Batches

    private static func batch(
        _ bytes: Span<UInt8>, _ reader: inout FieldReader
    ) throws(MessageError) -> Events {
        var run: RunContext?
        var source = ""
        var through: UInt64 = 0
        var places: [FieldReader] = []
        places.reserveCapacity(128)
        while let tag = try reader.next(in: bytes) {
            switch (tag.field, tag.layout) {
            case (1, .bytes):
                try once(run == nil, "run")
                var inner = try reader.inner(in: bytes)
                run = try within("run") { () throws(MessageError) in try self.run(bytes, &inner) }
            case (2, .bytes): source = try reader.text(in: bytes)
            case (3, .bytes): places.append(try reader.inner(in: bytes))
            case (4, .number): through = try reader.number(in: bytes)
            default: try reader.skip(tag, in: bytes)
            }
        }
        guard let run else { throw MessageError(field: "run", expected: "a value") }
        let name = try SourceName(source, "source")
        guard !places.isEmpty else { throw MessageError(field: "events", expected: "at least one") }
        let events = try events(bytes, at: places, of: name)
        return Events(batch: EventBatch(run: run, source: name, events: events), through: through)
    }

    private static func events(
        _ bytes: Span<UInt8>, at places: [FieldReader], of source: SourceName
    ) throws(MessageError) -> ContiguousArray<Event> {
        var events: ContiguousArray<Event> = []
        events.reserveCapacity(places.count)
        var last: UInt64 = 0
        for place in places {
            var inner = place
            let event = try within("events[\(events.count)]") { () throws(MessageError) in
                try self.event(bytes, &inner, of: source)
            }
            guard event.sequence > last else {
                throw MessageError(
                    field: "events[\(events.count)].sequence", expected: "more than that of the event before")
            }
            last = event.sequence
            events.append(event)
        }
        return events
    }

    private static func run(
        _ bytes: Span<UInt8>, _ reader: inout FieldReader
    ) throws(MessageError) -> RunContext {
        var boot: BootID?
        var run: UInt64 = 0
        while let tag = try reader.next(in: bytes) {
            switch (tag.field, tag.layout) {
            case (1, .bytes):
                let words = try reader.identifier(in: bytes, "boot_id")
                boot = BootID(high: words.high, low: words.low)
            case (2, .number): run = try reader.number(in: bytes)
            default: try reader.skip(tag, in: bytes)
            }
        }
        guard let boot else {
            throw MessageError(field: "boot_id", expected: "8-4-4-4-12 hexadecimal digits")
        }
        return RunContext(bootID: boot, runID: RunID(run))
    }

    // MARK: - Events

    private static func event(
        _ bytes: Span<UInt8>, _ reader: inout FieldReader, of source: SourceName
    ) throws(MessageError) -> Event {
        var sequence: UInt64 = 0
        var kind = ""
        var origin = EventOrigin.emitted
        var time: Int64 = 0
        var monotonic: Int64 = 0
        var escaped: [String] = []
        var subject: CollectionEvent?
        while let tag = try reader.next(in: bytes) {
            switch (tag.field, tag.layout) {
            case (1, .number): sequence = try reader.number(in: bytes)
            case (2, .bytes): kind = try reader.text(in: bytes)
            case (3, .number): origin = try EventOrigin(number: try reader.halfNumber(in: bytes))
            case (4, .word): time = try reader.time(in: bytes)
            case (5, .word): monotonic = try reader.time(in: bytes)
            case (6, .bytes): escaped.append(try reader.text(in: bytes))
            case (7...11, .bytes):
                try once(subject == nil, "subject")
                subject = try self.subject(tag.field, bytes, try reader.inner(in: bytes))
            default: try reader.skip(tag, in: bytes)
            }
        }
        guard let subject else { throw CollectionEvent.missing }
        var event = Event(
            source: source, kind: try named(kind, "kind"), origin: origin, time: WallTime(nanoseconds: time),
            monotonic: Instant(nanoseconds: monotonic), subject: subject, escaped: escaped)
        event.sequence = sequence
        return event
    }

    private static func subject(
        _ field: UInt64, _ bytes: Span<UInt8>, _ reader: FieldReader
    ) throws(MessageError) -> CollectionEvent {
        if field == 7 {
            var inner = reader
            return .process(
                try within("process") { () throws(MessageError) in try ProcessEvent(bytes, &inner) })
        }
        if field == 8 {
            var inner = reader
            return .filesystem(
                try within("file") { () throws(MessageError) in try FilesystemEvent(bytes, &inner) })
        }
        // Rare beside processes and files: by way of the generated code.
        let slice = reader.range.map { bytes[$0] }
        switch field {
        case 9: return try CollectionEvent(.network(try generated(slice)))
        case 10: return try CollectionEvent(.performance(try generated(slice)))
        default: return try CollectionEvent(.triggerRequest(try generated(slice)))
        }
    }

    /// Reads a message by the generated code.
    static func generated<Wire: Message>(_ bytes: [UInt8]) throws(MessageError) -> Wire {
        do {
            return try Wire(serializedBytes: bytes)
        } catch {
            throw FieldReader.malformed
        }
    }

    /// Complains of a message that stands where one stood already.
    static func once(_ isFirst: Bool, _ field: String) throws(MessageError) {
        guard isFirst else { throw MessageError(field: field, expected: "one value") }
    }
}
