import CSimulation

/// A pair of workers that runs seeds of a swarm, a few ahead of the comparison, so that neither waits for the other.
final class SwarmLane {
    let pair: WorkerPair
    /// Seeds that were sent and not yet compared, in order.
    private(set) var seeds: [UInt64] = []
    /// Answers of both workers, to the seeds in their order.
    private var answers: [[[UInt8]]] = [[], []]

    /// Most seeds on the way: enough that a worker never waits for the driver, few enough to stop soon.
    static let depth = 8

    init(profile: [UInt8], path: String, mutant: String?) throws(WorkerError) {
        pair = try WorkerPair()
        if let mutant { pair.plant(mutant: mutant) }
        for worker in pair.workers {
            pair.send(.profile(byteCount: profile.count, path: path), to: worker)
            let writer = ByteWriter(descriptor: worker.requests)
            writer.write(profile)
            writer.flush()
        }
    }

    var hasRoom: Bool { seeds.count < Self.depth }
    var isIdle: Bool { seeds.isEmpty }

    func begin(_ seed: UInt64) {
        seeds.append(seed)
        pair.send(.swarm(seed: seed), to: pair.workers[0])
        pair.send(.repeated(seed: seed), to: pair.workers[1])
    }

    /// Adds the descriptors on which answers come to those that are waited for.
    func watch() { for worker in pair.workers { csim_watch(worker.answers) } }

    /// Whether a byte is here already, so that waiting would be wrong.
    var hasAnswer: Bool { pair.workers.contains { csim_has_byte($0.answers) == 1 } }

    /// What both workers say about a seed.
    struct Answer {
        var seed: UInt64
        var first: [UInt8]
        var second: [UInt8]

        /// The record of a run that passed, and was the same the second time.
        var passed: BriefRecord? {
            guard let record = BriefRecord(decoding: first), record.verdict == .pass, record.seed == seed,
                isSameRun
            else { return nil }
            return record
        }

        /// Whether both runs ended, and left the same trace.
        var isSameRun: Bool {
            guard let record = BriefRecord(decoding: first) else { return false }
            return second.elementsEqual(BriefTrace(record).encoded.utf8)
        }
    }

    /// Takes the lines that have come, and gives the seeds that both workers have answered.
    ///
    /// - Throws: ``WorkerError`` when a worker has ended.
    func collect() throws(WorkerError) -> [Answer] {
        for (index, worker) in pair.workers.enumerated() {
            while csim_has_byte(worker.answers) == 1 || csim_is_readable(worker.answers) == 1 {
                guard let line = ByteReader(descriptor: worker.answers).line() else {
                    throw WorkerError(message: "a worker ended before the swarm did")
                }
                answers[index].append(line)
            }
        }
        let count = min(answers[0].count, answers[1].count, seeds.count)
        let result = (0..<count).map {
            Answer(seed: seeds[$0], first: answers[0][$0], second: answers[1][$0])
        }
        seeds.removeFirst(count)
        answers[0].removeFirst(count)
        answers[1].removeFirst(count)
        return result
    }
}
