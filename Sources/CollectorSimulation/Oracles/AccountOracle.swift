import CollectorCore
import EventModel
import KernelFormats
import SimulatedBackends

/// Both laws hold, at every time an account was asked for, and `kernel` and `lost` equal the truth to the message.
enum AccountOracle {
    static func check(_ run: CollectorRun, _ index: TruthIndex) -> [Failure] {
        var failures: [Failure] = []
        for (at, accounts) in run.accounts {
            for account in accounts.sources { failures += check(account, run, index, at: at, isFinal: false) }
            for account in accounts.streams where !account.isBalanced {
                failures.append(unbalanced(account, at: index.scenarioTime(at)))
            }
        }
        guard let report = run.report, let ended = run.ended else { return failures }
        for account in report.accounts.sources {
            failures += check(account, run, index, at: ended, isFinal: true)
        }
        for account in report.accounts.streams {
            if !account.isBalanced { failures.append(unbalanced(account, at: nil)) }
            if account.inFlight != 0 {
                failures.append(
                    Failure(.accounts, .safety, "after the drain \(account.inFlight) events are in flight"))
            }
            let received = UInt64(run.stream.count { if case .event = $0.content { true } else { false } })
            if account.delivered != received {
                failures.append(
                    Failure(
                        .accounts, .safety,
                        "delivered is \(account.delivered), the subscriber got \(received)"))
            }
            // The recorder subscribes before anything is emitted, so that it must have been offered everything.
            let emitted = report.accounts.sources.reduce(0) { $0 + $1.emitted }
            if report.isWithinTimeout, account.emitted != emitted {
                failures.append(
                    Failure(
                        .accounts, .safety,
                        "the sources emitted \(emitted), the subscriber was offered \(account.emitted)"))
            }
        }
        return failures
    }

    private static func unbalanced(_ account: StreamAccount, at time: Int64?) -> Failure {
        let parts =
            "delivered \(account.delivered) filtered \(account.filtered.total) dropped "
            + "\(account.dropped.total) in flight \(account.inFlight)"
        return Failure(
            .accounts, .safety, at: time,
            "stream account of \(account.subscriber): offered \(account.offered) is not emitted \(account.emitted) and "
                + "synthetic \(account.baseline + account.resync + account.derived), or not \(parts)")
    }

    private static func check(
        _ account: SourceAccount, _ run: CollectorRun, _ index: TruthIndex, at: Instant, isFinal: Bool
    ) -> [Failure] {
        var failures: [Failure] = []
        let time = index.scenarioTime(at)
        if !account.isBalanced {
            failures.append(
                Failure(
                    .accounts, .safety, at: time,
                    "source account: kernel \(account.kernel) is not emitted \(account.emitted), filtered "
                        + "\(account.filtered.total), coalesced \(account.coalesced), dropped \(account.dropped.total) "
                        + "and lost \(account.lost ?? 0)"))
        }
        if account.source == .filesystem {
            return failures + FileAccountOracle.check(account, run, at: time, isFinal: isFinal)
        }
        // What another source counts is known to itself alone.
        guard account.source == .process else { return failures }
        // What can be said of those is compared by itself.
        if run.isPolling { return failures }
        if !isFinal, account.isStandIn { return failures + checkStandIn(account, run, index, at: time) }
        let kernel = account.processors.reduce(0) { $0 + $1.kernel }
        if account.kernel != kernel {
            failures.append(
                Failure(
                    .accounts, .safety, at: time, "kernel is \(account.kernel), its processors' sum \(kernel)"
                ))
        }
        for processor in account.processors {
            failures += check(processor, run, index, at: time, isFinal: isFinal)
        }
        return failures
    }

    /// What the buffer has counted of a source that did not answer: it numbers nothing, and must not invent anything.
    private static func checkStandIn(
        _ account: SourceAccount, _ run: CollectorRun, _ index: TruthIndex, at time: Int64
    ) -> [Failure] {
        let truth = UInt64(index.truth.messages.count { run.contains($0.time) && $0.fate == .delivered })
        guard account.kernel > truth else { return [] }
        return [
            Failure(
                .accounts, .safety, at: time,
                "kernel is \(account.kernel), and only \(truth) messages were delivered")
        ]
    }

    /// One processor: from its opening fence on, the truth must have as many messages, lost ones among them.
    private static func check(
        _ account: ProcessorAccount, _ run: CollectorRun, _ index: TruthIndex, at time: Int64, isFinal: Bool
    ) -> [Failure] {
        let fences = index.messages(processor: account.processor).filter { message in
            run.contains(message.time) && message.fate == .delivered && index.isFence(message)
        }
        guard let opening = index.openingFence(of: run, account.processor) else { return [] }
        let place = "processor \(account.processor)"
        var lost: UInt64 = 0
        var sequence = opening.sequence
        for _ in 0..<account.kernel {
            sequence &+= 1
            guard let message = index.message(processor: account.processor, sequence: sequence) else {
                return [
                    Failure(
                        .accounts, .safety, at: time,
                        "\(place): kernel is \(account.kernel), the truth has fewer messages since its fence")
                ]
            }
            if message.fate != .delivered { lost += 1 }
        }
        if lost != account.lost {
            return [
                Failure(.accounts, .safety, at: time, "\(place): lost is \(account.lost), in truth \(lost)")
            ]
        }
        // What was fenced must reach to the last fence of the run: no loss at the end is forgotten.
        if isFinal, account.isFenced, let last = fences.last,
            last.sequence &- opening.sequence > sequence &- opening.sequence
        {
            return [
                Failure(
                    .accounts, .safety, at: time,
                    "\(place): said to be fenced, but ends before its last fence")
            ]
        }
        return []
    }
}

extension SourceAccount {
    /// Whether the runtime made it up from its buffer's counts, because the source did not answer: the process source
    /// itself always knows what was lost.
    fileprivate var isStandIn: Bool { lost == nil && processors.isEmpty }
}

extension TruthIndex {
    /// Whether a message is the collector announcing itself on a processor.
    func isFence(_ message: TruthMessage) -> Bool {
        guard case .comm(let task, let name) = message.event, task.tgid == ownProcessID else { return false }
        return name.bytes.starts(with: Array("fence-".utf8))
    }
}
