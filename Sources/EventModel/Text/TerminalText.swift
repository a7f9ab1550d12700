/// Makes foreign text harmless on a terminal and in a log.
///
/// The names and arguments of processes belong to whoever started them: they can hold escape sequences, line
/// breaks that fake further lines, and invisible or direction-changing characters that hide or reorder what
/// is shown.
public enum TerminalText {
    /// The text with everything that does not show as itself in a visible form.
    ///
    /// Line feed, tab and carriage return become `\n`, `\t` and `\r`; other characters that a terminal obeys
    /// or hides (control, bidirectional, zero-width, line and paragraph separators and the like) become
    /// `\u{<hex>}`.
    ///
    /// A backslash stays single, so that `\x2d` of a unit's name reads as it is, except where it would look
    /// like one of these forms: before a backslash, before `n`, `t`, `r` or `u`, and before a character that
    /// is escaped, it is doubled. Different texts therefore never look the same because of escaping. Text
    /// that needs nothing is returned as it is.
    public static func escape(_ text: String) -> String {
        guard needsEscaping(text) else { return text }
        var out = ""
        out.reserveCapacity(text.utf8.count + 16)
        let scalars = text.unicodeScalars
        var position = scalars.startIndex
        while position < scalars.endIndex {
            let scalar = scalars[position]
            scalars.formIndex(after: &position)
            switch scalar {
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            case "\\":
                let isAmbiguous =
                    position < scalars.endIndex && readsAsEscape(afterBackslash: scalars[position])
                out += isAmbiguous ? "\\\\" : "\\"
            case _ where scalar.isHazardousOnTerminals:
                out += "\\u{"
                out += String(scalar.value, radix: 16)
                out += "}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func needsEscaping(_ text: String) -> Bool {
        let bytes = text.utf8.span
        var isPlain = true
        for index in bytes.indices {
            let byte = bytes[index]
            if byte < 0x20 || byte > 0x7e || byte == 0x5c { isPlain = false }
        }
        if isPlain { return false }
        return text.unicodeScalars.contains { $0 == "\\" || $0.isHazardousOnTerminals }
    }

    private static func readsAsEscape(afterBackslash scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\\", "n", "t", "r", "u": true
        default: scalar.isHazardousOnTerminals
        }
    }
}

extension Unicode.Scalar {
    /// Whether a terminal would obey or hide this character instead of showing it.
    ///
    /// Controls (C0, C1 and DEL), format characters (among them the bidirectional controls), line and
    /// paragraph separators, and what Unicode calls default-ignorable (zero-width characters, variation
    /// selectors, tags, fillers). A fixed table (Unicode 16) rather than the properties of the standard
    /// library, so that output does not change with its Unicode version.
    package var isHazardousOnTerminals: Bool {
        switch value {
        case 0x20...0x7e: false
        case 0x00...0x1f, 0x7f...0x9f: true
        case 0xad, 0x34f, 0x600...0x605, 0x61c, 0x6dd, 0x70f, 0x890...0x891, 0x8e2: true
        case 0x115f...0x1160, 0x17b4...0x17b5, 0x180b...0x180f: true
        case 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f: true
        case 0x3164, 0xfe00...0xfe0f, 0xfeff, 0xffa0, 0xfff0...0xfffb: true
        case 0x110bd, 0x110cd, 0x13430...0x1343f: true
        case 0x1bca0...0x1bca3, 0x1d173...0x1d17a, 0xe0000...0xe0fff: true
        default: false
        }
    }
}
