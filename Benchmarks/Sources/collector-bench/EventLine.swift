import EventModel

/// What a benchmark wants of one JSON line, found by the fixed order and spelling of its keys.
///
/// Reads by searching, not by parsing: lines come from the daemon under test, and a file holds hundreds of thousands.
struct EventLine {
    let bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    func contains(_ text: StaticString) -> Bool { index(behind: text) != nil }

    /// The number behind a text such as `"pid":`.
    func number(behind text: StaticString) -> Int? {
        guard let start = index(behind: text) else { return nil }
        var value = 0
        var digitCount = 0
        for byte in bytes[start...] {
            guard (0x30...0x39).contains(byte), digitCount < 18 else { break }
            value = value * 10 + Int(byte - 0x30)
            digitCount += 1
        }
        return digitCount > 0 ? value : nil
    }

    /// The text behind a text such as `"path":"`, up to its closing quote, as it is escaped in JSON.
    func text(behind text: StaticString) -> String? {
        guard let start = index(behind: text), let end = bytes[start...].firstIndex(of: 0x22) else {
            return nil
        }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private func index(behind text: StaticString) -> Int? {
        let pattern = Array(text.description.utf8)
        guard let first = pattern.first, bytes.count >= pattern.count else { return nil }
        var start = bytes.startIndex
        while let found = bytes[start...].firstIndex(of: first), found + pattern.count <= bytes.endIndex {
            if bytes[found..<(found + pattern.count)].elementsEqual(pattern) { return found + pattern.count }
            start = found + 1
        }
        return nil
    }
}
