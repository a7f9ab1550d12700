import EventModel

/// Text within a page: nothing of it can become markup, and nothing of it is hidden.
enum HTMLText {
    /// Foreign text as the content of an element or of an attribute in double quotes.
    static func escape(_ text: String) -> String { markup(TerminalText.escape(text)) }

    /// A line of a scenario file, which has escapes of its own: its backslashes stay as they are.
    static func source(_ line: String) -> String {
        guard line.unicodeScalars.contains(where: \.isHazardousOnTerminals) else { return markup(line) }
        var shown = ""
        for scalar in line.unicodeScalars {
            if scalar.isHazardousOnTerminals {
                shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return markup(shown)
    }

    private static func markup(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// JSON as the content of a `script` element: no `<` is left that could end it (HTML, "restrictions for contents of
    /// script elements").
    static func script(_ json: [UInt8]) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(json.count)
        for byte in json {
            if byte == UInt8(ascii: "<") { bytes += "\\u003c".utf8 } else { bytes.append(byte) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `12 345` with narrow spaces that do not break.
    static func count(_ number: some BinaryInteger) -> String {
        let digits = Array(String(number))
        var text = ""
        for (index, digit) in digits.enumerated() {
            let remaining = digits.count - index
            if index > 0, digits[index - 1] != "-", remaining % 3 == 0 { text.append("\u{202f}") }
            text.append(digit)
        }
        return text
    }

    /// Seconds after `@0` with at least a millisecond's digits: `1.004`, `0.000 250 5`.
    static func seconds(_ nanoseconds: Int64) -> String {
        var text = Quantity.seconds(nanoseconds: nanoseconds)
        text.removeLast()
        let decimals = text.split(separator: ".").dropFirst().first?.utf8.count ?? 0
        if decimals == 0 { text += "." }
        if decimals < 3 { text += String(repeating: "0", count: 3 - decimals) }
        return text
    }

    /// A duration to three digits, in the unit that suits it: `1.25 ms`.
    static func duration(_ nanoseconds: Int64) -> String {
        let magnitude = nanoseconds.magnitude
        let units: [(String, UInt64)] = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)]
        guard let (name, size) = units.first(where: { magnitude >= $0.1 }) else {
            return "\(nanoseconds)\u{202f}ns"
        }
        let (whole, rest) = magnitude.quotientAndRemainder(dividingBy: size)
        let decimals = whole >= 100 ? 0 : whole >= 10 ? 1 : 2
        var fraction = String(rest * 1_000 / size)
        fraction = String(repeating: "0", count: 3 - fraction.utf8.count) + fraction
        let sign = nanoseconds < 0 ? "-" : ""
        let tail = decimals == 0 ? "" : "." + fraction.prefix(decimals)
        return "\(sign)\(whole)\(tail)\u{202f}\(name)"
    }
}
