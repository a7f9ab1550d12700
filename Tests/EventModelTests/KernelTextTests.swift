import EventModel
import Testing

@Suite struct KernelTextTests {
    @Test(arguments: ["", "sh", "back\\slash", "\\x41", "größe", "日本", "👩‍💻", "a\0b\n\u{1b}[31m"])
    func `valid text stays as it is`(text: String) {
        let decoded = KernelText.decode(Array(text.utf8))
        #expect(!decoded.isEscaped)
        #expect(decoded.text.utf8.elementsEqual(text.utf8))
    }

    @Test(
        arguments: [
            ([0xff], #"\xff"#),
            ([0x61, 0x80, 0x62], #"a\x80b"#),
            ([0x5c, 0xfe], #"\\\xfe"#),
            ([0xc3, 0xa9, 0xc3], #"é\xc3"#),
            ([0xe2, 0x82, 0x41], #"\xe2\x82A"#),
            ([0xed, 0xa0, 0x80], #"\xed\xa0\x80"#),
            ([0xc0, 0xaf], #"\xc0\xaf"#),
            ([0xf4, 0x90, 0x80, 0x80], #"\xf4\x90\x80\x80"#),
            ([0xf0, 0x9f, 0x98, 0x80, 0x0a, 0x9b], "😀\n\\x9b"),
        ] as [([UInt8], String)])
    func `each bad byte becomes two hexadecimal digits and each backslash two`(bytes: [UInt8], text: String) {
        let decoded = KernelText.decode(bytes)
        #expect(decoded.isEscaped)
        #expect(decoded.text == text)
    }

    @Test func `a slice is decoded from its own bounds`() {
        let bytes: [UInt8] = [0xff, 0x61, 0x62, 0xff]
        #expect(KernelText.decode(bytes[1...2]) == ("ab", false))
        #expect(KernelText.decode(bytes[2...]) == (#"b\xff"#, true))
        #expect(KernelText.decode(bytes[4...]) == ("", false))
    }

    @Test func `random bytes come back exactly, and different bytes give different texts`() {
        var random = SplitMix64(seed: 0x5eed)
        var seen: [[UInt8]: [UInt8]] = [:]
        for _ in 0..<20_000 {
            let bytes = random.bytes(
                count: Int(random.next() % 12), favouring: [0x5c, 0x78, 0x66, 0xc3, 0xa9, 0xff])
            let (text, isEscaped) = KernelText.decode(bytes)
            #expect(KernelText.encode(text, isEscaped: isEscaped) == bytes)
            let key = [isEscaped ? 1 : 0] + Array(text.utf8)
            #expect(seen.updateValue(bytes, forKey: key) ?? bytes == bytes)
        }
    }

    @Test func `every pair of bytes comes back exactly`() {
        for pair in 0..<65_536 {
            let bytes = [UInt8(pair >> 8), UInt8(pair & 0xff)]
            let (text, isEscaped) = KernelText.decode(bytes)
            guard KernelText.encode(text, isEscaped: isEscaped) == bytes else {
                Issue.record("\(bytes) gave \(text.debugDescription)")
                return
            }
        }
    }

    @Test(arguments: [
        "", "abc", "\\", #"\x"#, #"\xf"#, #"\xfg"#, #"\xFF"#, #"\n"#, #"\x41"#, #"\xc3\xa9"#, #"\\"#,
    ])
    func `text that decoding never escapes to is refused`(text: String) {
        #expect(KernelText.encode(text, isEscaped: true) == nil)
    }
}
