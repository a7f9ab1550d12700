/// A scenario file and what its runs gave.
package struct ScenarioResult: Sendable {
    package var path: String
    package var records: [RunRecord]
    /// Why the file could not be run at all.
    package var problem: String?

    package init(path: String, records: [RunRecord], problem: String?) {
        self.path = path
        self.records = records
        self.problem = problem
    }

    package var verdict: Verdict {
        problem == nil ? Verdict.overall(records.map(\.verdict)) : .scenarioError
    }

    /// How many runs failed; a file that could not be run is one.
    package var failedCount: Int { problem == nil ? records.count { $0.verdict != .pass } : 1 }
}

/// Which seeds of a scenario to run.
package enum SeedChoice: Hashable, Sendable {
    /// The scenario's own seed, and as many after it as its `schedules` line says.
    case fromScenario
    case range(ClosedRange<UInt64>)

    /// The first seed to run.
    package func first(of scenario: Scenario) -> UInt64 { seeds(of: scenario).lowerBound }

    func seeds(of scenario: Scenario) -> ClosedRange<UInt64> {
        switch self {
        case .range(let range): range
        case .fromScenario:
            // The count is at most 100 000, so only a seed at the very end of the range has fewer successors.
            scenario.seed...scenario.seed + min(scenario.scheduleCount - 1, UInt64.max - scenario.seed)
        }
    }
}

extension WorkerPair {
    /// Runs the seeds of one scenario file.
    ///
    /// - Parameter afterEach: Called after each seed with its record.
    package func run(
        _ bytes: [UInt8], path: String, seeds: SeedChoice, afterEach: (RunRecord) -> Void
    ) throws(WorkerError) -> ScenarioResult {
        let scenario: Scenario
        do { scenario = try Scenario(parsing: bytes, path: path) } catch {
            return ScenarioResult(path: path, records: [], problem: error.description)
        }
        load(bytes, path: path)
        var records: [RunRecord] = []
        for seed in seeds.seeds(of: scenario) {
            let record = try run(scenario, seed: seed)
            records.append(record)
            afterEach(record)
        }
        return ScenarioResult(path: path, records: records, problem: nil)
    }
}
