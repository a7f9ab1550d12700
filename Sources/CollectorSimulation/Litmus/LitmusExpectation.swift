extension LitmusExpectation {
    /// Reads `answer` or `{answer|answer sometimes}`; `nil` for an empty alternative.
    ///
    /// A bar within quotes separates nothing.
    package init?(parsing text: String) {
        let bytes = Array(text.utf8)
        guard let first = bytes.first else { return nil }
        guard first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else {
            alternatives = [Alternative(text: text, mustOccur: false)]
            return
        }
        var parts: [[UInt8]] = [[]]
        var isQuoted = false
        var isEscaped = false
        for byte in bytes.dropFirst().dropLast() {
            if byte == UInt8(ascii: "|"), !isQuoted {
                parts.append([])
                continue
            }
            if byte == .quote, !isEscaped { isQuoted.toggle() }
            isEscaped = byte == .backslash && !isEscaped
            parts[parts.count - 1].append(byte)
        }
        alternatives = parts.map { part in
            let text = String(decoding: part, as: UTF8.self)
            let suffix = " sometimes"
            guard text.hasSuffix(suffix) else { return Alternative(text: text, mustOccur: false) }
            return Alternative(text: String(text.dropLast(suffix.count)), mustOccur: true)
        }
        guard alternatives.allSatisfy({ !$0.text.isEmpty }) else { return nil }
    }
}
