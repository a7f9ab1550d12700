package import CollectorCore
import EventModel
import SimulatedBackends

/// One page about one run of one seed: what happened, what the collector said, and what the oracles say to that.
///
/// The page holds everything it needs: it loads nothing, runs from a file, and its policy forbids it to talk to anybody.
/// Names, paths and arguments of processes come from whoever wrote the scenario; they are shown as text and never
/// become markup or code. The same scenario, seed and build give the same bytes.
package enum HTMLReport {
    /// Runs a seed once more, in this process and with its queues watched, and writes the page.
    ///
    /// - Parameters:
    ///   - bytes: The file that the scenario was parsed from.
    ///   - record: What the checked runs of the seed gave; their verdict is the page's. A run that crashed is not run
    ///     again.
    ///   - mutant: Name of a bug that was planted in those runs.
    ///   - sources: Those that ran beside the collector's own.
    package static func page(
        of scenario: Scenario, from bytes: [UInt8], record: RunRecord, mutant: String? = nil,
        sources: [SourceDefinition] = []
    ) -> String {
        guard record.verdict != .crash, record.verdict != .scenarioError,
            let sources = try? SourcesUnderTest(sources, of: scenario)
        else {
            return page(of: scenario, from: bytes, record: record, run: nil)
        }
        if let mutant { _ = ScenarioRunner.plant(mutant) }
        let meter = DepthMeter()
        let evidence = ScenarioRunner.simulate(
            scenario, seed: record.seed, capturing: 0..<capturedStepLimit, meter: meter,
            sources: sources)
        return page(
            of: scenario, from: bytes, record: record,
            run: ReportedRun(evidence: evidence, samples: meter.samples))
    }

    /// Steps of the trace that are kept, to find the faults among them.
    private static let capturedStepLimit = 4_000_000

    /// What the watched run gave.
    struct ReportedRun {
        var evidence: Evidence
        var samples: [DepthSample]

        var faults: [HTMLReportFault] {
            HTMLReportFault.all(in: evidence.report.captured, evidence.index)
        }
    }

    static func page(of scenario: Scenario, from bytes: [UInt8], record: RunRecord, run: ReportedRun?)
        -> String
    {
        let sections = HTMLReportSections(scenario: scenario, record: record, run: run)
        var body = sections.head
        if let run {
            let data = HTMLReportData(
                run.evidence, samples: run.samples, faults: run.faults, failures: record.failures)
            body += sections.accounts + sections.timeline
            body += "<div class=\"columns\">\n" + HTMLReportSource(scenario, bytes, record).section
            body += "<div>\n" + sections.events + sections.tables + "</div>\n</div>\n"
            body += "<script type=\"application/json\" id=\"data\">\(HTMLText.script(data.json()))</script>\n"
            body += "<script>\n\(HTMLReportScript.text)</script>\n"
        } else {
            body += HTMLReportSource(scenario, bytes, record).section
        }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(HTMLText.escape(record.scenario)), seed \(record.seed): \(record.verdict.rawValue)</title>
            <style>
            \(HTMLReportStyle.text)</style>
            </head>
            <body>
            \(body)</body>
            </html>

            """
    }

    /// Nothing is loaded from anywhere, nothing is sent, no form, no frame, no base.
    private static let policy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
        + "form-action 'none'"
}
