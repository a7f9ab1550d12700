import EventModel

/// What a shrinker has done, for people and for machines.
package struct ShrinkReport: Sendable {
    /// Whether escape sequences for colours may be used.
    package var hasColour: Bool
    /// What to write before the scenario's path to run it again.
    package var command: String

    package init(hasColour: Bool, command: String) {
        self.hasColour = hasColour
        self.command = command
    }

    /// A line that is replaced while it goes on.
    package static func progress(_ progress: ShrinkProgress) -> String {
        "shrinking (\(progress.phase)): \(progress.lineCount) lines after \(progress.triedCount) runs, "
            + seconds(progress.wallNanoseconds)
    }

    /// A few lines: what fails, how small it became, and how to run it again.
    package func text(_ result: ShrinkResult, of scenario: Scenario, file: String?) -> String {
        var lines: [String] = []
        guard result.isReproduced || result.failure.verdict == .uncovered else {
            return
                "\(TerminalText.escape(scenario.path)): the failure did not show again, nothing was removed"
        }
        let failure = result.failure
        var place = failure.oracle.rawValue
        if let time = failure.time { place += " @\(Quantity.seconds(nanoseconds: time))" }
        let message = failure.message.split(separator: "\n").first.map(String.init) ?? ""
        lines.append(
            colour("\(failure.verdict.rawValue): ", 31) + "\(place): " + TerminalText.escape(message))
        lines.append(
            "  \(scenario.document.meaningfulLineCount) lines became \(result.lineCount) in "
                + "\(Self.seconds(result.wallNanoseconds)) and \(result.triedCount) runs")
        if let file {
            lines.append("  again: \(command) run \(TerminalText.escape(file)) --seed \(result.seed)")
        } else {
            lines.append("  fails with --seed \(result.seed)")
        }
        return lines.joined(separator: "\n")
    }

    /// One JSON object without a line break.
    package static func json(_ result: ShrinkResult, of scenario: Scenario, file: String?) -> String {
        var bytes: [UInt8] = []
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("scenario", scenario.name)
            json.member("path", scenario.path)
            json.member("reproduced", result.isReproduced)
            json.member("oracle", result.failure.oracle.rawValue)
            json.member("verdict", result.failure.verdict.rawValue)
            if let time = result.failure.time { json.member("at_ns", time) }
            json.member("message", result.failure.message)
            json.member("seed", result.seed)
            json.member("schedules", result.scheduleCount)
            json.member("lines_before", UInt64(scenario.document.meaningfulLineCount))
            json.member("lines", UInt64(result.lineCount))
            json.member("runs", UInt64(result.triedCount))
            json.member("wall_ns", result.wallNanoseconds)
            if let file { json.member("file", file) }
            json.member("document", BugFile.document(of: result).print())
            json.endObject()
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func colour(_ text: String, _ code: Int) -> String {
        hasColour ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        let tenths = nanoseconds / 100_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
