import CollectorCore
import EventModel
import SimulatedBackends

/// A fault that struck a call.
struct HTMLReportFault: Hashable {
    /// After `@0`, in nanoseconds.
    var time: Int64
    /// Index of the line among those of `fault`.
    var rule: Int
    /// How often the line has struck, this time included.
    var count: Int

    /// The faults among the steps of a run.
    static func all(in steps: [TraceRecord], _ index: TruthIndex) -> [HTMLReportFault] {
        steps.lazy.filter { $0.kind == .fault }.prefix(HTMLReportLimits.markCount).map { step in
            HTMLReportFault(
                time: index.scenarioTime(step.time), rule: Int(clamping: step.first),
                count: Int(clamping: step.second))
        }
    }
}

/// How a gap record reads on a page.
enum HTMLReportGap {
    static func cause(_ cause: GapCause) -> String {
        switch cause {
        case .kernelOverflow: "kernel overflow"
        case .watchQueueOverflow: "watch queue overflow"
        case .watchLost: "watch lost"
        case .betweenPolls: "between polls"
        case .notRunning: "not running"
        case .sourceBuffer: "source buffer full"
        case .subscriberQueue: "subscriber queue full"
        case .resume: "not kept for a subscriber that came back"
        }
    }
}

/// What happens at one moment and is no event of a process.
struct HTMLReportMarks {
    enum Kind: String {
        case status, signal, account, scan, fault, clock, failure
    }

    struct Mark {
        var time: Int64
        var kind: Kind
        var text: String
    }

    /// Ordered by time.
    let all: [Mark]

    init(_ evidence: Evidence, faults: [HTMLReportFault], failures: [Failure]) {
        let limit = HTMLReportLimits.markCount
        let index = evidence.index
        var marks: [Mark] = []
        for time in evidence.recording.scans.prefix(limit) {
            marks.append(Mark(time: index.scenarioTime(time), kind: .scan, text: "scan of /proc"))
        }
        for run in evidence.recording.runs.prefix(limit) { marks += Self.marks(of: run, index) }
        for fault in faults {
            let line =
                evidence.scenario.faults.indices.contains(fault.rule)
                ? evidence.scenario.faults[fault.rule] : nil
            let name = line.map { "\($0.operation) of line \($0.number)" } ?? "rule \(fault.rule)"
            marks.append(
                Mark(time: fault.time, kind: .fault, text: "fault: \(name), firing \(fault.count)"))
        }
        for line in evidence.scenario.when.prefix(limit) {
            switch line.action {
            case .stepRealtime(let step):
                let text = "wall clock steps by \(Quantity.duration(nanoseconds: step))"
                marks.append(Mark(time: line.time, kind: .clock, text: text))
            case .suspend(let duration):
                let text = "host suspended for \(Quantity.duration(nanoseconds: duration))"
                marks.append(Mark(time: line.time, kind: .clock, text: text))
            default: continue
            }
        }
        for failure in failures.prefix(limit) {
            guard let time = failure.time else { continue }
            let text = "\(failure.oracle.rawValue): \(failure.message.prefix(300))"
            marks.append(Mark(time: time, kind: .failure, text: TerminalText.escape(text)))
        }
        all = marks.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }

    private static func marks(of run: CollectorRun, _ index: TruthIndex) -> [Mark] {
        var marks: [Mark] = []
        for item in run.stream {
            guard case .status(let status) = item.content, marks.count < HTMLReportLimits.markCount else {
                continue
            }
            let reason = status.reason.map { ": " + TerminalText.escape($0) } ?? ""
            marks.append(
                Mark(
                    time: index.scenarioTime(item.delivered), kind: .status,
                    text: "source \(status.source) \(status.state.rawValue)\(reason)"))
        }
        for (at, _) in run.accounts.prefix(HTMLReportLimits.markCount) {
            marks.append(Mark(time: index.scenarioTime(at), kind: .account, text: "account asked for"))
        }
        if let stop = run.stopRequested {
            marks.append(Mark(time: index.scenarioTime(stop), kind: .signal, text: "told to stop"))
        }
        return marks
    }
}
