package import CollectorCore

/// What a driver of a swarm needs of a run that passed: one line, equal for equal runs.
struct BriefRecord: Hashable {
    var seed: UInt64
    var verdict: Verdict
    var traceHash: UInt64
    var stepCount: Int
    var virtualNanoseconds: Int64
    var eventCount: Int
    var skippedLineCount: Int
    /// Over everything that the run said.
    var digest: UInt64
    var probes: [String]

    init(_ record: RunRecord) {
        seed = record.seed
        verdict = record.verdict
        traceHash = record.traceHash
        stepCount = record.stepCount
        virtualNanoseconds = record.virtualNanoseconds
        eventCount = record.eventCount
        skippedLineCount = record.skippedLineCount
        digest = record.digest
        probes = record.probes
    }

    /// Makes up the scenario of a seed and runs it in this process.
    static func run(
        seed: UInt64, of generator: ScenarioGenerator, mutant: String?, sources: [SourceDefinition]
    ) -> BriefRecord {
        BriefRecord(RunRecord.swarm(seed: seed, of: generator, mutant: mutant, sources: sources))
    }

    var encoded: String {
        let numbers = "\(seed) \(verdict.rawValue) \(traceHash) \(stepCount) \(virtualNanoseconds)"
        return "brief \(numbers) \(eventCount) \(skippedLineCount) \(digest) " + probes.joined(separator: ",")
    }

    /// Reads what ``encoded`` writes; `nil` for anything else.
    init?(decoding line: [UInt8]) {
        let words = line.split(separator: .space, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard words.count == 10, words[0] == "brief", let seed = UInt64(words[1]),
            let verdict = Verdict(rawValue: words[2]), let hash = UInt64(words[3]), let steps = Int(words[4]),
            let virtual = Int64(words[5]), let events = Int(words[6]), let skipped = Int(words[7]),
            let digest = UInt64(words[8])
        else { return nil }
        self.seed = seed
        self.verdict = verdict
        traceHash = hash
        stepCount = steps
        virtualNanoseconds = virtual
        eventCount = events
        skippedLineCount = skipped
        self.digest = digest
        probes = words[9].split(separator: ",").map(String.init)
    }
}

/// What must be the same in every run of a seed: the trace hash, which everything enters that the collector has done and
/// said (events field by field; gaps, statuses, records and accounts as text), and a few counts.
///
/// This is all that the second run of a seed is for: oracles are functions of what has entered the trace and of the truth,
/// which the world's steps in the trace determine; asking them twice would cost more than it could find.
struct BriefTrace: Hashable {
    var seed: UInt64
    var traceHash: UInt64
    var stepCount: Int
    var virtualNanoseconds: Int64
    var eventCount: Int
    var skippedLineCount: Int

    init(_ record: BriefRecord) {
        seed = record.seed
        traceHash = record.traceHash
        stepCount = record.stepCount
        virtualNanoseconds = record.virtualNanoseconds
        eventCount = record.eventCount
        skippedLineCount = record.skippedLineCount
    }

    private init(_ record: RunRecord) { self.init(BriefRecord(record)) }

    /// Makes up the scenario of a seed and runs it in this process, without asking the oracles.
    static func run(
        seed: UInt64, of generator: ScenarioGenerator, mutant: String?, sources: [SourceDefinition]
    ) -> BriefTrace {
        do {
            return BriefTrace(
                ScenarioRunner.trace(
                    try generator.scenario(seed: seed), seed: seed, mutant: mutant, sources: sources))
        } catch {
            return BriefTrace(RunRecord(scenario: "\(generator.profile.name)-\(seed)", seed: seed))
        }
    }

    var encoded: String {
        "trace \(seed) \(traceHash) \(stepCount) \(virtualNanoseconds) \(eventCount) \(skippedLineCount)"
    }
}

extension RunRecord {
    /// The run of the scenario that a seed of a swarm stands for.
    package static func swarm(
        seed: UInt64, of generator: ScenarioGenerator, mutant: String? = nil, sources: [SourceDefinition] = []
    ) -> RunRecord {
        do {
            return ScenarioRunner.runAndRecord(
                try generator.scenario(seed: seed), seed: seed, mutant: mutant, sources: sources
            ).record
        } catch {
            var record = RunRecord(scenario: "\(generator.profile.name)-\(seed)", seed: seed)
            record.failures = [Failure(.progress, .scenarioError, error.description)]
            return record
        }
    }

    /// A number over everything but the real time: equal for equal records, in every process.
    var digest: UInt64 {
        var digest = Digest()
        digest.add(scenario)
        for number in [seed, traceHash, UInt64(stepCount), UInt64(bitPattern: virtualNanoseconds)] {
            digest.add(number)
        }
        digest.add(UInt64(eventCount))
        digest.add(UInt64(skippedLineCount))
        for checkpoint in checkpoints { digest.add(checkpoint) }
        for failure in failures {
            digest.add(failure.oracle.rawValue)
            digest.add(failure.verdict.rawValue)
            digest.add(UInt64(bitPattern: failure.time ?? -1))
            digest.add(failure.message)
        }
        for text in waived.map(\.rawValue) + probes { digest.add(text) }
        for output in outputs { for line in output.lines { digest.add(line) } }
        return digest.value
    }

    /// FNV-1a (Fowler, Noll and Vo), by words of 64 bits where there are words.
    private struct Digest {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325

        mutating func add(_ word: UInt64) {
            value = (value ^ word) &* 0x0000_0100_0000_01b3
            value ^= value >> 29
        }

        mutating func add(_ text: String) {
            for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
            add(UInt64(text.utf8.count))
        }
    }
}
