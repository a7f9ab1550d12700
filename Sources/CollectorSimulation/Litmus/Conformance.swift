import EventModel
import SimulatedBackends

/// Compares the simulated kernel with the real one, case by case.
package struct Conformance: Sendable {
    /// Which kernels answer.
    package enum Arms: String, Hashable, Sendable, CaseIterable {
        case both
        case real
        case simulated = "sim"
    }

    /// Why this process cannot ask the real kernel, such as `it takes root`; `nil` when it can.
    package static var realKernelObstacle: String? { RealArm.obstacle }

    /// The release of this host's kernel.
    static var hostKernel: KernelVersion {
        KernelVersion(PuppetSystem.kernelRelease) ?? KernelVersion(major: 6, minor: 18)
    }

    private let suite: LitmusSuite

    /// The simulated kernel behaves like the release of this host, as far as it knows the difference.
    package init(_ arms: Arms) {
        var used: [any LitmusArm] = []
        if arms != .simulated { used.append(RealArm()) }
        if arms != .real { used.append(SimulatedArm(kernel: Self.hostKernel)) }
        suite = LitmusSuite(arms: used, kernel: Self.hostKernel)
    }

    /// Runs the case of one file, on the real kernel with processes of its own that end with it.
    ///
    /// - Parameter path: The file's name for messages.
    package func check(_ bytes: [UInt8], path: String) throws(ScenarioError) -> ConformanceResult {
        ConformanceResult(report: suite.run(try LitmusCase(parsing: bytes, path: path)), path: path)
    }
}

/// How one case came out.
package struct ConformanceResult: Sendable {
    let report: LitmusReport
    /// The file as the caller named it.
    package let path: String

    init(report: LitmusReport, path: String) {
        self.report = report
        self.path = path
    }

    /// Whether the kernels disagree, or one of them is wrong.
    package var differs: Bool { report.verdict == .differs }

    /// One line of the table: verdict, name and behaviours.
    package func line(hasColour: Bool) -> String {
        let verdict = report.verdict.rawValue
        let colour =
            switch report.verdict {
            case .agreed: "\u{1b}[32m"
            case .envelope, .waived, .oneSided, .skipped: "\u{1b}[33m"
            case .differs: "\u{1b}[31m"
            }
        let padding = String(repeating: " ", count: max(1, 10 - verdict.utf8.count))
        let name = report.test.name + String(repeating: " ", count: max(1, 34 - report.test.name.utf8.count))
        let shown = hasColour ? colour + verdict + "\u{1b}[0m" : verdict
        return shown + padding + name + report.test.rows.joined(separator: " ")
    }

    /// Why: differences, else the reasons of waivers; one line each, harmless on a terminal.
    package var details: [String] {
        let differences = report.differences
        guard differences.isEmpty else { return differences.map { TerminalText.escape("\(path): \($0)") } }
        let waivers = report.test.waivers.map { "\($0.arm.rawValue) waived: \($0.reason)" }
        let retries = report.results.filter { $0.retryCount > 0 }.map {
            "\($0.arm.rawValue): \($0.retryCount) tries were disturbed by other processes and repeated"
        }
        return (waivers + retries).map { TerminalText.escape($0) }
    }

    /// The case as one JSON object: verdict, and what each kernel answered to each question.
    package var json: String {
        var bytes: [UInt8] = []
        JSONWriter.append(to: &bytes) { writer in
            writer.beginObject()
            writer.member("record", "litmus")
            writer.member("case", report.test.name)
            writer.member("about", report.test.about)
            writer.beginArray("rows")
            for row in report.test.rows { writer.value(row) }
            writer.endArray()
            writer.member("source", report.test.source)
            writer.member("verdict", report.verdict.rawValue)
            writer.beginArray("waivers")
            for waiver in report.test.waivers {
                writer.beginObject()
                writer.member("arm", waiver.arm.rawValue)
                writer.member("because", waiver.reason)
                writer.endObject()
            }
            writer.endArray()
            writer.beginArray("questions")
            for (index, question) in report.test.questions.enumerated() {
                write(question, index, to: &writer)
            }
            writer.endArray()
            writer.beginArray("differences")
            for difference in report.differences { writer.value(difference) }
            writer.endArray()
            writer.endObject()
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(_ question: LitmusCase.Question, _ index: Int, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("question", question.text)
        writer.member("expected", question.expected.description)
        for result in report.results {
            writer.beginArray(result.arm.rawValue)
            for answer in result.answers[index] { writer.value(answer) }
            writer.endArray()
        }
        writer.endObject()
    }
}

/// Counts over all cases.
package struct ConformanceSummary: Sendable {
    private var counts: [LitmusVerdict: Int] = [:]

    /// Nothing counted yet.
    package init() {}

    /// Counts one case.
    package mutating func add(_ result: ConformanceResult) { counts[result.report.verdict, default: 0] += 1 }

    /// How many cases were counted.
    package var caseCount: Int { counts.values.reduce(0, +) }
    /// How many of them differ.
    package var differenceCount: Int { counts[.differs] ?? 0 }

    /// `60 cases: 50 agreed, 4 envelope, 6 waived, 0 differs`.
    package var text: String {
        "\(caseCount) cases: "
            + LitmusVerdict.allCases.map { "\(counts[$0] ?? 0) \($0.rawValue)" }.joined(separator: ", ")
    }

    /// The counts as one JSON object.
    package var json: String {
        var bytes: [UInt8] = []
        JSONWriter.append(to: &bytes) { writer in
            writer.beginObject()
            writer.member("record", "conform")
            writer.member("cases", UInt64(caseCount))
            for verdict in LitmusVerdict.allCases {
                writer.member(verdict.rawValue, UInt64(counts[verdict] ?? 0))
            }
            writer.endObject()
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
