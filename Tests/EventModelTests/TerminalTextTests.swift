import EventModel
import Testing

@Suite struct TerminalTextTests {
    @Test(arguments: ["", "sshd", "/usr/bin/größe", "日本", "a b", #"run-\x2d.mount"#, #"C:\"#])
    func `harmless text stays as it is`(text: String) {
        #expect(TerminalText.escape(text) == text)
    }

    @Test(arguments: [
        ("a\nb\tc\rd", #"a\nb\tc\rd"#),
        ("\u{1b}[2J", #"\u{1b}[2J"#),
        ("\u{7f}\u{9b}31m", #"\u{7f}\u{9b}31m"#),
        ("a\u{202e}gpj.exe", #"a\u{202e}gpj.exe"#),
        ("x\u{2066}y\u{2069}", #"x\u{2066}y\u{2069}"#),
        ("zero\u{200b}width\u{feff}", #"zero\u{200b}width\u{feff}"#),
        ("line\u{2028}paragraph\u{2029}", #"line\u{2028}paragraph\u{2029}"#),
        ("tag\u{e0041}", #"tag\u{e0041}"#),
        ("\0", #"\u{0}"#),
        ("\r\n", #"\r\n"#),
    ])
    func `what a terminal would obey or hide becomes visible`(text: String, shown: String) {
        #expect(TerminalText.escape(text) == shown)
    }

    @Test(arguments: [
        (#"\n"#, #"\\n"#), (#"\\"#, #"\\\"#), ("\\\n", #"\\\n"#), (#"\u{1b}"#, #"\\u{1b}"#),
        (#"\x41"#, #"\x41"#),
    ])
    func `a backslash is doubled only where it would read as an escape`(text: String, shown: String) {
        #expect(TerminalText.escape(text) == shown)
    }

    @Test func `different texts never look the same`() {
        let pieces = ["\\", "n", "\n", "u", "{", "1", "b", "}", "\u{1b}", "x"]
        var seen: [String: [Int]] = [:]
        var random = SplitMix64(seed: 11)
        for _ in 0..<50_000 {
            let choice = (0..<Int(random.next() % 8)).map { _ in Int(random.next() % UInt64(pieces.count)) }
            let shown = TerminalText.escape(choice.map { pieces[$0] }.joined())
            #expect(seen.updateValue(choice, forKey: shown) ?? choice == choice)
        }
    }

    @Test func `exactly the control, format, separator and ignorable characters are hazardous`() {
        let hidden: Set<Unicode.GeneralCategory> = [.control, .format, .lineSeparator, .paragraphSeparator]
        for value in UInt32(0)...0x10ffff {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let properties = scalar.properties
            let expected =
                hidden.contains(properties.generalCategory) || properties.isDefaultIgnorableCodePoint
            guard scalar.isHazardousOnTerminals == expected else {
                Issue.record("U+\(String(value, radix: 16)) should be hazardous: \(expected)")
                continue
            }
        }
    }

    @Test func `no output ever holds a hazardous character`() {
        var random = SplitMix64(seed: 12)
        for _ in 0..<5_000 {
            let bytes = random.bytes(count: 20, favouring: [0xc2, 0x9b, 0x1b, 0xe2, 0x80, 0xae])
            let shown = TerminalText.escape(String(decoding: bytes, as: UTF8.self))
            #expect(!shown.unicodeScalars.contains { $0.isHazardousOnTerminals })
        }
    }
}
