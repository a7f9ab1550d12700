/// What a profile says about one value: some texts and ranges, each as likely as the others.
///
/// Written `A|B|…`, each a text, a range `1..8`, `log(1..4096)` or `exp(20ms)` (with that mean). The ends of a range carry their
/// unit: `1ms..20ms`, `4KiB..8MiB`, `0.001..0.2`, `5/s..40/s`.
package struct Distribution: Hashable, Sendable {
    /// What a number counts.
    package enum Unit: String, Hashable, Sendable {
        case integer = "a number"
        /// In millionths.
        case fraction = "a fraction between 0 and 1"
        /// In nanoseconds.
        case duration = "a duration"
        case byteCount = "a byte count"
        /// Times in a million seconds.
        case rate = "a rate such as 20/s"
    }

    package enum Shape: Hashable, Sendable {
        case uniform
        /// Each power of two is equally likely.
        case logarithmic
        /// The range is `0 ... mean`.
        case exponential
    }

    package enum Alternative: Hashable, Sendable {
        case literal(String)
        case range(ClosedRange<Int64>, Shape, Unit)
    }

    package var alternatives: [Alternative]

    /// Reads `A|B|…`, every part as it stands: for values that are ranges themselves.
    init(literals text: String) {
        alternatives = text.split(separator: "|").map { .literal(String($0)) }
    }

    /// Reads `A|B|…`; `nil` for anything else.
    package init?(_ text: String) {
        alternatives = []
        for part in text.split(separator: "|", omittingEmptySubsequences: false) {
            guard let alternative = Self.alternative(String(part)) else { return nil }
            alternatives.append(alternative)
        }
    }

    private static func alternative(_ text: String) -> Alternative? {
        guard !text.isEmpty else { return nil }
        if let inner = inside("exp", of: text) {
            guard let (mean, unit) = number(inner), mean >= 0 else { return nil }
            return .range(0...mean, .exponential, unit)
        }
        if let inner = inside("log", of: text) {
            guard let (range, unit) = range(inner), range.lowerBound >= 0 else { return nil }
            return .range(range, .logarithmic, unit)
        }
        if text.firstRange(of: "..") != nil {
            guard let (range, unit) = range(text) else { return nil }
            return .range(range, .uniform, unit)
        }
        return .literal(text)
    }

    private static func inside(_ name: String, of text: String) -> String? {
        guard text.hasPrefix(name + "("), text.hasSuffix(")") else { return nil }
        return String(text.dropFirst(name.utf8.count + 1).dropLast())
    }

    private static func range(_ text: String) -> (ClosedRange<Int64>, Unit)? {
        guard let separator = text.firstRange(of: ".."),
            let low = number(String(text[..<separator.lowerBound])),
            let high = number(String(text[separator.upperBound...]))
        else { return nil }
        // 0 and 1 are fractions where the other end is one, and 0 is whatever the other end is.
        let unit = low.unit == .integer ? high.unit : low.unit
        guard let first = converted(low, to: unit), let last = converted(high, to: unit), first <= last else {
            return nil
        }
        return (first...last, unit)
    }

    /// A number and its unit; `nil` for anything else.
    package static func number(_ text: String) -> (value: Int64, unit: Unit)? {
        if let value = Quantity.integer(text).flatMap({ Int64(exactly: $0) }) { return (value, .integer) }
        if let value = Quantity.nanoseconds(text) { return (value, .duration) }
        if let value = Quantity.byteCount(text) { return (Int64(value), .byteCount) }
        if let slash = text.firstIndex(of: "/"), let count = Quantity.integer(text[..<slash]),
            let span = Quantity.nanoseconds("1" + text[text.index(after: slash)...]), count <= 1_000_000
        {
            return (Int64(count) * 1_000_000_000_000_000 / span, .rate)
        }
        guard let value = Quantity.nanoseconds(text, defaultUnit: "ms"), (0...1_000_000).contains(value)
        else {
            return nil
        }
        return (value, .fraction)
    }

    private static func converted(_ number: (value: Int64, unit: Unit), to unit: Unit) -> Int64? {
        if number.unit == unit || number.value == 0 { return number.value }
        guard number.unit == .integer, unit == .fraction, number.value <= 1 else { return nil }
        return number.value * 1_000_000
    }

    /// How a number of this unit is written in a scenario.
    static func text(_ value: Int64, _ unit: Unit) -> String {
        switch unit {
        case .integer: return String(value)
        case .duration: return Quantity.duration(nanoseconds: value)
        case .byteCount:
            return value % 1_024 == 0 && value > 0 ? "\(value / 1_024)KiB" : String(value)
        case .rate: return String(value)
        case .fraction:
            let seconds = Quantity.seconds(nanoseconds: value * 1_000)
            return String(seconds.dropLast())
        }
    }

    /// Texts that stand for all that can be drawn: every literal and both ends of every range.
    package var representatives: [String] {
        alternatives.flatMap { alternative -> [String] in
            switch alternative {
            case .literal(let text): [text]
            case .range(let range, _, let unit):
                [Self.text(range.lowerBound, unit), Self.text(range.upperBound, unit)]
            }
        }
    }

    /// Draws one value, as a scenario writes it.
    package func drawText(_ label: StaticString, for purpose: ChoiceTape.Purpose, from tape: inout ChoiceTape)
        -> String
    {
        switch alternatives[tape.index(label, of: alternatives.count, for: purpose)] {
        case .literal(let text): text
        case .range(let range, let shape, let unit):
            Self.text(Self.draw(range, shape, label, for: purpose, from: &tape), unit)
        }
    }

    fileprivate static func draw(
        _ range: ClosedRange<Int64>, _ shape: Shape, _ label: StaticString, for purpose: ChoiceTape.Purpose,
        from tape: inout ChoiceTape
    ) -> Int64 {
        switch shape {
        case .uniform: tape.uniform(label, in: range, for: purpose)
        case .logarithmic: tape.logarithmic(label, in: range, for: purpose)
        case .exponential: tape.exponential(label, mean: range.upperBound, for: purpose)
        }
    }

    /// The same as numbers of one unit; `nil` when an alternative is none.
    package func numbers(in unit: Unit) -> NumberDistribution? {
        var ranges: [NumberDistribution.Range] = []
        for alternative in alternatives {
            switch alternative {
            case .range(let range, let shape, let own):
                guard let low = Self.converted((range.lowerBound, own), to: unit),
                    let high = Self.converted((range.upperBound, own), to: unit)
                else { return nil }
                ranges.append(NumberDistribution.Range(range: low...high, shape: shape))
            case .literal(let text):
                guard let number = Self.number(text), let value = Self.converted(number, to: unit) else {
                    return nil
                }
                ranges.append(NumberDistribution.Range(range: value...value, shape: .uniform))
            }
        }
        return NumberDistribution(ranges: ranges)
    }
}

/// Where a number comes from: some ranges, each equally likely.
package struct NumberDistribution: Hashable, Sendable {
    package struct Range: Hashable, Sendable {
        package var range: ClosedRange<Int64>
        package var shape: Distribution.Shape
    }

    package var ranges: [Range]

    package init(ranges: [Range]) {
        precondition(!ranges.isEmpty, "a distribution has an outcome")
        self.ranges = ranges
    }

    /// Always the same number.
    package init(_ value: Int64) { ranges = [Range(range: value...value, shape: .uniform)] }

    package func draw(_ label: StaticString, for purpose: ChoiceTape.Purpose, from tape: inout ChoiceTape)
        -> Int64
    {
        let chosen = ranges[tape.index(label, of: ranges.count, for: purpose)]
        return Distribution.draw(chosen.range, chosen.shape, label, for: purpose, from: &tape)
    }

    /// Whether every number lies within `limits`; an exponential one has no upper end.
    package func lies(in limits: ClosedRange<Int64>) -> Bool {
        ranges.allSatisfy { limits.contains($0.range.lowerBound) && limits.contains($0.range.upperBound) }
    }
}
