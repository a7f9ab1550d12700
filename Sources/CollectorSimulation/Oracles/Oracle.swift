package import SimulatedBackends

/// All that oracles compare: what the collector did and said, and what really happened.
package struct Evidence {
    package let scenario: Scenario
    package let recording: Recording
    package let report: SimulationReport
    package let configuration: WorldConfiguration
    /// `nil` when no files are watched.
    package let files: FileEvidence?
    let index: TruthIndex
    let attributions: [Attribution]

    package init(
        scenario: Scenario, recording: Recording, report: SimulationReport, truth: TruthLog,
        configuration: WorldConfiguration, files: FileEvidence? = nil
    ) {
        self.scenario = scenario
        self.recording = recording
        self.report = report
        self.configuration = configuration
        self.files = files
        let index = TruthIndex(
            truth, start: configuration.start, processorCount: configuration.processorCount,
            ownProcessID: configuration.ownProcessID)
        self.index = index
        attributions = recording.runs.map { Attribution($0, index: index) }
    }

    /// What really happened.
    package var truth: TruthLog { index.truth }

    /// The same with another account of what the collector did: to see which oracle notices.
    package func changing(_ change: (inout Recording) -> Void) -> Evidence {
        var other = recording
        change(&other)
        return Evidence(
            scenario: scenario, recording: other, report: report, truth: index.truth,
            configuration: configuration, files: files)
    }

    var runs: [(run: CollectorRun, attribution: Attribution)] {
        Array(zip(recording.runs, attributions))
    }
}

/// Runs every oracle.
package enum Oracles {
    /// At most so many failures of one oracle are reported: the first ones say what is wrong.
    static let failureLimit = 5

    package static func check(_ evidence: Evidence) -> [Failure] {
        var failures: [Failure] = []
        func add(_ found: [Failure]) { failures += found.prefix(failureLimit) }
        add(ProgressOracle.check(evidence))
        add(EventIDOracle.check(evidence))
        add(FileIndexOracle.check(evidence))
        add(ContainmentOracle.check(evidence))
        for (run, attribution) in evidence.runs {
            add(AccountOracle.check(run, evidence.index))
            add(GapOracle.check(run, evidence))
            add(PollingOracle.check(run, attribution, evidence.index))
            add(InventionOracle.check(attribution, evidence.index))
            add(IdentityOracle.check(attribution, evidence.index))
            add(AttributeOracle.check(attribution, evidence))
            add(FileOrderOracle.check(run, evidence))
            add(RedactionOracle.check(run, evidence))
            add(OrderOracle.check(attribution, evidence.index))
            add(ConvergenceOracle.check(run, attribution, evidence))
            add(BoundsOracle.check(run, evidence.scenario.settings))
            add(ShutdownOracle.check(run, evidence))
        }
        return failures
    }
}
