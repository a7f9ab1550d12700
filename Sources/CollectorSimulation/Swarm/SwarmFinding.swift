/// A failure that a swarm has found, once for all seeds that show it.
public struct SwarmFinding: Sendable {
    /// The first run that showed it.
    public var record: RunRecord
    /// The failure that it is known by.
    public var failure: Failure
    /// How many seeds have shown it.
    public var seedCount = 1
    /// The scenario that shows it: shrunk, when there was time.
    public var file: String?
    /// Lines of that scenario, and of the one it was shrunk from.
    public var lineCounts: (shrunk: Int, full: Int)?
    /// Real time that shrinking it took.
    public var shrinkNanoseconds: Int64?
    /// What was wrong with shrinking or filing it, if something was.
    public var problem: String?
    /// Whether it was a bug filed earlier that failed again.
    public var isFiledBug = false

    public var verdict: Verdict { failure.verdict }

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
public struct SwarmProgress: Sendable {
    public var seedCount = 0
    /// Seeds that failed.
    public var failedSeedCount = 0
    /// Failures that differ.
    public var findingCount = 0
    public var probeCount = 0
    public var wallNanoseconds: Int64 = 0
    /// What else is going on.
    public var activity = ""

    /// One line of at most 100 characters.
    public var text: String {
        let seconds = max(wallNanoseconds / 1_000_000_000, 0)
        let rate = wallNanoseconds > 0 ? Int64(seedCount) * 60_000_000_000 / wallNanoseconds : 0
        var text = "\(seedCount) seeds, \(rate)/min, \(failedSeedCount) failed"
        if findingCount > 0 { text += " (\(findingCount) kinds)" }
        text += ", \(probeCount) probes hit, \(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
        return activity.isEmpty ? text : text + ", " + activity
    }
}
