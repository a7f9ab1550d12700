import EventModel
import Testing

@Suite struct DigitTextTests {
    @Test func `numbers around every power of ten print as the standard library does`() {
        var power: UInt64 = 1
        for _ in 0..<20 {
            for number in [power &- 1, power, power &+ 1, .max - power &+ 1] {
                var bytes: [UInt8] = []
                bytes.appendDecimal(number)
                #expect(String(decoding: bytes, as: UTF8.self) == String(number))
                bytes.removeAll()
                bytes.appendDecimal(Int64(bitPattern: number))
                #expect(String(decoding: bytes, as: UTF8.self) == String(Int64(bitPattern: number)))
            }
            power = power &* 10
        }
    }

    @Test func `random numbers print as the standard library does`() {
        var random = SplitMix64(seed: 9)
        for _ in 0..<5_000 {
            let number = random.next() >> (random.next() % 64)
            var bytes: [UInt8] = [0x78]
            bytes.appendDecimal(number)
            #expect(String(decoding: bytes, as: UTF8.self) == "x\(number)")
        }
    }
}
