/// A number of bytes, written with binary units: `8 MiB`.
public struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Not negative.
    public let bytes: Int

    public init(bytes: Int) {
        precondition(bytes >= 0, "a byte count must not be negative")
        self.bytes = bytes
    }

    public static func kibibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count * 1_024) }
    public static func mebibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count * 1_048_576) }
    public static func gibibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count * 1_073_741_824) }

    private static let units: [(name: String, factor: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1), ("", 1),
    ]

    /// Reads `8 KiB`, `1.5MiB`, `4096 B` or `4096`; `nil` for anything else.
    ///
    /// Decimal units (`kB`, `MB`) are refused, because half of their users mean the binary ones.
    public init?(_ text: String) {
        guard let (number, unit) = DecimalNumber.split(text),
            let factor = Self.units.first(where: { $0.name == unit })?.factor,
            let bytes = number.multiplied(by: factor)
        else { return nil }
        self.bytes = bytes
    }

    /// The largest unit that needs no fraction: `8 MiB`, `1536 KiB`, `100 B`.
    public var description: String {
        let unit = Self.units.first { bytes >= $0.factor && bytes % $0.factor == 0 }
        guard let unit else { return "0 B" }
        return "\(bytes / unit.factor) \(unit.name)"
    }

    public static func < (a: Self, b: Self) -> Bool { a.bytes < b.bytes }
}

/// A whole number of hundredths, 0 ... 1000, written `80%`.
public struct Percentage: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let hundredths: Int

    private static let range = 0...1_000

    public init(_ hundredths: Int) {
        precondition(Self.range.contains(hundredths), "a percentage must lie within 0 and 1000")
        self.hundredths = hundredths
    }

    /// Reads `80%` or `80 %`; `nil` for anything else.
    public init?(_ text: String) {
        guard let (number, unit) = DecimalNumber.split(text), unit == "%",
            let hundredths = number.multiplied(by: 1), Self.range.contains(hundredths)
        else { return nil }
        self.hundredths = hundredths
    }

    public var description: String { "\(hundredths)%" }

    /// This share of `count`, rounded down; `count` must not exceed a tenth of `Int.max`.
    public func share(of count: Int) -> Int {
        count / 100 * hundredths + count % 100 * hundredths / 100
    }

    public static func < (a: Self, b: Self) -> Bool { a.hundredths < b.hundredths }
}

/// Durations as text: `30s`, `100ms`, `1.5s`, `2m`, `1h`.
package enum DurationText {
    private static let units: [(name: String, nanoseconds: Int)] = [
        ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ]

    /// Reads a number and one unit of h, m, s, ms, us, ns; `nil` for anything else, and for fractions of nanoseconds.
    package static func parse(_ text: String) -> Duration? {
        guard let (number, unit) = DecimalNumber.split(text),
            let factor = units.first(where: { $0.name == unit })?.nanoseconds,
            let nanoseconds = number.multiplied(by: factor)
        else { return nil }
        return .nanoseconds(nanoseconds)
    }

    /// The largest unit that needs no fraction: `90s`, `100ms`, `2m`; below a nanosecond is cut.
    package static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = Int(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !nanoseconds.overflow else { return "\(seconds)s" }
        let total = nanoseconds.partialValue + Int(attoseconds / 1_000_000_000)
        let unit = units.first { total.magnitude >= $0.nanoseconds && total % $0.nanoseconds == 0 }
        guard let unit else { return "0s" }
        return "\(total / unit.nanoseconds)\(unit.name)"
    }
}

/// Integers as text: decimal digits with an optional sign.
enum IntegerText {
    static func parse(_ text: String) -> Int? {
        guard text.utf8.first != 0x2b else { return nil }
        return Int(text)
    }
}

/// Lists as text: elements separated by commas; a backslash takes the next character literally.
package enum ListText {
    /// Reads a list; blanks around elements are dropped, blank text is the empty list.
    ///
    /// - Returns: `nil` for a backslash at the end, and for empty elements, which are slips of the finger.
    package static func parse(_ text: String) -> [String]? {
        var elements: [[UInt8]] = [[]]
        /// Bytes of the last element that were escaped, so that trimming leaves them alone.
        var protected = 0
        var isEscaping = false
        for byte in text.utf8 {
            if isEscaping {
                elements[elements.count - 1].append(byte)
                protected = elements[elements.count - 1].count
                isEscaping = false
            } else if byte == 0x5c {
                isEscaping = true
            } else if byte == 0x2c {
                trimEnd(of: &elements[elements.count - 1], after: protected)
                elements.append([])
                protected = 0
            } else if byte != 0x20 || !elements[elements.count - 1].isEmpty {
                elements[elements.count - 1].append(byte)
            }
        }
        guard !isEscaping else { return nil }
        trimEnd(of: &elements[elements.count - 1], after: protected)
        if elements.count == 1, elements[0].isEmpty { return [] }
        guard elements.allSatisfy({ !$0.isEmpty }) else { return nil }
        return elements.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Text that ``parse(_:)`` reads back.
    package static func format(_ elements: [String]) -> String {
        elements.map(escaped).joined(separator: ",")
    }

    private static func trimEnd(of element: inout [UInt8], after protected: Int) {
        while element.count > protected, element.last == 0x20 { element.removeLast() }
    }

    private static func escaped(_ element: String) -> String {
        var bytes: [UInt8] = []
        let last = element.utf8.count - 1
        for (position, byte) in element.utf8.enumerated() {
            let isOuterBlank = byte == 0x20 && (position == 0 || position == last)
            if byte == 0x2c || byte == 0x5c || isOuterBlank { bytes.append(0x5c) }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
