import EventModel

/// Walks over the fields of a message in the wire format of Protocol Buffers.
///
/// Keeps a place only; the bytes are lent to each call. Fields that are not known, or have another type than their
/// number says, are for ``skip(_:in:)``: readers of all versions ignore them.
struct FieldReader {
    /// How a field's value is laid out.
    enum Layout { case number, word, bytes, halfWord }

    /// What stands before a value.
    struct Tag {
        var field: UInt64
        var layout: Layout
    }

    private var place: Int
    private let end: Int

    /// Reads all of `bytes`.
    init(_ bytes: Span<UInt8>) {
        place = 0
        end = bytes.count
    }

    private init(from place: Int, to end: Int) {
        self.place = place
        self.end = end
    }

    /// Where the message lies.
    var range: Range<Int> { place..<end }

    /// What stands before the next value; `nil` at the end.
    @inline(__always)
    mutating func next(in bytes: Span<UInt8>) throws(MessageError) -> Tag? {
        guard place < end else { return nil }
        let tag = try number(in: bytes)
        let layout: Layout
        switch tag & 7 {
        case 0: layout = .number
        case 1: layout = .word
        case 2: layout = .bytes
        case 5: layout = .halfWord
        default: throw Self.malformed
        }
        guard (1...0x1fff_ffff).contains(tag >> 3) else { throw Self.malformed }
        return Tag(field: tag >> 3, layout: layout)
    }

    /// A number in groups of seven bits.
    @inline(__always)
    mutating func number(in bytes: Span<UInt8>) throws(MessageError) -> UInt64 {
        guard place < end else { throw Self.malformed }
        let first = bytes[place]
        place += 1
        return first < 0x80 ? UInt64(first) : try longNumber(in: bytes, UInt64(first & 0x7f))
    }

    private mutating func longNumber(in bytes: Span<UInt8>, _ first: UInt64) throws(MessageError) -> UInt64 {
        var value = first
        for shift in stride(from: UInt64(7), to: 70, by: 7) {
            guard place < end else { throw Self.malformed }
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw Self.malformed
    }

    /// A number of which only the low 32 bits count.
    @inline(__always)
    mutating func halfNumber(in bytes: Span<UInt8>) throws(MessageError) -> UInt32 {
        UInt32(truncatingIfNeeded: try number(in: bytes))
    }

    /// A flag.
    @inline(__always)
    mutating func flag(in bytes: Span<UInt8>) throws(MessageError) -> Bool { try number(in: bytes) != 0 }

    /// 64 bits.
    @inline(__always)
    mutating func word(in bytes: Span<UInt8>) throws(MessageError) -> UInt64 {
        guard end - place >= 8 else { throw Self.malformed }
        var value: UInt64 = 0
        for offset in 0..<8 { value |= UInt64(bytes[place + offset]) << UInt64(8 * offset) }
        place += 8
        return value
    }

    /// Nanoseconds.
    @inline(__always)
    mutating func time(in bytes: Span<UInt8>) throws(MessageError) -> Int64 {
        Int64(bitPattern: try word(in: bytes))
    }

    /// The message, or the bytes, that come next.
    @inline(__always)
    mutating func inner(in bytes: Span<UInt8>) throws(MessageError) -> FieldReader {
        let count = try number(in: bytes)
        guard count <= UInt64(end - place) else { throw Self.malformed }
        let inner = FieldReader(from: place, to: place + Int(count))
        place += Int(count)
        return inner
    }

    /// A text.
    @inline(__always)
    mutating func text(in bytes: Span<UInt8>) throws(MessageError) -> String {
        let range = try inner(in: bytes).range
        do throws(UTF8.ValidationError) {
            return String(copying: try UTF8Span(validating: bytes.extracting(range)))
        } catch {
            throw Self.malformed
        }
    }

    /// Passes over the value of a field that is of no use.
    mutating func skip(_ tag: Tag, in bytes: Span<UInt8>) throws(MessageError) {
        switch tag.layout {
        case .number: _ = try number(in: bytes)
        case .word: _ = try word(in: bytes)
        case .bytes: _ = try inner(in: bytes)
        case .halfWord:
            guard end - place >= 4 else { throw Self.malformed }
            place += 4
        }
    }

    /// The text form of a 128-bit identifier.
    mutating func identifier(
        in bytes: Span<UInt8>, _ field: String
    ) throws(MessageError) -> (high: UInt64, low: UInt64) {
        let range = try inner(in: bytes).range
        guard range.count == 36, let words = Self.words(in: bytes, from: range.lowerBound) else {
            throw MessageError(field: field, expected: "8-4-4-4-12 hexadecimal digits")
        }
        return words
    }

    /// The 36 bytes of an identifier's text; `nil` when they are none.
    private static func words(in bytes: Span<UInt8>, from start: Int) -> (high: UInt64, low: UInt64)? {
        var words: (high: UInt64, low: UInt64) = (0, 0)
        for place in 0..<36 {
            let byte = bytes[start + place]
            let digit: UInt8
            switch (place, byte) {
            case (8, 0x2d), (13, 0x2d), (18, 0x2d), (23, 0x2d): continue
            case (8, _), (13, _), (18, _), (23, _): return nil
            case (_, 0x30...0x39): digit = byte - 0x30
            case (_, 0x41...0x46): digit = byte - 0x37
            case (_, 0x61...0x66): digit = byte - 0x57
            default: return nil
            }
            // The 16 digits of the first word stand before the third dash.
            if place < 18 {
                words.high = words.high << 4 | UInt64(digit)
            } else {
                words.low = words.low << 4 | UInt64(digit)
            }
        }
        return words
    }

    /// What is said of bytes that are no message.
    static var malformed: MessageError {
        MessageError(field: "bytes", expected: "the wire format of Protocol Buffers")
    }
}
