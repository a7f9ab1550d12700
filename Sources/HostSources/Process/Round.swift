package import EventModel
package import KernelFormats

#if MUTANTS
    import CollectorCore
#endif

/// The messages that one drain of the socket gave, in the order of arrival.
package struct Round {
    /// Most messages gathered before they are handled; the rest stays in the kernel's queue.
    static let messageLimit = 65_536

    package var messages: ContiguousArray<ConnectorMessage> = []
    /// Losses, each before the message of its index.
    package var losses: [(before: Int, loss: ProcessorLoss)] = []
    /// How often the socket said that the kernel had dropped something.
    package var overflows = 0
    /// Before the first of these overflows, the last moment at which nothing had been dropped.
    package var calmUntil: Instant?

    package init() {}

    /// Whether something is missing within these messages or around them.
    var hasLoss: Bool { overflows > 0 || !losses.isEmpty }

    var isEmpty: Bool { messages.isEmpty && overflows == 0 }

    package mutating func append(_ message: ConnectorMessage, after loss: ProcessorLoss?) {
        if let loss { losses.append((messages.count, loss)) }
        messages.append(message)
    }

    /// Forgets everything, but keeps room for a few messages.
    mutating func clear() {
        guard messages.capacity <= 256 else { return self = Round() }
        messages.removeAll(keepingCapacity: true)
        losses = []
        overflows = 0
        calmUntil = nil
    }

    /// Adds what was read after it.
    mutating func append(contentsOf later: Round) {
        losses += later.losses.map { (messages.count + $0.before, $0.loss) }
        messages += later.messages
        overflows += later.overflows
        calmUntil = calmUntil ?? later.calmUntil
    }

    /// An EXEC message, and what stands in the way of reading its process now.
    package struct ExecPlan {
        package var index: Int
        package var pid: ProcessID
        /// Something later in the round has made it too late.
        package var obstacle: UnknownReason?
        package var isRenamedLater: Bool
    }

    /// The EXEC messages, in order.
    ///
    /// A process that has already exited would not be found; one that has executed again would show the later image.
    package func planReadings() -> [ExecPlan] {
        switch execCount {
        case 0: []
        case ...Self.searchLimit: messages.indices.compactMap { planReading(at: $0) }
        default: planManyReadings()
        }
    }

    /// Up to so many of them are looked for one by one, which costs less than a table.
    private static let searchLimit = 4

    /// Most rounds of a fork storm have none, and need no plan.
    private var execCount: Int {
        messages.reduce(0) { if case .exec = $1.event { $0 + 1 } else { $0 } }
    }

    private func planReading(at index: Int) -> ExecPlan? {
        guard case .exec(let task) = messages[index].event else { return nil }
        var plan = ExecPlan(index: index, pid: task.tgid, obstacle: nil, isRenamedLater: false)
        for message in messages[(index + 1)...] {
            switch message.event {
            case .exec(let later) where later.tgid == task.tgid:
                #if MUTANTS
                    if Mutation.supersededReadBelieved.isActive { continue }
                #endif
                plan.obstacle = .superseded
                return plan
            case .exit(let later, _, _, _) where later.isLeader && later.tid == task.tgid:
                plan.obstacle = .vanished
                return plan
            case .comm(let later, _) where later.isLeader && later.tid == task.tgid:
                plan.isRenamedLater = true
            default: break
            }
        }
        return plan
    }

    private func planManyReadings() -> [ExecPlan] {
        var plan: [ExecPlan] = []
        var laterEvents: [Int32: (obstacle: UnknownReason?, isRenamed: Bool)] = [:]
        for index in messages.indices.reversed() {
            switch messages[index].event {
            case .exec(let task):
                let pid = task.tgid
                let later = laterEvents[pid.rawValue]
                plan.append(
                    ExecPlan(
                        index: index, pid: pid, obstacle: later?.obstacle,
                        isRenamedLater: later?.isRenamed ?? false))
                #if MUTANTS
                    if Mutation.supersededReadBelieved.isActive { continue }
                #endif
                laterEvents[pid.rawValue] = (.superseded, false)
            case .exit(let task, _, _, _) where task.isLeader:
                laterEvents[task.tid.rawValue] = (.vanished, false)
            case .comm(let task, _) where task.isLeader:
                laterEvents[task.tid.rawValue, default: (nil, false)].isRenamed = true
            default: break
            }
        }
        return plan.reversed()
    }

    /// Indices of EXIT messages of leaders after which the same process executes: exec by another thread.
    package func exitsBeforeExec() -> Set<Int> {
        var found: Set<Int> = []
        var isExecNext: Set<Int32> = []
        for index in messages.indices.reversed() {
            switch messages[index].event {
            case .exec(let task): isExecNext.insert(task.tgid.rawValue)
            case .fork(_, let child): isExecNext.remove(child.tid.rawValue)
            case .exit(let task, _, _, _) where task.isLeader:
                if isExecNext.remove(task.tid.rawValue) != nil { found.insert(index) }
            default: break
            }
        }
        return found
    }

    /// FORK messages, those of threads included.
    var forkCount: UInt64 {
        messages.reduce(0) { if case .fork = $1.event { $0 + 1 } else { $0 } }
    }

    /// The processes whose first threads end, in order, each with the number of its other threads that end later.
    package func leaderExits() -> [(pid: ProcessID, laterThreadExitCount: Int)] {
        var found: [(pid: ProcessID, laterThreadExitCount: Int)] = []
        var threadExits: [Int32: Int] = [:]
        for message in messages.reversed() {
            switch message.event {
            case .exit(let task, _, _, _) where task.isLeader:
                found.append((task.tgid, threadExits.removeValue(forKey: task.tgid.rawValue) ?? 0))
            case .exit(let task, _, _, _): threadExits[task.tgid.rawValue, default: 0] += 1
            case .fork(_, let child) where child.isLeader: threadExits[child.tgid.rawValue] = nil
            default: break
            }
        }
        return found.reversed()
    }

    /// What the messages say about each process they speak of: the reason why an earlier look at it proves nothing.
    package func contradictions() -> Contradictions { Contradictions(messages) }

    /// What a round says about processes, by pid.
    package struct Contradictions {
        /// Up to so many messages are searched, which costs less than a table.
        private static let searchLimit = 8

        private var few: ContiguousArray<ConnectorMessage> = []
        private var many: [Int32: Contradiction] = [:]

        fileprivate init(_ messages: ContiguousArray<ConnectorMessage>) {
            guard messages.count > Self.searchLimit else {
                few = messages
                return
            }
            for message in messages {
                guard let (pid, contradiction) = Contradiction.byMessage(message.event) else { continue }
                many[pid.rawValue, default: []].insert(contradiction)
            }
        }

        /// `nil` for a process of which nothing is said.
        package subscript(pid: Int32) -> Contradiction? {
            if few.isEmpty { return many[pid] }
            var found: Contradiction?
            for message in few {
                guard let (subject, contradiction) = Contradiction.byMessage(message.event),
                    subject.rawValue == pid
                else { continue }
                found = (found ?? []).union(contradiction)
            }
            return found
        }
    }

    /// What happened to a process at about the time at which it was looked at.
    package struct Contradiction: OptionSet {
        package var rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let reborn = Contradiction(rawValue: 1)
        package static let executed = Contradiction(rawValue: 2)
        package static let ended = Contradiction(rawValue: 4)
        package static let renamed = Contradiction(rawValue: 8)
        package static let changed = Contradiction(rawValue: 16)
        /// A thread ended that is not the first: perhaps the last one.
        package static let threadEnded = Contradiction(rawValue: 32)

        fileprivate static func byMessage(_ event: ConnectorEvent) -> (ProcessID, Contradiction)? {
            switch event {
            case .fork(_, let child) where child.isLeader: (child.tid, .reborn)
            case .exec(let task): (task.tgid, .executed)
            case .exit(let task, _, _, _) where task.isLeader: (task.tid, .ended)
            case .exit(let task, _, _, _): (task.tgid, .threadEnded)
            case .comm(let task, _) where task.isLeader: (task.tid, .renamed)
            case .uid(let task, _, _), .gid(let task, _, _): (task.tgid, .changed)
            case .session(let task), .ptrace(let task, _), .coredump(let task, _): (task.tgid, .changed)
            default: nil
            }
        }
    }
}
