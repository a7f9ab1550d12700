extension OutputSpan<UInt8> {
    /// Appends a number in decimal digits; 20 bytes are always enough.
    package mutating func append(decimal number: UInt64) {
        guard number >= 10 else { return append(0x30 | UInt8(truncatingIfNeeded: number)) }
        var digitCount = 2
        var bound: UInt64 = 100
        while number >= bound, digitCount < 20 {
            digitCount += 1
            let (product, overflow) = bound.multipliedReportingOverflow(by: 10)
            guard !overflow else { break }
            bound = product
        }
        append(decimal: number, digitCount: digitCount)
    }

    /// Appends the last `digitCount` decimal digits of a number, with leading zeros.
    package mutating func append(decimal number: UInt64, digitCount: Int) {
        append(repeating: 0x30, count: digitCount)
        var position = count
        var rest = number
        for _ in 0..<digitCount {
            position -= 1
            self[position] = 0x30 | UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// Appends a word in 16 lower-case hexadecimal digits, with a `-` before each of the given digits.
    package mutating func append(hexadecimal word: UInt64, dashesBefore first: Int, _ second: Int) {
        for digit in 0..<16 {
            if digit == first || digit == second { append(0x2d) }
            let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * digit)) & 0xf
            append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
        }
    }
}

extension [UInt8] {
    /// Appends a number in decimal digits.
    package mutating func appendDecimal(_ number: UInt64) {
        append(addingCapacity: 20) { out in out.append(decimal: number) }
    }

    /// Appends a number in decimal digits, after a minus when it is negative.
    package mutating func appendDecimal(_ number: Int64) {
        append(addingCapacity: 20) { out in
            if number < 0 { out.append(0x2d) }
            out.append(decimal: number.magnitude)
        }
    }
}
