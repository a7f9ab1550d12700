/// A failure that a swarm has found, once for all seeds that show it.
package struct SwarmFinding: Sendable {
    /// The first run that showed it.
    package var record: RunRecord
    /// The failure that it is known by.
    package var failure: Failure
    /// How many seeds have shown it.
    package var seedCount = 1
    /// The scenario that shows it: shrunk, when there was time.
    package var file: String?
    /// Lines of that scenario, and of the one it was shrunk from.
    package var lineCounts: (shrunk: Int, full: Int)?
    /// Real time that shrinking it took.
    package var shrinkNanoseconds: Int64?
    /// What was wrong with shrinking or filing it, if something was.
    package var problem: String?
    /// Whether it was a bug filed earlier that failed again.
    package var isFiledBug = false

    package var verdict: Verdict { failure.verdict }

    /// What makes two failures the same: the oracle, and the message without its numbers.
    static func key(_ failure: Failure) -> String {
        var shape = failure.oracle.rawValue + " "
        var isInNumber = false
        for scalar in failure.message.prefix(while: { $0 != "\n" }).unicodeScalars.prefix(120) {
            let isDigit = ("0"..."9").contains(scalar)
            if !isDigit { shape.unicodeScalars.append(scalar) } else if !isInNumber { shape += "N" }
            isInNumber = isDigit
        }
        return shape
    }
}

/// How far a swarm is.
package struct SwarmProgress: Sendable {
    package var seedCount = 0
    /// Seeds that failed.
    package var failedSeedCount = 0
    /// Failures that differ.
    package var findingCount = 0
    package var probeCount = 0
    package var wallNanoseconds: Int64 = 0
    /// What else is going on.
    package var activity = ""

    /// One line of at most 100 characters.
    package var text: String {
        let seconds = max(wallNanoseconds / 1_000_000_000, 0)
        let rate = wallNanoseconds > 0 ? Int64(seedCount) * 60_000_000_000 / wallNanoseconds : 0
        var text = "\(seedCount) seeds, \(rate)/min, \(failedSeedCount) failed"
        if findingCount > 0 { text += " (\(findingCount) kinds)" }
        text += ", \(probeCount) probes hit, \(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
        return activity.isEmpty ? text : text + ", " + activity
    }
}
