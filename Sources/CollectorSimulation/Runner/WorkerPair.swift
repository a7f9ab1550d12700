import CSimulation

/// Two workers that run every seed, and the comparison of what they say.
///
/// They are started separately, so that hash seeds, addresses, environment and working directory differ.
package final class WorkerPair {
    let workers: [csim_worker]

    /// - Throws: ``WorkerError`` when a worker cannot be started.
    package init() throws(WorkerError) {
        csim_ignore_broken_pipes()
        var workers: [csim_worker] = []
        for index in 0..<2 {
            let worker = csim_worker_start(Int32(index))
            guard worker.pid > 0 else {
                for started in workers { csim_worker_stop(started) }
                throw WorkerError(message: "cannot start a worker (errno \(-worker.pid))")
            }
            workers.append(worker)
        }
        self.workers = workers
    }

    deinit { for worker in workers { csim_worker_stop(worker) } }

    /// Plants a bug in all following runs, in a build that has them.
    package func plant(mutant: String) {
        for worker in workers { send(.mutant(mutant), to: worker) }
    }

    /// Makes `scenario` the one that the following seeds run.
    ///
    /// - Parameter bytes: The file that the scenario was parsed from.
    package func load(_ bytes: [UInt8], path: String) {
        for worker in workers {
            send(.scenario(byteCount: bytes.count, path: path), to: worker)
            let writer = ByteWriter(descriptor: worker.requests)
            writer.write(bytes)
            writer.flush()
        }
    }

    /// Runs one seed in both workers and adds a failure when they differ.
    package func run(_ scenario: Scenario, seed: UInt64) throws(WorkerError) -> RunRecord {
        let begin = csim_real_nanoseconds()
        let records = try runTwice(scenario, seed: seed, capture: 0..<0)
        var record = records.first
        record.wallNanoseconds = csim_real_nanoseconds() - begin
        guard var difference = RunDifference(records.first, records.second) else { return record }
        if let range = difference.steps {
            let again = try runTwice(scenario, seed: seed, capture: range)
            difference.describeSteps(again.first.capturedSteps, again.second.capturedSteps)
        }
        record.failures.append(Failure(.determinism, .nonDeterminism, difference.message))
        return record
    }

    private func runTwice(
        _ scenario: Scenario, seed: UInt64, capture: Range<Int>
    ) throws(WorkerError) -> (first: RunRecord, second: RunRecord) {
        for worker in workers { send(.run(seed: seed, capture: capture), to: worker) }
        let first = try answer(of: workers[0], scenario: scenario, seed: seed)
        return (first, try answer(of: workers[1], scenario: scenario, seed: seed))
    }

    func send(_ request: Request, to worker: csim_worker) {
        let writer = ByteWriter(descriptor: worker.requests)
        writer.writeLine(request.text)
        writer.flush()
    }

    func answer(of worker: csim_worker, scenario: Scenario, seed: UInt64) throws(WorkerError)
        -> RunRecord
    {
        let reader = ByteReader(descriptor: worker.answers)
        var lines: [[UInt8]] = []
        while let line = reader.line() {
            if line == Array("end".utf8) {
                if let record = RunRecord(decoding: lines) { return record }
                if let record = Self.crash(lines, scenario: scenario, seed: seed) { return record }
                throw WorkerError(message: "a worker answered with something unintelligible")
            }
            lines.append(line)
        }
        throw WorkerError(message: "a worker ended in the middle of \(scenario.name), seed \(seed)")
    }

    /// The record of a run whose process died.
    private static func crash(_ lines: [[UInt8]], scenario: Scenario, seed: UInt64) -> RunRecord? {
        guard let line = lines.first, let tokens = try? SceneLexer.tokens(of: line[...]),
            tokens.first?.kind == .value(.bare("crash"))
        else { return nil }
        var code = 0
        var message = ""
        for token in tokens {
            guard case .keyed(let key, let value) = token.kind, let bytes = value.bytes else { continue }
            if key == "code" { code = Int(String(decoding: bytes, as: UTF8.self)) ?? 0 }
            if key == "message" { message = String(decoding: bytes, as: UTF8.self) }
        }
        var record = RunRecord(scenario: scenario.name, seed: seed)
        let end: String
        switch code {
        case 1_014: end = "the run did not end within \(Worker.timeLimitSeconds) s of real time"
        case 1_000...: end = "the run was killed by signal \(code - 1_000)"
        default: end = "the run ended with code \(code)"
        }
        record.failures = [Failure(.progress, .crash, message.isEmpty ? end : end + ": " + message)]
        return record
    }
}

/// Why the machinery around a run failed; not a finding about the run.
package struct WorkerError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    package var description: String { message }
}
