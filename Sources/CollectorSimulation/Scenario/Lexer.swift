/// A value of a scenario line: a bare word, a quoted string, or a list of both.
package enum SceneValue: Hashable, Sendable {
    /// Printable characters without spaces, quotes, and (within a list) commas and brackets.
    case bare(String)
    /// Any bytes, written `"text"` with the escapes `\n \t \\ \" \xNN`.
    case string([UInt8])
    case list([SceneValue])

    /// The bytes that a bare word or a string stands for; `nil` for a list.
    package var bytes: [UInt8]? {
        switch self {
        case .bare(let word): Array(word.utf8)
        case .string(let bytes): bytes
        case .list: nil
        }
    }
}

/// One token of a scenario line and the column where it begins.
package struct SceneToken: Sendable {
    package enum Kind: Hashable, Sendable {
        /// `->`
        case arrow
        /// `@1.5s`, in nanoseconds on the monotonic clock of the scenario; without a unit, seconds are meant.
        case time(Int64)
        case value(SceneValue)
        /// `key=value`
        case keyed(String, SceneValue)
    }

    package var kind: Kind
    package var column: Int

    package init(_ kind: Kind, column: Int = 0) {
        self.kind = kind
        self.column = column
    }
}

// Two tokens are equal when they say the same: where they stand does not count.
extension SceneToken: Hashable {
    package static func == (a: Self, b: Self) -> Bool { a.kind == b.kind }
    package func hash(into hasher: inout Hasher) { hasher.combine(kind) }
}

/// Why a line is not made of tokens: the offending column and what was expected.
package struct LexicalError: Error, Hashable, Sendable {
    package var column: Int
    package var message: String
}

/// Splits one line of a scenario file into tokens.
///
/// Total: any bytes give tokens or an error, never a trap; work and memory are linear in the line.
package struct SceneLexer {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    /// - Parameter line: One line without its LF, valid UTF-8.
    package init(line: ArraySlice<UInt8>) {
        bytes = line
        index = line.startIndex
    }

    /// The tokens of `line`, in order; spaces at both ends do not matter.
    package static func tokens(of line: ArraySlice<UInt8>) throws(LexicalError) -> [SceneToken] {
        var lexer = SceneLexer(line: line)
        var tokens: [SceneToken] = []
        while let token = try lexer.next() {
            guard tokens.count < ScenarioLimits.tokenCount else {
                throw lexer.error(
                    "expected at most \(ScenarioLimits.tokenCount) words in a line", at: lexer.index)
            }
            tokens.append(token)
        }
        return tokens
    }

    /// The next token; `nil` at the end of the line.
    package mutating func next() throws(LexicalError) -> SceneToken? {
        while index < bytes.endIndex, bytes[index] == .space { index += 1 }
        guard index < bytes.endIndex else { return nil }
        let start = index
        let kind = try token()
        guard index == bytes.endIndex || bytes[index] == .space else {
            throw error("expected a space between words", at: index)
        }
        return SceneToken(kind, column: column(of: start))
    }

    private mutating func token() throws(LexicalError) -> SceneToken.Kind {
        let start = index
        if bytes[index] == .quote || bytes[index] == .openBracket { return .value(try value(within: .line)) }
        if bytes[index] == .at, index + 1 < bytes.endIndex, bytes[index + 1].isDigit {
            let word = try bareWord(within: .line)
            guard let nanoseconds = Quantity.nanoseconds(word.dropFirst(), defaultUnit: "s") else {
                throw error("expected a time such as @1.5s or @20ms, not \"\(word)\"", at: start)
            }
            return .time(nanoseconds)
        }
        if let key = key() {
            guard index < bytes.endIndex, bytes[index] != .space else {
                throw error("expected a value after \"\(key)=\"", at: index)
            }
            return .keyed(key, try value(within: .line))
        }
        let word = try bareWord(within: .line)
        return word == "->" ? .arrow : .value(.bare(word))
    }

    /// Reads `name=` (but not `name==`) and steps over it; otherwise leaves the position alone.
    private mutating func key() -> String? {
        guard bytes[index].isLetter else { return nil }
        var end = index
        while end < bytes.endIndex, bytes[end].isKeyCharacter { end += 1 }
        guard end < bytes.endIndex, bytes[end] == .equals else { return nil }
        if end + 1 < bytes.endIndex, bytes[end + 1] == .equals { return nil }
        defer { index = end + 1 }
        return String(decoding: bytes[index..<end], as: UTF8.self)
    }

    private enum Context { case line, list }

    private mutating func value(within context: Context) throws(LexicalError) -> SceneValue {
        guard index < bytes.endIndex else { throw error("expected a value", at: index) }
        if bytes[index] == .quote { return .string(try quotedString()) }
        guard bytes[index] == .openBracket else { return .bare(try bareWord(within: context)) }
        guard context == .line else {
            throw error("expected a word or a string: lists do not nest", at: index)
        }
        return .list(try list())
    }

    private mutating func list() throws(LexicalError) -> [SceneValue] {
        let start = index
        index += 1
        var values: [SceneValue] = []
        while true {
            while index < bytes.endIndex, bytes[index] == .space { index += 1 }
            guard index < bytes.endIndex else { throw error("expected \"]\" to close this list", at: start) }
            if bytes[index] == .closeBracket, values.isEmpty { break }
            guard values.count < ScenarioLimits.listCount else {
                throw error("expected at most \(ScenarioLimits.listCount) values in a list", at: index)
            }
            values.append(try value(within: .list))
            while index < bytes.endIndex, bytes[index] == .space { index += 1 }
            guard index < bytes.endIndex else { throw error("expected \"]\" to close this list", at: start) }
            if bytes[index] == .closeBracket { break }
            guard bytes[index] == .comma else { throw error("expected \",\" or \"]\" in a list", at: index) }
            index += 1
        }
        index += 1
        return values
    }

    private mutating func bareWord(within context: Context) throws(LexicalError) -> String {
        let start = index
        while index < bytes.endIndex, bytes[index] != .space {
            let byte = bytes[index]
            if context == .list, byte == .comma || byte == .closeBracket { break }
            guard byte > 0x20, byte != 0x7f else {
                throw error(
                    "expected no control character; write \"\\x\(hexadecimal(byte))\" in quotes", at: index)
            }
            guard byte != .quote else { throw error("expected no quote within a bare word", at: index) }
            index += 1
        }
        guard index > start else { throw error("expected a value", at: index) }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func quotedString() throws(LexicalError) -> [UInt8] {
        let start = index
        index += 1
        var result: [UInt8] = []
        while index < bytes.endIndex {
            let byte = bytes[index]
            switch byte {
            case .quote:
                index += 1
                return result
            case .backslash:
                result.append(try escape())
            case 0..<0x20, 0x7f:
                throw error("expected no control character; write \\x\(hexadecimal(byte))", at: index)
            default:
                result.append(byte)
                index += 1
            }
        }
        throw error("expected a closing quote for this string", at: start)
    }

    private mutating func escape() throws(LexicalError) -> UInt8 {
        let start = index
        guard index + 1 < bytes.endIndex else { throw error("expected an escape after \"\\\"", at: start) }
        let code = bytes[index + 1]
        index += 2
        switch code {
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "t"): return 0x09
        case .backslash, .quote: return code
        case UInt8(ascii: "x"):
            guard index + 1 < bytes.endIndex, let high = bytes[index].hexadecimalValue,
                let low = bytes[index + 1].hexadecimalValue
            else { throw error("expected two hexadecimal digits after \"\\x\"", at: start) }
            index += 2
            return high << 4 | low
        default:
            throw error("expected one of \\n \\t \\\\ \\\" \\xNN", at: start)
        }
    }

    private func error(_ message: String, at offset: Int) -> LexicalError {
        LexicalError(column: column(of: offset), message: message)
    }

    /// The column of a byte: continuation bytes of UTF-8 do not count.
    private func column(of offset: Int) -> Int {
        1 + bytes[bytes.startIndex..<min(offset, bytes.endIndex)].count { $0 & 0xc0 != 0x80 }
    }
}

/// Two lower-case hexadecimal digits.
package func hexadecimal(_ byte: UInt8) -> String {
    let text = String(byte, radix: 16)
    return text.utf8.count == 1 ? "0" + text : text
}

extension UInt8 {
    static let space = UInt8(ascii: " ")
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let comma = UInt8(ascii: ",")
    static let equals = UInt8(ascii: "=")
    static let at = UInt8(ascii: "@")

    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isLetter: Bool { (0x61...0x7a).contains(self) || (0x41...0x5a).contains(self) || self == 0x5f }
    var isKeyCharacter: Bool { isLetter || isDigit || self == 0x2d || self == 0x2e }

    var hexadecimalValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x61...0x66: self - 0x61 + 10
        case 0x41...0x46: self - 0x41 + 10
        default: nil
        }
    }
}
