import EventModel
import KernelFormats

extension ConnectorSocketState.Queued {
    /// Longest time between two messages that race for the socket's queue: neither processor can be held up for longer
    /// between stamping and queueing, as it may not be preempted meanwhile (`drivers/connector/cn_proc.c`).
    private static let raceNanoseconds: Int64 = 1_000_000

    /// Whether the kernel could have queued the two in either order.
    func isIndependent(of other: Self) -> Bool {
        guard senderPort == 0, other.senderPort == 0,
            let mine = try? ConnectorMessage(parsing: bytes.span, at: 0, count: bytes.count),
            let its = try? ConnectorMessage(
                parsing: other.bytes.span, at: 0, count: other.bytes.count),
            mine.processor != its.processor,
            abs(mine.timestamp.nanoseconds - its.timestamp.nanoseconds) <= Self.raceNanoseconds,
            let mySubjects = mine.event.subjects, let itsSubjects = its.event.subjects
        else { return false }
        return mySubjects.allSatisfy { !itsSubjects.contains($0) }
    }
}

extension ConnectorEvent {
    /// The processes that an event involves; `nil` for one whose order always counts.
    fileprivate var subjects: [ProcessID]? {
        switch self {
        case .fork(let parent, let child): [parent.tgid, child.tgid, parent.tid, child.tid]
        case .exec(let task), .session(let task): [task.tgid, task.tid]
        case .exit(let task, _, _, let parent): [task.tgid, task.tid] + (parent.map { [$0.tgid] } ?? [])
        case .uid(let task, _, _), .gid(let task, _, _): [task.tgid, task.tid]
        case .ptrace(let task, let tracer): [task.tgid, tracer.tgid]
        case .comm(let task, _): [task.tgid, task.tid]
        case .coredump(let task, _): [task.tgid, task.tid]
        case .acknowledgement, .unknown: nil
        }
    }
}
