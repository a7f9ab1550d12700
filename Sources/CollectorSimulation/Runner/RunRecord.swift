/// Everything that one run of one seed leaves behind.
public struct RunRecord: Hashable, Sendable {
    /// The name in the scenario's first line.
    public var scenario: String
    /// The seed of the run.
    public var seed: UInt64
    /// Equal for runs in which the same happened in the same order.
    public var traceHash: UInt64
    /// Steps of the trace: jobs, calls and timers.
    public var stepCount: Int
    /// The trace hash after every 1 024 steps.
    package var checkpoints: [UInt64]
    /// Virtual time from `@0` to the end, in nanoseconds.
    public var virtualNanoseconds: Int64
    /// Real time of this run; never part of a comparison.
    package var wallNanoseconds: Int64
    /// Events that the subscriber received.
    public var eventCount: Int
    /// Lines of the scenario that referred to something that did not exist.
    public var skippedLineCount: Int
    /// What the oracles found wrong, and the lines of `expect` that do not hold.
    public var failures: [Failure]
    /// Oracles that the scenario waives.
    package var waived: [OracleName]
    /// Names of the probes that were hit.
    package var probes: [String]
    /// How often each line of `fault` has struck, in their order.
    package var faultFirings: [Int]
    /// Why the collector, or its source, never became ready; `nil` when it did.
    public var startProblem: String?
    /// The last steps before the end, for a report of a failure.
    public var recentSteps: [String]
    /// The steps that were asked for, to find the first one in which two runs differ.
    package var capturedSteps: [String]
    /// Output for each `events` line of the scenario, by line number.
    package var outputs: [EventOutput]

    package init(scenario: String, seed: UInt64) {
        self.scenario = scenario
        self.seed = seed
        traceHash = 0
        stepCount = 0
        checkpoints = []
        virtualNanoseconds = 0
        wallNanoseconds = 0
        eventCount = 0
        skippedLineCount = 0
        failures = []
        waived = []
        probes = []
        faultFirings = []
        recentSteps = []
        capturedSteps = []
        outputs = []
    }

    /// The gravest of ``failures``, or that there are none.
    public var verdict: Verdict { Verdict.overall(failures.map(\.verdict)) }

    /// Every oracle and what it says, in a fixed order.
    package var oracles: [(name: OracleName, verdict: String)] {
        OracleName.allCases.map { name in
            if waived.contains(name) { return (name, "waived") }
            return (name, failures.contains { $0.oracle == name } ? "fail" : "pass")
        }
    }
}

/// What the stream shows for one `events` line.
package struct EventOutput: Hashable, Sendable {
    /// The line of the scenario.
    package var line: Int
    package var lines: [String]

    package init(line: Int, lines: [String]) {
        self.line = line
        self.lines = lines
    }
}

// MARK: - As lines of text, between worker and driver

extension RunRecord {
    /// Lines in the syntax of scenario files: `result seed=1 hash=0x51c2 …`, then one line for each detail.
    package var encoded: [String] {
        var lines = [
            "result scenario=\(Printer.quoted(scenario.utf8)) seed=\(seed) hash=\(traceHash) steps=\(stepCount)"
                + " virtual=\(virtualNanoseconds) wall=\(wallNanoseconds) events=\(eventCount)"
                + " skipped=\(skippedLineCount)"
        ]
        for checkpoint in checkpoints { lines.append("checkpoint \(checkpoint)") }
        for failure in failures {
            var line = "failure oracle=\(failure.oracle.rawValue) verdict=\(failure.verdict.rawValue)"
            if let time = failure.time { line += " at=\(time)" }
            if let number = failure.line { line += " line=\(number)" }
            lines.append(line + " message=" + Printer.quoted(failure.message.utf8))
        }
        for name in waived { lines.append("waived \(name.rawValue)") }
        for probe in probes { lines.append("probe \(probe)") }
        for count in faultFirings { lines.append("fired \(count)") }
        if let startProblem { lines.append("unready " + Printer.quoted(startProblem.utf8)) }
        for step in recentSteps { lines.append("step " + Printer.quoted(step.utf8)) }
        for step in capturedSteps { lines.append("captured " + Printer.quoted(step.utf8)) }
        for output in outputs {
            lines.append("output line=\(output.line)")
            for line in output.lines { lines.append("| " + Printer.quoted(line.utf8)) }
        }
        return lines
    }

    /// Reads what ``encoded`` writes; `nil` for anything else.
    package init?(decoding lines: [[UInt8]]) {
        var record: RunRecord?
        for line in lines {
            guard let tokens = try? SceneLexer.tokens(of: line[...]) else { return nil }
            let fields = RecordFields(tokens)
            if fields.words.first == "result" {
                guard let scenario = fields["scenario"], let seed = fields.number("seed") else { return nil }
                record = RunRecord(scenario: scenario, seed: seed)
            }
            guard record?.read(fields) == true else { return nil }
        }
        guard let record else { return nil }
        self = record
    }

    private mutating func read(_ fields: RecordFields) -> Bool {
        switch fields.words.first {
        case "result":
            traceHash = fields.number("hash") ?? 0
            stepCount = Int(fields.number("steps") ?? 0)
            virtualNanoseconds = fields["virtual"].flatMap { Int64($0) } ?? 0
            wallNanoseconds = fields["wall"].flatMap { Int64($0) } ?? 0
            eventCount = Int(fields.number("events") ?? 0)
            skippedLineCount = Int(fields.number("skipped") ?? 0)
        case "checkpoint":
            guard let value = fields.words.dropFirst().first.flatMap({ UInt64($0) }) else { return false }
            checkpoints.append(value)
        case "failure":
            guard let oracle = fields["oracle"].flatMap(OracleName.init(rawValue:)),
                let verdict = fields["verdict"].flatMap(Verdict.init(rawValue:)),
                let message = fields["message"]
            else { return false }
            let line = fields.number("line").map { Int($0) }
            failures.append(
                Failure(oracle, verdict, at: fields["at"].flatMap { Int64($0) }, line: line, message))
        case "waived":
            guard let name = fields.words.dropFirst().first.flatMap(OracleName.init(rawValue:)) else {
                return false
            }
            waived.append(name)
        case "probe": probes += fields.words.dropFirst()
        case "fired": faultFirings += fields.words.dropFirst().compactMap { Int($0) }
        case "unready": startProblem = fields.words.dropFirst().first
        case "step": recentSteps += fields.words.dropFirst()
        case "captured": capturedSteps += fields.words.dropFirst()
        case "output": outputs.append(EventOutput(line: Int(fields.number("line") ?? 0), lines: []))
        case "|":
            guard !outputs.isEmpty else { return false }
            outputs[outputs.count - 1].lines += fields.words.dropFirst()
        default: return false
        }
        return true
    }
}

/// The words and keys of one line of the protocol.
private struct RecordFields {
    var words: [String] = []
    private var keys: [(key: String, value: String)] = []

    init(_ tokens: [SceneToken]) {
        for token in tokens {
            switch token.kind {
            case .value(let value): words.append(String(decoding: value.bytes ?? [], as: UTF8.self))
            case .keyed(let key, let value):
                keys.append((key, String(decoding: value.bytes ?? [], as: UTF8.self)))
            case .arrow, .time: break
            }
        }
    }

    subscript(key: String) -> String? { keys.first { $0.key == key }?.value }
    func number(_ key: String) -> UInt64? { self[key].flatMap { UInt64($0) } }
}
