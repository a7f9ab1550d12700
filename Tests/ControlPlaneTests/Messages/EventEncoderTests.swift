import CollectorCore
import ControlPlane
import EventModel
import SwiftProtobuf
import Testing
import Wire
import WireMessages

/// The fast way to write events, held against the plain one.
struct EventEncoderTests {
    @Test func `the encoder writes what the generated code writes`() throws {
        var values = RandomValues(seed: 21)
        for number in 0..<150 {
            let batch = try values.batch(of: 1 + Int(values.next() % 5))
            let indices: [UInt16]? = values.flag() ? nil : [0]
            let selected = SelectedEvents(batch: batch, indices: indices)
            var message = WireEventBatch(selected)
            message.through = values.flag() ? 0 : values.number()
            let expected: [UInt8] = try message.serializedBytes()
            try #require(
                EventEncoder.bytes(of: selected, through: message.through) == expected, "sample \(number)")
        }
    }

    @Test func `lengths of one, two, three and four bytes are written alike`() throws {
        var values = RandomValues(seed: 22)
        for length in [0, 1, 90, 120, 127, 128, 129, 16_000, 16_383, 16_384, 16_500, 2_097_151, 2_097_152] {
            var process = ProcessEvent(identity: values.identity())
            process.commandLine = [String(repeating: "x", count: length)]
            let batch = Self.batch(of: .process(process))
            let expected: [UInt8] = try WireEventBatch(batch).serializedBytes()
            #expect(
                EventEncoder.bytes(of: SelectedEvents(batch: batch, indices: nil), through: 0) == expected,
                "\(length)")
        }
    }

    @Test func `an event that fits is not shortened`() throws {
        var values = RandomValues(seed: 23)
        let batch = Self.batch(of: .process(values.process()))
        var message = WireEventBatch(batch)
        message.through = batch.events[0].sequence
        let expected: [UInt8] = try message.serializedBytes()
        #expect(EventEncoder.bytes(ofEventAt: 0, of: batch, atMost: expected.count) == expected)
    }

    @Test(arguments: [1, 7, 100, 1_000, 100_000, 1_500_000])
    func `a command line that does not fit is cut between arguments, and the event says so`(
        argumentLength: Int
    ) throws {
        let limit = Frame.serverPayloadByteCount - 64
        var values = RandomValues(seed: 24)
        var process = ProcessEvent(identity: values.identity())
        let argument = String(repeating: "x", count: argumentLength)
        process.commandLine = Array(
            repeating: argument, count: min(Limits.argumentCount, 1 + 3_000_000 / argumentLength))
        // Short arguments alone never fill a frame; a long one at the end does.
        process.commandLine.append(String(repeating: "y", count: 1_200_000))
        let batch = Self.batch(of: .process(process))
        let bytes = try #require(EventEncoder.bytes(ofEventAt: 0, of: batch, atMost: limit))
        #expect(bytes.count <= limit)
        let event = try EventBatch(try WireEventBatch(serializedBytes: bytes)).events[0]
        guard case .process(let cut) = event.subject else {
            Issue.record("not a process")
            return
        }
        #expect(cut.isCommandLineTruncated)
        #expect(cut.commandLine == Array(process.commandLine.prefix(cut.commandLine.count)))
        let next = process.commandLine[cut.commandLine.count].utf8.count
        // Short arguments take more bytes for their lengths than is reckoned with.
        #expect(bytes.count + next + 2 * cut.commandLine.count + 16 > limit, "as much as fits")
    }

    @Test func `an event of another domain that does not fit is refused, not changed`() {
        let file = FilesystemEvent(path: String(repeating: "x", count: 4_000), operation: .created)
        let batch = Self.batch(of: .filesystem(file))
        #expect(EventEncoder.bytes(ofEventAt: 0, of: batch, atMost: 4_000) == nil)
        #expect(EventEncoder.bytes(ofEventAt: 0, of: batch, atMost: 5_000) != nil)
    }

    private static func batch(of subject: CollectionEvent) -> EventBatch {
        var event = Event(
            source: "process", kind: .processExec, origin: .emitted, time: WallTime(nanoseconds: 1),
            monotonic: Instant(nanoseconds: 2), subject: subject, escaped: [])
        event.sequence = 7
        return EventBatch(
            run: RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(3)), source: "process",
            events: [event])
    }
}
