extension Scenario {
    /// The canonical text with the output lines below each `events` line replaced by what was observed.
    package func rewritten(with outputs: [EventOutput]) -> String {
        var document = document
        for index in document.sections.indices where document.sections[index].name == "expect" {
            document.sections[index].lines = Self.rewritten(document.sections[index].lines, with: outputs)
        }
        return document.print()
    }

    private static func rewritten(_ lines: [SceneLine], with outputs: [EventOutput]) -> [SceneLine] {
        var result: [SceneLine] = []
        var isReplacing = false
        for line in lines {
            if case .output = line.content, isReplacing { continue }
            isReplacing = false
            result.append(line)
            guard line.verb == "events", let output = outputs.first(where: { $0.line == line.number }) else {
                continue
            }
            isReplacing = true
            result += output.lines.map { SceneLine(.output($0)) }
        }
        return result
    }
}
