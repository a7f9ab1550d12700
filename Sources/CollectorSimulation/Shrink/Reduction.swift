import CSimulation

/// The smallest scenario so far, and how it is replaced by a smaller one.
final class Reduction {
    private(set) var best: SceneDocument
    private(set) var seed: UInt64
    private(set) var failure: Failure
    private(set) var isReproduced = false
    let trial: ShrinkTrial
    private let scheduleCount: UInt64
    /// Seeds that a candidate is tried with before it counts as passing.
    private var attemptCount = 4

    /// Seeds of the first look, from which the share of failing ones is estimated.
    private static let measuredSeedCount = 8

    init(
        _ document: SceneDocument, seed: UInt64, failure: Failure, trial: ShrinkTrial, scheduleCount: UInt64
    ) {
        best = document
        self.seed = seed
        self.failure = failure
        self.trial = trial
        self.scheduleCount = scheduleCount
    }

    var isOver: Bool { trial.isOver }

    /// What shrinking makes smaller: the characters of the text.
    var size: Int { best.print().utf8.count }

    func progress(_ phase: String) -> ShrinkProgress {
        ShrinkProgress(
            phase: phase, lineCount: best.meaningfulLineCount, triedCount: trial.triedCount,
            wallNanoseconds: trial.wallNanoseconds)
    }

    /// Shows the failure again, and learns with how many seeds it shows.
    func confirm() throws(WorkerError) -> Bool {
        var (count, first) = try trial.measure(best, seeds: [seed])
        if count == 0 { (count, first) = try trial.measure(best, seeds: seeds(Self.measuredSeedCount)) }
        guard let first else { return false }
        isReproduced = true
        seed = first.seed
        failure = first.failure
        try measure()
        return true
    }

    /// Looks how often the present scenario fails: a smaller one fails more or less often than the one before.
    func measure() throws(WorkerError) {
        guard !isOver else { return }
        let seeds = seeds(min(Self.measuredSeedCount, trial.affordableSeedCount))
        let count = try trial.measure(best, seeds: seeds).count
        attemptCount = Self.attempts(failing: count * Self.measuredSeedCount / seeds.count)
    }

    /// Enough seeds that a failure as frequent as this one is seldom missed.
    private static func attempts(failing count: Int) -> Int {
        switch count {
        case 7...: 2
        case 4...: 4
        case 2...: 8
        default: 12
        }
    }

    private func seeds(_ count: Int) -> [UInt64] {
        [seed] + (1...UInt64(max(count, 1))).filter { $0 != seed }.prefix(count - 1)
    }

    // MARK: - Steps

    /// Takes the first of at most two candidates that still fails.
    ///
    /// - Returns: Which one, `nil` when none does.
    func attempt(_ candidates: [SceneDocument]) throws(WorkerError) -> Int? {
        let seeds = seeds(min(attemptCount, trial.affordableSeedCount))
        guard let hit = try trial.firstFailing(candidates, seeds: seeds) else { return nil }
        best = candidates[hit.index]
        seed = hit.seed
        failure = hit.failure
        return hit.index
    }

    /// Takes the candidate if it still fails.
    @discardableResult
    func accept(_ candidate: SceneDocument) throws(WorkerError) -> Bool {
        guard candidate != best else { return false }
        return try attempt([candidate]) != nil
    }

    /// Takes the first candidate that still fails, two at a time.
    @discardableResult
    func acceptFirst(of candidates: [SceneDocument]) throws(WorkerError) -> Bool {
        var index = 0
        while index < candidates.count, !isOver {
            let pair = candidates[index..<min(index + 2, candidates.count)].filter { $0 != best }
            if !pair.isEmpty, try attempt(pair) != nil { return true }
            index += 2
        }
        return false
    }

    /// Removes as many elements as possible, the last ones first: what comes later depends on what was before.
    ///
    /// - Parameter make: The document with only these elements, given by their indices in ascending order.
    func reduce(count: Int, make: ([Int]) -> SceneDocument) throws(WorkerError) {
        var kept = Array(0..<count)
        var size = count
        while size > 0, !kept.isEmpty, !isOver {
            var hasRemoved = false
            var end = kept.count
            while end > 0, !isOver {
                let first = max(end - size, 0)..<end
                let second = max(first.lowerBound - size, 0)..<first.lowerBound
                let ranges = second.isEmpty ? [first] : [first, second]
                let candidates = ranges.map { range in
                    make(Array(kept[..<range.lowerBound]) + Array(kept[range.upperBound...]))
                }
                if let taken = try attempt(candidates) {
                    kept.removeSubrange(ranges[taken])
                    hasRemoved = true
                    end = ranges[taken].lowerBound
                } else {
                    end = ranges[ranges.count - 1].lowerBound
                }
            }
            if size > 1 { size = min(size, kept.count * 2) / 2 } else if !hasRemoved { break }
        }
    }

    // MARK: - Schedules

    /// Runs jobs in order instead of in any order, when it fails then too.
    func simplifySchedule() throws(WorkerError) {
        guard best.schedule != "fifo" else { return }
        for schedule in ["fifo", nil] where schedule != best.schedule {
            if try accept(best.settingSchedule(schedule)) { return }
        }
    }

    /// Looks for a seed among those that the filed scenario is replayed with, the smallest first.
    func canonicalSeed() throws(WorkerError) {
        let smaller = (1...max(scheduleCount, 1)).prefix { $0 < seed }
        guard !smaller.isEmpty, let hit = try trial.search(best, seeds: Array(smaller)) else { return }
        seed = hit.seed
        failure = hit.failure
    }
}

extension ShrinkTrial {
    /// The first seed with which a document fails, whether or not it was tried before.
    func search(_ document: SceneDocument, seeds: [UInt64]) throws(WorkerError) -> Hit? {
        for seed in seeds {
            guard !isOver else { return nil }
            if let hit = try measure(document, seeds: [seed]).first { return hit }
        }
        return nil
    }
}

extension SceneDocument {
    /// The word of the `schedule` directive.
    var schedule: String? {
        directives.first { $0.verb == "schedule" }?.tokens.dropFirst().first.flatMap { token in
            if case .value(.bare(let word)) = token.kind { word } else { nil }
        }
    }

    func settingSchedule(_ schedule: String?) -> SceneDocument {
        var document = self
        document.directives.removeAll { $0.verb == "schedule" }
        guard let schedule else { return document }
        document.directives.append(.words("schedule", schedule))
        return document
    }
}

extension SceneLine {
    /// A line of bare words.
    static func words(_ words: String...) -> SceneLine {
        SceneLine(.tokens(words.map { SceneToken(.value(.bare($0))) }))
    }
}
