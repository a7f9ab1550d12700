import Testing
import Wire

@Suite struct FrameReaderTests {
    private func frame(_ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        Frame.append(to: &bytes) { $0.append(contentsOf: payload) }
        return bytes
    }

    /// Feeds `bytes` in pieces of the given sizes, over and over, and collects the payloads.
    private func read(_ bytes: [UInt8], pieces: [Int], limit: Int = 1_000) throws(FrameError) -> [[UInt8]] {
        var reader = FrameReader(payloadLimit: limit)
        var payloads: [[UInt8]] = []
        var place = 0
        var turn = 0
        while place < bytes.count {
            place += reader.fill { count, buffer in
                let piece = min(pieces[turn % pieces.count], count, bytes.count - place)
                buffer.append(contentsOf: bytes[place..<place + piece])
                return piece
            }
            turn += 1
            while let payload = try reader.next() { payloads.append(payload) }
        }
        return payloads
    }

    @Test func `a payload is framed as length, CRC-32 and bytes`() {
        #expect(frame(Array("123456789".utf8)).prefix(8) == [9, 0, 0, 0, 0x26, 0x39, 0xf4, 0xcb])
    }

    @Test func `frames are cut out of the stream however it is split`() throws {
        let payloads: [[UInt8]] = [[1], Array(repeating: 7, count: 1_000), [2, 3], Array("frame".utf8)]
        let bytes = payloads.flatMap(frame)
        for size in 1...40 { #expect(try read(bytes, pieces: [size]) == payloads) }
        #expect(try read(bytes, pieces: [3, 1, 900, 2]) == payloads)
        #expect(try read(bytes, pieces: [100_000]) == payloads)
    }

    @Test func `an empty frame is refused`() {
        #expect(throws: FrameError.empty) { try read([0, 0, 0, 0, 0, 0, 0, 0], pieces: [8]) }
    }

    @Test func `a frame that is too large is refused by its header alone`() {
        #expect(throws: FrameError.tooLarge(1_001, limit: 1_000)) {
            try read([0xe9, 3, 0, 0, 0, 0, 0, 0], pieces: [8])
        }
        #expect(throws: FrameError.tooLarge(0xffff_ffff, limit: 1_000)) {
            try read([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], pieces: [8])
        }
    }

    @Test func `a changed byte is noticed`() throws {
        let good = frame(Array("payload".utf8))
        for index in 4..<good.count {
            var bad = good
            bad[index] ^= 0x10
            #expect(throws: FrameError.self) { try read(bad, pieces: [bad.count]) }
        }
    }

    @Test func `no more is kept than one frame and what came with it`() throws {
        let bytes = frame(Array(repeating: 1, count: 60_000)) + frame([1])
        var reader = FrameReader(payloadLimit: 64 << 10)
        var place = 0
        var most = 0
        var count = 0
        while place < bytes.count {
            place += reader.fill { count, buffer in
                let piece = min(count, bytes.count - place)
                buffer.append(contentsOf: bytes[place..<place + piece])
                return piece
            }
            most = max(most, reader.byteCount)
            while try reader.next() != nil { count += 1 }
        }
        #expect(count == 2)
        #expect(most <= 60_008)
    }
}
