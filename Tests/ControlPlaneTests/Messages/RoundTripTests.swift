import CollectorCore
import ControlPlane
import EventModel
import SwiftProtobuf
import Testing
import WireMessages

/// Values become messages, bytes, messages and values again, and nothing is missing.
///
/// A field that somebody adds to a value without carrying it over fails here: the samples then either hold one value
/// only, or lose it on the way.
struct RoundTripTests {
    private static let sampleCount = 250

    private func check<Value, Wire: Message>(
        seed: UInt64, make: (inout RandomValues) throws -> Value, encode: (Value) -> Wire,
        decode: (Wire) throws -> Value
    ) throws {
        var values = RandomValues(seed: seed)
        var samples: [StoredFields] = []
        for number in 0..<Self.sampleCount {
            let value = try make(&values)
            let bytes: [UInt8] = try encode(value).serializedBytes()
            let again = try decode(try Wire(serializedBytes: bytes))
            samples.append(StoredFields(of: value))
            try #require(StoredFields(of: again) == StoredFields(of: value), "seed \(seed), sample \(number)")
        }
        #expect(StoredFields.constantPaths(in: samples) == [], "fields without samples")
    }

    @Test func `process events come back entire`() throws {
        try check(seed: 1, make: { $0.process() }, encode: { WireProcessEvent($0) }) { try ProcessEvent($0) }
    }

    @Test func `file events come back entire`() throws {
        try check(seed: 2, make: { $0.file() }, encode: { WireFileEvent($0) }) { try FilesystemEvent($0) }
    }

    @Test func `network events come back entire`() throws {
        try check(seed: 3, make: { $0.network() }, encode: { WireNetworkEvent($0) }) { try NetworkEvent($0) }
    }

    @Test func `measurements come back entire`() throws {
        try check(seed: 4, make: { $0.sample() }, encode: { WirePerformanceEvent($0) }) {
            try PerformanceEvent($0)
        }
    }

    @Test func `trigger requests come back entire`() throws {
        try check(seed: 5, make: { try $0.request() }, encode: { WireTriggerRequest($0) }) {
            try TriggerRequest($0)
        }
    }

    @Test func `runs come back entire`() throws {
        try check(seed: 6, make: { $0.run() }, encode: { WireRun($0) }) { try RunContext($0) }
    }

    @Test func `gaps come back entire`() throws {
        try check(seed: 7, make: { $0.gap() }, encode: { WireGap($0) }) { try Gap($0) }
    }

    @Test func `accounts of sources come back entire`() throws {
        try check(seed: 8, make: { $0.sourceAccount() }, encode: { WireSourceAccount($0) }) {
            try SourceAccount($0)
        }
    }

    @Test func `accounts of streams come back entire`() throws {
        try check(seed: 9, make: { $0.streamAccount() }, encode: { WireStreamAccount($0) }) {
            try StreamAccount($0)
        }
    }

    @Test func `health reports come back entire`() throws {
        try check(seed: 10, make: { $0.healthReport() }, encode: { WireHealth($0) }) { try HealthReport($0) }
    }

    @Test func `statuses of sources come back entire`() throws {
        try check(seed: 11, make: { $0.sourceStatus() }, encode: { WireSourceStatus($0) }) {
            try SourceStatus($0)
        }
    }

    @Test func `capability reports come back entire`() throws {
        try check(seed: 12, make: { $0.capabilityReport() }, encode: { WireCapabilities($0) }) {
            try CapabilityReport($0)
        }
    }

    @Test func `telemetry comes back entire`() throws {
        try check(seed: 13, make: { $0.telemetry() }, encode: { WireTelemetry($0) }) { try Telemetry($0) }
    }

    @Test func `events of all domains come back entire`() throws {
        try check(
            seed: 14,
            make: { values in
                var event = try values.event()
                event.source = values.source()
                event.sequence = values.number()
                return (event.source, event)
            },
            encode: { _, event in
                var message = WireEventBatch()
                message.source = event.source.rawValue
                message.events = [WireEvent(event)]
                return message
            },
            decode: { message in
                let source = try #require(SourceName(message.source))
                return (source, try Event(message.events[0], of: source))
            })
    }

    @Test func `a batch comes back with the selected events alone`() throws {
        var values = RandomValues(seed: 15)
        for _ in 0..<50 {
            let batch = try values.batch(of: 20)
            let indices = (0..<UInt16(20)).filter { _ in values.flag() } + [20 - 1]
            let selected = SelectedEvents(batch: batch, indices: Array(Set(indices)).sorted())
            let again = try EventBatch(WireEventBatch(selected))
            #expect(again.run == batch.run)
            #expect(again.source == batch.source)
            #expect(StoredFields(of: again.events) == StoredFields(of: ContiguousArray(selected)))
        }
    }
}
