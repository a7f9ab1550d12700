import EventModel
import HostSources
import KernelFormats

/// What must hold of texts that processes and operators choose, and of how they are shown.
enum TextRoundTrip {
    /// Calls within which nothing is left to redact.
    private static let settlingCallCount = 8

    /// A byte of circumstances, then a command line: arguments stay as many as they were, and redacting them comes to an end.
    ///
    /// Bit 0 says that the end is missing, bit 1 that the first argument is the path of the executable.
    static func redactionViolation(of bytes: [UInt8]) -> String? {
        guard let circumstances = bytes.first else { return nil }
        let given = Array(bytes.dropFirst())
        let executable = circumstances & 2 == 0 ? nil : given.prefix { $0 != 0 }
        let isCut = circumstances & 1 != 0
        let redaction = ArgumentRedaction(additionalNames: ["launch-code"])
        var once = given
        let count = redaction.redact(&once, executable: executable, isCut: isCut)
        if count == 0, once != given { return "a command line is changed, and nothing counted" }
        if once.count(where: { $0 == 0 }) != given.count(where: { $0 == 0 }) {
            return "redacted, there are other arguments"
        }
        // A call makes a few passes only: of values within values within values it may leave some to the next call.
        for _ in 0..<settlingCallCount
        where redaction.redact(&once, executable: executable, isCut: isCut) == 0 {
            return nil
        }
        return "redacted again and again, a command line does not settle"
    }

    /// A rule about processes is refused, or says the same when it is printed and read again.
    static func ruleViolation(of bytes: [UInt8]) -> String? {
        guard let rule = ProcessRule(String(decoding: bytes, as: UTF8.self)) else { return nil }
        return ProcessRule(rule.description) == rule ? nil : "\(rule) reads back as something else"
    }

    /// A rule about files, a zero, a name: a rule without wildcards matches itself, a lone asterisk everything.
    static func fileRuleViolation(of bytes: [UInt8]) -> String? {
        let halves = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        let text = String(decoding: halves[0], as: UTF8.self)
        let name = halves.count > 1 ? Array(halves[1]) : []
        var rules = FileRules()
        guard rules.exclude(text) == FileRules.isRule(text) else { return "a rule is one, and is none" }
        guard FileRules.isRule(text) else { return nil }
        let isMatch = rules.reason(against: name) { [0x2f] + name } != nil
        let pattern = Array(text.utf8)
        if pattern.first == 0x2f { return nil }
        if pattern == [0x2a], !isMatch { return "an asterisk does not match" }
        guard !pattern.contains(0x2a), !pattern.contains(0x3f) else { return nil }
        return isMatch == (pattern == name) ? nil : "a plain name matches another one, or not itself"
    }

    /// Escaped for a terminal, a text has nothing that a terminal obeys, and can still be told from every other text.
    static func terminalViolation(of bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        let shown = TerminalText.escape(text)
        if shown.unicodeScalars.contains(where: \.isHazardousOnTerminals) {
            return "a character that a terminal obeys is shown"
        }
        return unescaped(shown) == Array(text.unicodeScalars) ? nil : "a text looks like another one"
    }

    /// Reads what `TerminalText.escape` writes, as its documentation says it.
    private static func unescaped(_ text: String) -> [Unicode.Scalar] {
        let scalars = Array(text.unicodeScalars)
        var result: [Unicode.Scalar] = []
        var position = 0
        while position < scalars.count {
            let scalar = scalars[position]
            let next = position + 1 < scalars.count ? scalars[position + 1] : nil
            position += 2
            switch (scalar, next) {
            case ("\\", "\\"): result.append("\\")
            case ("\\", "n"): result.append("\n")
            case ("\\", "t"): result.append("\t")
            case ("\\", "r"): result.append("\r")
            case ("\\", "u"):
                let end = scalars[position...].firstIndex(of: "}") ?? scalars.count
                let digits = String(String.UnicodeScalarView(scalars[min(position + 1, end)..<end]))
                guard let escaped = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) else { return [] }
                result.append(escaped)
                position = end + 1
            default:
                result.append(scalar)
                position -= 1
            }
        }
        return result
    }

    /// Bytes survive being made text, and no other text stands for them.
    static func kernelTextViolation(of bytes: [UInt8]) -> String? {
        let (text, isEscaped) = KernelText.decode(bytes)
        if KernelText.encode(text, isEscaped: isEscaped) != bytes { return "bytes do not survive as text" }
        let other = String(decoding: bytes, as: UTF8.self)
        guard let encoded = KernelText.encode(other, isEscaped: true) else { return nil }
        let again = KernelText.decode(encoded)
        return again.isEscaped && again.text == other ? nil : "two texts stand for the same bytes"
    }
}
