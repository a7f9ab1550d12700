import CollectorCore
import EventModel
import Foundation
import Presentation
import Testing

struct PrometheusTextTests {
    private static let promtool = "/usr/bin/promtool"

    private func line(_ start: String, of report: MetricsReport) -> String? {
        PrometheusText.render(report).split(separator: "\n").map(String.init).first { $0.hasPrefix(start) }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: promtool), "needs promtool"))
    func `promtool finds nothing to complain of`() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("promtool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (input, output) = (folder.appendingPathComponent("in"), folder.appendingPathComponent("out"))
        try Data(PrometheusText.render(MetricsFixture.report()).utf8).write(to: input)
        let process = try ChildProcess(
            [Self.promtool, "check", "metrics"], input: .input(input), output: .file(output),
            errors: .file(output))
        #expect(process.wait() == 0)
        let said = String(decoding: try Data(contentsOf: output), as: UTF8.self)
        #expect(said == "")
    }

    @Test func `every metric says what it is, once, before its first line`() {
        var described: Set<String> = []
        var current = ""
        var seriesCount = 0
        var series: Set<String> = []
        for line in PrometheusText.render(MetricsFixture.report()).split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# HELP ") {
                current = String(words[2])
                #expect(described.insert(current).inserted, "\(line)")
                #expect(line.hasSuffix("."), "\(line)")
            } else if line.hasPrefix("# TYPE ") {
                #expect(String(words[2]) == current)
            } else {
                let name = line.prefix { $0 != "{" && $0 != " " }
                #expect(name == current || name == current + "_count", "\(line)")
                #expect(
                    series.insert(String(line[..<(line.lastIndex(of: " ") ?? line.endIndex)])).inserted,
                    "\(line)")
                seriesCount += 1
            }
        }
        #expect(described.count > 30)
        #expect(seriesCount > described.count)
    }

    @Test func `what a source drops and filters is counted by reason and intention`() {
        let labels = "component_id=\"process\",component_kind=\"source\""
        let report = MetricsFixture.report()
        #expect(
            line("collector_component_dropped_events_total{\(labels),reason=\"buffer/full\"", of: report)
                == "collector_component_dropped_events_total{\(labels),reason=\"buffer/full\",intentional=\"false\"} 3"
        )
        #expect(
            line("collector_component_dropped_events_total{\(labels),reason=\"self\"", of: report)
                == "collector_component_dropped_events_total{\(labels),reason=\"self\",intentional=\"true\"} 10"
        )
    }

    @Test func `losses, coverage and balance come from the account`() {
        let report = MetricsFixture.report()
        #expect(
            line("collector_source_kernel_events_total{source=\"process\"}", of: report)?.hasSuffix(" 120")
                == true)
        #expect(
            line("collector_source_lost_events_total{source=\"process\"", of: report)
                == "collector_source_lost_events_total{source=\"process\",kind=\"kernel\"} 7")
        #expect(
            line("collector_source_lost_events_total{source=\"filesystem\"", of: report)?.hasSuffix(" 2")
                == true)
        #expect(
            line("collector_coverage_ratio", of: report)
                == "collector_coverage_ratio{domain=\"process\"} \(1 - 10.0 / 120)")
        #expect(
            line("collector_source_account_balanced{source=\"process\"}", of: report)?.hasSuffix(" 1") == true
        )
    }

    @Test func `times are seconds, and quantiles a summary`() {
        let report = MetricsFixture.report()
        #expect(line("collector_uptime_seconds", of: report) == "collector_uptime_seconds 90061.5")
        #expect(line("process_cpu_seconds_total", of: report) == "process_cpu_seconds_total 3.5")
        #expect(
            line("collector_subscriber_latency_seconds{subscriber=\"stdout\",quantile=\"0.99\"}", of: report)?
                .hasSuffix(" 0.005") == true)
        #expect(
            line("collector_subscriber_latency_seconds_count", of: report)
                == "collector_subscriber_latency_seconds_count{subscriber=\"stdout\"} 40")
    }

    @Test func `exactly one state of a health or a life holds`() {
        let text = PrometheusText.render(MetricsFixture.report())
        for (name, count) in [
            ("collector_health{", 1), ("collector_source_health{", 2), ("collector_source_state{", 2),
        ] {
            let lines = text.split(separator: "\n").filter { $0.hasPrefix(name) }
            #expect(lines.filter { $0.hasSuffix(" 1") }.count == count, "\(name)")
            #expect(lines.allSatisfy { $0.hasSuffix(" 1") || $0.hasSuffix(" 0") })
        }
        #expect(text.contains("collector_health{state=\"degraded\"} 1\n"))
    }

    @Test func `hostile names break neither a line nor a terminal`() {
        var report = MetricsReport()
        report.streams = [StreamAccount(subscriber: "a\"} 1\nb\\\u{1b}[2J")]
        let text = PrometheusText.render(report)
        #expect(text.contains(#"component_id="a\"} 1\\nb\\\\\\u{1b}[2J",component_kind"#))
        #expect(!text.contains("\u{1b}"))
    }

    @Test func `subscribers of the same name give one line, not an invalid text`() {
        var report = MetricsReport()
        report.streams = [StreamAccount(subscriber: "x"), StreamAccount(subscriber: "x")]
        let lines = PrometheusText.render(report).split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("collector_component_sent_events_total{") }.count == 1)
    }

    @Test func `a report of nothing is an empty text`() {
        #expect(PrometheusText.render(MetricsReport()) == "")
    }
}
