import CollectorCore
import EventModel
import HostSources
import SimulatedBackends

/// No deadlock, no livelock, no error that nobody handled.
enum ProgressOracle {
    static func check(_ evidence: Evidence) -> [Failure] {
        let time = evidence.index.scenarioTime(evidence.report.end)
        func failure(_ text: String) -> [Failure] { [Failure(.progress, .liveness, at: time, text)] }
        switch evidence.report.ending {
        case .completed: break
        case .threw(let description): return failure("the composition ended with an error: \(description)")
        case .deadlock(let description): return failure("deadlock: \(description)")
        case .livelock(let description): return failure("livelock: \(description)")
        case .jobLimit: return failure("the run took more jobs than any run should")
        case .timeLimit: return failure("the run did not end in virtual time")
        }
        var failures: [Failure] = []
        for run in evidence.recording.runs {
            if let problem = run.failure {
                failures.append(
                    Failure(.progress, .liveness, at: time, "the collector could not run: \(problem)"))
            }
            for (source, reason) in run.report?.failures ?? [] {
                failures.append(Failure(.progress, .liveness, at: time, "source \(source) failed: \(reason)"))
            }
        }
        return failures
    }
}

/// Queues stay within their bounds.
enum BoundsOracle {
    static func check(_ run: CollectorRun, _ settings: CollectorSettings) -> [Failure] {
        var failures: [Failure] = []
        // A batch that is larger than the whole queue is let in alone.
        let limit = max(run.queueLimit, settings.batchCapacity ?? CollectorConfiguration().maxBatchSize)
        if run.peakQueueCount > limit {
            failures.append(
                Failure(
                    .bounds, .bounds,
                    "\(run.peakQueueCount) events were queued, the limit is \(run.queueLimit)"))
        }
        if run.openHandleCount > 0 {
            failures.append(
                Failure(
                    .bounds, .bounds,
                    "\(run.openHandleCount) files and folders are open after the end"))
        }
        return failures
    }
}

/// A collector that was told to stop has stopped within its time-out, whatever it was doing.
enum ShutdownOracle {
    static func check(_ run: CollectorRun, _ evidence: Evidence) -> [Failure] {
        guard let requested = run.stopRequested else { return [] }
        let time = evidence.index.scenarioTime(requested)
        guard let report = run.report, let ended = run.ended else {
            return [Failure(.shutdown, .liveness, at: time, "told to stop, and has not ended")]
        }
        let timeout =
            evidence.scenario.settings.shutdownTimeout.map { Duration.nanoseconds($0) }
            ?? CollectorConfiguration().shutdownTimeout
        // Taking all of the time means that something waited in vain and was given up.
        if report.isWithinTimeout, requested.duration(to: ended) < timeout { return [] }
        let abandoned = report.abandoned.map(\.rawValue).joined(separator: ", ")
        let detail = abandoned.isEmpty ? "" : "; left behind: \(abandoned)"
        return [
            Failure(
                .shutdown, .liveness, at: time,
                "stopping took \(requested.duration(to: ended)), the limit is \(timeout)\(detail)")
        ]
    }
}

/// What the stream says about who lives equals the truth, once the world has rested and every loss has been made good.
enum ConvergenceOracle {
    static func check(_ run: CollectorRun, _ attribution: Attribution, _ evidence: Evidence) -> [Failure] {
        let rest = rest(of: run, evidence)
        guard let end = run.stopRequested, run.isStreamComplete, let ready = run.ready,
            ready.advanced(by: rest) <= end
        else { return [] }
        let index = evidence.index
        // A world that moved shortly before the end has no state that the stream could have reached.
        if let last = index.truth.messages.last(where: { $0.time <= end && !index.isOwn($0) }),
            last.time.advanced(by: rest) > end
        {
            return []
        }
        // Nor has a host that still fails: liveness is promised for after the faults.
        if let harm = run.lastHarm, harm.advanced(by: rest) > end { return [] }
        // A subscriber who is slow by its settings and further behind than the rest has not been told everything yet.
        if evidence.scenario.settings.subscriberDelay != nil,
            attribution.entries.contains(where: {
                $0.delivered > end && $0.event.monotonic.advanced(by: rest) <= end
            })
        {
            return []
        }
        let alive = living(attribution, until: end, index)
        var failures: [Failure] = []
        let time = index.scenarioTime(end)
        for number in alive.indices where !index.isAlive(IncarnationID(rawValue: number), at: end) {
            guard let entry = alive[number] else { continue }
            let name = index.name(of: IncarnationID(rawValue: number))
            failures.append(
                Failure(
                    .convergence, .liveness, at: time,
                    "\(name) has ended, and the stream does not say so (\(entry.process.identity))"))
        }
        for incarnation in index.truth.incarnations where index.isAlive(incarnation.id, at: end) {
            guard alive[incarnation.id.rawValue] == nil, incarnation.pid != index.ownProcessID else {
                continue
            }
            // Who could not be looked at is known only by its messages.
            guard evidence.configuration.canSee(incarnation) || incarnation.born > ready else {
                continue
            }
            failures.append(
                Failure(
                    .convergence, .liveness, at: time,
                    "\(index.name(of: incarnation.id)) lives, and the stream does not say so"))
        }
        return failures
    }

    /// How long the stream may take; where processes are polled for, until each has been looked at twice.
    private static func rest(of run: CollectorRun, _ evidence: Evidence) -> Duration {
        let settings = evidence.scenario.settings
        let rest = settings.convergence ?? SimulatedOperator.defaultConvergence
        guard run.isPolling, let end = run.stopRequested else { return .nanoseconds(rest) }
        let interval = settings.pollInterval ?? ProcessSourceSettings().pollInterval.wholeNanoseconds
        let rate = Int64(settings.pollRate ?? ProcessSourceSettings().pollRate)
        let living = evidence.index.truth.incarnations.count { evidence.index.isAlive($0.id, at: end) }
        // Up to eight files each, in two turns, and as many again for the listings between them.
        let looks = Int64(living) * 8 * 2 * 2 * 1_000_000_000 / rate
        return .nanoseconds(max(rest, interval.addingClamped(interval).addingClamped(looks + 1_000_000_000)))
    }

    /// Who lives, as the stream says: the last event of each incarnation that bears an identity which has not ended.
    ///
    /// An end ends an identity, and with it every incarnation that was taken for it: when messages were lost, an event may
    /// say that it is about either of two processes that had the pid one after the other. Both are gone when the pid's last
    /// holder is.
    private static func living(_ attribution: Attribution, until end: Instant, _ index: TruthIndex)
        -> [Attribution.Entry?]
    {
        var alive: [Attribution.Entry?] = Array(repeating: nil, count: index.truth.incarnations.count)
        var bearers: [ProcessIdentity: [Int]] = [:]
        func release(_ identity: ProcessIdentity) {
            for number in bearers.removeValue(forKey: identity) ?? []
            where alive[number]?.process.identity == identity {
                alive[number] = nil
            }
        }
        for entry in attribution.entries where entry.delivered <= end {
            switch entry.event.kind {
            case .processExit:
                release(entry.process.identity)
                if let id = entry.incarnation { alive[id.rawValue] = nil }
            case .processSuspicious: continue
            default:
                guard let id = subject(of: entry, index) else { continue }
                // A zombie is dead unless other threads live, which the event does not tell.
                if entry.event.kind == .processBaseline, entry.process.isZombie, !index.isAlive(id, at: end) {
                    continue
                }
                // It may be about another one than before, and there are not two.
                if entry.process.isAmbiguous { release(entry.process.identity) }
                if alive[id.rawValue]?.process.identity != entry.process.identity {
                    bearers[entry.process.identity, default: []].append(id.rawValue)
                }
                alive[id.rawValue] = entry
            }
        }
        return alive
    }

    /// What an event says about somebody's being there; one that is ambiguous stands for whoever has the pid.
    private static func subject(of entry: Attribution.Entry, _ index: TruthIndex) -> IncarnationID? {
        guard entry.process.isAmbiguous else { return entry.incarnation }
        return index.incarnation(of: entry.process.pid, at: entry.event.monotonic) ?? entry.incarnation
    }
}

extension TruthIndex {
    func isOwn(_ message: TruthMessage) -> Bool {
        truth.incarnations[message.subject.rawValue].pid == ownProcessID
    }

    func isAlive(_ id: IncarnationID, at time: Instant) -> Bool {
        truth.incarnations[id.rawValue].born <= time
            && (truth.incarnations[id.rawValue].ended.map { $0 > time } ?? true)
    }
}

extension WorldConfiguration {
    /// Whether the collector may see a process in `/proc` at all.
    func canSee(_ incarnation: TruthIncarnation) -> Bool {
        if hidepid == .off || ownCapabilities.contains(.ptrace) || ownUserID.rawValue == 0 { return true }
        return incarnation.changes.contains { change in
            if case .uid(_, let effective) = change.attribute { effective == ownUserID } else { false }
        }
    }
}
