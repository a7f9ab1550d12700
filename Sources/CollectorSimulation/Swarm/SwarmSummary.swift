import EventModel

/// What a swarm has found and done.
package struct SwarmSummary: Sendable {
    package var profile: String
    package var seedCount = 0
    package var failedSeedCount = 0
    package var findings: [SwarmFinding] = []
    /// How many seeds hit each probe, by name.
    package var probes: [String: Int] = [:]
    /// Probes that the profile demands and no seed has hit.
    package var missingProbes: [String] = []
    package var eventCount = 0
    package var skippedLineCount = 0
    package var virtualNanoseconds: Int64 = 0
    /// Real time that the seeds took; shrinking and replaying bugs not counted.
    package var wallNanoseconds: Int64 = 0
    /// CPU time of the seeds, over all processes.
    package var processorNanoseconds: Int64 = 0
    package var jobCount = 1
    /// Scenarios of filed bugs that were replayed before, and their seeds.
    package var bugCount = 0
    package var bugSeedCount = 0
    package var wasInterrupted = false

    package init(profile: String) { self.profile = profile }

    /// The worst of all findings.
    package var verdict: Verdict {
        Verdict.overall(findings.map(\.verdict) + (missingProbes.isEmpty ? [] : [.uncovered]))
    }

    /// Seeds, each run twice, that one core does in a minute.
    package var seedsPerCoreMinute: Double {
        processorNanoseconds > 0 ? Double(seedCount) * 60e9 / Double(processorNanoseconds) : 0
    }

    /// Virtual seconds for each real one.
    package var simulatedToWall: Double {
        wallNanoseconds > 0 ? Double(virtualNanoseconds) / Double(wallNanoseconds) : 0
    }

    /// Of all failures that were shrunk, the median size in lines and the median real time; `nil` when none was.
    package var shrinkMedian: (lineCount: Int, nanoseconds: Int64)? {
        guard let lines = median(findings.compactMap { $0.lineCounts?.shrunk }),
            let time = median(findings.compactMap(\.shrinkNanoseconds))
        else { return nil }
        return (lines, time)
    }

    /// The middle one, the greater of two.
    private func median<Value: Comparable>(_ values: [Value]) -> Value? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }

    /// The object that `--json` ends with.
    package var json: String {
        var bytes: [UInt8] = []
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("profile", profile)
            json.member("verdict", verdict.rawValue)
            json.member("seeds", UInt64(seedCount))
            json.member("failed_seeds", UInt64(failedSeedCount))
            json.beginArray("failures")
            for finding in findings { finding.append(to: &json) }
            json.endArray()
            json.member("seeds_per_core_minute", rounded(seedsPerCoreMinute))
            json.member("virtual_seconds", rounded(Double(virtualNanoseconds) / 1e9))
            json.member("wall_seconds", rounded(Double(wallNanoseconds) / 1e9))
            json.member("processor_seconds", rounded(Double(processorNanoseconds) / 1e9))
            json.member("simulated_to_wall", rounded(simulatedToWall))
            json.member("jobs", UInt64(jobCount))
            json.member("events", UInt64(eventCount))
            json.member("skipped_lines", UInt64(skippedLineCount))
            json.member("bugs_replayed", UInt64(bugCount))
            json.member("bug_seeds", UInt64(bugSeedCount))
            if let shrinkMedian {
                json.member("shrunk_lines_median", UInt64(shrinkMedian.lineCount))
                json.member("shrink_seconds_median", rounded(Double(shrinkMedian.nanoseconds) / 1e9))
            }
            json.member("interrupted", wasInterrupted)
            json.beginObject("probes")
            for (name, count) in sortedProbes { json.member(name, UInt64(count)) }
            json.endObject()
            json.beginArray("missing_probes")
            for name in missingProbes { json.value(name) }
            json.endArray()
            json.endObject()
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private var sortedProbes: [(name: String, count: Int)] {
        probes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// To a tenth.
    private func rounded(_ number: Double) -> Double { (number * 10).rounded() / 10 }

    /// What people read at the end.
    package func text(hasColour: Bool) -> String {
        func colour(_ text: String, _ code: Int) -> String {
            hasColour ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
        }
        var lines: [String] = []
        if bugCount > 0 { lines.append("\(bugCount) filed bugs replayed under \(bugSeedCount) schedules") }
        let seconds = rounded(Double(wallNanoseconds) / 1e9)
        lines.append(
            "\(profile): \(seedCount) seeds (each run twice), \(eventCount) events, "
                + "\(rounded(Double(virtualNanoseconds) / 3600e9)) virtual hours in \(seconds) s"
                + (wasInterrupted ? ", interrupted" : ""))
        lines.append(
            "\(Int(seedsPerCoreMinute)) seeds per core-minute, simulated to wall \(Int(simulatedToWall)):1, "
                + "\(probes.count) probes hit")
        if !missingProbes.isEmpty {
            lines.append(colour("never hit: " + missingProbes.joined(separator: ", "), 31))
        }
        if findings.isEmpty {
            lines.append(colour("no failures", 32))
        } else {
            lines.append(colour("\(findings.count) kinds of failure in \(failedSeedCount) seeds", 31))
            for finding in findings {
                let place = finding.file.map { TerminalText.escape($0) } ?? "not filed"
                lines.append(
                    "  \(finding.failure.oracle.rawValue) (\(finding.verdict.rawValue)), "
                        + "\(finding.seedCount) seeds, first \(finding.record.seed): \(place)")
            }
        }
        if let shrinkMedian {
            let seconds = rounded(Double(shrinkMedian.nanoseconds) / 1e9)
            lines.append("shrunk to \(shrinkMedian.lineCount) lines in \(seconds) s (medians)")
        }
        return lines.joined(separator: "\n")
    }
}

extension SwarmFinding {
    fileprivate func append(to json: inout JSONWriter) {
        json.beginObject()
        json.member("seed", record.seed)
        json.member("oracle", failure.oracle.rawValue)
        json.member("verdict", verdict.rawValue)
        json.member("message", failure.message)
        json.member("seeds", UInt64(seedCount))
        json.key("file")
        if let file { json.value(file) } else { json.null() }
        if let lineCounts {
            json.member("lines", UInt64(lineCounts.shrunk))
            json.member("full_lines", UInt64(lineCounts.full))
        }
        if let shrinkNanoseconds { json.member("shrink_ns", shrinkNanoseconds) }
        json.endObject()
    }
}
