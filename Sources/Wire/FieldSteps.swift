/// Steps through the fields of one message as they stand in its bytes, without knowing what they mean.
struct FieldSteps {
    /// How a field's content is written (the wire types of protobuf); groups are refused.
    enum Encoding { case varint, fixed64, bytes, fixed32 }

    struct Field {
        var number: UInt64
        var encoding: Encoding
        /// Where the content lies, without the length of ``Encoding/bytes``.
        var content: Range<Int>
    }

    private var place: Int
    private let end: Int

    init(_ range: Range<Int>) {
        place = range.lowerBound
        end = range.upperBound
    }

    /// The next field; `nil` behind the last one.
    ///
    /// - Throws: ``MessageDefect/malformed``.
    mutating func next(in bytes: Span<UInt8>) throws(MessageDefect) -> Field? {
        guard place < end else { return nil }
        let tag = try varint(bytes)
        guard tag >> 3 > 0 else { throw .malformed }
        let encoding: Encoding
        var begin = place
        switch tag & 7 {
        case 0:
            encoding = .varint
            _ = try varint(bytes)
        case 1:
            encoding = .fixed64
            try skip(8)
        case 2:
            encoding = .bytes
            let length = try varint(bytes)
            begin = place
            try skip(length)
        case 5:
            encoding = .fixed32
            try skip(4)
        default: throw .malformed
        }
        return Field(number: tag >> 3, encoding: encoding, content: begin..<place)
    }

    private mutating func skip(_ count: UInt64) throws(MessageDefect) {
        guard count <= UInt64(end - place) else { throw .malformed }
        place += Int(count)
    }

    private mutating func varint(_ bytes: Span<UInt8>) throws(MessageDefect) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard place < end else { throw .malformed }
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw .malformed
    }
}
