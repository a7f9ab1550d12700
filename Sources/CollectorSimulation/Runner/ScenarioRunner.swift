public import CollectorCore
import Configuration
import SimulatedBackends

/// Runs one seed of a scenario in this process, on this thread.
public enum ScenarioRunner {
    /// Composes the collector over a simulated host, plays the scenario, and asks every oracle.
    ///
    /// A trap of what runs ends this process; the workers of a ``SimulatorCommand`` contain it.
    ///
    /// - Parameters:
    ///   - scenario: The host, what happens on it, and what must come out.
    ///   - seed: Decides the order in which what is ready runs, the time that calls take, and faults by chance.
    ///   - sources: Those that run beside the collector's own. When the scenario sets one that is not there, or to what it
    ///     does not take, the record says so with ``Verdict/scenarioError``.
    /// - Returns: The record of the run; the same scenario, seed and sources give the same one.
    public static func run(
        _ scenario: Scenario, seed: UInt64, sources: [SourceDefinition] = []
    ) -> RunRecord {
        runAndRecord(scenario, seed: seed, sources: sources).record
    }

    /// The same, with everything that the collector has said.
    ///
    /// - Parameters:
    ///   - mutant: Name of a bug to plant; known only to builds that were made with them.
    ///   - range: Steps of the trace to keep whole.
    package static func runAndRecord(
        _ scenario: Scenario, seed: UInt64, mutant: String? = nil, capturing range: Range<Int> = 0..<0,
        sources: [SourceDefinition] = []
    ) -> (record: RunRecord, recording: Recording) {
        var record = RunRecord(scenario: scenario.name, seed: seed)
        if let mutant, !plant(mutant) {
            record.failures = [Failure(.progress, .scenarioError, "this build has no mutant \"\(mutant)\"")]
            return (record, Recording())
        }
        do throws(SettingsError) {
            let sources = try SourcesUnderTest(sources, of: scenario)
            let evidence = simulate(scenario, seed: seed, capturing: range, sources: sources)
            judge(evidence, into: &record)
            record.skippedLineCount = evidence.recording.skippedLineCount
            return (record, evidence.recording)
        } catch {
            record.failures = [Failure(.progress, .scenarioError, "\(error)")]
            return (record, Recording())
        }
    }

    /// Plays the scenario once and gives everything that oracles compare, with no sources but the collector's own.
    package static func simulate(
        _ scenario: Scenario, seed: UInt64, capturing range: Range<Int> = 0..<0, meter: DepthMeter? = nil,
        jobLimit: Int? = nil
    ) -> Evidence {
        simulate(
            scenario, seed: seed, capturing: range, meter: meter, jobLimit: jobLimit,
            sources: SourcesUnderTest())
    }

    /// Plays the scenario once and gives everything that oracles compare.
    static func simulate(
        _ scenario: Scenario, seed: UInt64, capturing range: Range<Int> = 0..<0, meter: DepthMeter? = nil,
        jobLimit: Int? = nil, sources: SourcesUnderTest
    ) -> Evidence {
        var configuration = WorldBuilder.configuration(of: scenario, seed: seed)
        if let jobLimit { configuration.limits.jobCount = jobLimit }
        configuration.captureRange = range
        let played = play(scenario, configuration, recorder: Recorder(meter: meter), sources: sources)
        return Evidence(
            scenario: scenario, recording: played.recording, report: played.report, truth: played.truth,
            configuration: configuration, files: played.files)
    }

    /// Runs one seed without asking any oracle: the record says what ``BriefTrace`` compares, and nothing else.
    static func trace(
        _ scenario: Scenario, seed: UInt64, mutant: String?, sources: [SourceDefinition]
    ) -> RunRecord {
        var record = RunRecord(scenario: scenario.name, seed: seed)
        if let mutant, !plant(mutant) { return record }
        // A run whose settings are wrong is reported by the one that asks the oracles.
        guard let sources = try? SourcesUnderTest(sources, of: scenario) else { return record }
        var configuration = WorldBuilder.configuration(of: scenario, seed: seed)
        // What is kept for oracles does not enter the trace: that this run has less of it shows just that.
        configuration.truthRetention = .lives
        let played = play(scenario, configuration, recorder: Recorder(keepsStream: false), sources: sources)
        let (recording, report) = (played.recording, played.report)
        record.traceHash = report.hash
        record.stepCount = report.stepCount
        record.virtualNanoseconds = report.end.nanoseconds.subtractingClamped(configuration.start.nanoseconds)
        record.eventCount = recording.runs.reduce(0) { $0 + $1.eventCount }
        record.skippedLineCount = recording.skippedLineCount
        return record
    }

    /// What the collector did, how the simulation went, and what really happened.
    private struct Played {
        var recording: Recording
        var report: SimulationReport
        var truth: TruthLog
        var files: FileEvidence?
    }

    /// Plays the scenario.
    private static func play(
        _ scenario: Scenario, _ configuration: WorldConfiguration, recorder: Recorder,
        sources: SourcesUnderTest
    ) -> Played {
        let host = SimulatedHost(configuration, faults: WorldBuilder.faults(of: scenario))
        let skipped = WorldBuilder.populate(host.kernel, from: scenario)
        recorder.update { $0.skippedLineCount += skipped }
        ActionPlayer(recorder: recorder).schedule(scenario, on: host.kernel)
        let director = SimulatedOperator(
            scenario: scenario, host: host, recorder: recorder, sources: sources)
        ProbeHits.reset()
        let report = Simulation.run(host.pump) { await director.perform() }
        recorder.update { $0.faultFirings = host.kernel.faultFirings }
        return Played(
            recording: recorder.recording, report: report, truth: host.kernel.truth,
            files: files(of: scenario, host.kernel))
    }

    private static func files(of scenario: Scenario, _ kernel: SimulatedKernel) -> FileEvidence? {
        let roots = WatchedFiles(scenario.settings.filesystem).roots
        guard !roots.isEmpty else { return nil }
        return FileEvidence(truth: kernel.fileTruth, trees: roots.map { kernel.fileTree(below: $0) })
    }

    static func judge(_ evidence: Evidence, into record: inout RunRecord) {
        let report = evidence.report
        record.traceHash = report.hash
        record.stepCount = report.stepCount
        record.checkpoints = report.checkpoints
        record.capturedSteps = report.captured.map(\.description)
        record.virtualNanoseconds = evidence.index.scenarioTime(report.end)
        record.eventCount = evidence.recording.runs.reduce(0) { $0 + $1.eventCount }
        record.probes = Probes.hit(in: evidence)
        record.faultFirings = evidence.recording.faultFirings
        record.startProblem = evidence.recording.startProblem
        record.waived = evidence.scenario.waivedOracles
        let checker = ExpectationChecker(evidence: evidence, probes: record.probes)
        record.outputs = checker.outputs()
        record.failures = (Oracles.check(evidence) + checker.check()).filter {
            !record.waived.contains($0.oracle)
        }
        guard record.verdict != .pass else { return }
        record.recentSteps = report.recent.map(\.description)
    }

    static func plant(_ mutant: String) -> Bool {
        #if MUTANTS
            guard let mutation = Mutation(rawValue: mutant) else { return false }
            mutation.activate()
            return true
        #else
            return false
        #endif
    }
}

extension Scenario {
    /// The oracles that this scenario may break, in a fixed order.
    var waivedOracles: [OracleName] {
        let names = expectations.compactMap { line in
            if case .waive(let oracle, _) = line.expectation { oracle } else { nil }
        }
        return OracleName.allCases.filter { names.contains($0.rawValue) }
    }
}
