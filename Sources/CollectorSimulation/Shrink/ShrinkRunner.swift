import CSimulation

/// A scenario to run once, and its text.
package struct ShrinkRun: Sendable {
    package var scenario: Scenario
    package var text: String
    package var seed: UInt64
}

/// Runs scenarios for a shrinker.
package protocol ShrinkRunner: AnyObject {
    /// How many runs can be made at a time; at least 1.
    var width: Int { get }

    /// Runs at most ``width`` scenarios and gives their records in the same order.
    func run(_ runs: [ShrinkRun]) throws(WorkerError) -> [RunRecord]
}

/// Runs in workers: each scenario in one of them, or, to compare two runs, each in both.
final class WorkerRunner: ShrinkRunner {
    private let workers: WorkerPair
    private let path: String
    private let isComparing: Bool
    /// The text that each worker holds.
    private var loaded: [String?] = [nil, nil]

    init(workers: WorkerPair, path: String, isComparing: Bool) {
        self.workers = workers
        self.path = path
        self.isComparing = isComparing
    }

    var width: Int { isComparing ? 1 : 2 }

    func run(_ runs: [ShrinkRun]) throws(WorkerError) -> [RunRecord] {
        precondition(runs.count <= width, "no more runs than the runner is wide")
        if isComparing, let run = runs.first {
            for worker in 0..<2 { load(run, into: worker) }
            return [try workers.run(run.scenario, seed: run.seed)]
        }
        for (worker, run) in runs.enumerated() {
            load(run, into: worker)
            workers.send(.run(seed: run.seed, capture: 0..<0), to: workers.workers[worker])
        }
        var records: [RunRecord] = []
        for (worker, run) in runs.enumerated() {
            records.append(
                try workers.answer(of: workers.workers[worker], scenario: run.scenario, seed: run.seed))
        }
        return records
    }

    private func load(_ run: ShrinkRun, into worker: Int) {
        guard loaded[worker] != run.text else { return }
        loaded[worker] = run.text
        let bytes = Array(run.text.utf8)
        workers.send(.scenario(byteCount: bytes.count, path: path), to: workers.workers[worker])
        let writer = ByteWriter(descriptor: workers.workers[worker].requests)
        writer.write(bytes)
        writer.flush()
    }
}
