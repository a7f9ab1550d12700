import EventModel

extension DoctorReport {
    /// One line for each finding, and what to do below those that are not well.
    public var text: String {
        var lines: [String] = []
        for finding in findings {
            let name = "\(finding.subject) \(finding.check)"
            let padding = String(repeating: " ", count: max(1, 26 - name.utf8.count))
            let state = finding.state.rawValue
            let gap = String(repeating: " ", count: 9 - state.utf8.count)
            lines.append(name + padding + state + gap + TerminalText.escape(finding.found))
            let indent = String(repeating: " ", count: 35)
            if let effect = finding.effect { lines.append(indent + "so: " + TerminalText.escape(effect)) }
            if let fix = finding.fix { lines.append(indent + "fix: " + TerminalText.escape(fix)) }
        }
        return lines.joined(separator: "\n")
    }

    /// One JSON object a line, and one for the whole.
    public var json: String {
        var bytes: [UInt8] = []
        for finding in findings {
            JSONWriter.append(to: &bytes) { json in
                json.beginObject()
                json.member("record", "finding")
                json.member("subject", finding.subject)
                json.member("check", finding.check)
                json.member("state", finding.state.rawValue)
                json.member("found", finding.found)
                if let effect = finding.effect { json.member("effect", effect) }
                if let fix = finding.fix { json.member("fix", fix) }
                json.endObject()
            }
            bytes.append(0x0a)
        }
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "doctor")
            for state in State.allCases {
                json.member(state.rawValue, UInt64(findings.count { $0.state == state }))
            }
            json.endObject()
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
