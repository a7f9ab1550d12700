import CollectorCore
import EventModel
import SimulatedBackends

/// Bounds on what one page holds; what is left out is counted and said on the page.
package enum HTMLReportLimits {
    /// Incarnations drawn, the first ones.
    package static let processCount = 10_000
    /// Kernel messages drawn in rows of many processes.
    package static let messageCount = 60_000
    /// Events of the stream, in the order of delivery.
    package static let eventCount = 20_000
    /// Characters of one event's text.
    package static let eventTextCount = 600
    /// Points of one chart; more are thinned out so that every peak stays.
    package static let pointCount = 3_000
    /// Gap records, scans, faults and other marks, of each kind.
    package static let markCount = 2_000
    /// Lines of the scenario.
    package static let scenarioLineCount = 4_000
    /// Characters of one of them.
    package static let scenarioLineLength = 2_000
    /// Rows of one table.
    package static let rowCount = 200
    /// Failures shown whole.
    package static let failureCount = 60
    /// A page is never longer, whatever the scenario: the sum of the above with room for markup.
    package static let pageByteCount = 40 << 20
}

/// What the time line of a page draws, as columns of numbers: nanoseconds after `@0`, and indices.
struct HTMLReportData {
    private let evidence: Evidence
    private let samples: [DepthSample]
    private let faults: [HTMLReportFault]
    private let failures: [Failure]

    init(_ evidence: Evidence, samples: [DepthSample], faults: [HTMLReportFault], failures: [Failure]) {
        self.evidence = evidence
        self.samples = samples
        self.faults = faults
        self.failures = failures
    }

    func json() -> [UInt8] {
        var bytes: [UInt8] = []
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("end", max(1, time(evidence.report.end)))
            processes(&json)
            executions(&json)
            messages(&json)
            events(&json)
            gaps(&json)
            marks(&json)
            runs(&json)
            json.beginArray("charts")
            for chart in HTMLReportCharts(evidence, samples: samples).all { chart.append(to: &json) }
            json.endArray()
            json.endObject()
        }
        return bytes
    }

    private func time(_ instant: Instant) -> Int64 { max(0, evidence.index.scenarioTime(instant)) }

    private var shownIncarnations: ArraySlice<TruthIncarnation> {
        evidence.truth.incarnations.prefix(HTMLReportLimits.processCount)
    }

    // MARK: - What really happened

    private func processes(_ json: inout JSONWriter) {
        let shown = shownIncarnations
        json.beginObject("processes")
        json.column("pid", shown) { Int64($0.pid.rawValue) }
        json.column("ordinal", shown) { Int64($0.ordinal) }
        json.column("parent", shown) { $0.parent.map { Int64($0.rawValue) } ?? -1 }
        json.column("born", shown) { time($0.born) }
        json.column("ended", shown) { $0.ended.map { time($0) } ?? -1 }
        json.column("reaped", shown) { $0.reaped.map { time($0) } ?? -1 }
        json.column("code", shown) { $0.exitCode.map { Int64($0) } ?? -1 }
        json.column("quiet", shown) { $0.isKernelThread ? 1 : 0 }
        json.beginArray("name")
        for incarnation in shown { json.value(name(of: incarnation)) }
        json.endArray()
        json.member("left_out", Int64(evidence.truth.incarnations.count - shown.count))
        json.endObject()
    }

    /// The name it was born with.
    private func name(of incarnation: TruthIncarnation) -> String {
        for change in incarnation.changes {
            if case .comm(let bytes) = change.attribute { return Self.text(bytes) }
        }
        return ""
    }

    private static func text(_ bytes: [UInt8]) -> String {
        TerminalText.escape(String(KernelText.decode(bytes[...]).text.prefix(200)))
    }

    /// Each time a process took on another program.
    private func executions(_ json: inout JSONWriter) {
        var times: [(process: Int, time: Int64, path: String)] = []
        for incarnation in shownIncarnations {
            // The first one is what it was born with.
            var last: [UInt8]?
            for change in incarnation.changes {
                guard case .program(let link, _, _) = change.attribute else { continue }
                // An unlinked program shows another path, and is still the same.
                if let last, link != last + Array(" (deleted)".utf8) {
                    times.append((incarnation.id.rawValue, time(change.time), Self.text(link)))
                }
                last = link
            }
        }
        let shown = times.prefix(HTMLReportLimits.messageCount)
        json.beginObject("execs")
        json.column("process", shown) { Int64($0.process) }
        json.column("time", shown) { $0.time }
        json.beginArray("path")
        for entry in shown { json.value(entry.path) }
        json.endArray()
        json.endObject()
    }

    private func messages(_ json: inout JSONWriter) {
        let limit = evidence.truth.incarnations.count
        let about = evidence.truth.messages.filter { message in
            (0..<min(limit, HTMLReportLimits.processCount)).contains(message.subject.rawValue)
        }
        let shown = about.prefix(HTMLReportLimits.messageCount)
        json.beginObject("messages")
        json.column("process", shown) { Int64($0.subject.rawValue) }
        json.column("time", shown) { time($0.time) }
        json.column("fate", shown) { message in
            Int64(MessageFate.allCases.firstIndex(of: message.fate) ?? 0)
        }
        json.beginArray("fates")
        for fate in MessageFate.allCases { json.value(fate.rawValue) }
        json.endArray()
        json.member("left_out", Int64(evidence.truth.messages.count - shown.count))
        json.endObject()
    }

    // MARK: - What the collector said

    private func events(_ json: inout JSONWriter) {
        let all = evidence.attributions.flatMap(\.entries)
        let shown = all.prefix(HTMLReportLimits.eventCount)
        let text = EventText(index: evidence.index)
        json.beginObject("events")
        json.column("process", shown) { $0.incarnation.map { Int64($0.rawValue) } ?? -1 }
        json.column("time", shown) { time($0.event.monotonic) }
        json.column("delivered", shown) { time($0.delivered) }
        json.column("kind", shown) { Int64($0.event.kind.index) }
        json.column("origin", shown) { entry in
            Int64(EventOrigin.allCases.firstIndex(of: entry.event.origin) ?? 0)
        }
        json.beginArray("text")
        for entry in shown {
            let line = text.line(entry)
            let isLong = line.utf8.count > HTMLReportLimits.eventTextCount
            json.value(isLong ? line.prefix(HTMLReportLimits.eventTextCount) + " …" : line)
        }
        json.endArray()
        json.beginArray("kinds")
        for kind in EventKind.allCases { json.value(kind.rawValue) }
        json.endArray()
        json.beginArray("origins")
        for origin in EventOrigin.allCases { json.value(origin.rawValue) }
        json.endArray()
        json.member("left_out", Int64(all.count - shown.count))
        json.endObject()
    }

    private func gaps(_ json: inout JSONWriter) {
        let gaps = evidence.recording.runs.flatMap(\.gaps).prefix(HTMLReportLimits.markCount)
        json.beginObject("gaps")
        json.column("from", gaps) { time($0.from) }
        json.column("until", gaps) { time($0.until) }
        json.column("lost", gaps) { Int64(clamping: $0.lost ?? $0.lostBounds.atLeast) }
        json.beginArray("cause")
        for gap in gaps { json.value(HTMLReportGap.cause(gap.cause)) }
        json.endArray()
        json.endObject()
    }

    private func runs(_ json: inout JSONWriter) {
        let runs = evidence.recording.runs
        json.beginObject("runs")
        json.column("started", runs) { time($0.started) }
        json.column("ready", runs) { $0.ready.map { time($0) } ?? -1 }
        json.column("stop", runs) { $0.stopRequested.map { time($0) } ?? -1 }
        json.column("ended", runs) { $0.ended.map { time($0) } ?? -1 }
        json.endObject()
    }

    private func marks(_ json: inout JSONWriter) {
        let marks = HTMLReportMarks(evidence, faults: faults, failures: failures).all
        json.beginObject("marks")
        json.column("time", marks) { max(0, $0.time) }
        json.beginArray("kind")
        for mark in marks { json.value(mark.kind.rawValue) }
        json.endArray()
        json.beginArray("text")
        for mark in marks { json.value(mark.text) }
        json.endArray()
        json.endObject()
    }
}

extension JSONWriter {
    /// Writes one number of each element as an array.
    fileprivate mutating func column<Element>(
        _ name: String, _ elements: some Sequence<Element>, _ number: (Element) -> Int64
    ) {
        beginArray(name)
        for element in elements { value(number(element)) }
        endArray()
    }
}
