import CollectorCore
import EventModel
import SimulatedBackends

/// Compares what a scenario expects with what happened.
struct ExpectationChecker {
    let evidence: Evidence
    let probes: [String]

    func check() -> [Failure] {
        evidence.scenario.expectations.flatMap { line in
            check(line.expectation).map { problem in
                Failure(.expectations, problem.verdict, at: problem.time, line: line.number, problem.message)
            }
        }
    }

    /// What the stream shows for each `events` line.
    func outputs() -> [EventOutput] {
        evidence.scenario.expectations.compactMap { line in
            guard case .events(let pattern, _) = line.expectation else { return nil }
            return EventOutput(line: line.number, lines: lines(matching: pattern))
        }
    }

    private struct Problem {
        var verdict: Verdict
        var time: Int64?
        var message: String

        init(_ verdict: Verdict, _ message: String, at time: Int64? = nil) {
            self.verdict = verdict
            self.time = time
            self.message = message
        }
    }

    private func check(_ expectation: Expectation) -> [Problem] {
        switch expectation {
        case .events(let pattern, let output): events(pattern, output.map(\.text))
        case .count(let pattern, let comparison, let number):
            count(pattern) { comparison.holds($0, number) }
        case .never(let pattern): count(pattern) { $0 == 0 }
        case .gap(let pattern): gap(pattern)
        case .always(_, let limit): always(limit)
        case .resync(let within, let after): resync(within: within, after: after)
        case .latency(let pattern, let percentile, let limit): latency(pattern, percentile, limit)
        case .shutdown(let within, let code): shutdown(within: within, code: code)
        case .accountsBalanced: balanced()
        case .sometimes(let names):
            names.filter { !probes.contains($0) && Probes.isWatched($0) }
                .map { Problem(.uncovered, "\($0) did not arise") }
        case .waive: []
        }
    }

    // MARK: - Events

    private func entries(matching pattern: EventPattern) -> [Attribution.Entry] {
        evidence.attributions.flatMap { $0.entries.filter { matches($0, pattern) } }
    }

    private func lines(matching pattern: EventPattern) -> [String] {
        if pattern.isAboutFiles { return fileLines(matching: pattern) }
        if pattern.isAboutMeasurements { return measurementLines(matching: pattern) }
        let text = EventText(index: evidence.index)
        return entries(matching: pattern).map { text.line($0) }
    }

    private func fileLines(matching pattern: EventPattern) -> [String] {
        let text = FileEventText(index: evidence.index)
        var lines: [String] = []
        for run in evidence.recording.runs {
            for (event, _) in run.events {
                guard let (file, path) = event.file,
                    pattern.kind == "file.*" || pattern.kind == event.kind.rawValue,
                    pattern.path.map({ $0 == path }) ?? true,
                    pattern.origin.map({ $0 == event.origin.rawValue }) ?? true
                else { continue }
                lines.append(text.line(event, file))
            }
        }
        return lines
    }

    private func measurementLines(matching pattern: EventPattern) -> [String] {
        let text = MeasurementText(index: evidence.index)
        var lines: [String] = []
        for run in evidence.recording.runs {
            for (event, _) in run.events {
                guard case .performance(let measurement) = event.subject,
                    pattern.kind == "performance.*" || pattern.kind == event.kind.rawValue,
                    pattern.name.map({ $0 == Array(measurement.metricName.utf8) }) ?? true,
                    pattern.origin.map({ $0 == event.origin.rawValue }) ?? true
                else { continue }
                lines.append(text.line(event, measurement))
            }
        }
        return lines
    }

    private func matches(_ entry: Attribution.Entry, _ pattern: EventPattern) -> Bool {
        let isKind =
            pattern.kind == "*" || pattern.kind == entry.event.kind.rawValue
            || pattern.kind == "process.*" && entry.event.kind.rawValue.hasPrefix("process.")
        guard isKind else { return false }
        if let origin = pattern.origin, entry.event.origin.rawValue != origin { return false }
        if let wanted = pattern.pid {
            guard entry.process.pid.rawValue == wanted.pid else { return false }
            if let ordinal = wanted.incarnation {
                guard let id = entry.incarnation, evidence.index.truth[id].ordinal == ordinal else {
                    return false
                }
            }
        }
        if let path = pattern.executable, bytes(entry, entry.process.executablePath, "exe") != path {
            return false
        }
        if let name = pattern.name, bytes(entry, entry.process.name, "name") != name { return false }
        return true
    }

    private func bytes(_ entry: Attribution.Entry, _ text: String?, _ field: String) -> [UInt8]? {
        text.flatMap { KernelText.encode($0, isEscaped: entry.event.escaped.contains(field)) }
    }

    private func events(_ pattern: EventPattern, _ expected: [String]) -> [Problem] {
        let actual = lines(matching: pattern)
        guard actual != expected else { return [] }
        let first = zip(actual, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        let position = first ?? min(actual.count, expected.count)
        let message = """
            the output differs in line \(position + 1) (--rewrite takes the new one)
            expected: \(position < expected.count ? expected[position] : "the end")
            observed: \(position < actual.count ? actual[position] : "the end")
            """
        return [Problem(.safety, message)]
    }

    private func count(_ pattern: EventPattern, _ isFine: (UInt64) -> Bool) -> [Problem] {
        let matching = lines(matching: pattern)
        guard !isFine(UInt64(matching.count)) else { return [] }
        let shown = matching.prefix(6).joined(separator: "\n")
        let rest = matching.count > 6 ? "\nand \(matching.count - 6) more" : ""
        return [Problem(.safety, "observed \(matching.count)\n\(shown)\(rest)")]
    }

    private func latency(_ pattern: EventPattern, _ percentile: Int, _ limit: Int64) -> [Problem] {
        let delays = entries(matching: pattern).map { entry in
            entry.delivered.nanoseconds - entry.event.monotonic.nanoseconds
        }.sorted()
        guard !delays.isEmpty else { return [Problem(.liveness, "no such event")] }
        let observed = delays[(delays.count * percentile + 99) / 100 - 1]
        guard observed > limit else { return [] }
        return [Problem(.bounds, "observed \(Quantity.seconds(nanoseconds: observed))")]
    }

    // MARK: - Gaps and resyncs

    private func gap(_ pattern: GapPattern) -> [Problem] {
        let cause: GapCause =
            switch pattern.place {
            case "netlink": .kernelOverflow
            case "stopped": .notRunning
            case "polls": .betweenPolls
            case "buffer": .sourceBuffer
            case "watch-queue": .watchQueueOverflow
            case "watch": .watchLost
            default: .subscriberQueue
            }
        let gaps = evidence.recording.runs.flatMap { $0.gaps.filter { $0.cause == cause } }
        guard !gaps.isEmpty else { return [Problem(.safety, "there is no gap record of \(cause.rawValue)")] }
        // Of what polling has not seen, only the most can be told.
        let lost = gaps.reduce(0 as UInt64) { sum, gap in
            let most = cause == .betweenPolls ? gap.lostBounds.atMost : nil
            return sum + (gap.lost ?? most ?? gap.lostBounds.atLeast)
        }
        guard let wanted = pattern.lost, wanted != lost else { return [] }
        return [Problem(.safety, "gap records say that \(lost) were lost")]
    }

    /// Within the time after the first loss since `after`, `/proc` is listed.
    private func resync(within: Int64, after: Int64) -> [Problem] {
        let index = evidence.index
        let from = index.start.advanced(by: .nanoseconds(after))
        guard let loss = index.truth.messages.first(where: { $0.fate == .lost && $0.time >= from }) else {
            return [Problem(.uncovered, "nothing was lost after @\(Quantity.seconds(nanoseconds: after))")]
        }
        let deadline = loss.time.advanced(by: .nanoseconds(within))
        if evidence.recording.scans.contains(where: { $0 >= loss.time && $0 <= deadline }) { return [] }
        return [
            Problem(.liveness, "no scan within the time after the loss", at: index.scenarioTime(loss.time))
        ]
    }

    // MARK: - The collector as a whole

    private func always(_ limit: UInt64) -> [Problem] {
        let peak = evidence.recording.runs.map(\.peakQueueCount).max() ?? 0
        return UInt64(peak) <= limit ? [] : [Problem(.bounds, "observed \(peak)")]
    }

    private func shutdown(within: Int64, code: Int) -> [Problem] {
        var problems: [Problem] = []
        for run in evidence.recording.runs {
            guard let requested = run.stopRequested, let ended = run.ended else {
                problems.append(Problem(.liveness, "the collector has not ended"))
                continue
            }
            let observed = ended.nanoseconds - requested.nanoseconds
            if observed > within {
                problems.append(Problem(.liveness, "observed \(Quantity.seconds(nanoseconds: observed))"))
            }
            let isClean =
                run.failure == nil && run.report.map { $0.failures.isEmpty && $0.isWithinTimeout } ?? false
            // sysexits: 0, or 70 for a collector that failed or could not stop in time.
            let exitCode = isClean ? 0 : 70
            if exitCode != code { problems.append(Problem(.liveness, "the exit code is \(exitCode)")) }
        }
        if evidence.recording.runs.isEmpty {
            problems.append(Problem(.liveness, "the collector was never started"))
        }
        return problems
    }

    private func balanced() -> [Problem] {
        let reports = evidence.recording.runs.compactMap(\.report)
        guard !reports.isEmpty else { return [Problem(.safety, "there is no account")] }
        let isFine = reports.allSatisfy { report in
            !report.accounts.sources.isEmpty && report.accounts.sources.allSatisfy(\.isBalanced)
                && report.accounts.streams.allSatisfy(\.isBalanced)
        }
        return isFine ? [] : [Problem(.safety, "an account does not balance")]
    }
}
