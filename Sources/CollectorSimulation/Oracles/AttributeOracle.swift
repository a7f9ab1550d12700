import EventModel
import KernelFormats
import SimulatedBackends

/// No attribute of one incarnation appears on another; what an exec event claims to have verified was true at that time.
enum AttributeOracle {
    static func check(_ attribution: Attribution, _ evidence: Evidence) -> [Failure] {
        var failures: [Failure] = []
        var cpids: [IncarnationID: CommonProcessID] = [:]
        for entry in attribution.entries {
            guard let id = entry.incarnation, !entry.process.isAmbiguous else { continue }
            let incarnation = evidence.index.truth[id]
            if entry.process.cpid != nil, cpids[id] == nil {
                cpids[id] = ReferenceCPID.make(
                    bootID: evidence.configuration.bootID, pidNamespace: incarnation.pidNamespace,
                    startTicks: incarnation.startTicks, pid: incarnation.innerPID)
            }
            let checker = AttributeChecker(
                entry: entry, incarnation: incarnation, cpid: cpids[id], index: evidence.index)
            for problem in checker.problems() {
                failures.append(
                    Failure(
                        .identity, .safety, at: evidence.index.scenarioTime(entry.event.monotonic),
                        "\(entry.event.kind.rawValue) of \(evidence.index.name(of: id)): \(problem)"))
            }
            if failures.count >= Oracles.failureLimit { break }
        }
        return failures
    }
}

/// Compares the attributes of one event with everything its process ever was.
struct AttributeChecker {
    let entry: Attribution.Entry
    let incarnation: TruthIncarnation
    /// The common process id as it must be.
    let cpid: CommonProcessID?
    let index: TruthIndex

    func problems() -> [String] {
        let process = entry.process
        var problems: [String] = []
        func check(
            _ field: String, _ provenance: Provenance, _ value: String?, _ matches: (TruthAttribute) -> Bool
        ) {
            guard let value, isKnown(provenance) else { return }
            let isOfImage = ["name", "exe", "cmdline"].contains(field)
            if !isTrue(provenance, isOfImage: isOfImage, matches) {
                problems.append("\(field) \(value) was never its own")
            }
        }
        let name = process.name.flatMap { KernelText.encode($0, isEscaped: isEscaped("name")) }
        check("name", process.provenance.name, process.name) { $0 == .comm(name ?? []) }
        let path = process.executablePath.flatMap { KernelText.encode($0, isEscaped: isEscaped("exe")) } ?? []
        check("exe", process.provenance.exe, process.executablePath) { attribute in
            guard case .program(let link, _, _) = attribute else { return false }
            return link == path || link == path + Array(" (deleted)".utf8)
        }
        if !process.isCommandLineTruncated, !process.commandLine.isEmpty {
            check(
                "cmdline", process.provenance.cmdline, process.commandLine.joined(separator: " "),
                isCommandLine)
        }
        check("uid", process.provenance.uid, process.uid?.description) { attribute in
            if case .uid(_, let effective) = attribute { effective == process.uid } else { false }
        }
        check("gid", process.provenance.gid, process.gid?.description) { attribute in
            if case .gid(_, let effective) = attribute { effective == process.gid } else { false }
        }
        check("ppid", process.provenance.ppid, process.ppid?.description) { attribute in
            if case .parent(let pid) = attribute { pid == process.ppid } else { false }
        }
        check("session", process.provenance.session, process.session?.description) { attribute in
            if case .session(let pid) = attribute { pid == process.session } else { false }
        }
        problems += identityProblems()
        return problems
    }

    /// What never changes, and what is computed from it.
    private func identityProblems() -> [String] {
        let process = entry.process
        var problems: [String] = []
        if process.pid != incarnation.pid { problems.append("it has the pid \(incarnation.pid)") }
        let isRead = process.provenance.startTime == .verified || process.provenance.memory == .verified
        if let ticks = process.startTicks, isRead, ticks != incarnation.startTicks {
            problems.append("start ticks are \(ticks), in truth \(incarnation.startTicks)")
        }
        if let namespace = process.pidNamespace, isKnown(process.provenance.pidNamespace),
            namespace != incarnation.pidNamespace, process.provenance.pidNamespace != .inherited
        {
            problems.append("pid namespace is \(namespace), in truth \(incarnation.pidNamespace)")
        }
        if let claimed = process.cpid, isKnown(process.provenance.cpid), let cpid, claimed != cpid {
            problems.append("cpid is \(claimed), in truth \(cpid)")
        }
        if let exit = process.exit, !exit.isInferred, let code = incarnation.exitCode,
            entry.event.origin == .emitted, exit != ProcessExit(code: code)
        {
            problems.append("exit is not that of the code \(code)")
        }
        return problems
    }

    private func isKnown(_ provenance: Provenance) -> Bool {
        switch provenance {
        case .kernelMessage, .verified, .lateRead, .inherited: true
        default: false
        }
    }

    /// What an exec event verified of the new image was in force between its message and its delivery; other
    /// values at any time of this life; inherited ones in this life or in that of an ancestor.
    private func isTrue(
        _ provenance: Provenance, isOfImage: Bool, _ matches: (TruthAttribute) -> Bool
    ) -> Bool {
        switch provenance {
        case .verified where isOfImage && entry.event.kind == .processExec && entry.message != nil:
            return isTrueNow(matches)
        case .kernelMessage, .verified, .lateRead:
            return incarnation.changes.contains { matches($0.attribute) }
        default:
            var life: TruthIncarnation? = incarnation
            while let present = life {
                if present.changes.contains(where: { matches($0.attribute) }) { return true }
                life = present.parent.map { index.truth[$0] }
            }
            return false
        }
    }

    private func isTrueNow(_ matches: (TruthAttribute) -> Bool) -> Bool {
        guard let message = entry.message else { return false }
        let begin = index.truth.messages[message].time
        for (position, change) in incarnation.changes.enumerated() where matches(change.attribute) {
            guard change.time <= entry.delivered else { break }
            let next = incarnation.changes[(position + 1)...].first {
                $0.attribute.isSameField(as: change.attribute)
            }
            if next.map({ $0.time >= begin }) ?? true { return true }
        }
        return false
    }

    private func isCommandLine(_ attribute: TruthAttribute) -> Bool {
        guard case .commandLine(let bytes) = attribute else { return false }
        let arguments = CommandLineFile(parsing: bytes.span).argumentsWithoutPadding
        return arguments.count == entry.process.commandLine.count
            && arguments.enumerated().allSatisfy { index, argument in
                KernelText.encode(entry.process.commandLine[index], isEscaped: isEscaped("cmdline[\(index)]"))
                    == argument
            }
    }

    private func isEscaped(_ field: String) -> Bool { entry.event.escaped.contains(field) }
}

extension TruthAttribute {
    /// Whether two changes are about the same field.
    fileprivate func isSameField(as other: TruthAttribute) -> Bool {
        switch (self, other) {
        case (.parent, .parent), (.uid, .uid), (.gid, .gid), (.session, .session), (.comm, .comm),
            (.program, .program), (.commandLine, .commandLine), (.cgroup, .cgroup), (.tracer, .tracer):
            true
        default: false
        }
    }
}
