import EventModel

/// One JSON object for each run.
package enum JSONReport {
    /// The object of one run, without a line break.
    package static func line(_ record: RunRecord) -> String {
        var bytes: [UInt8] = []
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("scenario", record.scenario)
            json.member("seed", record.seed)
            json.member("verdict", record.verdict.rawValue)
            json.member("trace_hash", hexadecimal(record.traceHash))
            json.member("virtual_ns", record.virtualNanoseconds)
            json.member("wall_ns", record.wallNanoseconds)
            json.member("events", UInt64(record.eventCount))
            json.member("skipped_lines", UInt64(record.skippedLineCount))
            json.beginObject("oracles")
            for oracle in record.oracles { json.member(oracle.name.rawValue, oracle.verdict) }
            json.endObject()
            json.beginArray("probes")
            for probe in record.probes { json.value(probe) }
            json.endArray()
            json.beginArray("failures")
            for failure in record.failures {
                json.beginObject()
                json.member("oracle", failure.oracle.rawValue)
                json.member("verdict", failure.verdict.rawValue)
                if let time = failure.time { json.member("at_ns", time) }
                if let line = failure.line { json.member("line", UInt64(line)) }
                json.member("message", failure.message)
                json.endObject()
            }
            json.endArray()
            json.endObject()
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// The report that continuous integration reads.
package enum JUnitReport {
    /// One test suite a scenario file, one test case a seed.
    package static func document(_ results: [ScenarioResult]) -> String {
        let runs = results.reduce(0) { $0 + max($1.records.count, 1) }
        let failed = results.reduce(0) { $0 + $1.failedCount }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        text += "<testsuites name=\"collector-sim\" tests=\"\(runs)\" failures=\"\(failed)\">\n"
        for result in results {
            text += "  <testsuite name=\"\(escape(result.path))\" tests=\"\(max(result.records.count, 1))\""
            text += " failures=\"\(result.failedCount)\">\n"
            if let problem = result.problem {
                text +=
                    "    <testcase name=\"\(escape(result.path))\">\n      <failure message=\"\(escape(problem))\"/>\n"
                text += "    </testcase>\n"
            }
            for record in result.records { text += testCase(record) }
            text += "  </testsuite>\n"
        }
        return text + "</testsuites>\n"
    }

    private static func testCase(_ record: RunRecord) -> String {
        let milliseconds = record.wallNanoseconds / 1_000_000
        let fraction = String(milliseconds % 1_000)
        let seconds =
            "\(milliseconds / 1_000).\(String(repeating: "0", count: 3 - fraction.utf8.count))\(fraction)"
        var text =
            "    <testcase classname=\"\(escape(record.scenario))\" name=\"seed \(record.seed)\" time=\"\(seconds)\""
        if record.failures.isEmpty { return text + "/>\n" }
        text += ">\n"
        for failure in record.failures {
            text +=
                "      <failure type=\"\(failure.oracle.rawValue)\" message=\"\(escape(failure.message))\"/>\n"
        }
        return text + "    </testcase>\n"
    }

    /// Attribute text of XML 1.0, which cannot carry most control characters at all: those become `\u{…}`.
    static func escape(_ text: String) -> String {
        var result = ""
        for scalar in TerminalText.escape(text).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
