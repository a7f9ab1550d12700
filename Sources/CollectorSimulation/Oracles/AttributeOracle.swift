import EventModel
import KernelFormats
import SimulatedBackends

/// No attribute of one incarnation appears on another; what claims to be verified was true at that time.
enum AttributeOracle {
    static func check(_ attribution: Attribution, _ evidence: Evidence) -> [Failure] {
        var failures: [Failure] = []
        for entry in attribution.entries {
            guard let id = entry.incarnation, !entry.process.isAmbiguous else { continue }
            let checker = AttributeChecker(entry: entry, incarnation: evidence.index.truth[id], evidence: evidence)
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
    let evidence: Evidence

    func problems() -> [String] {
        let process = entry.process
        var problems: [String] = []
        func check(_ field: String, _ provenance: Provenance, _ value: String?, _ matches: (TruthAttribute) -> Bool) {
            guard let value, isKnown(provenance) else { return }
            if !isTrue(provenance, matches) { problems.append("\(field) \(value) was never its own") }
        }
        let name = process.name.flatMap { KernelText.encode($0, isEscaped: isEscaped("name")) }
        check("name", process.provenance.name, process.name) { $0 == .comm(name ?? []) }
        let path = process.executablePath.flatMap { KernelText.encode($0, isEscaped: isEscaped("exe")) } ?? []
        check("exe", process.provenance.exe, process.executablePath) { attribute in
            guard case .program(let link, _, _) = attribute else { return false }
            return link == path || link == path + Array(" (deleted)".utf8)
        }
        if !process.isCommandLineTruncated, !process.commandLine.isEmpty {
            check("cmdline", process.provenance.cmdline, process.commandLine.joined(separator: " "), isCommandLine)
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
        if let cpid = process.cpid, isKnown(process.provenance.cpid) {
            let expected = ReferenceCPID.make(
                bootID: evidence.configuration.bootID, pidNamespace: incarnation.pidNamespace,
                startTicks: incarnation.startTicks, pid: incarnation.innerPID)
            if cpid != expected { problems.append("cpid is \(cpid), in truth \(expected)") }
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

    /// Verified and kernel-given values were in force between the message and its delivery; later reads at any time of this
    /// life; inherited ones in this life or in that of an ancestor.
    private func isTrue(_ provenance: Provenance, _ matches: (TruthAttribute) -> Bool) -> Bool {
        switch provenance {
        case .kernelMessage, .verified, .lateRead:
            return incarnation.changes.contains { matches($0.attribute) }
        default:
            var life: TruthIncarnation? = incarnation
            while let present = life {
                if present.changes.contains(where: { matches($0.attribute) }) { return true }
                life = present.parent.map { evidence.index.truth[$0] }
            }
            return false
        }
    }

    private func isCommandLine(_ attribute: TruthAttribute) -> Bool {
        guard case .commandLine(let bytes) = attribute else { return false }
        let arguments = CommandLineFile(parsing: bytes.span).argumentsWithoutPadding
        return arguments.count == entry.process.commandLine.count
            && arguments.enumerated().allSatisfy { index, argument in
                KernelText.encode(entry.process.commandLine[index], isEscaped: isEscaped("cmdline[\(index)]")) == argument
            }
    }

    private func isEscaped(_ field: String) -> Bool { entry.event.escaped.contains(field) }
}
