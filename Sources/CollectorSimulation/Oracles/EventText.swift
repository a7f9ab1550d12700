import EventModel
import SimulatedBackends

/// One line for each event, as scenario files show them.
struct EventText {
    let index: TruthIndex

    /// `1.004 process.exit 412#1 code=0`.
    func line(_ entry: Attribution.Entry) -> String {
        let process = entry.process
        var words = [index.secondsText(entry.event.monotonic), entry.event.kind.rawValue, name(entry)]
        if entry.event.origin != .emitted { words.append("origin=\(entry.event.origin.rawValue)") }
        switch entry.event.kind {
        case .processFork, .processBaseline: words += parent(process) + program(process) + place(process)
        case .processExec: words += program(process)
        case .processExit: words += exit(process)
        case .processSetID: words += ids(process)
        case .processComm: words += text("name", process.name)
        case .processSession: words += process.session.map { ["session=\($0)"] } ?? []
        case .processPtrace: words.append(process.tracer.map { "tracer=\($0)" } ?? "detached")
        case .processModified:
            words.append("fields=" + process.modifiedFields.map(\.rawValue).joined(separator: ","))
            words += program(process) + place(process)
        case .processSuspicious:
            if let suspicion = process.suspicion {
                words += ["reason=\(suspicion.reason.rawValue)", "severity=\(suspicion.severity.rawValue)"]
            }
        default: break
        }
        if process.isAmbiguous { words.append("ambiguous") }
        return words.joined(separator: " ")
    }

    private func name(_ entry: Attribution.Entry) -> String {
        entry.incarnation.map { index.name(of: $0) } ?? "\(entry.process.pid)#?"
    }

    private func parent(_ process: ProcessEvent) -> [String] {
        if let parent = process.parent, case .incarnation(let id) = index.claim(of: parent) {
            return ["ppid=" + index.name(of: id)]
        }
        return process.ppid.map { ["ppid=\($0)"] } ?? []
    }

    /// `container=docker/4f79...`, and nothing for who is on the host.
    private func place(_ process: ProcessEvent) -> [String] {
        guard let container = process.container, container.kind != .host else { return [] }
        guard let id = container.id else { return ["container=\(container.kind.rawValue)"] }
        return ["container=\(container.runtime?.rawValue ?? "")/\(id)"]
            + (container.pod.map { ["pod=\($0)"] } ?? [])
    }

    private func program(_ process: ProcessEvent) -> [String] {
        var words = text("name", process.name)
        if let path = process.executablePath {
            words += text("exe", path)
            if process.executableExists == false { words.append("deleted") }
        } else if case .unknown(let reason) = process.provenance.exe {
            words.append("exe=unknown(\(reason.rawValue))")
        }
        if !process.commandLine.isEmpty {
            words.append("argv=[" + process.commandLine.map { Printer.word($0) }.joined(separator: ",") + "]")
        }
        if let uid = process.uid { words.append("uid=\(uid)") }
        return words
    }

    private func ids(_ process: ProcessEvent) -> [String] {
        var words: [String] = []
        if let uid = process.uid { words.append("uid=\(uid)") }
        if let gid = process.gid { words.append("gid=\(gid)") }
        return words
    }

    private func exit(_ process: ProcessEvent) -> [String] {
        guard let exit = process.exit else { return [] }
        if exit.isInferred { return ["inferred"] }
        var words: [String] = []
        if let status = exit.status { words.append("code=\(status)") }
        if let signal = exit.signal { words.append("signal=\(signal)") }
        if exit.isCoreDumped { words.append("core") }
        return words
    }

    private func text(_ key: String, _ value: String?) -> [String] {
        value.map { ["\(key)=\(Printer.word($0))"] } ?? []
    }
}
