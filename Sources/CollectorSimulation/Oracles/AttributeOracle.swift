import EventModel
import KernelFormats
import SimulatedBackends

/// No attribute of one incarnation appears on another; what an exec event claims to have verified was true at that time.
enum AttributeOracle {
    static func check(_ attribution: Attribution, _ evidence: Evidence) -> [Failure] {
        var failures: [Failure] = []
        var cpids: [CommonProcessID?] = Array(repeating: nil, count: evidence.index.truth.incarnations.count)
        for entry in attribution.entries {
            guard let id = entry.incarnation, !entry.process.isAmbiguous else { continue }
            let incarnation = evidence.index.truth[id]
            if entry.process.cpid != nil, cpids[id.rawValue] == nil {
                cpids[id.rawValue] = ReferenceCPID.make(
                    bootID: evidence.configuration.bootID, pidNamespace: incarnation.pidNamespace,
                    startTicks: incarnation.startTicks, pid: incarnation.innerPID)
            }
            let checker = AttributeChecker(
                entry: entry, incarnation: incarnation, cpid: cpids[id.rawValue], index: evidence.index)
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

    /// Fields that a process can have had or not.
    private struct Fields: OptionSet {
        var rawValue: UInt8

        static let name = Fields(rawValue: 1)
        static let exe = Fields(rawValue: 2)
        static let cmdline = Fields(rawValue: 4)
        static let uid = Fields(rawValue: 8)
        static let gid = Fields(rawValue: 16)
        static let ppid = Fields(rawValue: 32)
        static let session = Fields(rawValue: 64)
        static let ofImage: Fields = [.name, .exe, .cmdline]
    }

    func problems() -> [String] {
        var problems = attributeProblems() + identityProblems()
        if entry.process.uid == nil, isKnown(entry.process.provenance.uid) {
            problems.append("uid is known and absent")
        }
        if entry.process.gid == nil, isKnown(entry.process.provenance.gid) {
            problems.append("gid is known and absent")
        }
        return problems
    }

    /// What an exec event verified of the new image was in force between its message and its delivery; other
    /// values at any time of this life; inherited ones in this life or in that of an ancestor.
    private func attributeProblems() -> [String] {
        let (claimed, inherited, verified) = claims()
        let isExec = entry.event.kind == .processExec && entry.message != nil
        let ofNow = isExec ? verified.intersection(.ofImage) : []
        var untrue = claimed.subtracting(ofNow)
        untrue.subtract(matches(of: untrue, in: incarnation))
        var untrueHere = untrue.intersection(inherited)
        untrue.subtract(untrueHere)
        var ancestor = incarnation.parent
        while !untrueHere.isEmpty, let id = ancestor {
            untrueHere.subtract(matches(of: untrueHere, in: index.truth.incarnations[id.rawValue]))
            ancestor = index.truth.incarnations[id.rawValue].parent
        }
        untrue.formUnion(untrueHere)
        let isOther = entry.event.kind == .processExec && verified.contains(.exe) && !isExecuted()
        for field: Fields in [.name, .exe, .cmdline] where ofNow.contains(field) && !isTrueNow(field) {
            untrue.insert(field)
        }
        if isOther { untrue.remove(.exe) }
        let executed =
            isOther ? ["exe \(entry.process.executablePath ?? "") is not what it executed"] : []
        return untrue.isEmpty ? executed : executed + describe(untrue)
    }

    /// Whether the program is the one whose execution the event's message tells of: the last one before it.
    private func isExecuted() -> Bool {
        guard let message = entry.message else { return true }
        let time = index.truth.messages[message].time
        let last = incarnation.changes.last { change in
            if case .program = change.attribute { change.time <= time } else { false }
        }
        return last.map { matches($0.attribute) } ?? true
    }

    /// The fields that the event gives as known; of these the inherited and the verified ones.
    private func claims() -> (claimed: Fields, inherited: Fields, verified: Fields) {
        var (claimed, inherited, verified): (Fields, Fields, Fields) = ([], [], [])
        func claim(_ field: Fields, _ provenance: Provenance, _ isPresent: Bool) {
            guard isPresent, isKnown(provenance) else { return }
            claimed.insert(field)
            if provenance == .inherited { inherited.insert(field) }
            if provenance == .verified { verified.insert(field) }
        }
        claim(.name, entry.process.provenance.name, entry.process.name != nil)
        claim(.exe, entry.process.provenance.exe, entry.process.executablePath != nil)
        claim(
            .cmdline, entry.process.provenance.cmdline,
            !entry.process.isCommandLineTruncated && !entry.process.commandLine.isEmpty)
        claim(.uid, entry.process.provenance.uid, entry.process.uid != nil)
        claim(.gid, entry.process.provenance.gid, entry.process.gid != nil)
        claim(.ppid, entry.process.provenance.ppid, entry.process.ppid != nil)
        claim(.session, entry.process.provenance.session, entry.process.session != nil)
        return (claimed, inherited, verified)
    }

    private func describe(_ untrue: Fields) -> [String] {
        let process = entry.process
        let values: [(Fields, String, String?)] = [
            (.name, "name", process.name), (.exe, "exe", process.executablePath),
            (.cmdline, "cmdline", process.commandLine.joined(separator: " ")),
            (.uid, "uid", process.uid?.description), (.gid, "gid", process.gid?.description),
            (.ppid, "ppid", process.ppid?.description), (.session, "session", process.session?.description),
        ]
        return values.filter { untrue.contains($0.0) }.map { "\($0.1) \($0.2 ?? "") was never its own" }
    }

    /// What never changes, and what is computed from it.
    private func identityProblems() -> [String] {
        var problems: [String] = []
        if entry.process.pid != incarnation.pid { problems.append("it has the pid \(incarnation.pid)") }
        let isRead =
            entry.process.provenance.startTime == .verified || entry.process.provenance.memory == .verified
        if let ticks = entry.process.startTicks, isRead, ticks != incarnation.startTicks {
            problems.append("start ticks are \(ticks), in truth \(incarnation.startTicks)")
        }
        if let namespace = entry.process.pidNamespace, isKnown(entry.process.provenance.pidNamespace),
            namespace != incarnation.pidNamespace, entry.process.provenance.pidNamespace != .inherited
        {
            problems.append("pid namespace is \(namespace), in truth \(incarnation.pidNamespace)")
        }
        if let claimed = entry.process.cpid, isKnown(entry.process.provenance.cpid), let cpid, claimed != cpid
        {
            problems.append("cpid is \(claimed), in truth \(cpid)")
        }
        // Simulated hosts have version 2 alone, so that the path that is shown is all there is.
        let place = entry.process.cgroup.map { ContainerMembership(cgroup: Array($0.utf8)) }
        if entry.process.container != place, !entry.event.escaped.contains("cgroup") {
            problems.append("container is not that of \(entry.process.cgroup ?? "an unknown control group")")
        }
        if let exit = entry.process.exit, !exit.isInferred, let code = incarnation.exitCode,
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

    /// Those of the wanted fields whose value the process had at any time of its life.
    private func matches(of wanted: Fields, in life: TruthIncarnation) -> Fields {
        var found: Fields = []
        for index in life.changes.indices {
            guard found != wanted else { break }
            guard let field = Self.field(of: life.changes[index].attribute), wanted.contains(field),
                !found.contains(field), matches(life.changes[index].attribute)
            else { continue }
            found.insert(field)
        }
        return found
    }

    private func isTrueNow(_ field: Fields) -> Bool {
        guard let message = entry.message else { return false }
        let begin = index.truth.messages[message].time
        let changes = incarnation.changes
        for position in changes.indices where Self.field(of: changes[position].attribute) == field {
            guard matches(changes[position].attribute) else { continue }
            guard changes[position].time <= entry.delivered else { break }
            let next = changes[(position + 1)...].first { Self.field(of: $0.attribute) == field }
            if next.map({ $0.time >= begin }) ?? true { return true }
        }
        return false
    }

    private static func field(of attribute: TruthAttribute) -> Fields? {
        switch attribute {
        case .comm: .name
        case .program: .exe
        case .commandLine: .cmdline
        case .uid: .uid
        case .gid: .gid
        case .parent: .ppid
        case .session: .session
        default: nil
        }
    }

    /// Whether the event's value of the attribute's field is this one.
    private func matches(_ attribute: TruthAttribute) -> Bool {
        switch attribute {
        case .comm(let name): isText(entry.process.name, of: "name", name.span)
        case .program(let link, _, _):
            isText(entry.process.executablePath, of: "exe", link.span)
                || link.count >= Self.deletedMarker.count
                    && link.suffix(Self.deletedMarker.count) == Self.deletedMarker[...]
                    && isText(
                        entry.process.executablePath, of: "exe",
                        link.span.extracting(droppingLast: Self.deletedMarker.count))
        case .commandLine(let bytes): isCommandLine(bytes)
        case .uid(_, let effective): effective == entry.process.uid
        case .gid(_, let effective): effective == entry.process.gid
        case .parent(let pid): pid == entry.process.ppid
        case .session(let pid): pid == entry.process.session
        default: false
        }
    }

    private static let deletedMarker = Array(" (deleted)".utf8)

    /// Whether a text of the event stands for these bytes.
    private func isText(_ text: String?, of field: String, _ bytes: Span<UInt8>) -> Bool {
        guard let text else { return false }
        guard isEscaped(field) else { return Self.equal(text.utf8.span, bytes) }
        let raw = KernelText.encode(text, isEscaped: true) ?? []
        return Self.equal(raw.span, bytes)
    }

    private static func equal(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        for index in a.indices where a[index] != b[index] { return false }
        return true
    }

    private func isCommandLine(_ bytes: [UInt8]) -> Bool {
        let claimed = entry.process.commandLine
        if entry.process.redactedCount > 0 { return isRedaction(of: bytes) }
        // Without escapes the bytes can be compared in place; a row of empty arguments at the end is padding.
        if entry.event.escaped.isEmpty, bytes.count < Limits.commandLineByteCount,
            claimed.count < Limits.argumentCount
        {
            return !bytes.isEmpty && (claimed.count == 1 || claimed.last?.isEmpty == false)
                && Self.arguments(claimed, standIn: bytes.span)
        }
        let arguments = CommandLineFile(parsing: bytes.span).argumentsWithoutPadding
        return arguments.count == claimed.count
            && arguments.enumerated().allSatisfy { index, argument in
                KernelText.encode(claimed[index], isEscaped: isEscaped("cmdline[\(index)]")) == argument
            }
    }

    private static func arguments(_ claimed: [String], standIn bytes: Span<UInt8>) -> Bool {
        var position = 0
        for argument in claimed {
            let end = position + argument.utf8.count
            guard end <= bytes.count, equal(argument.utf8.span, bytes.extracting(position..<end)),
                end == bytes.count || bytes[end] == 0
            else { return false }
            position = end + 1
        }
        while position < bytes.count {
            guard bytes[position] == 0 else { return false }
            position += 1
        }
        return true
    }

    /// Whether each argument is the true one but for the places where something was replaced.
    private func isRedaction(of bytes: [UInt8]) -> Bool {
        let claimed = entry.process.commandLine
        let arguments = CommandLineFile(parsing: bytes.span).argumentsWithoutPadding
        return arguments.count == claimed.count
            && arguments.enumerated().allSatisfy { index, argument in
                let raw = KernelText.encode(claimed[index], isEscaped: isEscaped("cmdline[\(index)]"))
                return raw.map { Self.isRedaction($0, of: argument) } ?? false
            }
    }

    private static let mark = Array("[redacted]".utf8)

    /// What stands between two marks follows in the true text in the same order, and nothing but at marks is left out.
    private static func isRedaction(_ text: [UInt8], of truth: [UInt8]) -> Bool {
        var pieces = text.split(separator: mark, omittingEmptySubsequences: false)[...]
        guard let first = pieces.popFirst(), let last = pieces.popLast() else { return text == truth }
        guard truth.starts(with: first), truth.count >= first.count + last.count,
            truth.suffix(last.count).elementsEqual(last)
        else { return false }
        var rest = truth[first.count..<truth.count - last.count]
        for piece in pieces {
            guard let range = rest.firstRange(of: piece) else { return false }
            rest = rest[range.upperBound...]
        }
        return true
    }

    private func isEscaped(_ field: String) -> Bool { entry.event.escaped.contains(field) }
}
