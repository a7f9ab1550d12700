extension OutputSpan where Element == UInt8 {
    /// Most bytes that ``append(decimal:)`` adds: the digits of `UInt64.max`.
    static var decimalByteCount: Int { 20 }

    /// Appends `value` in decimal digits.
    mutating func append(decimal value: UInt64) {
        var low = count
        var rest = value
        repeat {
            append(Ascii.zero &+ UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest != 0
        var high = count - 1
        while low < high {
            swapAt(low, high)
            low &+= 1
            high &-= 1
        }
    }

    /// Appends a number in the byte order of netlink, that of the host: little-endian.
    mutating func append(word value: UInt32) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value >> 16))
        append(UInt8(truncatingIfNeeded: value >> 24))
    }

    mutating func append(halfWord value: UInt16) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
    }

    mutating func append(doubleWord value: UInt64) {
        append(word: UInt32(truncatingIfNeeded: value))
        append(word: UInt32(truncatingIfNeeded: value >> 32))
    }
}

extension Array where Element == UInt8 {
    /// Appends the bytes of an ASCII text.
    mutating func append(text: String) { append(contentsOf: text.utf8) }

    /// Appends `value` in decimal digits, behind blanks up to `width`.
    mutating func append(decimal value: UInt64, width: Int = 0) {
        var digitCount = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            digitCount += 1
        }
        for _ in 0..<Swift.max(0, width - digitCount) { append(Ascii.space) }
        append(addingCapacity: OutputSpan<UInt8>.decimalByteCount) { $0.append(decimal: value) }
    }

    /// Appends `value` in 16 lower-case hexadecimal digits.
    mutating func append(hexadecimal value: UInt64) {
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 0xf
            append(digit < 10 ? Ascii.zero + digit : 0x57 + digit)
        }
    }
}
