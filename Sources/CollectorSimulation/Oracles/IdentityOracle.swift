import EventModel
import SimulatedBackends

/// Each emitted event stands for one message that the kernel made and delivered, and no message for two events; no
/// process that lives is said to have ended.
enum InventionOracle {
    static func check(_ attribution: Attribution, _ index: TruthIndex) -> [Failure] {
        inventedMessages(attribution, index) + inventedEnds(attribution, index)
            + ownEvents(attribution, index)
    }

    /// What the collector does itself is counted, never reported.
    private static func ownEvents(_ attribution: Attribution, _ index: TruthIndex) -> [Failure] {
        attribution.entries.lazy.filter { $0.process.pid == index.ownProcessID }.prefix(1).map { entry in
            Failure(
                .noInvention, .safety, at: index.scenarioTime(entry.event.monotonic),
                "\(entry.event.kind.rawValue) is about the collector itself")
        }
    }

    private static func inventedEnds(_ attribution: Attribution, _ index: TruthIndex) -> [Failure] {
        attribution.entries.compactMap { entry in
            guard entry.event.kind == .processExit, let id = entry.incarnation, !entry.process.isAmbiguous,
                // A message is stamped shortly before it is made.
                index.isAlive(id, at: entry.event.monotonic.advanced(by: .milliseconds(1)))
            else { return nil }
            return Failure(
                .noInvention, .safety, at: index.scenarioTime(entry.event.monotonic),
                "process.exit (\(entry.event.origin.rawValue)) of \(index.name(of: id)), which lives")
        }
    }

    private static func inventedMessages(_ attribution: Attribution, _ index: TruthIndex) -> [Failure] {
        attribution.entries.filter { $0.event.origin == .emitted && $0.message == nil }.map { entry in
            Failure(
                .noInvention, .safety, at: index.scenarioTime(entry.event.monotonic),
                "\(entry.event.kind.rawValue) of \(entry.process.identity) stands for no message of the kernel"
            )
        }
    }
}

/// Identities and incarnations belong together one to one.
enum IdentityOracle {
    static func check(_ attribution: Attribution, _ index: TruthIndex) -> [Failure] {
        var failures: [Failure] = []
        var owners: [ProcessIdentity: IncarnationID] = [:]
        for entry in attribution.entries {
            let identity = entry.process.identity
            let time = index.scenarioTime(entry.event.monotonic)
            switch entry.claim {
            case .none:
                failures.append(
                    Failure(
                        .identity, .safety, at: time,
                        "\(entry.event.kind.rawValue) of \(identity): no process was ever born so"
                    ))
            case .ambiguous:
                // Two births tie without a pidfd's inode; until the second one is known nothing is ambiguous yet. But a
                // pid alone is no identity, and must not pass for one.
                guard !entry.process.isAmbiguous,
                    identity.birth == .scan(startTicks: 0, pidFDInode: 0)
                else { break }
                failures.append(
                    Failure(
                        .identity, .safety, at: time,
                        "\(entry.event.kind.rawValue) of \(identity) tells no incarnation of the pid from another"
                    ))
            case .incarnation(let claimed):
                guard let owner = entry.incarnation, owner != claimed, !entry.process.isAmbiguous else {
                    break
                }
                failures.append(
                    Failure(
                        .identity, .safety, at: time,
                        "\(entry.event.kind.rawValue) of \(identity), which is \(index.name(of: claimed)), happened to \(index.name(of: owner))"
                    ))
            }
            // What says itself that it may be about another one is no claim on the identity.
            guard let owner = entry.incarnation, !entry.process.isAmbiguous else { continue }
            if let other = owners[identity], other != owner {
                failures.append(
                    Failure(
                        .identity, .safety, at: time,
                        "\(index.name(of: other)) and \(index.name(of: owner)) share the identity \(identity)"
                    ))
            }
            owners[identity] = owner
        }
        return failures
    }
}

/// Per incarnation fork before exec before exit, nothing after exit; per processor the order of the kernel.
enum OrderOracle {
    static func check(_ attribution: Attribution, _ index: TruthIndex) -> [Failure] {
        var failures: [Failure] = []
        var hasEnded = Array(repeating: false, count: index.truth.incarnations.count)
        var hasBegun = hasEnded
        var lastSequence: [UInt32?] = Array(repeating: nil, count: Int(index.processorCount))
        for entry in attribution.entries {
            let time = index.scenarioTime(entry.event.monotonic)
            let kind = entry.event.kind
            if let number = entry.message {
                let message = index.truth.messages[number]
                if let last = lastSequence[Int(message.processor)], message.sequence < last {
                    failures.append(
                        Failure(
                            .order, .safety, at: time,
                            "message \(message.sequence) of processor \(message.processor) came after \(last)"
                        ))
                }
                lastSequence[Int(message.processor)] = message.sequence
            }
            guard let id = entry.incarnation, entry.event.origin != .derived || kind == .processExit else {
                continue
            }
            if hasEnded[id.rawValue], entry.message != nil || [.processExit, .processBaseline].contains(kind)
            {
                failures.append(
                    Failure(
                        .order, .safety, at: time, "\(kind.rawValue) of \(index.name(of: id)) after its exit")
                )
            }
            if kind == .processFork, hasBegun[id.rawValue], entry.event.origin == .emitted, !isScanned(entry)
            {
                failures.append(
                    Failure(
                        .order, .safety, at: time,
                        "process.fork of \(index.name(of: id)) after other events of it"))
            }
            hasBegun[id.rawValue] = true
            if kind == .processExit { hasEnded[id.rawValue] = true }
        }
        return failures
    }

    /// A scan may find a process whose FORK message is still queued.
    private static func isScanned(_ entry: Attribution.Entry) -> Bool {
        if case .scan = entry.process.identity.birth { true } else { false }
    }
}

/// Event ids are given once: sequences ascend within a run, run ids from run to run.
enum EventIDOracle {
    static func check(_ evidence: Evidence) -> [Failure] {
        var failures: [Failure] = []
        var lastRun: RunID?
        for run in evidence.recording.runs where run.context.runID != RunID(0) {
            if let lastRun, run.context.runID <= lastRun {
                failures.append(
                    Failure(
                        .order, .safety, at: evidence.index.scenarioTime(run.started),
                        "run \(run.context.runID) came after run \(lastRun)"))
            }
            lastRun = run.context.runID
            var lastSequences: [SourceName: UInt64] = [:]
            for (event, delivered) in run.events {
                let last = lastSequences[event.source] ?? 0
                if event.sequence <= last {
                    failures.append(
                        Failure(
                            .order, .safety, at: evidence.index.scenarioTime(delivered),
                            "event \(event.sequence) of \(event.source) came after event \(last)"))
                }
                lastSequences[event.source] = event.sequence
            }
        }
        return failures
    }
}
