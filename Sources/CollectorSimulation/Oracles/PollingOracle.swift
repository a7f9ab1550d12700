import CollectorCore
import EventModel
import KernelFormats
import SimulatedBackends

/// Where processes are polled for: the bounds hold on how many lived and were never told, and the gap records add up to them.
///
/// Completeness is not promised, nor can be. What is told has to be as true as ever, which the other oracles see to.
enum PollingOracle {
    static func check(_ run: CollectorRun, _ attribution: Attribution, _ index: TruthIndex) -> [Failure] {
        guard run.isPolling, let report = run.report else { return [] }
        var failures: [Failure] = []
        for (at, accounts) in run.accounts {
            for account in accounts.sources where account.source == .process {
                failures += checkForm(account, run, index, at: at)
            }
        }
        guard let account = report.accounts.sources.first(where: { $0.source == .process }),
            run.ready != nil
        else { return failures }
        failures += checkForm(account, run, index, at: run.ended ?? run.started)
        failures += checkGaps(run, account)
        failures += checkBound(run, account, attribution, index)
        return failures
    }

    /// No message is counted where none is read, and the bound is none that the kernel's count excludes.
    private static func checkForm(
        _ account: SourceAccount, _ run: CollectorRun, _ index: TruthIndex, at: Instant
    ) -> [Failure] {
        let time = index.scenarioTime(at)
        guard account.kernel == 0, account.emitted == 0, account.lost == nil,
            account.lostBounds.atLeast == 0, account.processors.isEmpty
        else {
            return [
                Failure(
                    .accounts, .safety, at: time,
                    "the account counts messages (kernel \(account.kernel), emitted \(account.emitted)), "
                        + "and none are read")
            ]
        }
        let forks = UInt64(
            index.truth.messages.count { message in
                guard case .fork = message.event else { return false }
                return message.time >= run.started && message.time <= at
            })
        guard let most = account.lostBounds.atMost, most > forks else { return [] }
        return [
            Failure(
                .accounts, .safety, at: time,
                "at most \(most) are said to be missing, and there were \(forks) forks")
        ]
    }

    private static func checkGaps(_ run: CollectorRun, _ account: SourceAccount) -> [Failure] {
        let gaps = run.gaps.filter { $0.cause == .betweenPolls }
        var announced: UInt64? = 0
        for gap in gaps {
            announced = announced.flatMap { sum in gap.lostBounds.atMost.map { sum + $0 } }
        }
        guard announced != account.lostBounds.atMost else { return [] }
        func text(_ count: UInt64?) -> String { count.map(String.init) ?? "unknown" }
        return [
            Failure(
                .gaps, .safety,
                "gap records say that at most \(text(announced)) are missing, the account "
                    + text(account.lostBounds.atMost))
        ]
    }

    /// Who was born while the source looked, and is in no event, is among those that are said to be missing.
    private static func checkBound(
        _ run: CollectorRun, _ account: SourceAccount, _ attribution: Attribution, _ index: TruthIndex
    ) -> [Failure] {
        guard let most = account.lostBounds.atMost, let ready = run.ready, let end = run.stopRequested,
            run.isStreamComplete
        else { return [] }
        var isTold = Array(repeating: false, count: index.truth.incarnations.count)
        for entry in attribution.entries {
            if let id = entry.incarnation { isTold[id.rawValue] = true }
        }
        let unseen = index.truth.incarnations.filter { incarnation in
            incarnation.born > ready && incarnation.born < end && !isTold[incarnation.id.rawValue]
                && incarnation.pid != index.ownProcessID
        }
        guard UInt64(unseen.count) > most, let first = unseen.first else { return [] }
        return [
            Failure(
                .accounts, .safety, at: index.scenarioTime(first.born),
                "\(unseen.count) processes were never told, \(index.name(of: first.id)) the first of them; "
                    + "at most \(most) are said to be missing")
        ]
    }
}
