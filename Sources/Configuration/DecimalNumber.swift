/// A non-negative decimal number, exact: digits and the number of those behind the point.
struct DecimalNumber: Hashable, Sendable {
    var digits: Int
    /// 0 ... 9.
    var fractionDigitCount: Int

    /// Splits text such as `1.5 s` into its number and its unit; at most one blank stands between them.
    ///
    /// - Returns: `nil` when the text does not start with a number, or the number has more than 9 digits behind the
    ///   point or does not fit into 64 bits.
    static func split(_ text: String) -> (number: DecimalNumber, unit: String)? {
        let bytes = Array(text.utf8)
        var position = 0
        var number = DecimalNumber(digits: 0, fractionDigitCount: 0)
        guard let whole = number.takeDigits(of: bytes, from: &position), whole > 0 else { return nil }
        if position < bytes.count, bytes[position] == 0x2e {
            position += 1
            guard let fraction = number.takeDigits(of: bytes, from: &position), (1...9).contains(fraction)
            else {
                return nil
            }
            number.fractionDigitCount = fraction
        }
        if position < bytes.count, bytes[position] == 0x20 {
            position += 1
            guard position < bytes.count else { return nil }
        }
        return (number, String(decoding: bytes[position...], as: UTF8.self))
    }

    /// The number times `factor`; `nil` when that is not a whole number, or the digits times `factor` overflow.
    func multiplied(by factor: Int) -> Int? {
        let (product, overflow) = digits.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        var divisor = 1
        for _ in 0..<fractionDigitCount { divisor *= 10 }
        return product.isMultiple(of: divisor) ? product / divisor : nil
    }

    /// Appends a run of digits; returns how many there were, `nil` when the number overflows.
    private mutating func takeDigits(of bytes: [UInt8], from position: inout Int) -> Int? {
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
            let (tens, overflow) = digits.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(Int(bytes[position] - 0x30))
            guard !overflow, !carry else { return nil }
            digits = sum
            position += 1
        }
        return position - start
    }
}
