import EventModel

/// The scenario of one seed, as text.
package enum SwarmScenario {
    /// - Throws: ``ScenarioError`` when the profile is wrong.
    package static func text(ofSeed seed: UInt64, profile bytes: [UInt8], path: String) throws(ScenarioError)
        -> String
    {
        let profile = try SwarmProfile(parsing: bytes, path: path)
        return try ScenarioGenerator(profile).scenario(seed: seed).formatted
    }
}

/// Swarm profiles as `fmt` sees them.
package enum SwarmProfileFile {
    /// The canonical text of a profile.
    ///
    /// - Throws: ``ScenarioError`` when the profile is wrong.
    package static func formatted(_ bytes: [UInt8], path: String) throws(ScenarioError) -> String {
        try SwarmProfile(parsing: bytes, path: path).formatted
    }
}

extension TextReport {
    /// One screen for a failure that a swarm has found.
    package func finding(_ finding: SwarmFinding, profile: String, stepLimit: Int = 10) -> String {
        let record = finding.record
        var lines = ["", "\(record.scenario), seed \(record.seed): \(finding.verdict.rawValue)"]
        let others = record.failures.filter { $0 != finding.failure }
        for failure in ([finding.failure] + others).prefix(5) {
            let time = failure.time.map { " @" + Quantity.seconds(nanoseconds: $0) } ?? ""
            let message = failure.message.split(separator: "\n")
            lines.append(
                "  \(failure.oracle.rawValue)\(time): \(TerminalText.escape(String(message.first ?? "")))")
            for further in message.dropFirst().prefix(6) {
                lines.append("      " + TerminalText.escape(String(further)))
            }
        }
        if let file = finding.file {
            lines.append("  again: \(command) run \(TerminalText.escape(file))")
            if finding.isFiledBug { lines.append("  a bug that was filed earlier") }
        }
        if let counts = finding.lineCounts {
            lines.append("  shrunk from \(counts.full) lines to \(counts.shrunk)")
        }
        if !finding.isFiledBug {
            lines.append("  the seed: \(command) swarm \(TerminalText.escape(profile)) --seed \(record.seed)")
        }
        if let problem = finding.problem {
            lines.append("  not shrunk or filed: \(TerminalText.escape(problem))")
        }
        if !record.recentSteps.isEmpty {
            lines.append("  last steps of \(record.stepCount):")
            for step in record.recentSteps.suffix(stepLimit) {
                lines.append("    " + TerminalText.escape(step))
            }
        }
        return lines.joined(separator: "\n")
    }
}
