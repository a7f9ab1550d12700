import EventModel

/// The scenario's own text, with a verdict beside each line that expects something.
struct HTMLReportSource {
    private let scenario: Scenario
    private let bytes: [UInt8]
    private let record: RunRecord

    init(_ scenario: Scenario, _ bytes: [UInt8], _ record: RunRecord) {
        self.scenario = scenario
        self.bytes = bytes
        self.record = record
    }

    var section: String {
        var failures: [Int: [Failure]] = [:]
        for failure in record.failures {
            if let line = failure.line { failures[line, default: []].append(failure) }
        }
        let expecting = Set(scenario.expectations.map(\.number))
        var times: [Int: Int64] = [:]
        for line in scenario.when { times[line.number] = line.time }
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
        var text =
            "<section aria-label=\"Scenario\">\n<h2>Scenario</h2>\n<div class=\"scroll source\"><table><tbody>\n"
        for (index, line) in lines.prefix(HTMLReportLimits.scenarioLineCount).enumerated() {
            let number = index + 1
            if number == lines.count, line.isEmpty { break }
            text += row(
                number, String(decoding: line, as: UTF8.self), time: times[number],
                verdict: verdict(of: failures[number], isExpecting: expecting.contains(number)))
            for failure in (failures[number] ?? []).prefix(4) {
                let message = HTMLText.escape(String(failure.message.prefix(600)))
                text += "<tr class=\"fail\"><td></td><td></td><td class=\"why\">\(message)</td></tr>\n"
            }
        }
        text += "</tbody></table></div>\n"
        if lines.count > HTMLReportLimits.scenarioLineCount {
            text +=
                "<p class=\"note\">the first \(HTMLReportLimits.scenarioLineCount) lines of \(lines.count)</p>\n"
        }
        return text + "</section>\n"
    }

    private enum LineVerdict: String {
        case none, pass, fail, waived
    }

    private func verdict(of failures: [Failure]?, isExpecting: Bool) -> LineVerdict {
        guard isExpecting else { return .none }
        if record.waived.contains(.expectations) { return .waived }
        return failures == nil ? .pass : .fail
    }

    private func row(_ number: Int, _ line: String, time: Int64?, verdict: LineVerdict) -> String {
        let mark =
            switch verdict {
            case .none: ""
            case .pass: "<span title=\"holds\">✓</span>"
            case .fail: "<span title=\"does not hold\">✗</span>"
            case .waived: "<span title=\"waived\">–</span>"
            }
        let shown = HTMLText.source(String(line.prefix(HTMLReportLimits.scenarioLineLength)))
        let place = time.map { "<button class=\"time\" data-t=\"\($0)\">\(number)</button>" } ?? "\(number)"
        let isHeading = !line.hasPrefix(" ") && !line.isEmpty
        return "<tr id=\"line-\(number)\" class=\"\(verdict.rawValue)\"><td>\(place)</td><td>\(mark)</td>"
            + "<td\(isHeading ? " class=\"top\"" : "")>\(shown)</td></tr>\n"
    }
}
