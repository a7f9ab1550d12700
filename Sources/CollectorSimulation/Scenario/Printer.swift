extension SceneDocument {
    /// The canonical text: parsing it gives this document again, and printing that gives the same bytes.
    package func print() -> String {
        var text = ""
        let first = Printer.line(head.tokens)
        text += first + "\n"
        for line in directives { text += Printer.text(of: line, indentation: "", timeWidth: 0) + "\n" }
        for section in sections {
            text += "\n" + section.name + "\n"
            let timeWidth = section.lines.compactMap { Printer.time(of: $0)?.utf8.count }.max() ?? 0
            for line in section.lines {
                text += Printer.text(of: line, indentation: "  ", timeWidth: timeWidth) + "\n"
            }
        }
        return text
    }
}

/// How lines, tokens and values are written.
package enum Printer {
    /// One line of tokens, separated by single spaces.
    package static func line(_ tokens: [SceneToken]) -> String {
        tokens.map { token($0.kind) }.joined(separator: " ")
    }

    package static func token(_ kind: SceneToken.Kind) -> String {
        switch kind {
        case .arrow: "->"
        case .time(let nanoseconds): "@" + Quantity.seconds(nanoseconds: nanoseconds)
        case .value(let value): self.value(value)
        case .keyed(let key, let value): key + "=" + self.value(value)
        }
    }

    package static func value(_ value: SceneValue) -> String {
        switch value {
        case .bare(let word): word
        case .string(let bytes): quoted(bytes)
        case .list(let values): "[" + values.map { self.value($0) }.joined(separator: ",") + "]"
        }
    }

    /// Bytes as a quoted string: printable characters as they are, everything else as an escape.
    package static func quoted(_ bytes: some Sequence<UInt8>) -> String {
        var text = "\""
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        // The parser consumes what it calls an error, so the bytes themselves come from a second walk.
        let source = Array(bytes)
        var offset = 0
        while true {
            switch parser.parseScalar(from: &iterator) {
            case .emptyInput:
                return text + "\""
            case .error(let length):
                for byte in source[offset..<min(offset + length, source.count)] {
                    text += "\\x" + hexadecimal(byte)
                }
                offset += length
            case .valid(let encoded):
                offset += encoded.count
                append(Unicode.UTF8.decode(encoded), to: &text)
            }
        }
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout String) {
        switch scalar {
        case "\n": text += "\\n"
        case "\t": text += "\\t"
        case "\\": text += "\\\\"
        case "\"": text += "\\\""
        case _ where scalar.isPrintable: text.unicodeScalars.append(scalar)
        default: for byte in Unicode.UTF8.encode(scalar) ?? .init() { text += "\\x" + hexadecimal(byte) }
        }
    }

    /// A text as output lines have it: plain words stand bare, everything else in quotes.
    static func word(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                byte.isKeyCharacter || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":")
            }
        return isPlain ? text : quoted(text.utf8)
    }

    static func time(of line: SceneLine) -> String? {
        guard case .time(let nanoseconds)? = line.tokens.first?.kind else { return nil }
        return token(.time(nanoseconds))
    }

    static func text(of line: SceneLine, indentation: String, timeWidth: Int) -> String {
        switch line.content {
        case .blank: return ""
        case .comment(let text): return indentation + text
        case .output(let text): return text.isEmpty ? indentation + "|" : indentation + "| " + text
        case .tokens(let tokens):
            guard let time = time(of: line) else { return indentation + self.line(tokens) }
            let padding = String(repeating: " ", count: max(timeWidth - time.utf8.count, 0) + 1)
            return indentation + time + padding + self.line(Array(tokens.dropFirst()))
        }
    }
}

extension Unicode.Scalar {
    /// Whether a scenario file may hold the character as it is: neither a control, nor one that reorders or hides text.
    var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            false
        default: true
        }
    }
}
