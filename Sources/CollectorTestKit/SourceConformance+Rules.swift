import CollectorCore
import CollectorSimulation
import SimulatedBackends
import Synchronization

extension SourceConformance {
    /// Moments at which a stop or an error is tried.
    private static let momentCount: Int64 = 32

    private var moments: [Int64] { (1...Self.momentCount).map { span / Self.momentCount * $0 } }

    func checkRun(_ seed: UInt64, _ report: inout Report) {
        let trial = trial(scenario, seed, &report)
        let run = SourceRun(trial)
        for failure in run.failures { report.note(.oracles, "seed \(seed): \(failure.message)") }
        if !run.statuses.contains(where: { $0.state == .ready }) {
            report.note(.ready, "seed \(seed): it does not become ready")
        }
        for status in run.statuses where status.state == .stopping || status.state == .restarting {
            report.note(.ready, "seed \(seed): \(status.state.rawValue): \(status.reason ?? "no reason")")
        }
        if run.events.isEmpty { report.note(.tells, "seed \(seed): it has told nothing") }
        checkEvents(of: trial, seed, &report)
        if self.trial(scenario, seed, &report).record.traceHash != run.traceHash {
            report.note(.repeats, "seed \(seed): a second run differs")
        }
    }

    private func checkEvents(of trial: SourceTrial, _ seed: UInt64, _ report: inout Report) {
        let capabilities = trial.capabilities
        for (event, delivered) in trial.recording.runs.flatMap({ Array($0.events) })
        where event.source == source.name {
            if let capabilities, !capabilities.contains(event.kind.domain) {
                report.note(
                    .kinds,
                    "\(event.kind.rawValue) is not of \(capabilities.labels.joined(separator: ", "))")
            }
            if event.monotonic > delivered || event.monotonic < Instant(nanoseconds: 0) {
                report.note(
                    .times, "seed \(seed): \(event.kind.rawValue) is told before it is said to happen")
            }
        }
    }

    func checkStops(_ report: inout Report) {
        for moment in moments {
            let trial = trial(stopping(at: moment), seeds.lowerBound, &report)
            let place = "stopped after \(Duration.nanoseconds(moment))"
            for failure in trial.record.failures { report.note(.stops, "\(place): \(failure.message)") }
            guard let run = trial.recording.runs.last, let asked = run.stopRequested, let ended = run.ended
            else {
                report.note(.stops, "\(place): the collector has not ended")
                continue
            }
            if asked.duration(to: ended) > stopLimit {
                report.note(.stops, "\(place): it took \(asked.duration(to: ended))")
            }
        }
    }

    func checkRunsAgain(_ report: inout Report) {
        var restartCount = 0
        for moment in moments {
            let interrupted = source.throwing(after: .nanoseconds(moment))
            // Its errors are ours: what counts is that it runs again.
            var scenario = scenario
            scenario.when.append(WhenLine(number: 0, time: span + moment, action: .account))
            let trial = trial(scenario, seeds.lowerBound, &report, of: interrupted)
            let place = "interrupted after \(Duration.nanoseconds(moment))"
            for failure in trial.record.failures { report.note(.runsAgain, "\(place): \(failure.message)") }
            let states = SourceRun(trial).statuses
            guard states.contains(where: { $0.state == .restarting }) else { continue }
            restartCount += 1
            if !states.contains(where: { $0.state == .ready && $0.attempt > 1 }) {
                report.note(.runsAgain, "\(place): it does not become ready again")
            }
        }
        // A rule that nothing has tried is not kept.
        if restartCount == 0 { report.note(.runsAgain, "no interruption led to another run") }
    }

    func checkIdle(_ report: inout Report) {
        var idle = scenario
        idle.when.removeAll { $0.action != .start }
        let seconds: Int64 = 60
        idle.when.append(
            WhenLine(number: 0, time: seconds * 1_000_000_000, action: .stop(signal: .terminate)))
        let steps = trial(idle, seeds.lowerBound, &report).record.stepCount
        let without = ScenarioRunner.run(idle.withoutSourceSettings, seed: seeds.lowerBound).stepCount
        report.runCount += 1
        let rate = (steps - without) / Int(seconds)
        if rate > idleStepLimit {
            report.note(.idles, "it takes \(rate) steps a second when nothing happens")
        }
    }

    func checkFailures(_ report: inout Report) {
        let calls = source.calls(in: scenario, seed: seeds.lowerBound)
        var sweep = CallSweep(
            scenario, seed: seeds.lowerBound, cases: SweepCase.all(of: calls), spacing: .fibonacci)
        do throws(WorkerError) {
            try sweep.run(width: 1) { scenarios in
                scenarios.map { ScenarioRunner.run($0, seed: seeds.lowerBound, sources: [source]) }
            }
        } catch {
            report.note(.failures, "\(error)")
        }
        report.runCount += sweep.summary.runCount
        report.failedCallCount = sweep.summary.calls.reduce(0) { $0 + $1.strikeCount }
        for finding in sweep.summary.findings {
            let line = finding.sweepCase.line(nth: finding.nth)
            report.note(.failures, "\(line): \(finding.failures.first?.message ?? "")")
        }
    }
}

extension SourceTrial {
    /// What the source says of itself when it starts.
    fileprivate var capabilities: SourceCapabilities? {
        for run in recording.runs {
            for item in run.stream {
                if case .status(let status) = item.content, status.source == name {
                    return status.capabilities
                }
            }
        }
        return nil
    }
}

extension EventKind {
    /// The capability that a source of such events has.
    fileprivate var domain: SourceCapabilities {
        switch rawValue.prefix(while: { $0 != "." }) {
        case "process": .process
        case "file": .filesystem
        case "network": .network
        case "performance": .performance
        // Requests and results are anybody's.
        default: []
        }
    }
}

extension Scenario {
    /// For a run without the source that they are for.
    fileprivate var withoutSourceSettings: Scenario {
        var scenario = self
        scenario.settings.sourceSettings = []
        return scenario
    }
}
