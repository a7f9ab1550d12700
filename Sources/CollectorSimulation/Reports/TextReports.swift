import EventModel

/// What people read.
package struct TextReport: Sendable {
    /// Whether escape sequences for colours may be used.
    package var hasColour: Bool
    /// What to write before the scenario's path to run it again.
    package var command: String

    package init(hasColour: Bool, command: String) {
        self.hasColour = hasColour
        self.command = command
    }

    /// One line for a scenario file that could be read.
    package func summary(_ result: ScenarioResult) -> String {
        let verdict = result.verdict
        let mark = verdict == .pass ? colour("pass", 32) : colour("FAIL", 31)
        guard result.problem == nil else { return "\(mark) \(TerminalText.escape(result.path))" }
        let events = result.records.reduce(0) { $0 + $1.eventCount }
        let virtual = result.records.reduce(0) { $0 + $1.virtualNanoseconds }
        let seeds =
            result.records.count == 1 ? "seed \(result.records[0].seed)" : "\(result.records.count) seeds"
        var line = "\(mark) \(TerminalText.escape(result.path))  \(seeds), \(events) events, "
        line += "\(Self.seconds(virtual)) virtual"
        if let hash = result.records.last?.traceHash { line += ", trace \(JSONReport.hexadecimal(hash))" }
        if verdict != .pass { line += "  [\(verdict.rawValue)]" }
        return line
    }

    /// One screen for a failed run: what, when, with which seed, how to run it again, and the last steps before.
    package func failure(_ record: RunRecord, path: String, stepLimit: Int = 12) -> String {
        var lines: [String] = []
        lines.append("")
        lines.append(colour("\(record.scenario), seed \(record.seed): \(record.verdict.rawValue)", 31))
        for failure in record.failures.prefix(8) {
            var place = failure.oracle.rawValue
            if let time = failure.time { place += " @\(Quantity.seconds(nanoseconds: time))" }
            if let line = failure.line { place += " \(TerminalText.escape(path)):\(line)" }
            let message = failure.message.split(separator: "\n", omittingEmptySubsequences: true)
            lines.append("  \(place): \(message.first.map { TerminalText.escape(String($0)) } ?? "")")
            for further in message.dropFirst().prefix(12) {
                lines.append("      " + TerminalText.escape(String(further)))
            }
        }
        if record.failures.count > 8 { lines.append("  and \(record.failures.count - 8) more") }
        lines.append("  again: \(command) run \(TerminalText.escape(path)) --seed \(record.seed)")
        if !record.recentSteps.isEmpty {
            lines.append(
                "  last steps of \(record.stepCount), trace \(JSONReport.hexadecimal(record.traceHash)):")
            for step in record.recentSteps.suffix(stepLimit) {
                lines.append("    " + TerminalText.escape(step))
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The last line.
    package func total(_ results: [ScenarioResult], wallNanoseconds: Int64) -> String {
        let runs = results.reduce(0) { $0 + $1.records.count }
        let failed = results.reduce(0) { $0 + $1.failedCount }
        let virtual = results.reduce(0) { sum, result in
            sum + result.records.reduce(0) { $0 + $1.virtualNanoseconds }
        }
        let verdict = failed == 0 ? colour("all pass", 32) : colour("\(failed) failed", 31)
        return
            "\(results.count) scenarios, \(runs) seeds (each run twice), \(Self.seconds(virtual)) virtual in "
            + "\(Self.seconds(wallNanoseconds)): \(verdict)"
    }

    private func colour(_ text: String, _ code: Int) -> String {
        hasColour ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        let hundredths = nanoseconds / 10_000_000
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
    }
}
