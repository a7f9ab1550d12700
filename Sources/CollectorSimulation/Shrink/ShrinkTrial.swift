import CSimulation
import EventModel

/// Says which candidates still fail alike.
final class ShrinkTrial {
    /// A candidate that fails, with what and by which seed.
    struct Hit {
        var index: Int
        var failure: Failure
        var seed: UInt64
    }

    private let runner: any ShrinkRunner
    private let path: String
    private let begin: Int64
    private let deadline: Int64
    private(set) var target: FailureTarget
    /// Texts that did not fail: the passes repeat until nothing changes, and meet them again.
    private var rejected: Set<String> = []
    private(set) var triedCount = 0
    /// What the last run took, the part of it that was its own.
    private var runNanoseconds: Int64?

    /// Most texts remembered as not failing; beyond it they are forgotten and run again.
    private static let rejectedLimit = 20_000

    init(_ target: FailureTarget, runner: any ShrinkRunner, path: String, timeLimitSeconds: Int) {
        self.target = target
        self.runner = runner
        self.path = path
        begin = csim_real_nanoseconds()
        deadline = begin.addingClamped(Int64(clamping: timeLimitSeconds) &* 1_000_000_000)
    }

    /// How many seeds a candidate may take, so that at least fifty candidates can be tried: at first, when
    /// scenarios are long, few; at least one.
    var affordableSeedCount: Int {
        guard let each = runNanoseconds, each > 0 else { return .max }
        return Int(clamping: max(1, (deadline - begin) / 50 / each))
    }

    var isOver: Bool { csim_real_nanoseconds() >= deadline }
    var wallNanoseconds: Int64 { csim_real_nanoseconds() - begin }

    /// Runs the scenario as it was given, so that failures which come with the one looked for are known.
    ///
    /// - Returns: How many of the seeds fail alike, and the first that does.
    func measure(_ document: SceneDocument, seeds: [UInt64]) throws(WorkerError) -> (count: Int, first: Hit?)
    {
        guard let candidate = Candidate(document, path: path) else { return (0, nil) }
        var count = 0
        var first: Hit?
        var index = 0
        while index < seeds.count, index == 0 || !isOver {
            let wave = seeds[index..<min(index + runner.width, seeds.count)]
            for (seed, record) in zip(wave, try run(wave.map { candidate.run(seed: $0) })) {
                if target.holds(record) { target.tolerate(record) }
                guard let failure = target.match(record, of: document) else { continue }
                count += 1
                first = first ?? Hit(index: 0, failure: failure, seed: seed)
            }
            index += wave.count
        }
        return (count, first)
    }

    /// The first of at most two candidates that fails alike with one of the seeds; `nil` when none does, or time is over.
    func firstFailing(_ documents: [SceneDocument], seeds: [UInt64]) throws(WorkerError) -> Hit? {
        guard !isOver else { return nil }
        var candidates: [(index: Int, candidate: Candidate)] = []
        for (index, document) in documents.enumerated() {
            guard let candidate = Candidate(document, path: path), !rejected.contains(candidate.text) else {
                continue
            }
            candidates.append((index, candidate))
        }
        if candidates.count == 2, runner.width > 1 { return try race(candidates, seeds: seeds) }
        for (index, candidate) in candidates {
            if let hit = try hit(candidate, index: index, seeds: seeds) { return hit }
        }
        return nil
    }

    // MARK: - Runs

    /// One candidate, several seeds at a time.
    private func hit(_ candidate: Candidate, index: Int, seeds: [UInt64]) throws(WorkerError) -> Hit? {
        var next = 0
        while next < seeds.count {
            guard !isOver else { return nil }
            let wave = seeds[next..<min(next + runner.width, seeds.count)]
            for (seed, record) in zip(wave, try run(wave.map { candidate.run(seed: $0) })) {
                guard let failure = target.match(record, of: candidate.document) else { continue }
                return Hit(index: index, failure: failure, seed: seed)
            }
            next += wave.count
        }
        reject(candidate)
        return nil
    }

    /// Two candidates side by side, seed by seed; the first one is preferred.
    private func race(
        _ candidates: [(index: Int, candidate: Candidate)], seeds: [UInt64]
    ) throws(WorkerError) -> Hit? {
        let (first, one) = candidates[0]
        let (second, other) = candidates[1]
        var otherHit: Hit?
        for seed in seeds {
            guard !isOver else { return otherHit }
            let runs = otherHit == nil ? [one.run(seed: seed), other.run(seed: seed)] : [one.run(seed: seed)]
            let records = try run(runs)
            if let failure = target.match(records[0], of: one.document) {
                return Hit(index: first, failure: failure, seed: seed)
            }
            guard records.count > 1, let failure = target.match(records[1], of: other.document) else {
                continue
            }
            otherHit = Hit(index: second, failure: failure, seed: seed)
        }
        reject(one)
        if otherHit == nil { reject(other) }
        return otherHit
    }

    private func run(_ runs: [ShrinkRun]) throws(WorkerError) -> [RunRecord] {
        triedCount += runs.count
        let start = csim_real_nanoseconds()
        let records = try runner.run(runs)
        runNanoseconds = (csim_real_nanoseconds() - start) / Int64(max(runs.count, 1))
        return records
    }

    private func reject(_ candidate: Candidate) {
        if rejected.count >= Self.rejectedLimit { rejected.removeAll() }
        rejected.insert(candidate.text)
    }
}

/// A document that can be run.
private struct Candidate {
    let document: SceneDocument
    let scenario: Scenario
    let text: String

    /// `nil` when a line has no meaning any more.
    init?(_ document: SceneDocument, path: String) {
        guard let scenario = try? Scenario(document, path: path) else { return nil }
        self.document = document
        self.scenario = scenario
        text = document.print()
    }

    func run(seed: UInt64) -> ShrinkRun { ShrinkRun(scenario: scenario, text: text, seed: seed) }
}
