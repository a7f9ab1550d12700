import CollectorCore
import ControlPlane
import EventModel
import SwiftProtobuf
import Testing
import WireMessages

/// The fast way to read events, held against the plain one.
struct EventDecoderTests {
    private static func plain(_ bytes: [UInt8]) -> EventBatch? {
        // Which of many things is wrong with the bytes does not matter here.
        guard let message = try? WireEventBatch(serializedBytes: bytes) else { return nil }
        return try? EventBatch(message)
    }

    private static func read(_ bytes: [UInt8]) -> Result<EventDecoder.Events, MessageError> {
        do throws(MessageError) {
            return .success(try EventDecoder.events(inBatch: bytes))
        } catch {
            return .failure(error)
        }
    }

    private static func same(_ one: EventBatch, _ other: EventBatch) -> Bool {
        one.run == other.run && one.source == other.source
            && StoredFields(of: one.events) == StoredFields(of: other.events)
    }

    @Test func `the decoder reads what the encoder wrote`() throws {
        var values = RandomValues(seed: 41)
        for number in 0..<150 {
            let batch = try values.batch(of: 3)
            let selected = SelectedEvents(batch: batch, indices: nil)
            let events = try EventDecoder.events(
                inBatch: EventEncoder.bytes(of: selected, through: UInt64(number)))
            try #require(Self.same(events.batch, batch), "sample \(number)")
            try #require(events.through == UInt64(number))
        }
    }

    @Test func `wrong bits are read like the generated code reads them, or refused`() throws {
        var values = RandomValues(seed: 42)
        var readCount = 0
        var refusedCount = 0
        for number in 0..<2_000 {
            var bytes = EventEncoder.bytes(
                of: SelectedEvents(batch: try values.batch(of: 2), indices: nil), through: 0)
            for _ in 0...Int(values.next() % 2) {
                bytes[Int(values.next() % UInt64(bytes.count))] ^= UInt8(1 << (values.next() & 7))
            }
            let expected = Self.plain(bytes)
            switch Self.read(bytes) {
            case .success(let events):
                let expected = try #require(expected, "sample \(number)")
                try #require(Self.same(events.batch, expected), "sample \(number)")
                readCount += 1
            case .failure(let error):
                let isDue = expected == nil || error.expected == "one value" || Self.isOverridden(bytes)
                try #require(isDue, "sample \(number): \(error)")
                refusedCount += 1
            }
        }
        #expect(readCount > 100 && refusedCount > 100)
    }

    /// Whether one field replaces another: the generated code never looks into what is replaced, ours does.
    private static func isOverridden(_ bytes: [UInt8]) -> Bool {
        guard let message = try? WireEventBatch(serializedBytes: bytes),
            let again: [UInt8] = try? message.serializedBytes()
        else { return false }
        return again.count < bytes.count
    }

    @Test func `a field of another type than its number says does not count`() throws {
        var values = RandomValues(seed: 46)
        var event = try values.event()
        event.sequence = 1
        event.subject = .filesystem(FilesystemEvent(path: "/x", operation: .created))
        let batch = EventBatch(run: values.run(), source: "filesystem", events: [event])
        var bytes = EventEncoder.bytes(of: SelectedEvents(batch: batch, indices: nil), through: 0)
        // `operation`, seven bytes of text, becomes a number of one byte and a text in a field that nobody knows.
        let operation: [UInt8] = [3 << 3 | 2, 7] + Array("created".utf8)
        let place = try #require(
            bytes.indices.last { bytes[$0...].starts(with: operation) }, "the operation must be there")
        bytes.replaceSubrange(
            place..<place + operation.count, with: [3 << 3, 1, 15 << 3 | 2, 5] + Array("00000".utf8))
        #expect(Self.plain(bytes) == nil)
        let error = #expect(throws: MessageError.self) { try EventDecoder.events(inBatch: bytes) }
        #expect(error?.field == "events[0].file.operation")
    }

    @Test func `a batch that ends too early is refused at every byte`() throws {
        var values = RandomValues(seed: 43)
        let bytes = EventEncoder.bytes(
            of: SelectedEvents(batch: try values.batch(of: 1), indices: nil), through: 300)
        // Without the sequence that was looked at, three bytes in all, it is whole again.
        for count in 0..<bytes.count - 3 {
            #expect(throws: MessageError.self) {
                try EventDecoder.events(inBatch: Array(bytes.prefix(count)))
            }
        }
    }

    @Test func `an error has the path of the field`() throws {
        var values = RandomValues(seed: 44)
        var process = values.process()
        process.ancestors = [ProcessIdentity(pid: ProcessID(-1), birth: .scan(startTicks: 0, pidFDInode: 0))]
        var event = try values.event()
        event.subject = .process(process)
        event.sequence = 1
        let batch = EventBatch(run: values.run(), source: "process", events: [event])
        let error = #expect(throws: MessageError.self) {
            try EventDecoder.events(
                inBatch: EventEncoder.bytes(of: SelectedEvents(batch: batch, indices: nil), through: 0))
        }
        #expect(error?.field == "events[0].process.ancestors[0].pid")
    }

    @Test func `events of a server's message are told from its other messages`() throws {
        var values = RandomValues(seed: 45)
        let batch = try values.batch(of: 2)
        var message = WireServerMessage()
        message.requestID = 300
        message.events = WireEventBatch(batch)
        message.events.through = 9
        let payload: [UInt8] = try message.serializedBytes()
        #expect(EventDecoder.request(ofEventsIn: payload) == 300)
        let events = try EventDecoder.events(inServerMessage: payload)
        #expect(Self.same(events.batch, batch))
        #expect(events.through == 9)
        message.gap = WireGap(values.gap())
        let other: [UInt8] = try message.serializedBytes()
        #expect(EventDecoder.request(ofEventsIn: other) == nil)
        #expect(throws: MessageError.self) { try EventDecoder.events(inServerMessage: other) }
        #expect(EventDecoder.request(ofEventsIn: []) == nil)
    }
}
