import CollectorCore
import EventModel

/// The parts of a page that need no script.
struct HTMLReportSections {
    let scenario: Scenario
    let record: RunRecord
    let run: HTMLReport.ReportedRun?

    // MARK: - Verdict

    var head: String {
        let isPass = record.verdict == .pass
        var text = """
            <header class="\(isPass ? "pass" : "fail")">
            <div class="verdict" role="status">\(isPass ? "✓" : "✗") \(record.verdict.rawValue)</div>
            <div class="title">
            <h1>\(HTMLText.escape(record.scenario)) <small>seed \(record.seed)</small></h1>
            <p>\(HTMLText.escape(KernelText.decode(scenario.about).text))</p>
            </div>
            <dl class="facts">
            \(facts)</dl>
            </header>
            <ul class="oracles" aria-label="Oracles">

            """
        for oracle in record.oracles {
            let mark = oracle.verdict == "pass" ? "✓" : oracle.verdict == "fail" ? "✗" : "–"
            text += "<li class=\"\(oracle.verdict)\" title=\"\(oracle.name.promise)\">"
            text +=
                "<b aria-hidden=\"true\">\(mark)</b> \(oracle.name.rawValue) <span>\(oracle.verdict)</span></li>\n"
        }
        text += "</ul>\n" + failures
        return text
    }

    private var facts: String {
        var facts: [(String, String)] = [
            ("virtual time", HTMLText.duration(record.virtualNanoseconds)),
            ("events delivered", HTMLText.count(record.eventCount)),
            ("steps", HTMLText.count(record.stepCount)),
            ("trace", JSONReport.hexadecimal(record.traceHash)),
        ]
        let host = scenario.host
        facts.append(
            (
                "host",
                "Linux \(host.kernelMajor).\(host.kernelMinor), \(host.processorCount) CPUs, \(host.ticksPerSecond) Hz"
            ))
        facts.append(("again", "collector-sim run \(scenario.path) --seed \(record.seed)"))
        return facts.map { name, value in
            "<div><dt>\(name)</dt><dd>\(HTMLText.escape(value))</dd></div>\n"
        }.joined()
    }

    private var failures: String {
        guard !record.failures.isEmpty else { return "" }
        var text = "<section class=\"failures\" aria-label=\"Failures\">\n<h2>What is wrong</h2>\n<ol>\n"
        for failure in record.failures.prefix(HTMLReportLimits.failureCount) {
            text += "<li><b>\(failure.oracle.rawValue)</b> <span>\(failure.verdict.rawValue)</span> "
            if let time = failure.time { text += HTMLText.moment(time) }
            if let line = failure.line { text += " <a href=\"#line-\(line)\">line \(line)</a>" }
            let message = failure.message.split(separator: "\n").map {
                HTMLText.escape(String($0.prefix(2_000)))
            }
            text += "<pre>" + message.prefix(40).joined(separator: "\n") + "</pre></li>\n"
        }
        text += "</ol>\n"
        if record.failures.count > HTMLReportLimits.failureCount {
            text += "<p>and \(record.failures.count - HTMLReportLimits.failureCount) more</p>\n"
        }
        if !record.recentSteps.isEmpty {
            let steps = record.recentSteps.suffix(24).map(HTMLText.escape).joined(separator: "\n")
            text += "<details><summary>last steps of the trace</summary><pre>\(steps)</pre></details>\n"
        }
        return text + "</section>\n"
    }

    // MARK: - Accounts

    var accounts: String {
        guard let run else { return "" }
        var text =
            "<section aria-label=\"Accounts\">\n<h2>What became of everything</h2>\n<div class=\"accounts\">\n"
        for (number, recorded) in run.evidence.recording.runs.enumerated().prefix(HTMLReportLimits.rowCount) {
            let label = run.evidence.recording.runs.count > 1 ? "run \(number + 1), " : ""
            guard let accounts = recorded.report?.accounts else {
                let reason = recorded.failure.map { ": " + $0 } ?? ""
                text += "<p class=\"none\">\(label)no account\(HTMLText.escape(reason))</p>\n"
                continue
            }
            for account in accounts.sources.prefix(HTMLReportLimits.rowCount) {
                text += HTMLReportAccount(account).markup(label: label)
            }
            for account in accounts.streams.prefix(HTMLReportLimits.rowCount) {
                text += HTMLReportAccount(account).markup(label: label)
            }
        }
        return text + "</div>\n</section>\n"
    }

    // MARK: - Time line

    var timeline: String {
        """
        <section aria-label="Time line">
        <div class="bar">
        <h2>Time line</h2>
        <div class="jumps" id="jumps" aria-label="Jump to"></div>
        <div class="tools">
        <label><input type="checkbox" id="elastic" checked> stretch busy moments</label>
        <input type="search" id="find" placeholder="pid, name" aria-label="Show only processes with this pid or name">
        <button id="out" aria-label="Zoom out">−</button>
        <button id="in" aria-label="Zoom in">+</button>
        <button id="all" aria-label="Show everything">all</button>
        </div>
        </div>
        <div class="legend" id="legend"></div>
        <div class="plot" id="plot">
        <canvas id="overview" height="44" aria-hidden="true"></canvas>
        <canvas id="axis" height="66" aria-hidden="true"></canvas>
        <div class="rows" id="rows"><canvas id="lanes" tabindex="0" role="img"
        aria-label="Processes and events over time; arrow keys move, plus and minus zoom, 0 shows everything, n and p go to the next and the previous event. The tables below say the same."></canvas><div id="spacer"></div></div>
        <canvas id="charts" aria-hidden="true"></canvas>
        <div class="tip" id="tip" hidden></div>
        </div>
        <p class="note" id="note">Drag to zoom, shift and drag to move, double click for everything; the wheel with ctrl zooms. \
        With the time line focused: ← → + − 0, n and p for events.</p>
        <noscript><p class="note">The time line and the list of events need scripts; everything else is here.</p></noscript>
        </section>

        """
    }

    var events: String {
        """
        <section aria-label="Events">
        <div class="bar"><h2>Events <small id="count"></small></h2>
        <div class="tools"><input type="search" id="filter" placeholder="contains" aria-label="Show only events that contain this">
        <button id="before" aria-label="Earlier events">←</button><button id="after" aria-label="Later events">→</button></div></div>
        <div class="scroll"><table id="events"><thead><tr><th>delivered</th><th>after</th><th>kind</th><th>event</th></tr></thead>
        <tbody></tbody></table></div>
        </section>

        """
    }

    // MARK: - Tables

    var tables: String {
        guard let run else { return "" }
        return gaps(run) + faults(run) + probes
    }

    private func gaps(_ run: HTMLReport.ReportedRun) -> String {
        let gaps = run.evidence.recording.runs.flatMap(\.gaps)
        var rows: [[String]] = []
        for gap in gaps.prefix(HTMLReportLimits.rowCount) {
            let processors = gap.processors.prefix(64).map {
                "CPU \($0.processor): \(HTMLText.count($0.lost))"
            }
            rows.append([
                HTMLText.moment(run.evidence.index.scenarioTime(gap.from)),
                HTMLText.moment(run.evidence.index.scenarioTime(gap.until)),
                HTMLReportGap.cause(gap.cause),
                gap.lost.map { HTMLText.count($0) } ?? "≥ " + HTMLText.count(gap.lostBounds.atLeast),
                HTMLText.escape((gap.subscriber.map { [$0] } ?? processors).joined(separator: ", ")),
            ])
        }
        return table(
            "Gaps", ["from", "until", "cause", "lost", "where"], rows, total: gaps.count,
            none: "Nothing is missing from the stream.")
    }

    private func faults(_ run: HTMLReport.ReportedRun) -> String {
        let faults = run.faults
        let rows = faults.prefix(HTMLReportLimits.rowCount).map { fault -> [String] in
            let lines = scenario.faults
            let line = lines.indices.contains(fault.rule) ? lines[fault.rule] : nil
            return [
                HTMLText.moment(fault.time), HTMLText.escape(line?.operation ?? ""),
                line.map { "<a href=\"#line-\($0.number)\">line \($0.number)</a>" } ?? "",
                HTMLText.count(fault.count),
            ]
        }
        guard !scenario.faults.isEmpty || !faults.isEmpty else { return "" }
        return table(
            "Faults that struck", ["at", "call", "by", "firing"], rows, total: faults.count,
            none: "No fault has struck.")
    }

    private var probes: String {
        guard !record.probes.isEmpty else { return "" }
        let names = record.probes.map { "<li>\(HTMLText.escape($0))</li>" }.joined(separator: "\n")
        return
            "<section><h2>Rare situations that arose</h2>\n<ul class=\"probes\">\n\(names)\n</ul>\n</section>\n"
    }

    private func table(
        _ title: String, _ columns: [String], _ rows: [[String]], total: Int, none: String
    ) -> String {
        var text = "<section><h2>\(title) <small>\(HTMLText.count(total))</small></h2>\n"
        guard !rows.isEmpty else { return text + "<p class=\"none\">\(none)</p>\n</section>\n" }
        text += "<div class=\"scroll\"><table><thead><tr>"
        text += columns.map { "<th>\($0)</th>" }.joined() + "</tr></thead>\n<tbody>\n"
        for row in rows { text += "<tr>" + row.map { "<td>\($0)</td>" }.joined() + "</tr>\n" }
        text += "</tbody></table></div>\n"
        if rows.count < total { text += "<p class=\"note\">the first \(rows.count) of \(total)</p>\n" }
        return text + "</section>\n"
    }
}

extension HTMLText {
    /// A time after `@0` to which the time line can be moved.
    static func moment(_ nanoseconds: Int64) -> String {
        "<button class=\"time\" data-t=\"\(nanoseconds)\">@\(seconds(nanoseconds))</button>"
    }
}

extension OracleName {
    /// What holds when the oracle says pass, in one sentence.
    var promise: String {
        switch self {
        case .accounts: "Both accounts balance, and what they say was made and lost equals the truth."
        case .identity: "No two incarnations share an identity, and no attribute of one appears on another."
        case .order: "Per process fork before exec before exit, per processor the order of the kernel."
        case .noInvention: "Each emitted event stands for one message that the kernel really made."
        case .gaps: "Every loss lies within a gap record, and no gap record is without a loss."
        case .convergence: "Once the world rests, the processes that the events imply are those that live."
        case .fileIndex: "Once the world rests, the files that the events imply are those of the disk."
        case .fileOrder: "Per path created before changed before deleted, and no digest of what never was."
        case .containment: "Nothing is read that lies outside the roots or is not a regular file."
        case .redaction: "No secret that was planted in arguments is in anything that the collector puts out."
        case .bounds: "Queues and open files stay within their bounds."
        case .shutdown: "The collector ends within its time-out, from whatever state it was in."
        case .progress: "No crash, no deadlock and no livelock."
        case .expectations: "What the scenario itself expects."
        case .determinism: "Two runs in separate processes are equal step by step."
        }
    }
}
