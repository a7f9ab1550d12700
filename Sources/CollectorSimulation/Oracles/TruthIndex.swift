import EventModel
import KernelFormats
import SimulatedBackends

/// The truth log, arranged for looking things up.
struct TruthIndex {
    let truth: TruthLog
    /// `@0` of the scenario.
    let start: Instant
    let ownProcessID: ProcessID
    /// Indices of numbered messages by processor, in the order of their sequences, which have no holes.
    private var numbered: [[Int]]
    /// Indices of messages by stamp and process.
    private var byStamp: [StampKey: [Int]] = [:]
    private var byPID: [ProcessID: [IncarnationID]] = [:]

    private struct StampKey: Hashable {
        var stamp: Instant
        var pid: ProcessID
    }

    init(_ truth: TruthLog, start: Instant, processorCount: UInt32, ownProcessID: ProcessID) {
        self.truth = truth
        self.start = start
        self.ownProcessID = ownProcessID
        numbered = Array(repeating: [], count: Int(processorCount))
        for (index, message) in truth.messages.enumerated() where message.fate != .notListened {
            numbered[Int(message.processor)].append(index)
            byStamp[StampKey(stamp: message.stamp, pid: message.event.processID), default: []].append(index)
        }
        for incarnation in truth.incarnations { byPID[incarnation.pid, default: []].append(incarnation.id) }
    }

    var processorCount: UInt32 { UInt32(numbered.count) }

    // MARK: - Messages

    /// Index of the message with a sequence of a processor.
    func index(processor: UInt32, sequence: UInt32) -> Int? {
        guard processor < processorCount, let first = numbered[Int(processor)].first else { return nil }
        let offset = Int(sequence &- truth.messages[first].sequence)
        return offset < numbered[Int(processor)].count ? numbered[Int(processor)][offset] : nil
    }

    func message(processor: UInt32, sequence: UInt32) -> TruthMessage? {
        index(processor: processor, sequence: sequence).map { truth.messages[$0] }
    }

    /// The numbered messages of a processor in the order of their sequences.
    func messages(processor: UInt32) -> some Sequence<TruthMessage> {
        (processor < processorCount ? numbered[Int(processor)] : []).lazy.map { truth.messages[$0] }
    }

    /// Indices of delivered messages that an emitted event can stand for.
    func candidates(for event: Event, pid: ProcessID) -> [Int] {
        (byStamp[StampKey(stamp: event.monotonic, pid: pid)] ?? []).filter { index in
            truth.messages[index].fate == .delivered && truth.messages[index].event.kind == event.kind
        }
    }

    /// Messages that were numbered and lost between two moments.
    func lost(from begin: Instant, until end: Instant) -> some Sequence<TruthMessage> {
        truth.messages.lazy.filter { $0.fate == .lost && $0.time >= begin && $0.time <= end }
    }

    // MARK: - Incarnations

    /// What an identity claims, by the evidence in it alone.
    enum Claim: Equatable {
        case incarnation(IncarnationID)
        /// Several fit: start ticks tie, and there is no inode.
        case ambiguous
        case none
    }

    func claim(of identity: ProcessIdentity) -> Claim {
        switch identity.birth {
        case .fork(let processor, let sequence, let timestamp):
            guard let message = message(processor: processor, sequence: sequence), message.stamp == timestamp,
                case .fork(_, let child) = message.event, child.isLeader, child.tgid == identity.pid
            else { return .none }
            return .incarnation(message.subject)
        case .seen(let processor, let sequence, let timestamp):
            guard let message = message(processor: processor, sequence: sequence), message.stamp == timestamp
            else {
                return .none
            }
            return owner(of: identity.pid, in: message).map { .incarnation($0) } ?? .none
        case .scan(let startTicks, let inode):
            let fitting = (byPID[identity.pid] ?? []).filter { id in
                // Start ticks are 0 where `stat` could not be read: then the inode alone tells.
                (truth[id].startTicks == startTicks || startTicks == 0 && inode != 0)
                    && (inode == 0 || truth[id].pidFDInode == inode)
            }
            return fitting.count == 1 ? .incarnation(fitting[0]) : fitting.isEmpty ? .none : .ambiguous
        }
    }

    /// The incarnation that had a pid at a moment, dead but not reaped included.
    func incarnation(of pid: ProcessID, at time: Instant) -> IncarnationID? {
        (byPID[pid] ?? []).last { id in
            truth[id].born <= time && (truth[id].reaped.map { time <= $0 } ?? true)
        }
    }

    /// The incarnation with this pid that a message is about, or that lived when it was made.
    private func owner(of pid: ProcessID, in message: TruthMessage) -> IncarnationID? {
        truth[message.subject].pid == pid ? message.subject : incarnation(of: pid, at: message.time)
    }

    /// `412#2`.
    func name(of id: IncarnationID) -> String { "\(truth[id].pid)#\(truth[id].ordinal)" }

    /// Nanoseconds after the scenario's `@0`.
    func scenarioTime(_ instant: Instant) -> Int64 {
        instant.nanoseconds.subtractingClamped(start.nanoseconds)
    }
}

extension ConnectorEvent {
    /// The process that the message is about; of a FORK the child's.
    var processID: ProcessID {
        switch self {
        case .acknowledgement, .unknown: ProcessID(0)
        case .fork(_, let child): child.tgid
        case .exec(let task), .uid(let task, _, _), .gid(let task, _, _), .session(let task),
            .ptrace(let task, _),
            .comm(let task, _), .coredump(let task, _), .exit(let task, _, _, _):
            task.tgid
        }
    }

    /// The kind of event that stands for the message.
    var kind: EventKind? {
        switch self {
        case .acknowledgement, .unknown: nil
        case .fork: .processFork
        case .exec: .processExec
        case .uid, .gid: .processSetID
        case .session: .processSession
        case .ptrace: .processPtrace
        case .comm: .processComm
        case .coredump: .processCoredump
        case .exit: .processExit
        }
    }
}
