import CollectorCore
import EventModel
import KernelFormats
import SimulatedBackends

/// Every loss lies within a gap record, records say no more than was lost, and none is without a cause.
enum GapOracle {
    static func check(_ run: CollectorRun, _ evidence: Evidence) -> [Failure] {
        guard let report = run.report else { return [] }
        var failures: [Failure] = []
        let kernelGaps = run.gaps.filter { $0.cause == .kernelOverflow }
        let claimed = kernelGaps.reduce(0) { $0 + ($1.lost ?? $1.lostBounds.atLeast) }
        let counted = report.accounts.sources.reduce(0) { $0 + ($1.lost ?? 0) }
        if claimed != counted {
            failures.append(
                Failure(
                    .gaps, .safety, "gap records say that the kernel lost \(claimed), the account \(counted)")
            )
        }
        for gap in kernelGaps where gap.lost == 0 || gap.processors.allSatisfy({ $0.lost == 0 }) {
            let time = evidence.index.scenarioTime(gap.until)
            failures.append(Failure(.gaps, .safety, at: time, "a gap record without a loss"))
        }
        failures += unattributed(kernelGaps, run, evidence.index)
        failures += missedTime(run, evidence)
        let dropped = report.accounts.streams.reduce(0) { $0 + $1.dropped.total }
        let announced = run.gaps.filter { $0.cause == .subscriberQueue }.reduce(0) { $0 + ($1.lost ?? 0) }
        if dropped != announced {
            failures.append(
                Failure(
                    .gaps, .safety,
                    "the subscriber was told of \(announced) dropped events, the account has \(dropped)"))
        }
        return failures
    }

    /// Messages that were lost within the account's interval and that no gap covers.
    private static func unattributed(_ gaps: [Gap], _ run: CollectorRun, _ index: TruthIndex) -> [Failure] {
        guard let account = run.report?.accounts.sources.first(where: { $0.source == .process }) else {
            return []
        }
        var failures: [Failure] = []
        for processor in account.processors {
            guard let opening = index.openingFence(of: run, processor.processor) else { continue }
            let losses = gaps.flatMap { gap in
                gap.processors.filter { $0.processor == processor.processor }.map { (gap: gap, loss: $0) }
            }
            for offset in 1..<max(processor.kernel &+ 1, 1) {
                let sequence = opening.sequence &+ UInt32(truncatingIfNeeded: offset)
                guard let message = index.message(processor: processor.processor, sequence: sequence),
                    message.fate == .lost
                else { continue }
                let isCovered = losses.contains { gap, loss in
                    sequence &- loss.after < loss.before &- loss.after && sequence != loss.after
                        && gap.from <= message.stamp && message.stamp <= gap.until
                }
                guard !isCovered else { continue }
                failures.append(
                    Failure(
                        .gaps, .safety, at: index.scenarioTime(message.time),
                        "message \(sequence) of processor \(processor.processor) was lost outside every gap record"
                    ))
                if failures.count >= Oracles.failureLimit { return failures }
            }
        }
        return failures
    }

    /// What passed between an orderly end and the next start: one record, from the last message that was accounted for
    /// to the fence that opened the new interval.
    private static func missedTime(_ run: CollectorRun, _ evidence: Evidence) -> [Failure] {
        let runs = evidence.recording.runs
        guard run.ready != nil, let number = runs.firstIndex(where: { $0.started == run.started }),
            number > 0,
            // A cursor that could not be kept tells nothing.
            !evidence.scenario.faults.contains(where: { $0.operation.hasPrefix("file.") }),
            let last = runs[number - 1].report, last.isWithinTimeout, last.failures.isEmpty
        else { return [] }
        let gaps = run.gaps.filter { $0.cause == .notRunning && $0.source == .process }
        let time = evidence.index.scenarioTime(run.started)
        guard gaps.count == 1, let gap = gaps.first else {
            return [
                Failure(
                    .gaps, .safety, at: time,
                    "a second run in the same boot has \(gaps.count) records of the time before it")
            ]
        }
        for processor in last.accounts.sources.first(where: { $0.source == .process })?.processors ?? []
        where processor.isFenced {
            guard let opening = evidence.index.openingFence(of: runs[number - 1], processor.processor),
                let loss = gap.processors.first(where: { $0.processor == processor.processor })
            else { continue }
            let expected = opening.sequence &+ UInt32(truncatingIfNeeded: processor.kernel)
            guard loss.after != expected else { continue }
            return [
                Failure(
                    .gaps, .safety, at: time,
                    "the time before this run is said to begin after message \(loss.after) of processor "
                        + "\(processor.processor), the run before ended with \(expected)")
            ]
        }
        return []
    }
}

extension TruthIndex {
    /// The message with which a run opened its account of a processor; `nil` when no fence did so, and the account began
    /// with whatever came next.
    func openingFence(of run: CollectorRun, _ processor: UInt32) -> TruthMessage? {
        let first = messages(processor: processor).first { message in
            run.contains(message.time) && message.fate == .delivered && isFence(message)
        }
        return first.flatMap { fenceRound(of: $0) == 1 ? $0 : nil }
    }

    /// Which of its fences the collector numbered so: the last byte of the number in its name.
    private func fenceRound(of message: TruthMessage) -> UInt64? {
        guard case .comm(_, let name) = message.event else { return nil }
        let digits = String(decoding: name.bytes.dropFirst("fence-".utf8.count), as: UTF8.self)
        return UInt64(digits, radix: 16).map { $0 & 0xff }
    }
}
