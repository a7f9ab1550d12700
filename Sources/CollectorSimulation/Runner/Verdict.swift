/// How a run ended, in the words and exit codes of `collector-sim`.
public enum Verdict: String, Hashable, Sendable, CaseIterable {
    /// Nothing was found wrong.
    case pass
    /// The program trapped, was killed, or ran into the limit of real time.
    case crash
    /// It said or left out something that the truth contradicts.
    case safety
    /// Something that had to happen did not.
    case liveness
    /// A queue or table grew beyond its bound.
    case bounds
    /// Two runs of one seed differ.
    case nonDeterminism = "non-determinism"
    /// A situation that the scenario demands did not arise.
    case uncovered
    /// The scenario itself cannot be run.
    case scenarioError = "scenario-error"

    package var exitCode: Int32 {
        switch self {
        case .pass: 0
        case .crash: 10
        case .safety: 11
        case .liveness: 12
        case .bounds: 13
        case .nonDeterminism: 14
        case .uncovered: 15
        case .scenarioError: 16
        }
    }

    /// The one to report for several runs: the one with the lowest exit code that is not a pass.
    package static func overall(_ verdicts: some Sequence<Verdict>) -> Verdict {
        verdicts.filter { $0 != .pass }.min { $0.exitCode < $1.exitCode } ?? .pass
    }
}

/// One thing that an oracle or an expectation found wrong.
public struct Failure: Hashable, Sendable {
    /// Which property does not hold; ``OracleName/expectations`` for a line of `expect`.
    public var oracle: OracleName
    /// How grave it is.
    public var verdict: Verdict
    /// Nanoseconds after the scenario's `@0`; `nil` when it belongs to the whole run.
    public var time: Int64?
    /// The line of the scenario that expected something else; `nil` for an oracle that is always on.
    public var line: Int?
    /// What was found and what was expected, for a person; may quote text of the scenario.
    public var message: String

    package init(
        _ oracle: OracleName, _ verdict: Verdict, at time: Int64? = nil, line: Int? = nil, _ message: String
    ) {
        self.oracle = oracle
        self.verdict = verdict
        self.time = time
        self.line = line
        self.message = message
    }
}
