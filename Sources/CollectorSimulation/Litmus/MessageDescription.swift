import EventModel
import KernelFormats

/// Writes connector messages in the names of a case; messages about other processes of the host are left out.
struct MessageDescription {
    let names: ProcessNames
    /// Whether an exit tells its signal and parent as well.
    let isDetailed: Bool
    /// Which of several incarnations of a pid is meant: the present index into its names.
    private var incarnations: [ProcessID: Int] = [:]

    init(names: ProcessNames, isDetailed: Bool) {
        self.names = names
        self.isDetailed = isDetailed
    }

    static func kind(of event: ConnectorEvent) -> String {
        switch event {
        case .acknowledgement: "ack"
        case .fork(_, let child): child.isLeader ? "fork" : "thread"
        case .exec: "exec"
        case .uid: "uid"
        case .gid: "gid"
        case .session: "session"
        case .ptrace: "ptrace"
        case .comm: "comm"
        case .coredump: "coredump"
        case .exit: "exit"
        case .unknown: "unknown"
        }
    }

    /// The messages of a case, separated by commas; `nothing` if there are none.
    ///
    /// - Parameter only: The kinds wanted; empty for all.
    mutating func text(of news: ConnectorObserver.News, only: [String]) -> String {
        let messages = relevant(news)
        startIncarnations(messages)
        var texts: [String] = []
        var unnamed: Set<ProcessID> = []
        for item in news.items {
            switch item {
            case .forged: texts.append("forged")
            case .unreadable: texts.append("unreadable")
            case .overrun: texts.append("ENOBUFS")
            case .message(let message):
                guard isRelevant(message, &unnamed) else { continue }
                if case .fork(_, let child) = message.event, let index = incarnations[child.tid] {
                    incarnations[child.tid] = index + 1
                }
                let kind = Self.kind(of: message.event)
                if only.isEmpty || only.contains(kind) { texts.append(text(of: message.event)) }
            }
        }
        return texts.isEmpty ? "nothing" : texts.joined(separator: ", ")
    }

    func relevant(_ news: ConnectorObserver.News) -> [ConnectorMessage] {
        var unnamed: Set<ProcessID> = []
        return news.messages.filter { isRelevant($0, &unnamed) }
    }

    /// - Parameter unnamed: Children without a name, such as those of a burst, that have begun and not ended.
    private func isRelevant(_ message: ConnectorMessage, _ unnamed: inout Set<ProcessID>) -> Bool {
        func isOfCase(_ id: ProcessID) -> Bool { names.names(of: id).contains { $0 != "R" } }
        func isNamed(_ id: ProcessID) -> Bool { !names.names(of: id).isEmpty }
        guard let task = message.task else { return false }
        if isOfCase(task.tgid) || isOfCase(task.tid) { return true }
        switch message.event {
        case .fork(let parent, let child):
            guard isNamed(parent.tgid) || unnamed.contains(parent.tgid) else { return false }
            unnamed.insert(child.tid)
            return true
        case .exit(_, _, _, let parent):
            // The parent is missing from the message when it has reaped the child already.
            return unnamed.remove(task.tid) != nil || parent.map { isNamed($0.tgid) } ?? false
        default:
            return false
        }
    }

    /// A pid that was recycled begins with the name it had before the first fork that was seen.
    private mutating func startIncarnations(_ messages: [ConnectorMessage]) {
        incarnations = [:]
        for message in messages {
            guard case .fork(_, let child) = message.event else { continue }
            let count = names.names(of: child.tid).count
            incarnations[child.tid, default: count - 1] -= 1
        }
    }

    private func name(_ id: ProcessID) -> String {
        guard let index = incarnations[id] else { return names.text(of: id) }
        let all = names.names(of: id)
        return all.indices.contains(index) ? all[index] : names.text(of: id)
    }

    private func name(_ task: ConnectorTask) -> String {
        task.isLeader ? name(task.tgid) : "\(name(task.tid)) of \(name(task.tgid))"
    }

    private func text(of event: ConnectorEvent) -> String {
        switch event {
        case .acknowledgement, .unknown: "unknown"
        case .fork(let parent, let child):
            child.isLeader
                ? "fork \(name(parent)) -> \(name(child))" : "thread \(name(child)) parent=\(name(parent))"
        case .exec(let task): "exec \(name(task))"
        case .uid(let task, let real, let effective): "uid \(name(task)) real=\(real) effective=\(effective)"
        case .gid(let task, let real, let effective): "gid \(name(task)) real=\(real) effective=\(effective)"
        case .session(let task): "session \(name(task))"
        case .ptrace(let task, let tracer): "ptrace \(name(task)) by=\(tracer.isNone ? "0" : name(tracer))"
        case .comm(let task, let comm): "comm \(name(task)) \(Printer.quoted(comm.bytes))"
        case .coredump(let task, let parent): "coredump \(name(task))" + detail(parent)
        case .exit(let task, let code, let signal, let parent):
            "exit \(name(task)) code=\(code)" + (isDetailed ? " signal=\(signal)" : "") + detail(parent)
        }
    }

    private func detail(_ parent: ConnectorTask?) -> String {
        isDetailed ? " parent=\(parent.map { name($0) } ?? "unknown")" : ""
    }
}
