import CollectorCore
import EventModel
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
        guard let account = run.report?.accounts.sources.first else { return [] }
        var failures: [Failure] = []
        for processor in account.processors {
            let opening = index.messages(processor: processor.processor).first { message in
                run.contains(message.time) && message.fate == .delivered && index.isFence(message)
            }
            guard let opening else { continue }
            let losses = gaps.flatMap { $0.processors.filter { $0.processor == processor.processor } }
            for offset in 1..<max(processor.kernel &+ 1, 1) {
                let sequence = opening.sequence &+ UInt32(truncatingIfNeeded: offset)
                guard let message = index.message(processor: processor.processor, sequence: sequence),
                    message.fate == .lost
                else { continue }
                let isCovered = losses.contains { loss in
                    sequence &- loss.after < loss.before &- loss.after && sequence != loss.after
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
}
