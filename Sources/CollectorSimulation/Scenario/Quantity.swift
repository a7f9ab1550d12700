/// Numbers with units as scenario files write them.
package enum Quantity {
    private static let durationUnits: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]
    private static let sizeUnits: [(name: String, byteCount: Int64)] = [
        ("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
    ]

    /// Reads a duration such as `20ms`, `1.5s`, `-5s` or `8h`, exactly; `nil` for anything else.
    ///
    /// - Parameter defaultUnit: The unit of a number without one; `nil` when the unit must be written.
    package static func nanoseconds(_ text: some StringProtocol, defaultUnit: String? = nil) -> Int64? {
        guard let (number, unit) = split(text) else { return nil }
        let name = unit.isEmpty ? defaultUnit ?? "" : unit
        guard let factor = durationUnits.first(where: { $0.name == name })?.nanoseconds else { return nil }
        return number.scaled(by: factor)
    }

    /// Reads a byte count such as `4KiB` or `512`, not negative; `nil` for anything else.
    package static func byteCount(_ text: some StringProtocol) -> Int? {
        guard let (number, unit) = split(text),
            let factor = sizeUnits.first(where: { $0.name == unit })?.byteCount,
            let value = number.scaled(by: factor), value >= 0
        else { return nil }
        return Int(value)
    }

    /// Reads a whole number that is not negative, decimal or `0x` hexadecimal; `nil` for anything else.
    package static func integer(_ text: some StringProtocol) -> UInt64? {
        let isHexadecimal = text.hasPrefix("0x")
        let digits = isHexadecimal ? text.dropFirst(2) : text[...]
        guard let first = digits.utf8.first, first.isDigit || isHexadecimal else { return nil }
        return UInt64(digits, radix: isHexadecimal ? 16 : 10)
    }

    /// Writes seconds with as few decimals as are exact: `0s`, `1.002s`.
    package static func seconds(nanoseconds: Int64) -> String {
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        var fraction = String(magnitude % 1_000_000_000)
        fraction = String(repeating: "0", count: 9 - fraction.utf8.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return sign + String(magnitude / 1_000_000_000) + (fraction.isEmpty ? "" : "." + fraction) + "s"
    }

    /// Writes a duration in the largest unit that needs no fraction: `20ms`, `8h`, `0s`.
    package static func duration(nanoseconds: Int64) -> String {
        guard nanoseconds != 0 else { return "0s" }
        for unit in durationUnits.reversed() where nanoseconds % unit.nanoseconds == 0 {
            return String(nanoseconds / unit.nanoseconds) + unit.name
        }
        return String(nanoseconds) + "ns"
    }

    /// A decimal number: `digits` times ten to the power of `-decimals`.
    private struct Decimal {
        var digits: Int64
        var decimals: Int

        /// The product, if it is whole and fits.
        func scaled(by factor: Int64) -> Int64? {
            // A unit with more zeros than there are decimals leaves nothing to divide, and no product that is too large.
            var factor = factor
            var rest = decimals
            while rest > 0, factor.isMultiple(of: 10) {
                factor /= 10
                rest -= 1
            }
            var power: Int64 = 1
            for _ in 0..<rest { power *= 10 }
            let (product, overflow) = digits.multipliedReportingOverflow(by: factor)
            guard !overflow, product % power == 0 else { return nil }
            return product / power
        }
    }

    private static func split(_ text: some StringProtocol) -> (Decimal, unit: String)? {
        var number = Decimal(digits: 0, decimals: 0)
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        guard let first = rest.first, first.isDigit else { return nil }
        var isFraction = false
        while let byte = rest.first, byte.isDigit || (byte == UInt8(ascii: ".") && !isFraction) {
            rest.removeFirst()
            guard byte != UInt8(ascii: ".") else {
                guard let next = rest.first, next.isDigit else { return nil }
                isFraction = true
                continue
            }
            let (product, overflow) = number.digits.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(byte - 0x30))
            guard !overflow, !carry, number.decimals < 12 else { return nil }
            number.digits = sum
            if isFraction { number.decimals += 1 }
        }
        if isNegative { number.digits = -number.digits }
        return (number, String(decoding: rest, as: UTF8.self))
    }
}
