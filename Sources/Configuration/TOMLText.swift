/// Reads one string of TOML, of any of the four kinds.
struct TOMLText {
    let bytes: [UInt8]
    /// Behind the string, once it is read.
    private(set) var position: Int
    private var text: [UInt8] = []

    init(bytes: [UInt8], position: Int) {
        self.bytes = bytes
        self.position = position
    }

    /// - Parameter isKey: Strings of several lines are no keys.
    mutating func read(isKey: Bool) throws(TOMLError) -> String {
        let quote = bytes[position]
        let isMultiline = !isKey && isTriple(quote)
        position += isMultiline ? 3 : 1
        if isMultiline { skipLineEnd() }
        while true {
            guard position < bytes.count else { throw error("the text has no end") }
            let byte = bytes[position]
            if byte == quote, !isMultiline || isTriple(quote) {
                finish(quote, isMultiline)
                return String(decoding: text, as: UTF8.self)
            }
            if byte == 0x5c, quote == 0x22 {
                try readEscape(isMultiline)
            } else {
                try readPlain(byte, isMultiline)
            }
        }
    }

    /// Takes the closing quotes; up to two more of them belong to a text of several lines.
    private mutating func finish(_ quote: UInt8, _ isMultiline: Bool) {
        position += isMultiline ? 3 : 1
        var extra = 0
        while isMultiline, extra < 2, position < bytes.count, bytes[position] == quote {
            text.append(quote)
            position += 1
            extra += 1
        }
    }

    private func isTriple(_ quote: UInt8) -> Bool { bytes[position...].starts(with: [quote, quote, quote]) }

    /// The end of a line directly behind the opening quotes does not count.
    private mutating func skipLineEnd() {
        if bytes[position...].starts(with: [0x0d, 0x0a]) {
            position += 2
        } else if bytes[position...].first == 0x0a {
            position += 1
        }
    }

    private mutating func readPlain(_ byte: UInt8, _ isMultiline: Bool) throws(TOMLError) {
        let isLineEnd =
            byte == 0x0a || byte == 0x0d && position + 1 < bytes.count && bytes[position + 1] == 0x0a
        guard byte >= 0x20 && byte != 0x7f || byte == 0x09 || isMultiline && isLineEnd else {
            throw error(isLineEnd ? "the text has no end on its line" : "a control character must be escaped")
        }
        text.append(byte)
        position += 1
    }

    private mutating func readEscape(_ isMultiline: Bool) throws(TOMLError) {
        position += 1
        guard position < bytes.count else { throw error("the text has no end") }
        let byte = bytes[position]
        switch byte {
        case 0x62: text.append(0x08)
        case 0x74: text.append(0x09)
        case 0x6e: text.append(0x0a)
        case 0x66: text.append(0x0c)
        case 0x72: text.append(0x0d)
        case 0x22, 0x5c: text.append(byte)
        case 0x75: return try readScalar(digits: 4)
        case 0x55: return try readScalar(digits: 8)
        case 0x20, 0x09, 0x0a, 0x0d:
            guard isMultiline else { throw error("expected an escape such as \\n or \\u00e4") }
            return try skipToNextWord()
        default: throw error("expected an escape such as \\n or \\u00e4")
        }
        position += 1
    }

    /// Behind a backslash at the end of a line: everything up to the next word.
    private mutating func skipToNextWord() throws(TOMLError) {
        var hasLineEnd = false
        while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) {
            if bytes[position] == 0x0a { hasLineEnd = true }
            position += 1
        }
        guard hasLineEnd else { throw error("expected the end of the line behind the backslash") }
    }

    private mutating func readScalar(digits: Int) throws(TOMLError) {
        position += 1
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard position < bytes.count, let digit = Self.digit(bytes[position]) else {
                throw error("expected \(digits) hexadecimal digits")
            }
            value = value << 4 | digit
            position += 1
        }
        guard value != 0 else { throw error("a text must not have a NUL") }
        guard let scalar = Unicode.Scalar(value) else { throw error("expected a Unicode scalar") }
        text.append(contentsOf: String(Character(scalar)).utf8)
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46: UInt32(byte - 0x41 + 10)
        case 0x61...0x66: UInt32(byte - 0x61 + 10)
        default: nil
        }
    }

    private func error(_ message: String) -> TOMLError { TOMLError(offset: position, message: message) }
}

/// What a word without quotes stands for.
enum TOMLNumber {
    /// - Returns: `nil` for what is no value of TOML, and for whole numbers that do not fit into 64 bits.
    static func value(of text: String) -> SettingsAssignment.Value? {
        switch text {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf", "-inf", "nan", "+nan", "-nan": return .other("a number with a fraction")
        default: break
        }
        if let value = integer(text) { return .integer(value) }
        let isOfNumbers =
            text.utf8.first.map { (0x30...0x39).contains($0) || $0 == 0x2b || $0 == 0x2d } ?? false
        guard isOfNumbers else { return nil }
        let hasDigitsOnly = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || $0 == 0x5f || $0 == 0x2b || $0 == 0x2d
        }
        if text.contains(":") || text.utf8.count >= 10 && text.utf8.dropFirst(4).first == 0x2d {
            return .other("a date or a time")
        }
        return hasDigitsOnly || !text.contains(where: { $0 == "." || $0 == "e" || $0 == "E" })
            ? nil : .other("a number with a fraction")
    }

    /// Whether a text that has no value would be a whole number, if it had fewer digits.
    static func isTooLarge(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        guard digits.utf8.count > 18, digits.utf8.first != 0x30 else { return false }
        return digits.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x5f }
    }

    private static func integer(_ text: String) -> Int? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
            return digits(text.dropFirst(2)).flatMap { Int($0, radix: radix) }
        }
        let isSigned = text.hasPrefix("+") || text.hasPrefix("-")
        let number = isSigned ? text.dropFirst() : text[...]
        guard number.utf8.first != 0x30 || number.utf8.count == 1 else { return nil }
        return digits(number).flatMap { Int((text.hasPrefix("-") ? "-" : "") + $0) }
    }

    /// The digits without underscores, each of which stands between two digits; `nil` when one does not, or there is a sign.
    private static func digits(_ text: Substring) -> String? {
        let groups = text.split(separator: "_", omittingEmptySubsequences: false)
        let isSound = groups.allSatisfy { group in
            !group.isEmpty && group.utf8.allSatisfy { $0 != 0x2b && $0 != 0x2d }
        }
        return isSound ? groups.joined() : nil
    }
}
