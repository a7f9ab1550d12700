import CSimulation
import EventModel
import SimulatedBackends

import struct SystemPackage.Errno

/// `run --fail-each-call` of one scenario file, from its options to what people and programs read.
package struct SweepCommand: Sendable {
    private let cases: [SweepCase]

    /// - Parameters:
    ///   - operation: Such as `procfs.read`, or the part before the dot for all that have it; `nil` for all.
    ///   - errno: Such as `EIO`; `nil` for every error and every other behaviour.
    /// - Throws: ``SweepOptionError`` with what is possible.
    package init(operation: String?, errno: String?) throws(SweepOptionError) {
        var calls: [BackendOperation] = []
        if let operation {
            calls = BackendOperation.allCases.filter {
                $0.rawValue == operation || $0.rawValue.hasPrefix(operation + ".")
            }
            guard !calls.isEmpty else {
                let known = BackendOperation.allCases.map(\.rawValue).joined(separator: ", ")
                throw SweepOptionError(
                    message: "expected --operation with one of \(known), not \"\(operation)\"")
            }
        }
        var errors: [Errno] = []
        if let errno {
            let known = BackendOperation.allCases.filter { calls.isEmpty || calls.contains($0) }.flatMap(
                \.errors)
            guard let error = Errno(symbol: errno), known.contains(error) else {
                let names = Set(known.map(\.symbol)).sorted().joined(separator: ", ")
                throw SweepOptionError(message: "expected --errno with one of \(names), not \"\(errno)\"")
            }
            errors = [error]
        }
        cases = SweepCase.all(of: calls, errors: errors)
    }

    /// Sweeps one scenario.
    ///
    /// - Parameters:
    ///   - seed: `nil` for the scenario's own.
    ///   - progress: Called after every few runs with a line that says how far it is.
    package func run(
        _ bytes: [UInt8], path: String, seed: UInt64?, workers: WorkerPair, progress: (String) -> Void
    ) throws(WorkerError) -> SweepResult {
        let scenario: Scenario
        do { scenario = try Scenario(parsing: bytes, path: path) } catch {
            return SweepResult(path: path, seed: 0, summary: SweepSummary(), problem: error.description)
        }
        let seed = seed ?? scenario.seed
        // A scenario that fails by itself says nothing about failing calls.
        let untouched = try workers.runOnce([scenario], seed: seed)[0]
        guard untouched.verdict == .pass else {
            let message = untouched.failures.first?.message ?? ""
            return SweepResult(
                path: path, seed: seed, summary: SweepSummary(),
                problem: "\(path): fails without any failing call, with seed \(seed): \(message)")
        }
        var sweep = CallSweep(scenario, seed: seed, cases: cases)
        try sweep.run(width: 2) { (scenarios) throws(WorkerError) in
            try workers.runOnce(scenarios, seed: seed)
        } progress: { summary, sweepCase, nth in
            guard summary.runCount % 16 < 2 else { return }
            progress(
                "\(path): \(summary.runCount) runs, \(summary.findingCount) failed; \(sweepCase.line(nth: nth))"
            )
        }
        return SweepResult(path: path, seed: seed, summary: sweep.summary, problem: nil)
    }
}

/// A sweep's option that names nothing.
package struct SweepOptionError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    package var description: String { message }
}

/// What the sweep of one scenario gave.
package struct SweepResult: Sendable {
    package var path: String
    package var seed: UInt64
    package var summary: SweepSummary
    /// Why the file could not be swept at all.
    package var problem: String?

    package init(path: String, seed: UInt64, summary: SweepSummary, problem: String?) {
        self.path = path
        self.seed = seed
        self.summary = summary
        self.problem = problem
    }

    package var verdict: Verdict { problem == nil ? summary.verdict : .scenarioError }

    package var runCount: Int { summary.runCount }

    /// A table of what was failed, then what was not taken well.
    package func text(command: String) -> String {
        var lines = [
            "\(TerminalText.escape(path)), seed \(seed): \(summary.runCount) runs, \(summary.findingCount) failed",
            "  " + row(["call", "calls", "struck", "not started", "failed", "ways"]),
        ]
        for calls in summary.calls {
            lines.append(
                "  "
                    + row([
                        calls.call.rawValue, String(calls.callCount), String(calls.strikeCount),
                        String(calls.unreadyCount), String(calls.findingCount),
                        calls.behaviours.joined(separator: " "),
                    ]))
        }
        for finding in summary.findings.prefix(Self.findingLimit) {
            lines.append("")
            lines.append("  \(finding.verdict.rawValue): \(finding.sweepCase.line(nth: finding.nth))")
            for failure in finding.failures.prefix(3) {
                let time = failure.time.map { " @" + Quantity.seconds(nanoseconds: $0) } ?? ""
                lines.append("    \(failure.oracle.rawValue)\(time): \(TerminalText.escape(failure.message))")
            }
        }
        if summary.findings.count > Self.findingLimit {
            lines.append("  and \(summary.findings.count - Self.findingLimit) more kinds of failure")
        }
        if !summary.findings.isEmpty {
            lines.append(
                "  again: put such a line below \"fault\" of a copy, then \(command) run COPY --seed \(seed)")
        }
        return lines.joined(separator: "\n")
    }

    /// One object, without a line break.
    package var json: String {
        var bytes: [UInt8] = []
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("scenario", path)
            json.member("seed", seed)
            json.member("verdict", verdict.rawValue)
            if let problem { json.member("problem", problem) }
            json.member("runs", UInt64(summary.runCount))
            json.member("failed", UInt64(summary.findingCount))
            json.beginArray("operations")
            for calls in summary.calls {
                json.beginObject()
                json.member("operation", calls.call.rawValue)
                json.member("calls", UInt64(calls.callCount))
                json.member("struck", UInt64(calls.strikeCount))
                json.member("not_started", UInt64(calls.unreadyCount))
                json.member("failed", UInt64(calls.findingCount))
                json.beginArray("behaviours")
                for behaviour in calls.behaviours { json.value(behaviour) }
                json.endArray()
                json.endObject()
            }
            json.endArray()
            json.beginArray("findings")
            for finding in summary.findings {
                json.beginObject()
                json.member("fault", finding.sweepCase.line(nth: finding.nth))
                json.member("verdict", finding.verdict.rawValue)
                json.member("oracle", finding.failures.first?.oracle.rawValue ?? "")
                json.member("message", finding.failures.first?.message ?? "")
                json.endObject()
            }
            json.endArray()
            json.endObject()
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let findingLimit = 8

    private func row(_ cells: [String]) -> String {
        let widths = [18, 6, 7, 12, 7, 0]
        return zip(cells, widths).map { cell, width in
            cell + String(repeating: " ", count: max(0, width - cell.utf8.count))
        }.joined()
    }
}

extension WorkerPair {
    /// Runs one scenario in each worker at the same time; without the comparison of two equal runs.
    ///
    /// - Parameter scenarios: At most two.
    package func runOnce(_ scenarios: [Scenario], seed: UInt64) throws(WorkerError) -> [RunRecord] {
        precondition(scenarios.count <= workers.count, "there are two workers")
        for (scenario, worker) in zip(scenarios, workers) {
            let bytes = Array(scenario.formatted.utf8)
            send(.scenario(byteCount: bytes.count, path: scenario.path), to: worker)
            let writer = ByteWriter(descriptor: worker.requests)
            writer.write(bytes)
            writer.flush()
            send(.run(seed: seed, capture: 0..<0), to: worker)
        }
        var records: [RunRecord] = []
        for (scenario, worker) in zip(scenarios, workers) {
            records.append(try answer(of: worker, scenario: scenario, seed: seed))
        }
        return records
    }
}
