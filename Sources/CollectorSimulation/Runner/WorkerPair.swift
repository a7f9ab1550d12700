import CSimulation

/// Two workers that run every seed, and the comparison of what they say.
///
/// They are started separately, so that hash seeds, addresses, environment and working directory differ.
public final class WorkerPair {
    private let workers: [csim_worker]

    /// - Throws: ``WorkerError`` when a worker cannot be started.
    public init() throws(WorkerError) {
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
    public func plant(mutant: String) {
        for worker in workers { send(.mutant(mutant), to: worker) }
    }

    /// Makes `scenario` the one that the following seeds run.
    ///
    /// - Parameter bytes: The file that the scenario was parsed from.
    public func load(_ bytes: [UInt8], path: String) {
        for worker in workers {
            send(.scenario(byteCount: bytes.count, path: path), to: worker)
            let writer = ByteWriter(descriptor: worker.requests)
            writer.write(bytes)
            writer.flush()
        }
    }

    /// Runs one seed in both workers and adds a failure when they differ.
    public func run(_ scenario: Scenario, seed: UInt64) throws(WorkerError) -> RunRecord {
        for worker in workers { send(.run(seed: seed), to: worker) }
        let begin = csim_real_nanoseconds()
        var records: [RunRecord] = []
        for worker in workers { records.append(try answer(of: worker, scenario: scenario, seed: seed)) }
        var record = records[0]
        record.wallNanoseconds = csim_real_nanoseconds() - begin
        if let difference = Self.difference(records[0], records[1]) {
            record.failures.append(Failure(.determinism, .nonDeterminism, difference))
        }
        return record
    }

    /// Where two runs of one seed part; `nil` when they are equal.
    static func difference(_ first: RunRecord, _ second: RunRecord) -> String? {
        // A crash leaves no trace to compare, and is a failure already.
        guard first.verdict != .crash || second.verdict != .crash else { return nil }
        if first.verdict != second.verdict, first.verdict == .crash || second.verdict == .crash {
            return "one of two runs crashed: \(first.verdict.rawValue) and \(second.verdict.rawValue)"
        }
        if first.traceHash != second.traceHash || first.stepCount != second.stepCount {
            let common = zip(first.checkpoints, second.checkpoints)
            let interval = common.enumerated().first { $0.element.0 != $0.element.1 }?.offset
            let begin = (interval ?? min(first.checkpoints.count, second.checkpoints.count)) * 1_024
            return "two runs differ first between steps \(begin) and \(begin + 1_024)"
                + " (\(first.stepCount) and \(second.stepCount) steps in all)"
        }
        var other = second
        other.wallNanoseconds = first.wallNanoseconds
        return first == other ? nil : "two runs with equal traces say different things: their reports differ"
    }

    private func send(_ request: Request, to worker: csim_worker) {
        let writer = ByteWriter(descriptor: worker.requests)
        writer.writeLine(request.text)
        writer.flush()
    }

    private func answer(of worker: csim_worker, scenario: Scenario, seed: UInt64) throws(WorkerError) -> RunRecord {
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
public struct WorkerError: Error, Hashable, Sendable, CustomStringConvertible {
    public var message: String
    public var description: String { message }
}
