/// Appends JSON (RFC 8259) to a byte buffer: no intermediate strings, no trees, no line breaks.
///
/// The caller keeps the grammar (a key before each value of an object); the writer sets commas and escapes
/// text. What a terminal would obey or hide (``Swift/Unicode/Scalar/isHazardousOnTerminals``) is written as
/// `\uXXXX`, so that a line can be shown as it is and still parses back to the same text.
package struct JSONWriter: ~Copyable {
    private var bytes: [UInt8] = []
    private var needsComma = false

    private init() {}

    /// Appends to `bytes` what `body` writes.
    ///
    /// The buffer moves into the writer and back; nothing is copied.
    @inline(__always)
    package static func append(to bytes: inout [UInt8], _ body: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        swap(&writer.bytes, &bytes)
        body(&writer)
        swap(&writer.bytes, &bytes)
    }

    // MARK: - Structure

    /// Starts an object as the next value.
    package mutating func beginObject() { open(0x7b) }

    /// Starts an object as the member `name`.
    package mutating func beginObject(_ name: String) {
        key(name)
        open(0x7b)
    }

    /// Ends the innermost object.
    package mutating func endObject() { close(0x7d) }

    /// Starts an array as the member `name`.
    package mutating func beginArray(_ name: String) {
        key(name)
        open(0x5b)
    }

    /// Ends the innermost array.
    package mutating func endArray() { close(0x5d) }

    /// Writes the key of the next value.
    ///
    /// - Precondition: `name` is a constant of printable ASCII without quotes and backslashes; other names
    ///   take ``foreignKey(_:)``.
    package mutating func key(_ name: String) {
        assert(name.utf8.allSatisfy { isPlain($0) }, "a constant key must need no escaping")
        let comma = needsComma
        let name = name.utf8.span
        bytes.append(addingCapacity: name.count + 4) { out in
            if comma { out.append(0x2c) }
            out.append(0x22)
            for index in name.indices { out.append(name[index]) }
            out.append(0x22)
            out.append(0x3a)
        }
        needsComma = false
    }

    /// Writes the key of the next value, escaped: for names that are not constants.
    package mutating func foreignKey(_ name: String) {
        separate()
        appendText(name)
        bytes.append(0x3a)
        needsComma = false
    }

    // MARK: - Values

    /// Writes a text.
    package mutating func value(_ text: String) {
        separate()
        appendText(text)
    }

    /// Writes a number, exactly; readers that keep numbers as doubles lose digits above 2^53.
    package mutating func value(_ number: UInt64) {
        separate()
        bytes.appendDecimal(number)
    }

    /// Writes a number, exactly.
    package mutating func value(_ number: Int64) {
        separate()
        bytes.appendDecimal(number)
    }

    /// Writes `true` or `false`.
    package mutating func value(_ flag: Bool) {
        separate()
        bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    }

    /// Writes the shortest number that reads back as the same double; infinities and NaN, which JSON lacks,
    /// as `null`.
    package mutating func value(_ number: Double) {
        guard number.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: number.description.utf8)
    }

    /// Writes `null`.
    package mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// Writes a text that the closure appends, between quotes.
    ///
    /// - Precondition: What is appended is printable ASCII without quotes and backslashes.
    @inline(__always)
    package mutating func quoted(_ body: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(0x22)
        body(&bytes)
        bytes.append(0x22)
    }

    /// Writes texts as one text, with a space between each two.
    package mutating func value(joined texts: [String]) {
        separate()
        bytes.append(0x22)
        var isFirst = true
        for text in texts {
            if !isFirst { bytes.append(0x20) }
            isFirst = false
            appendContent(of: text)
        }
        bytes.append(0x22)
    }

    /// Writes the one JSON value that the closure appends, such as a record that writes itself.
    package mutating func embedded(_ body: (inout [UInt8]) -> Void) {
        separate()
        body(&bytes)
    }

    // MARK: - Members

    /// Writes a text as the member `name`.
    package mutating func member(_ name: String, _ text: String) {
        key(name)
        value(text)
    }

    /// Writes a number as the member `name`.
    package mutating func member(_ name: String, _ number: UInt64) {
        key(name)
        value(number)
    }

    /// Writes a number as the member `name`.
    package mutating func member(_ name: String, _ number: Int64) {
        key(name)
        value(number)
    }

    /// Writes a flag as the member `name`.
    package mutating func member(_ name: String, _ flag: Bool) {
        key(name)
        value(flag)
    }

    /// Writes a double as the member `name`.
    package mutating func member(_ name: String, _ number: Double) {
        key(name)
        value(number)
    }

    // MARK: - Bytes

    private mutating func separate() {
        if needsComma { bytes.append(0x2c) }
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func appendText(_ text: String) {
        bytes.append(0x22)
        appendContent(of: text)
        bytes.append(0x22)
    }

    private mutating func appendContent(of text: String) {
        if text.needsNoEscaping {
            bytes.append(contentsOf: text.utf8)
        } else {
            for scalar in text.unicodeScalars { appendScalar(scalar) }
        }
    }

    private mutating func appendScalar(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"", "\\":
            bytes.append(0x5c)
            bytes.append(UInt8(truncatingIfNeeded: scalar.value))
        case "\n":
            bytes.append(0x5c)
            bytes.append(0x6e)
        case "\t":
            bytes.append(0x5c)
            bytes.append(0x74)
        case "\r":
            bytes.append(0x5c)
            bytes.append(0x72)
        case _ where scalar.isHazardousOnTerminals:
            for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { appendCodeUnit(unit) }
        default:
            bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    private mutating func appendCodeUnit(_ unit: UInt16) {
        bytes.append(0x5c)
        bytes.append(0x75)
        for shift in [12, 8, 4, 0] {
            let nibble = UInt8(truncatingIfNeeded: unit >> UInt16(shift)) & 0xf
            bytes.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
        }
    }
}

/// Whether JSON shows the byte as itself: printable ASCII other than quote and backslash.
private func isPlain(_ byte: UInt8) -> Bool {
    byte &- 0x20 < 0x5f && byte != 0x22 && byte != 0x5c
}

extension String {
    /// Without branches within the loop the compiler checks many bytes at a time; nearly all texts are plain.
    fileprivate var needsNoEscaping: Bool {
        let bytes = utf8.span
        var special: UInt8 = 0
        for index in bytes.indices {
            let byte = bytes[index]
            let isSpecial =
                (byte &- 0x20 > 0x5e ? 1 : 0) | (byte == 0x22 ? 1 : 0) | (byte == 0x5c ? 1 : 0) as UInt8
            special |= isSpecial
        }
        return special == 0
    }
}
