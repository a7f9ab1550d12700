/// What a run must still hold when one of its calls has failed.
///
/// Everything, with one exception: a collector that could not start may say so and end cleanly. What the scenario demands
/// to have arisen (`sometimes`) does not count.
package enum SweepVerdict {
    /// The failures that a failed call does not excuse.
    package static func failures(of record: RunRecord) -> [Failure] {
        // A call that fails may keep a situation from arising: a process that died does nothing more.
        let failures = record.failures.filter { $0.verdict != .uncovered }
        guard let problem = record.startProblem, !problem.isEmpty else { return failures }
        return failures.filter { failure in
            switch failure.oracle {
            // What the scenario expects of a collector that works, and that it works at all.
            case .expectations: false
            case .progress: failure.verdict == .crash || !failure.isClearEnd
            default: true
            }
        }
    }
}

extension Failure {
    /// Whether the run ended by itself and said why.
    fileprivate var isClearEnd: Bool {
        message.hasPrefix("the collector could not run: ") || message.hasPrefix("source ")
    }
}
