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

    @Test func `a cursor cut at any byte but the end of a line is no cursor`() {
        let bytes = sample.bytes
        for count in 0..<bytes.count where bytes[count - (count > 0 ? 1 : 0)] != 0x0a {
            #expect(ConnectorCursor(parsing: Array(bytes[..<count])) == nil, "\(count) bytes")
        }
    }

    @Test(arguments: [
        "", "connector-cursor 2\nboot 11112222-3333-4444-5555-666677778888\n", "connector-cursor 1\nboot x\n",
        "connector-cursor 1\nboot 11112222-3333-4444-5555-666677778888\ncpu 0\n",
        "connector-cursor 1\nboot 11112222-3333-4444-5555-666677778888\ncpu 0 -1\n",
        "connector-cursor 1\nboot 11112222-3333-4444-5555-666677778888\ncpu 0 +1\n",
        "connector-cursor 1\nboot 11112222-3333-4444-5555-666677778888\ncpu 0 4294967296\n",
        "connector-cursor 1\nboot 11112222-3333-4444-5555-666677778888\n\ncpu 0 1\n",
        "connector-cursor 1\nboot 11112222-3333-4444-5555-666677778888\ngpu 0 1\n",
    ])
    func `damage makes a cursor none`(text: String) {
        #expect(ConnectorCursor(parsing: Array(text.utf8)) == nil)
    }

    @Test func `any byte changed gives another cursor or none, and never a trap`() {
        var generator = SeededGenerator(seed: 3, stream: .world)
        for _ in 0..<2_000 {
            var bytes = sample.bytes
            bytes[Int(generator.below(UInt64(bytes.count)))] ^= UInt8(generator.draw(1...255))
            #expect(ConnectorCursor(parsing: bytes) != sample)
        }
    }
}
