import EventModel
import HostSources
import SimulatedBackends
import Testing

@Suite struct ConnectorCursorTests {
    private let sample = ConnectorCursor(
        bootID: sampleBootID,
        positions: [
            ConnectorCursor.Position(processor: 0, sequence: 12_345),
            ConnectorCursor.Position(processor: 7, sequence: .max),
        ])

    @Test func `a cursor survives the file`() {
        #expect(ConnectorCursor(parsing: sample.bytes) == sample)
        let empty = ConnectorCursor(bootID: sampleBootID, positions: [])
        #expect(ConnectorCursor(parsing: empty.bytes) == empty)
    }

    @Test func `a cursor cut anywhere is no cursor`() {
        let bytes = sample.bytes
        for count in 0..<bytes.count {
            #expect(ConnectorCursor(parsing: Array(bytes[..<count])) == nil, "\(count) bytes")
        }
    }

    @Test(arguments: [
        "", "connector-cursor 2\n", "connector-cursor 1\nboot 11112222-3333-4444-5555-666677778888\n",
        "connector-cursor 2\nboot 11112222-3333-4444-5555-666677778888\ncpu 0 1\n",
        "connector-cursor 2\nboot 11112222-3333-4444-5555-666677778888\ncheck 0\n",
    ])
    func `another format, or one without its digest, is none`(text: String) {
        #expect(ConnectorCursor(parsing: Array(text.utf8)) == nil)
    }

    @Test func `any byte changed gives none, and never a trap`() {
        var generator = SeededGenerator(seed: 3, stream: .world)
        for _ in 0..<2_000 {
            var bytes = sample.bytes
            bytes[Int(generator.below(UInt64(bytes.count)))] ^= UInt8(generator.draw(1...255))
            #expect(ConnectorCursor(parsing: bytes) == nil)
        }
    }
}
