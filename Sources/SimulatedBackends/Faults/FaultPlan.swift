package import EventModel

package import struct SystemPackage.Errno

/// What an injected fault does to the call it strikes.
///
/// Which call can suffer what is in ``BackendOperation/faultKinds``; elsewhere a behaviour has no effect.
package enum FaultBehaviour: Hashable, Sendable {
    /// The call fails and has no effect. `EINTR` is an interruption: the backend repeats the call.
    case errno(Errno)
    /// At most this many bytes or datagrams are delivered or taken at a time, at least one.
    case short(Int)
    /// Virtual time passes within the call, the world goes on, then the call proceeds. A wait ends that much later.
    case stall(Duration)
    /// The process that the call is about, or that is at the other end of the connection, is killed and reaped first.
    case diesBeforeRead
    /// The first queued datagram is queued twice (a netlink receive only).
    case duplicate
    /// Power fails within the call, at a seeded step: see ``SimulatedDisk`` (`file.replace` only).
    case crash
    /// The call finds nothing, as at the end of a file.
    case endOfFile
    /// One seeded bit of what is read is wrong.
    case corrupt
    /// Two neighbouring datagrams of different processors, about processes that have nothing to do with each other, arrive
    /// in the other order.
    case reorder
    /// The wait ends at once though there is nothing.
    case spurious
}

extension FaultBehaviour {
    /// Whether the caller is left with less than there was, or with it later, and has to catch up.
    fileprivate var isHarmful: Bool {
        switch self {
        case .errno(let code): code != .interrupted && code != .resourceTemporarilyUnavailable
        case .endOfFile, .corrupt, .diesBeforeRead, .crash, .stall: true
        default: false
        }
    }
}

/// When a fault happens, and which.
///
/// All conditions that are set must hold. ``nth``, ``every`` and ``probability`` apply to the calls that match the others.
package struct FaultRule: Hashable, Sendable {
    package var operation: BackendOperation
    package var pid: ProcessID?
    /// A file's or link's name: `stat`, `exe`, `ns/pid`, or the name of a durable file; of sockets, whose call it is.
    package var file: String?
    /// Virtual time, half open.
    package var during: Range<Instant>?
    /// Only the n-th matching call, counted from 1.
    package var nth: Int?
    /// Every n-th matching call.
    package var every: Int?
    /// 0 ... 1.
    package var probability: Double?
    /// Once it has struck, it strikes every call that matches ``operation``, ``pid`` and ``file`` for this long.
    package var lasting: Duration?
    /// Once it has struck, it strikes so many such calls in a row, the first included.
    package var times: Int?
    package var behaviour: FaultBehaviour

    package init(_ operation: BackendOperation, _ behaviour: FaultBehaviour) {
        self.operation = operation
        self.behaviour = behaviour
    }
}

/// The faults of a run, in order: the first rule that applies to a call decides, except that stalls go together with
/// what follows them.
package struct FaultPlan: Hashable, Sendable {
    package var rules: [FaultRule]

    package init(_ rules: [FaultRule] = []) { self.rules = rules }
}

/// A fault plan at work: counts matching calls and firings.
struct FaultInjector {
    private let rules: [FaultRule]
    private var matches: [Int]
    /// What is left of a rule that strikes on: how many calls, and until when.
    private var rest: [(times: Int, until: Instant)]
    /// How often each rule has fired.
    private(set) var firings: [Int]
    /// When a fault last took or hid something, instead of only delaying it.
    private(set) var lastHarm: Instant?
    private var generator: SeededGenerator
    /// One bit for each operation that a rule is about.
    private let operations: UInt64
    /// The rules about each operation, in order.
    private let rulesByOperation: [[Int]]

    init(_ plan: FaultPlan, seed: UInt64) {
        rules = plan.rules
        operations = plan.rules.reduce(0) { $0 | 1 << $1.operation.index }
        rulesByOperation = BackendOperation.allCases.map { operation in
            plan.rules.indices.filter { plan.rules[$0].operation == operation }
        }
        matches = Array(repeating: 0, count: plan.rules.count)
        firings = matches
        rest = Array(repeating: (0, Instant(nanoseconds: .min)), count: plan.rules.count)
        generator = SeededGenerator(seed: seed, stream: .fault)
    }

    /// A rule that struck a call.
    struct Firing {
        var rule: Int
        var count: Int
        var behaviour: FaultBehaviour
    }

    /// Whether any rule is about this operation: mostly none is, and then a call need not ask further.
    func hasRules(for operation: BackendOperation) -> Bool { operations >> operation.index & 1 == 1 }

    /// The faults of one call: any stalls and interruptions, then at most one other.
    mutating func strike(_ operation: BackendOperation, pid: ProcessID?, file: String?, now: Instant)
        -> [Firing]
    {
        guard hasRules(for: operation) else { return [] }
        var struck: [Firing] = []
        var isDecided = false
        // Every rule counts the calls that match it, also when an earlier one decides.
        for index in rulesByOperation[Int(operation.index)]
        where applies(index, pid, file, now) && !isDecided {
            firings[index] += 1
            if rules[index].behaviour.isHarmful { lastHarm = now }
            struck.append(Firing(rule: index, count: firings[index], behaviour: rules[index].behaviour))
            switch rules[index].behaviour {
            case .stall, .errno(.interrupted): continue
            default: isDecided = true
            }
        }
        return struck
    }

    private mutating func applies(
        _ index: Int, _ pid: ProcessID?, _ file: String?, _ now: Instant
    ) -> Bool {
        if let wanted = rules[index].pid, wanted != pid { return false }
        if let wanted = rules[index].file, wanted != file { return false }
        if rest[index].times > 0 || now < rest[index].until {
            rest[index].times = max(0, rest[index].times - 1)
            return true
        }
        guard begins(index, now) else { return false }
        rest[index].times = max(0, (rules[index].times ?? 1) - 1)
        if let lasting = rules[index].lasting { rest[index].until = now.advanced(by: lasting) }
        return true
    }

    /// Whether a matching call is one with which the rule begins to strike.
    private mutating func begins(_ index: Int, _ now: Instant) -> Bool {
        if let during = rules[index].during, !during.contains(now) { return false }
        matches[index] += 1
        if let nth = rules[index].nth, matches[index] != nth { return false }
        if let every = rules[index].every, every > 0, !matches[index].isMultiple(of: every) { return false }
        if let probability = rules[index].probability { return generator.happens(probability) }
        return true
    }
}
