import EventModel
import SimulatedBackends

/// Each emitted event stands for one message that the kernel made and delivered, and no message for two events; no
/// process that lives is said to have ended.
enum InventionOracle {
    static func check(_ attribution: Attribution, _ index: TruthIndex) -> [Failure] {
        inventedMessages(attribution, index) + inventedEnds(attribution, index)
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
            let kind = entry.event.kind.rawValue
            switch entry.claim {
            case .none:
                failures.append(
                    Failure(
                        .identity, .safety, at: time, "\(kind) of \(identity): no process was ever born so"))
            case .ambiguous where !entry.process.isAmbiguous:
                // Two births tie without a pidfd's inode; until the second one is known nothing is ambiguous yet.
                break
            case .ambiguous: break
            case .incarnation(let claimed):
                guard let owner = entry.incarnation, owner != claimed, !entry.process.isAmbiguous else {
                    break
                }
                failures.append(
                    Failure(
                        .identity, .safety, at: time,
                        "\(kind) of \(identity), which is \(index.name(of: claimed)), happened to \(index.name(of: owner))"
                    ))
            }
            guard let owner = entry.incarnation else { continue }
            if let other = owners[identity], other != owner, !entry.process.isAmbiguous {
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
        var ended: Set<IncarnationID> = []
        var lastSequence: [UInt32: UInt32] = [:]
        var begun: Set<IncarnationID> = []
        for entry in attribution.entries {
            let time = index.scenarioTime(entry.event.monotonic)
            let kind = entry.event.kind
            if let number = entry.message {
                let message = index.truth.messages[number]
                if let last = lastSequence[message.processor], message.sequence < last {
                    failures.append(
                        Failure(
                            .order, .safety, at: time,
                            "message \(message.sequence) of processor \(message.processor) came after \(last)"
                        ))
                }
                lastSequence[message.processor] = message.sequence
            }
            guard let id = entry.incarnation, entry.event.origin != .derived || kind == .processExit else {
                continue
            }
            if ended.contains(id), entry.message != nil || kind == .processExit {
                failures.append(
                    Failure(
                        .order, .safety, at: time, "\(kind.rawValue) of \(index.name(of: id)) after its exit")
                )
            }
            if kind == .processFork, begun.contains(id), entry.event.origin == .emitted, !isScanned(entry) {
                failures.append(
                    Failure(
                        .order, .safety, at: time,
                        "process.fork of \(index.name(of: id)) after other events of it"))
            }
            begun.insert(id)
            if kind == .processExit { ended.insert(id) }
        }
        return failures
    }

    /// A scan may find a process whose FORK message is still queued.
    private static func isScanned(_ entry: Attribution.Entry) -> Bool {
        if case .scan = entry.process.identity.birth { true } else { false }
    }
}
