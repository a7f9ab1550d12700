import EventModel

/// Which probes have been hit, how often, and by which seed first.
package struct Coverage: Sendable {
    /// One probe.
    package struct Entry: Hashable, Sendable {
        package var name: String
        /// In how many runs.
        package var runCount = 0
        /// The file and the seed that hit it first.
        package var first: (path: String, seed: UInt64)?
        /// Why it need not be hit.
        package var rarity: String?

        package static func == (a: Self, b: Self) -> Bool {
            a.name == b.name && a.runCount == b.runCount && a.first?.path == b.first?.path
                && a.first?.seed == b.first?.seed
        }

        package func hash(into hasher: inout Hasher) { hasher.combine(name) }

        package var isMissing: Bool { runCount == 0 && rarity == nil }
    }

    /// All probes that the build watches, in the order of reports.
    package private(set) var entries: [Entry]
    package private(set) var runCount = 0
    /// Runs that failed: what they hit counts all the same.
    package private(set) var failedRunCount = 0

    package init() {
        entries = Probes.names.filter(Probes.isWatched).map { Entry(name: $0, rarity: Probes.rarity(of: $0)) }
    }

    /// Whether this build watches the probes of the product's code; without them there is little to cover.
    package static var isAvailable: Bool { Probes.isWatchingProduct }

    package mutating func note(_ record: RunRecord, path: String) {
        runCount += 1
        if record.verdict != .pass { failedRunCount += 1 }
        for index in entries.indices where record.probes.contains(entries[index].name) {
            entries[index].runCount += 1
            if entries[index].first == nil { entries[index].first = (path, record.seed) }
        }
    }

    /// Probes that had to be hit and were not.
    package var missing: [String] { entries.filter(\.isMissing).map(\.name) }

    package var verdict: Verdict { missing.isEmpty ? .pass : .uncovered }

    /// A table: probe, runs, first seed; then what is missing.
    package func text(hasColour: Bool) -> String {
        let width = entries.map(\.name.utf8.count).max() ?? 0
        var lines = entries.map { entry -> String in
            let name = entry.name + String(repeating: " ", count: width - entry.name.utf8.count)
            guard let first = entry.first else {
                let reason = entry.rarity.map { "never, rare: \($0)" } ?? "never"
                return "\(name)  \(entry.isMissing && hasColour ? "\u{1b}[31mnever\u{1b}[0m" : reason)"
            }
            let count = String(entry.runCount)
            let pad = String(repeating: " ", count: max(0, 7 - count.utf8.count))
            return "\(name)  \(pad)\(count)  first by \(TerminalText.escape(first.path)) --seed \(first.seed)"
        }
        let hitCount = entries.count { $0.runCount > 0 }
        lines.append("")
        lines.append(
            "\(hitCount) of \(entries.count) probes hit in \(runCount) runs, \(failedRunCount) of them failed"
        )
        if !missing.isEmpty { lines.append("not hit: " + missing.joined(separator: ", ")) }
        return lines.joined(separator: "\n")
    }

    /// One object, without a line break.
    package var json: String {
        var bytes: [UInt8] = []
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("verdict", verdict.rawValue)
            json.member("runs", UInt64(runCount))
            json.member("failed_runs", UInt64(failedRunCount))
            json.beginArray("probes")
            for entry in entries {
                json.beginObject()
                json.member("probe", entry.name)
                json.member("runs", UInt64(entry.runCount))
                if let first = entry.first {
                    json.member("first_scenario", first.path)
                    json.member("first_seed", first.seed)
                }
                if let rarity = entry.rarity { json.member("rare", rarity) }
                json.endObject()
            }
            json.endArray()
            json.beginArray("missing")
            for name in missing { json.value(name) }
            json.endArray()
            json.endObject()
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension WorkerPair {
    /// Runs the seeds of a scenario file or, for a `.swarm` profile, the scenarios it makes of them, and notes what they hit.
    ///
    /// - Parameters:
    ///   - seeds: `nil` for the scenario's own, and for a profile the first ``Coverage/profileSeedCount``.
    ///   - afterEach: Called after every two runs.
    /// - Returns: Why the file cannot be run; `nil` when it could.
    package func cover(
        _ bytes: [UInt8], path: String, seeds: ClosedRange<UInt64>?, into coverage: inout Coverage,
        afterEach: (Coverage) -> Void
    ) throws(WorkerError) -> String? {
        let make: (UInt64) throws(ScenarioError) -> Scenario
        let range: ClosedRange<UInt64>
        do throws(ScenarioError) {
            if path.hasSuffix(".swarm") {
                let generator = ScenarioGenerator(try SwarmProfile(parsing: bytes, path: path))
                make = { (seed) throws(ScenarioError) in try generator.scenario(seed: seed) }
                range = seeds ?? 1...Coverage.profileSeedCount
            } else {
                let scenario = try Scenario(parsing: bytes, path: path)
                make = { (_) throws(ScenarioError) in scenario }
                range = seeds ?? SeedChoice.fromScenario.seeds(of: scenario)
            }
        } catch {
            return error.description
        }
        for seed in range {
            let scenario: Scenario
            do throws(ScenarioError) { scenario = try make(seed) } catch { return error.description }
            for record in try runOnce([scenario], seed: seed) { coverage.note(record, path: path) }
            afterEach(coverage)
        }
        return nil
    }
}

extension Coverage {
    /// Seeds of a profile that are run when none are named.
    package static let profileSeedCount: UInt64 = 300
}
