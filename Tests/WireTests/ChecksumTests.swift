import Testing
import Wire

@Suite struct ChecksumTests {
    /// A `SCSI Read (10)` command, as RFC 3720 prints it.
    private static let command: [UInt8] = [
        0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
        0, 0, 0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
    ]

    @Test(
        arguments: [
            (Array(repeating: UInt8(0), count: 32), 0x8a91_36aa),
            (Array(repeating: 0xff, count: 32), 0x62a8_ab43),
            (Array(0..<32), 0x46dd_794e),
            (Array((0..<32).reversed()), 0x113f_db5c),
            (command, 0xd996_3a56),
            (Array("123456789".utf8), 0xe306_9283),
        ] as [([UInt8], UInt32)])
    func `CRC-32C is that of RFC 3720, B.4`(bytes: [UInt8], expected: UInt32) {
        #expect(Checksum.crc32c.value(of: bytes.span) == expected)
    }

    @Test func `eight bytes at a time give what one bit at a time gives, for every length`() {
        let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
        for count in 0...200 {
            var value: UInt32 = 0xffff_ffff
            for byte in bytes.prefix(count) {
                value ^= UInt32(byte)
                for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82f6_3b78 }
            }
            #expect(Checksum.crc32c.value(of: Array(bytes.prefix(count)).span) == ~value)
        }
    }

    @Test func `both checksums frame alike, and neither takes the other's frames`() throws {
        for (ours, other) in [(Checksum.crc32, Checksum.crc32c), (.crc32c, .crc32)] {
            var bytes: [UInt8] = []
            for payload: [UInt8] in [[1], Array(repeating: 7, count: 3_000), Array("frame".utf8)] {
                Frame.append(to: &bytes, checksum: ours) { $0 += payload }
            }
            for size in [1, 2, 7, 8, 9, 1_000, 10_000] {
                var reader = FrameReader(payloadLimit: 4_000, checksum: ours)
                #expect(try read(bytes, pieces: size, &reader).map(\.count) == [1, 3_000, 5])
                reader = FrameReader(payloadLimit: 4_000, checksum: other)
                #expect(throws: FrameError.self) { try read(bytes, pieces: size, &reader) }
            }
        }
    }

    private func read(_ bytes: [UInt8], pieces: Int, _ reader: inout FrameReader) throws -> [[UInt8]] {
        var payloads: [[UInt8]] = []
        var place = 0
        while place < bytes.count {
            place += reader.fill { count, buffer in
                let piece = min(pieces, count, bytes.count - place)
                buffer.append(contentsOf: bytes[place..<place + piece])
                return piece
            }
            while let payload = try reader.next() { payloads.append(payload) }
        }
        return payloads
    }
}
