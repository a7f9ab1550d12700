/// Text form of a 128-bit identifier, RFC 9562 section 4.
package enum UUIDText {
    /// The canonical form, lower case.
    package static func format(high: UInt64, low: UInt64) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(36)
        append(high: high, low: low, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Accepts exactly 8-4-4-4-12 hexadecimal digits, either case.
    package static func parse(_ text: some StringProtocol) -> (high: UInt64, low: UInt64)? {
        var digits = 0
        var high: UInt64 = 0
        var low: UInt64 = 0
        var position = 0
        for byte in text.utf8 {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == 0x2d else { return nil }
            } else {
                guard let value = hexValue(byte) else { return nil }
                if digits < 16 { high = high << 4 | UInt64(value) } else { low = low << 4 | UInt64(value) }
                digits += 1
            }
            position += 1
            guard position <= 36 else { return nil }
        }
        return position == 36 ? (high, low) : nil
    }

    /// Appends the 36 ASCII bytes of the canonical form, lower case.
    package static func append(high: UInt64, low: UInt64, to bytes: inout [UInt8]) {
        bytes.append(addingCapacity: 36) { out in
            out.append(hexadecimal: high, dashesBefore: 8, 12)
            out.append(hexadecimal: low, dashesBefore: 0, 4)
        }
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
