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

    package init() {}

    var isEmpty: Bool { messages.isEmpty && overflows == 0 }

    package mutating func append(_ message: ConnectorMessage, after loss: ProcessorLoss?) {
        if let loss { losses.append((messages.count, loss)) }
        messages.append(message)
    }

    /// Adds what was read after it.
    mutating func append(contentsOf later: Round) {
        losses += later.losses.map { (messages.count + $0.before, $0.loss) }
        messages += later.messages
        overflows += later.overflows
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
        guard hasExec else { return [] }
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

    /// Whether any message is an EXEC: most rounds of a fork storm have none, and need no plan.
    private var hasExec: Bool {
        messages.contains { if case .exec = $0.event { true } else { false } }
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

    /// What the messages say about each process they speak of: the reason why an earlier look at it proves nothing.
    package func contradictions() -> [Int32: Contradiction] {
        var found: [Int32: Contradiction] = [:]
        for message in messages {
            switch message.event {
            case .fork(_, let child) where child.isLeader:
                found[child.tid.rawValue, default: []].insert(.reborn)
            case .exec(let task): found[task.tgid.rawValue, default: []].insert(.executed)
            case .exit(let task, _, _, _) where task.isLeader:
                found[task.tid.rawValue, default: []].insert(.ended)
            case .comm(let task, _) where task.isLeader:
                found[task.tid.rawValue, default: []].insert(.renamed)
            case .uid(let task, _, _), .gid(let task, _, _):
                found[task.tgid.rawValue, default: []].insert(.changed)
            case .session(let task), .ptrace(let task, _):
                found[task.tgid.rawValue, default: []].insert(.changed)
            default: break
            }
        }
        return found
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
    }
}
