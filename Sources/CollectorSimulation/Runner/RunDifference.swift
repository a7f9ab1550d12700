/// Where two runs of one seed part.
package struct RunDifference: Hashable, Sendable {
    package private(set) var message: String
    /// The steps among which the first difference is; `nil` when the traces are equal, or one run has none.
    package private(set) var steps: Range<Int>?

    /// Steps from one checkpoint to the next.
    private static let checkpointInterval = 1_024

    /// `nil` when the runs are equal in everything but real time.
    package init?(_ first: RunRecord, _ second: RunRecord) {
        let crashes = [first, second].count { $0.verdict == .crash }
        // Two crashes leave no trace to compare, and are a failure already.
        guard crashes < 2 else { return nil }
        guard crashes == 0 else {
            message = "one of two runs crashed: \(first.verdict.rawValue) and \(second.verdict.rawValue)"
            return
        }
        if first.traceHash != second.traceHash || first.stepCount != second.stepCount {
            let common = min(first.checkpoints.count, second.checkpoints.count)
            let interval = (0..<common).first { first.checkpoints[$0] != second.checkpoints[$0] } ?? common
            let begin = interval * Self.checkpointInterval
            let range = begin..<begin + Self.checkpointInterval
            message =
                "two runs differ first between steps \(range.lowerBound) and \(range.upperBound)"
                + " (\(first.stepCount) and \(second.stepCount) steps in all)"
            steps = range
            return
        }
        var other = second
        other.wallNanoseconds = first.wallNanoseconds
        guard first != other else { return nil }
        message = "two runs with equal traces say different things: their reports differ"
    }

    /// Adds the first step that differs, from the steps of the range in both runs.
    package mutating func describeSteps(_ first: [String], _ second: [String]) {
        let common = min(first.count, second.count)
        let index = (0..<common).first { first[$0] != second[$0] } ?? common
        guard index < max(first.count, second.count) else {
            message += "\nthe second look at these steps showed no difference: it does not show in every run"
            return
        }
        message += "\none: \(index < first.count ? first[index] : "the end")"
        message += "\nother: \(index < second.count ? second[index] : "the end")"
    }
}
