import EventModel

/// Appends the fields of a message to its bytes, in the wire format of Protocol Buffers.
///
/// For what is sent hundreds of thousands of times a second: a message made field by field, and measured before it is
/// written, takes several times as long. What is written is the same, byte by byte.
struct FieldWriter {
    /// The bytes so far.
    private(set) var bytes: [UInt8] = []

    /// A writer with room for so many bytes.
    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// A number of any type without sign, or an enumeration.
    @inline(__always)
    mutating func number(_ field: UInt32, _ value: UInt64) {
        bytes.append(addingCapacity: 15) { out in
            out.append(varint: UInt64(field) << 3)
            out.append(varint: value)
        }
    }

    /// A number that is left out when it is 0.
    @inline(__always)
    mutating func number(_ field: UInt32, unlessZero value: UInt64) {
        if value != 0 { number(field, value) }
    }

    /// A flag that is left out when it is false.
    @inline(__always)
    mutating func flag(_ field: UInt32, ifTrue value: Bool) {
        if value { number(field, 1) }
    }

    /// 64 bits as they are: `sfixed64` or `double`.
    @inline(__always)
    mutating func word(_ field: UInt32, _ value: UInt64) {
        bytes.append(addingCapacity: 13) { out in
            out.append(varint: UInt64(field) << 3 | 1)
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                out.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
    }

    /// A point in time.
    @inline(__always)
    mutating func time(_ field: UInt32, _ nanoseconds: Int64) {
        word(field, UInt64(bitPattern: nanoseconds))
    }

    /// A point in time that is left out when it is 0.
    @inline(__always)
    mutating func time(_ field: UInt32, unlessZero nanoseconds: Int64) {
        if nanoseconds != 0 { time(field, nanoseconds) }
    }

    /// A text.
    @inline(__always)
    mutating func text(_ field: UInt32, _ text: String) {
        let text = text.utf8
        bytes.append(addingCapacity: 15) { out in
            out.append(varint: UInt64(field) << 3 | 2)
            out.append(varint: UInt64(text.count))
        }
        bytes.append(contentsOf: text)
    }

    /// A text that is left out when it is empty.
    @inline(__always)
    mutating func text(_ field: UInt32, unlessEmpty text: String) {
        if !text.isEmpty { self.text(field, text) }
    }

    /// A text of known length that the closure appends.
    @inline(__always)
    mutating func text(_ field: UInt32, byteCount: Int, _ append: (inout [UInt8]) -> Void) {
        bytes.append(addingCapacity: 15) { out in
            out.append(varint: UInt64(field) << 3 | 2)
            out.append(varint: UInt64(byteCount))
        }
        append(&bytes)
    }

    /// A message, whose fields the closure writes.
    ///
    /// - Parameter digits: Bytes that the length will most likely take; if it takes others, the message is moved.
    @inline(__always)
    mutating func message(_ field: UInt32, lengthByteCount digits: Int, _ body: (inout FieldWriter) -> Void) {
        bytes.append(addingCapacity: 8) { out in
            out.append(varint: UInt64(field) << 3 | 2)
            for _ in 0..<digits { out.append(0) }
        }
        let start = bytes.count
        body(&self)
        writeLength(before: start, digits)
    }

    private mutating func writeLength(before start: Int, _ digits: Int) {
        var length = UInt64(bytes.count - start)
        let needed = max(1, (70 - length.leadingZeroBitCount) / 7)
        var place = start - digits
        if needed < digits {
            bytes.removeSubrange(place..<place + digits - needed)
        } else if needed > digits {
            bytes.insert(contentsOf: repeatElement(0, count: needed - digits), at: place)
        }
        while length >= 0x80 {
            bytes[place] = UInt8(truncatingIfNeeded: length) | 0x80
            length >>= 7
            place += 1
        }
        bytes[place] = UInt8(length)
    }
}

extension OutputSpan<UInt8> {
    /// Appends a number in groups of seven bits; 10 bytes are always enough.
    @inline(__always)
    fileprivate mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}
