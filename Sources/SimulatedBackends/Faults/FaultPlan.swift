package import EventModel

package import struct SystemPackage.Errno

/// A call into the simulated host, by the name that fault rules and traces use.
package enum BackendOperation: String, Hashable, Sendable, CaseIterable {
    case procfsList = "procfs.list"
    /// Opening `/proc/PID` itself.
    case procfsDirectory = "procfs.directory"
    /// Opening a file, of a process or of the system.
    case procfsOpen = "procfs.open"
    case procfsRead = "procfs.read"
    case procfsReadLink = "procfs.readlink"
    case procfsStatus = "procfs.status"
    case procfsThreads = "procfs.threads"
    case procfsPIDFD = "procfs.pidfd"
    case netlinkOpen = "netlink.open"
    case netlinkReceive = "netlink.recv"
    case netlinkSend = "netlink.send"
    case netlinkWait = "netlink.wait"
    case netlinkBuffer = "netlink.rcvbuf"
    case fenceProcessors = "fence.processors"
    case fenceAnnounce = "fence.announce"
    case fileRead = "file.read"
    case fileReplace = "file.replace"

    /// Position among all operations.
    ///
    /// Spelled out because every call asks for it.
    var index: UInt64 {
        switch self {
        case .procfsList: 0
        case .procfsDirectory: 1
        case .procfsOpen: 2
        case .procfsRead: 3
        case .procfsReadLink: 4
        case .procfsStatus: 5
        case .procfsThreads: 6
        case .procfsPIDFD: 7
        case .netlinkOpen: 8
        case .netlinkReceive: 9
        case .netlinkSend: 10
        case .netlinkWait: 11
        case .netlinkBuffer: 12
        case .fenceProcessors: 13
        case .fenceAnnounce: 14
        case .fileRead: 15
        case .fileReplace: 16
        }
    }

    init?(index: UInt64) {
        guard index < UInt64(Self.allCases.count) else { return nil }
        self = Self.allCases[Int(index)]
    }
}

/// What an injected fault does to the call it strikes.
package enum FaultBehaviour: Hashable, Sendable {
    /// The call fails and has no effect.
    case errno(Errno)
    /// At most this many bytes, datagrams or entries are delivered, at least one.
    case short(Int)
    /// Virtual time passes within the call, the world goes on, then the call proceeds.
    case stall(Duration)
    /// The process that the call is about is killed and reaped first.
    case diesBeforeRead
    /// The first queued datagram is queued twice (a netlink receive only).
    case duplicate
    /// Power fails within the call, at a seeded step: see ``SimulatedDisk`` (`file.replace` only).
    case crash
}

/// When a fault happens, and which.
///
/// All conditions that are set must hold. `nth`, `every` and `probability` apply to the calls that match the others.
package struct FaultRule: Hashable, Sendable {
    package var operation: BackendOperation
    package var pid: ProcessID?
    /// A file's or link's name: `stat`, `exe`, `ns/pid`, or the name of a durable file.
    package var file: String?
    /// Virtual time, half open.
    package var during: Range<Instant>?
    /// Only the n-th matching call, counted from 1.
    package var nth: Int?
    /// Every n-th matching call.
    package var every: Int?
    /// 0 ... 1.
    package var probability: Double?
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
    /// How often each rule has fired.
    private(set) var firings: [Int]
    private var generator: SeededGenerator

    init(_ plan: FaultPlan, seed: UInt64) {
        rules = plan.rules
        matches = Array(repeating: 0, count: plan.rules.count)
        firings = matches
        generator = SeededGenerator(seed: seed, stream: .fault)
    }

    /// A rule that struck a call.
    struct Firing {
        var rule: Int
        var count: Int
        var behaviour: FaultBehaviour
    }

    /// The faults of one call: any stalls, then at most one other.
    mutating func strike(_ operation: BackendOperation, pid: ProcessID?, file: String?, now: Instant)
        -> [Firing]
    {
        guard !rules.isEmpty else { return [] }
        var struck: [Firing] = []
        var isDecided = false
        // Every rule counts the calls that match it, also when an earlier one decides.
        for index in rules.indices where applies(index, operation, pid, file, now) && !isDecided {
            firings[index] += 1
            struck.append(Firing(rule: index, count: firings[index], behaviour: rules[index].behaviour))
            if case .stall = rules[index].behaviour { continue }
            isDecided = true
        }
        return struck
    }

    private mutating func applies(
        _ index: Int, _ operation: BackendOperation, _ pid: ProcessID?, _ file: String?, _ now: Instant
    ) -> Bool {
        let rule = rules[index]
        guard rule.operation == operation else { return false }
        if let wanted = rule.pid, wanted != pid { return false }
        if let wanted = rule.file, wanted != file { return false }
        if let during = rule.during, !during.contains(now) { return false }
        matches[index] += 1
        if let nth = rule.nth, matches[index] != nth { return false }
        if let every = rule.every, every > 0, !matches[index].isMultiple(of: every) { return false }
        if let probability = rule.probability { return generator.happens(probability) }
        return true
    }
}
