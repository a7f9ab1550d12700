import Digests
import EventModel
import Testing

@Suite struct MD5Tests {
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
    func `digests are those of RFC 1321, in one piece or byte by byte`(_ text: String, _ expected: String) {
        var hasher = MD5()
        hasher.update(Array(text.utf8).span)
        #expect(hexadecimal(hasher.finish()) == expected)
        for byte in text.utf8 { hasher.update([byte].span) }
        #expect(hexadecimal(hasher.finish()) == expected)
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
