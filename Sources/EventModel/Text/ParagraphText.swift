/// Paragraphs of plain text for people.
package enum ParagraphText {
    /// The words of `text` in lines of at most `width` columns; a longer word has a line of its own.
    package static func lines(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        return line.isEmpty ? lines : lines + [line]
    }

    /// An entry of a reference: a name, what it means, then one fact a line.
    ///
    /// - Parameter width: Columns to wrap to, 40 or more.
    package static func entry(
        _ name: String, _ meaning: String, facts: [(label: String, text: String)], width: Int
    ) -> String {
        var lines = [name]
        lines += Self.lines(meaning, width: max(width, 40) - 4).map { "    " + $0 }
        for fact in facts {
            let padding = String(repeating: " ", count: max(1, 10 - fact.label.utf8.count))
            lines.append("    " + fact.label + padding + fact.text)
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
