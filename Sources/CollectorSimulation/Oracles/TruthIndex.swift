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
    /// The newest incarnation of each pid, and for each incarnation the one that had its pid before.
    private var newestByPID: [ProcessID: IncarnationID] = [:]
    private var predecessors: [IncarnationID?] = []

    init(_ truth: TruthLog, start: Instant, processorCount: UInt32, ownProcessID: ProcessID) {
        self.truth = truth
        self.start = start
        self.ownProcessID = ownProcessID
        numbered = Array(repeating: [], count: Int(processorCount))
        for index in truth.messages.indices where truth.messages[index].fate != .notListened {
            numbered[Int(truth.messages[index].processor)].append(index)
        }
        newestByPID.reserveCapacity(truth.incarnations.count)
        predecessors.reserveCapacity(truth.incarnations.count)
        for index in truth.incarnations.indices {
            let id = truth.incarnations[index].id
            predecessors.append(newestByPID.updateValue(id, forKey: truth.incarnations[index].pid))
        }
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

    /// Index of the first delivered message that an emitted event can stand for and that `isFree`.
    func candidate(for event: borrowing Event, pid: ProcessID, where isFree: (Int) -> Bool) -> Int? {
        var found: Int?
        for processor in numbered.indices {
            guard let index = index(stampedBy: processor, at: event.monotonic),
                found.map({ index < $0 }) ?? true,
                isFree(index), truth.messages[index].fate == .delivered,
                truth.messages[index].event.processID == pid,
                truth.messages[index].event.kind == event.kind
            else { continue }
            found = index
        }
        return found
    }

    /// Index of the message that a processor stamped so; its stamps ascend strictly.
    private func index(stampedBy processor: Int, at stamp: Instant) -> Int? {
        var low = 0
        var high = numbered[processor].count
        while low < high {
            let middle = (low + high) / 2
            if truth.messages[numbered[processor][middle]].stamp < stamp {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low < numbered[processor].count else { return nil }
        let index = numbered[processor][low]
        return truth.messages[index].stamp == stamp ? index : nil
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
        case .scan(startTicks: 0, pidFDInode: 0):
            // Nothing of it could be read: it is whoever has the pid, and the event says so.
            return newestByPID[identity.pid] == nil ? .none : .ambiguous
        case .scan(let startTicks, let inode):
            var claim = Claim.none
            for id in incarnations(of: identity.pid) {
                // Start ticks are 0 where `stat` could not be read: then the inode alone tells.
                guard
                    truth.incarnations[id.rawValue].startTicks == startTicks || startTicks == 0 && inode != 0,
                    inode == 0 || truth.incarnations[id.rawValue].pidFDInode == inode
                else { continue }
                guard claim == .none else { return .ambiguous }
                claim = .incarnation(id)
            }
            return claim
        }
    }

    /// The incarnation that had a pid at a moment, dead but not reaped included.
    func incarnation(of pid: ProcessID, at time: Instant) -> IncarnationID? {
        incarnations(of: pid).first { id in
            truth.incarnations[id.rawValue].born <= time
                && (truth.incarnations[id.rawValue].reaped.map { time <= $0 } ?? true)
        }
    }

    /// Of those whom an identity fits, the one that lived at a moment or, when an end is found out later, the last before it.
    func bearer(of identity: ProcessIdentity, at time: Instant) -> IncarnationID? {
        guard case .scan(let startTicks, _) = identity.birth else {
            return incarnation(of: identity.pid, at: time)
        }
        return incarnations(of: identity.pid).first { id in
            truth.incarnations[id.rawValue].born <= time
                && (startTicks == 0 || truth.incarnations[id.rawValue].startTicks == startTicks)
        }
    }

    /// Those that had a pid, the newest first.
    private func incarnations(of pid: ProcessID) -> some Sequence<IncarnationID> {
        sequence(state: newestByPID[pid]) { next in
            defer { next = next.flatMap { predecessors[$0.rawValue] } }
            return next
        }
    }

    /// The incarnation with this pid that a message is about, or that lived when it was made.
    private func owner(of pid: ProcessID, in message: TruthMessage) -> IncarnationID? {
        truth.incarnations[message.subject.rawValue].pid == pid
            ? message.subject : incarnation(of: pid, at: message.time)
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

extension TruthIndex {
    /// Seconds after `@0` to the millisecond, rounded, as output lines begin.
    func secondsText(_ instant: Instant) -> String {
        let (milliseconds, _) = (scenarioTime(instant) + 500_000).flooredDivision(by: 1_000_000)
        let (seconds, rest) = milliseconds.flooredDivision(by: 1_000)
        let digits = String(rest)
        return "\(seconds)." + String(repeating: "0", count: 3 - digits.utf8.count) + digits
    }
}
