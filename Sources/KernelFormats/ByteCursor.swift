/// A place in the bytes of a format, and the steps that readers of kernel text take.
///
/// It holds no bytes, so that it can be stored and copied; every step is given the same span.
struct ByteCursor {
    let format: FormatName
    var position: Int

    init(_ format: FormatName, at position: Int = 0) {
        self.format = format
        self.position = position
    }

    func error(_ reason: FormatError.Reason, expected: String) -> FormatError {
        FormatError(format, at: position, reason, expected: expected)
    }

    /// The error for a byte that is missing or wrong here.
    func unexpected(in bytes: Span<UInt8>, expected: String) -> FormatError {
        error(position < bytes.count ? .malformed : .truncated, expected: expected)
    }

    /// Steps over one given byte.
    mutating func skip(_ byte: UInt8, in bytes: Span<UInt8>, _ expected: String) throws(FormatError) {
        guard position < bytes.count, bytes[position] == byte else {
            throw unexpected(in: bytes, expected: expected)
        }
        position += 1
    }

    /// Steps over any number of blanks and tabs.
    mutating func skipBlanks(in bytes: Span<UInt8>) {
        while position < bytes.count, bytes[position] == Ascii.space || bytes[position] == Ascii.tab {
            position += 1
        }
    }

    /// Steps over one byte, whatever it is, and returns it.
    mutating func next(in bytes: Span<UInt8>, _ expected: String) throws(FormatError) -> UInt8 {
        guard position < bytes.count else { throw error(.truncated, expected: expected) }
        defer { position += 1 }
        return bytes[position]
    }

    /// Throws unless everything has been read.
    func expectEnd(of bytes: Span<UInt8>) throws(FormatError) {
        guard position == bytes.count else { throw error(.malformed, expected: "the end") }
    }

    /// Whether a decimal digit stands here.
    func isAtDigit(in bytes: Span<UInt8>) -> Bool {
        position < bytes.count && bytes[position] &- Ascii.zero < 10
    }

    /// Reads decimal digits; at least one is needed.
    @inline(__always)
    mutating func magnitude(in bytes: Span<UInt8>) throws(FormatError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        while position < bytes.count {
            let digit = bytes[position] &- Ascii.zero
            guard digit < 10 else { break }
            // 19 digits always fit; only the ones after them need a check.
            if position &- start < 19 {
                value = value &* 10 &+ UInt64(digit)
            } else {
                let (product, overflow) = value.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
                guard !overflow, !carry else { throw error(.outOfRange, expected: "a number below 2^64") }
                value = sum
            }
            position += 1
        }
        guard position > start else { throw unexpected(in: bytes, expected: "a decimal number") }
        return value
    }

    /// Reads an unsigned decimal number that fits `Value`.
    @inline(__always)
    mutating func unsigned<Value: FixedWidthInteger>(in bytes: Span<UInt8>) throws(FormatError) -> Value {
        let start = position
        guard let value = Value(exactly: try magnitude(in: bytes)) else {
            throw FormatError(format, at: start, .outOfRange, expected: "at most \(Value.max)")
        }
        return value
    }

    /// Reads a decimal number with an optional minus sign that fits `Value`.
    @inline(__always)
    mutating func signed<Value: FixedWidthInteger & SignedInteger>(
        in bytes: Span<UInt8>
    ) throws(FormatError) -> Value {
        let start = position
        let isNegative = position < bytes.count && bytes[position] == Ascii.minus
        if isNegative { position += 1 }
        let magnitude = try magnitude(in: bytes)
        // Two's complement: the most negative value has a magnitude of its own.
        let limit = UInt64(truncatingIfNeeded: Value.max) + (isNegative ? 1 : 0)
        guard magnitude <= limit else {
            throw FormatError(format, at: start, .outOfRange, expected: "\(Value.min) to \(Value.max)")
        }
        return Value(truncatingIfNeeded: isNegative ? 0 &- magnitude : magnitude)
    }

    /// Reads hexadecimal digits without a prefix; at least one is needed.
    mutating func hexadecimal(in bytes: Span<UInt8>) throws(FormatError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        while position < bytes.count, let digit = Ascii.hexadecimalValue(bytes[position]) {
            guard value >> 60 == 0 else { throw error(.outOfRange, expected: "a number below 2^64") }
            value = value << 4 | UInt64(digit)
            position += 1
        }
        guard position > start else { throw unexpected(in: bytes, expected: "a hexadecimal number") }
        return value
    }
}

/// The ASCII bytes that kernel text is built from.
enum Ascii {
    static let nul: UInt8 = 0x00
    static let tab: UInt8 = 0x09
    static let newline: UInt8 = 0x0a
    static let space: UInt8 = 0x20
    static let leftParenthesis: UInt8 = 0x28
    static let rightParenthesis: UInt8 = 0x29
    static let minus: UInt8 = 0x2d
    static let period: UInt8 = 0x2e
    static let slash: UInt8 = 0x2f
    static let zero: UInt8 = 0x30
    static let colon: UInt8 = 0x3a
    static let comma: UInt8 = 0x2c
    static let leftBracket: UInt8 = 0x5b
    static let backslash: UInt8 = 0x5c
    static let rightBracket: UInt8 = 0x5d
    static let n: UInt8 = 0x6e

    static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}

extension Span where Element == UInt8 {
    /// A copy of the bytes in `range`, which must lie within the span.
    func copy(_ range: Range<Int>) -> [UInt8] {
        let part = extracting(range)
        return [UInt8](capacity: part.count) { copy in
            for index in part.indices { copy.append(part[index]) }
        }
    }

    /// The first place of `byte` within `range`.
    func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while index < range.upperBound {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// The last place of `byte` within `range`.
    func lastIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        var index = range.upperBound
        while index > range.lowerBound {
            index -= 1
            if self[index] == byte { return index }
        }
        return nil
    }

    /// Whether `text` stands at `position`.
    func has(_ text: String, at position: Int) -> Bool {
        var index = position
        for byte in text.utf8 {
            guard index < count, self[index] == byte else { return false }
            index += 1
        }
        return true
    }

    /// Four bytes at `offset` as a number: netlink speaks the host's byte order, and every supported host is
    /// little-endian.
    @inline(__always)
    func word(at offset: Int) -> UInt32 {
        UInt32(self[offset]) | UInt32(self[offset &+ 1]) << 8 | UInt32(self[offset &+ 2]) << 16
            | UInt32(self[offset &+ 3]) << 24
    }

    /// Two bytes at `offset` as a number.
    @inline(__always)
    func halfWord(at offset: Int) -> UInt16 {
        UInt16(self[offset]) | UInt16(self[offset &+ 1]) << 8
    }

    /// Eight bytes at `offset` as a number.
    @inline(__always)
    func doubleWord(at offset: Int) -> UInt64 {
        UInt64(word(at: offset)) | UInt64(word(at: offset &+ 4)) << 32
    }
}
