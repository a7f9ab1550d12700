public import CollectorCore
public import CollectorSimulation
import SimulatedBackends

/// Whether a source keeps the contract of `EventSource`: tried out under many schedules, stops, restarts and
/// failing calls on a simulated host.
///
/// ```swift
/// @Test func `spool keeps the contract of a source`() throws {
///     let report = try SourceConformance(.spool, scenario: scenario).check()
///     #expect(report.violations.isEmpty, "\(report)")
/// }
/// ```
///
/// A source that traps ends the test process: run it under the simulator then, whose workers contain crashes.
public struct SourceConformance: Sendable {
    /// What is checked.
    public enum Rule: String, Hashable, Sendable, CaseIterable {
        /// `SourceContext.ready()` is called, and the source runs until it is told to stop.
        case ready
        /// The scenario gives the source something to tell; a silent run shows nothing.
        case tells
        /// Kinds of events lie within the domains of `SourceDescriptor.capabilities`.
        case kinds
        /// No event lies in the future of its delivery, or before the boot.
        case times
        /// The same seed gives the same run: nothing comes from another clock, a hash order, or a task of its own.
        case repeats
        /// Told to stop at any moment, it returns within ``SourceConformance/stopLimit``, and leaves nothing open.
        case stops
        /// After an error at any moment it runs again, on what it was given.
        case runsAgain = "runs-again"
        /// Each of its calls fails in each way: it goes on, or throws and is run again, and its account holds.
        case failures
        /// On an idle host it takes no more than ``SourceConformance/idleStepLimit`` steps a second.
        case idles
        /// The accounts, bounds and order that hold for every source.
        case oracles
    }

    /// One way in which the source breaks its contract.
    public struct Violation: Hashable, Sendable, CustomStringConvertible {
        public var rule: Rule
        /// What was seen, and under which seed or fault.
        public var message: String

        public var description: String { "\(rule.rawValue): \(message)" }
    }

    /// What a check has found.
    public struct Report: Sendable, CustomStringConvertible {
        /// In the order in which they were found, at most five for each rule.
        public internal(set) var violations: [Violation] = []
        /// Runs that it took.
        public internal(set) var runCount = 0
        /// Calls of the source that were made to fail.
        public internal(set) var failedCallCount = 0

        /// One line for each violation.
        public var description: String {
            let head = "\(runCount) runs, \(failedCallCount) failed calls, \(violations.count) violations"
            return ([head] + violations.map(\.description)).joined(separator: "\n")
        }

        mutating func note(_ rule: Rule, _ message: String) {
            guard violations.count(where: { $0.rule == rule }) < 5 else { return }
            violations.append(Violation(rule: rule, message: message))
        }
    }

    /// Seeds that are tried.
    public var seeds: ClosedRange<UInt64> = 1...20
    /// Longest virtual time between being told to stop and having ended.
    public var stopLimit: Duration = .seconds(1)
    /// Most steps (jobs, calls and timers) of a second of virtual time in which nothing happens.
    public var idleStepLimit = 1_000

    let source: SourceDefinition
    let scenario: Scenario

    /// - Parameter text: A scenario file in which the source has something to tell; its lines of `expect` and of `stop` do
    ///   not count.
    /// - Throws: `ScenarioError` with the place in the text.
    public init(_ source: SourceDefinition, scenario text: String) throws(ScenarioError) {
        self.source = source
        scenario = try Scenario(testing: text).endless()
    }

    /// Tries everything; takes seconds.
    ///
    /// - Parameter rules: Check only these; ``Rule/ready`` to ``Rule/repeats`` and ``Rule/oracles`` go together.
    public func check(_ rules: [Rule] = Rule.allCases) -> Report {
        var report = Report()
        let failures = SourceTrial(source, scenario, seed: seeds.lowerBound).record.failures
        if let wrong = failures.first(where: { $0.verdict == .scenarioError }) {
            report.note(.oracles, wrong.message)
            return report
        }
        let others: [Rule] = [.stops, .runsAgain, .failures, .idles]
        if rules.contains(where: { !others.contains($0) }) { for seed in seeds { checkRun(seed, &report) } }
        if rules.contains(.stops) { checkStops(&report) }
        if rules.contains(.runsAgain) { checkRunsAgain(&report) }
        if rules.contains(.idles) { checkIdle(&report) }
        if rules.contains(.failures) { checkFailures(&report) }
        return report
    }

    /// Nanoseconds after `@0` until everything has happened, and a second more.
    var span: Int64 { (scenario.when.last?.time ?? 0) + 1_000_000_000 }

    func trial(
        _ scenario: Scenario, _ seed: UInt64, _ report: inout Report, of source: SourceDefinition? = nil
    ) -> SourceTrial {
        report.runCount += 1
        return SourceTrial(source ?? self.source, scenario, seed: seed)
    }

    /// The scenario, cut at a moment at which the collector is told to stop.
    func stopping(at time: Int64) -> Scenario {
        var scenario = scenario
        scenario.when.removeAll { $0.time > time }
        scenario.when.append(WhenLine(number: 0, time: time, action: .stop(signal: .terminate)))
        return scenario
    }
}
