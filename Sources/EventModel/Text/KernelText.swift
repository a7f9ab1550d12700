/// The text rule: how bytes of the kernel that need not be UTF-8 become a `String`, losslessly.
///
/// Names, arguments and paths are bytes that their owner chose. Valid UTF-8 is taken as it is. Otherwise
/// every byte that belongs to no valid scalar becomes `\xNN` (lower-case hexadecimal) and every backslash
/// `\\`; the valid rest stays, and the field's name goes into ``Event/escaped``, because only with that flag
/// can the bytes be told apart from a text that looks escaped. Different bytes give different pairs of text
/// and flag.
public enum KernelText {
    /// Turns bytes into text; valid UTF-8 costs one pass and the `String` alone.
    ///
    /// - Returns: The text, and whether it is escaped. An escaped text is at most four times as long as the
    ///   bytes.
    public static func decode(_ bytes: Span<UInt8>) -> (text: String, isEscaped: Bool) {
        do throws(UTF8.ValidationError) {
            return (String(copying: try UTF8Span(validating: bytes)), false)
        } catch {
            return (escape(bytes), true)
        }
    }

    /// Turns an array of bytes into text.
    public static func decode(_ bytes: [UInt8]) -> (text: String, isEscaped: Bool) { decode(bytes.span) }

    /// Turns a part of an array into text, without copying the bytes first.
    public static func decode(_ bytes: ArraySlice<UInt8>) -> (text: String, isEscaped: Bool) {
        decode(bytes.span)
    }

    /// Gives back the bytes: the inverse of ``decode(_:)-(Span<UInt8>)``.
    ///
    /// - Returns: `nil` when decoding never yields this pair: an unfinished or unknown escape, an escape of
    ///   something that needs none, or `isEscaped` although everything is valid.
    public static func encode(_ text: String, isEscaped: Bool) -> [UInt8]? {
        guard isEscaped else { return Array(text.utf8) }
        guard let bytes = unescape(text) else { return nil }
        let again = decode(bytes.span)
        return again.isEscaped && again.text.utf8.elementsEqual(text.utf8) ? bytes : nil
    }

    private static func escape(_ bytes: Span<UInt8>) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 16)
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            let length = scalarLength(in: bytes, at: position)
            if length == 0 {
                out.append(0x5c)
                out.append(0x78)
                out.append(hexDigit(byte >> 4))
                out.append(hexDigit(byte & 0xf))
                position += 1
            } else if byte == 0x5c {
                out.append(0x5c)
                out.append(0x5c)
                position += 1
            } else {
                for offset in 0..<length { out.append(bytes[position + offset]) }
                position += length
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func unescape(_ text: String) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == 0x5c else {
                out.append(byte)
                continue
            }
            switch rest.next() {
            case 0x5c: out.append(0x5c)
            case 0x78:
                guard let high = hexValue(rest.next()), let low = hexValue(rest.next()) else { return nil }
                out.append(high << 4 | low)
            default: return nil
            }
        }
        return out
    }

    /// The length of the well-formed scalar that begins at `position`, 0 when none does.
    ///
    /// Source: The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte Sequences".
    private static func scalarLength(in bytes: Span<UInt8>, at position: Int) -> Int {
        func isContinuation(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
            position + offset < bytes.count && range.contains(bytes[position + offset])
        }
        switch bytes[position] {
        case 0x00...0x7f: return 1
        case 0xc2...0xdf: return isContinuation(1) ? 2 : 0
        case 0xe0: return isContinuation(1, 0xa0...0xbf) && isContinuation(2) ? 3 : 0
        case 0xed: return isContinuation(1, 0x80...0x9f) && isContinuation(2) ? 3 : 0
        case 0xe1...0xef: return isContinuation(1) && isContinuation(2) ? 3 : 0
        case 0xf0: return isContinuation(1, 0x90...0xbf) && isContinuation(2) && isContinuation(3) ? 4 : 0
        case 0xf1...0xf3: return isContinuation(1) && isContinuation(2) && isContinuation(3) ? 4 : 0
        case 0xf4: return isContinuation(1, 0x80...0x8f) && isContinuation(2) && isContinuation(3) ? 4 : 0
        default: return 0
        }
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

    private static func hexValue(_ byte: UInt8?) -> UInt8? {
        switch byte {
        case .some(let digit) where (0x30...0x39).contains(digit): digit - 0x30
        case .some(let digit) where (0x61...0x66).contains(digit): digit - 0x57
        default: nil
        }
    }
}
