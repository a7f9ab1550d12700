import CSimulation
package import CollectorCore

/// The worker's side: reads requests, forks once per seed, and answers with the child's record.
///
/// Requests: `scenario BYTES "path"` and the file's bytes; `mutant NAME`; `run SEED` or
/// `run SEED FROM TO` to get the steps of that range too. Every answer ends with a line `end`.
/// `profile BYTES "path"` and the file's bytes make `swarm SEED` possible: the worker makes up the scenario of that seed by
/// itself, and answers with one line (`BriefRecord`). `repeat SEED` runs it without asking the oracles, and answers with
/// one line too (`BriefTrace`): the second run of a seed is only compared.
package enum Worker {
    /// Real time after which a run is given up, in seconds.
    static let timeLimitSeconds: Int32 = 120

    /// Serves requests from standard input until it ends.
    ///
    /// - Parameter sources: Those that run beside the collector's own.
    /// - Returns: The exit code.
    package static func serve(sources: [SourceDefinition] = []) -> Int32 {
        csim_ignore_broken_pipes()
        csim_ignore_interrupts()
        guard csim_thread_count() == 1 else { return Verdict.crash.exitCode }
        let requests = ByteReader(descriptor: 0)
        let answers = ByteWriter(descriptor: 1)
        var scenario: Scenario?
        var mutant: String?
        var generator: ScenarioGenerator?
        let messages = csim_messages_file()
        while let line = requests.line() {
            guard let request = Request(line) else { return 70 }
            switch request {
            case .scenario(let byteCount, let path):
                guard let bytes = requests.bytes(count: byteCount) else { return 70 }
                // The driver has parsed the same bytes before it sent them.
                scenario = try? Scenario(parsing: bytes, path: path)
            case .mutant(let name): mutant = name
            case .profile(let byteCount, let path):
                guard let bytes = requests.bytes(count: byteCount) else { return 70 }
                generator = (try? SwarmProfile(parsing: bytes, path: path)).map { ScenarioGenerator($0) }
                if let generator { warmUp(generator, messages: messages, sources: sources) }
            case .swarm(let seed):
                guard let generator else { return 70 }
                answerBriefly(to: answers, messages: messages) {
                    BriefRecord.run(seed: seed, of: generator, mutant: mutant, sources: sources).encoded
                }
                guard answers.flush() else { return 0 }
            case .repeated(let seed):
                guard let generator else { return 70 }
                answerBriefly(to: answers, messages: messages) {
                    csim_skip_access_checks()
                    return BriefTrace.run(
                        seed: seed, of: generator, mutant: mutant, sources: sources
                    ).encoded
                }
                guard answers.flush() else { return 0 }
            case .run(let seed, let capture):
                guard let scenario else { return 70 }
                answer(to: answers) {
                    ScenarioRunner.runAndRecord(
                        scenario, seed: seed, mutant: mutant, capturing: capture, sources: sources
                    ).record
                }
                guard answers.flush() else { return 0 }
            }
        }
        return 0
    }

    private static func answer(to answers: ByteWriter, with run: () -> RunRecord) {
        let child = csim_child_fork(timeLimitSeconds)
        if child.pid == 0 {
            let writer = ByteWriter(descriptor: child.report)
            for line in run().encoded { writer.writeLine(line) }
            writer.flush()
            csim_child_exit(0)
        }
        guard child.pid > 0 else {
            answers.writeLine("crash code=\(child.pid) message=\"the run could not be forked\"")
            answers.writeLine("end")
            return
        }
        let code = csim_child_wait(child)
        if code == 0 {
            let report = ByteReader(descriptor: child.report)
            while let line = report.line() {
                answers.write(line)
                answers.write([0x0a])
            }
        } else {
            let message = ByteReader(descriptor: child.messages).rest(limit: 4_096)
            answers.writeLine("crash code=\(code) message=" + Printer.quoted(message))
        }
        answers.writeLine("end")
        csim_close_stream(child.report)
        csim_close_stream(child.messages)
    }
}

extension Worker {
    /// Runs one seed in this process, so that its children need not make again what a runtime makes at first use: metadata of
    /// generic types, conformances, constants. A child has to show first that the seed ends.
    private static func warmUp(
        _ generator: ScenarioGenerator, messages: Int32, sources: [SourceDefinition]
    ) {
        let seed: UInt64 = 0
        let child = csim_child_fork_brief(messages, timeLimitSeconds)
        if child == 0 {
            _ = BriefTrace.run(seed: seed, of: generator, mutant: nil, sources: sources)
            csim_child_exit(0)
        }
        guard child > 0, csim_child_wait_brief(child) == 0 else { return }
        _ = BriefTrace.run(seed: seed, of: generator, mutant: nil, sources: sources)
    }

    /// Forks a run that writes its answer by itself, as a single line: the cheapest way for runs that pass.
    private static func answerBriefly(
        to answers: ByteWriter, messages: Int32, with run: () -> String
    ) {
        let child = csim_child_fork_brief(messages, timeLimitSeconds)
        if child == 0 {
            answers.writeLine(run())
            answers.flush()
            csim_child_exit(0)
        }
        let code = child > 0 ? csim_child_wait_brief(child) : child
        guard code != 0 else { return }
        answers.writeLine("crash code=\(code)")
    }
}

/// What a driver asks of a worker, as one line of text.
enum Request: Hashable {
    case scenario(byteCount: Int, path: String)
    case mutant(String)
    case profile(byteCount: Int, path: String)
    case swarm(seed: UInt64)
    case repeated(seed: UInt64)
    case run(seed: UInt64, capture: Range<Int>)

    init?(_ line: [UInt8]) {
        guard let tokens = try? SceneLexer.tokens(of: line[...]) else { return nil }
        let words = tokens.compactMap { token -> String? in
            if case .value(let value) = token.kind {
                value.bytes.map { String(decoding: $0, as: UTF8.self) }
            } else {
                nil
            }
        }
        switch (words.first, words.count) {
        case ("scenario", 3):
            guard let count = Int(words[1]), (0...ScenarioLimits.fileByteCount).contains(count) else {
                return nil
            }
            self = .scenario(byteCount: count, path: words[2])
        case ("mutant", 2): self = .mutant(words[1])
        case ("profile", 3):
            guard let count = Int(words[1]), (0...ScenarioLimits.fileByteCount).contains(count) else {
                return nil
            }
            self = .profile(byteCount: count, path: words[2])
        case ("swarm", 2):
            guard let seed = UInt64(words[1]) else { return nil }
            self = .swarm(seed: seed)
        case ("repeat", 2):
            guard let seed = UInt64(words[1]) else { return nil }
            self = .repeated(seed: seed)
        case ("run", 2):
            guard let seed = UInt64(words[1]) else { return nil }
            self = .run(seed: seed, capture: 0..<0)
        case ("run", 4):
            guard let seed = UInt64(words[1]), let from = Int(words[2]), let to = Int(words[3]), from <= to
            else {
                return nil
            }
            self = .run(seed: seed, capture: from..<to)
        default: return nil
        }
    }

    var text: String {
        switch self {
        case .scenario(let byteCount, let path): "scenario \(byteCount) " + Printer.quoted(path.utf8)
        case .mutant(let name): "mutant \(name)"
        case .profile(let byteCount, let path): "profile \(byteCount) " + Printer.quoted(path.utf8)
        case .swarm(let seed): "swarm \(seed)"
        case .repeated(let seed): "repeat \(seed)"
        case .run(let seed, let capture):
            capture.isEmpty ? "run \(seed)" : "run \(seed) \(capture.lowerBound) \(capture.upperBound)"
        }
    }
}
