package import EventModel
package import KernelFormats

/// One incarnation of a process in the truth: what a pid and a start time only approximate.
package struct IncarnationID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Index into ``TruthLog/incarnations``.
    package var rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    package var description: String { "#\(rawValue)" }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// What became of one kernel message, seen from the connector socket that was opened last.
package enum MessageFate: String, Hashable, Sendable, CaseIterable {
    /// Queued at the socket.
    case delivered
    /// Numbered, but the socket had no room.
    case lost
    /// Numbered, but held back by the mask that the socket asked for.
    case filtered
    /// Numbered, but there was no socket.
    case unheard
    /// Not even numbered: nobody listened.
    case notListened = "not_listened"
}

/// One message of the process connector, as the kernel made it.
package struct TruthMessage: Hashable, Sendable {
    package var processor: UInt32
    /// 0 when nobody listened.
    package var sequence: UInt32
    package var event: ConnectorEvent
    /// The process that the message is about; of a FORK the child, of a thread its process.
    package var subject: IncarnationID
    /// The stamp in the message.
    package var stamp: Instant
    /// When it happened.
    package var time: Instant
    package var fate: MessageFate
}

/// One attribute of a process that took a value.
package enum TruthAttribute: Hashable, Sendable {
    case parent(ProcessID)
    case uid(real: UserID, effective: UserID)
    case gid(real: GroupID, effective: GroupID)
    case session(ProcessID)
    case comm([UInt8])
    /// The path as `exe` shows it, and whether the file has a name.
    case program(link: [UInt8], inode: UInt64, isNamed: Bool)
    /// The bytes of `cmdline`.
    case commandLine([UInt8])
    case cgroup([UInt8])
    case tracer(ProcessID?)
    case threadCount(Int)
    /// All threads have ended, with the word of `wait(2)`.
    case ended(code: UInt32)
    case reaped
}

/// An attribute and since when it holds.
package struct TruthChange: Hashable, Sendable {
    package var time: Instant
    package var attribute: TruthAttribute
}

/// One incarnation and all that it ever was.
package struct TruthIncarnation: Hashable, Sendable {
    package var id: IncarnationID
    package var pid: ProcessID
    /// 1 for the first process that had this pid during the run, and so on: the `#2` of a scenario's `412#2`.
    package var ordinal: Int
    /// `nil` for those that were there when the run started.
    package var parent: IncarnationID?
    package var born: Instant
    package var startTicks: UInt64
    package var pidFDInode: UInt64
    package var isKernelThread: Bool
    /// Inode of the pid namespace.
    package var pidNamespace: UInt64
    /// The innermost pid.
    package var innerPID: ProcessID
    /// Index of its FORK message in ``TruthLog/messages``.
    package var birthMessage: Int?
    /// All threads have ended.
    package var ended: Instant?
    package var exitCode: UInt32?
    /// The pid became free.
    package var reaped: Instant?
    /// In the order in which they happened; begins with every attribute it was born with.
    package var changes: [TruthChange]

    /// The latest value of an attribute at `time` for which `select` gives one.
    package func value<Value>(at time: Instant, _ select: (TruthAttribute) -> Value?) -> Value? {
        var found: Value?
        for change in changes {
            guard change.time <= time else { break }
            if let value = select(change.attribute) { found = value }
        }
        return found
    }

    /// Whether an attribute ever had a value, which is what a reader that raced with a change may report.
    package func ever(_ attribute: TruthAttribute) -> Bool { changes.contains { $0.attribute == attribute } }
}

/// What really happened in a simulated host, for oracles to compare with what a collector says.
package struct TruthLog: Sendable {
    /// Every process there ever was; ``IncarnationID`` is the index. Empty with ``TruthRetention/counts``.
    package private(set) var incarnations: [TruthIncarnation] = []
    /// Every message in the order in which the kernel made them. Only with ``TruthRetention/everything``.
    package private(set) var messages: [TruthMessage] = []
    /// How many messages met each fate, in the order of `MessageFate.allCases`.
    package private(set) var counts: [Int] = Array(repeating: 0, count: MessageFate.allCases.count)
    package private(set) var incarnationCount = 0

    private let retention: TruthRetention
    private var ordinals = PIDTable<Int>()

    /// Changes of a process that is born, executes once and ends.
    private static let usualChangeCount = 14

    init(retention: TruthRetention) { self.retention = retention }

    /// How many messages met this fate.
    package func count(of fate: MessageFate) -> Int { counts[Self.index(fate)] }

    /// How many messages the kernel numbered.
    package var numberedCount: Int { counts.reduce(0, +) - count(of: .notListened) }

    /// The incarnation that a scenario writes as `pid#ordinal`.
    package func incarnation(_ pid: ProcessID, ordinal: Int) -> TruthIncarnation? {
        incarnations.first { $0.pid == pid && $0.ordinal == ordinal }
    }

    package subscript(id: IncarnationID) -> TruthIncarnation { incarnations[id.rawValue] }

    /// The incarnation that a FORK message announced.
    package func incarnation(bornOn processor: UInt32, sequence: UInt32) -> TruthIncarnation? {
        let message = messages.first {
            guard case .fork(_, let child) = $0.event, child.isLeader, $0.fate != .notListened else {
                return false
            }
            return $0.processor == processor && $0.sequence == sequence
        }
        return message.map { self[$0.subject] }
    }

    private static func index(_ fate: MessageFate) -> Int {
        switch fate {
        case .delivered: 0
        case .lost: 1
        case .filtered: 2
        case .unheard: 3
        case .notListened: 4
        }
    }

    // MARK: Written by the world

    mutating func makeIncarnationID() -> IncarnationID {
        defer { incarnationCount += 1 }
        return IncarnationID(rawValue: incarnationCount)
    }

    mutating func add(_ process: ProcessState, parent: IncarnationID?, born: Instant) {
        guard retention != .counts else { return }
        precondition(process.incarnation.rawValue == incarnations.count, "incarnations are added in order")
        let ordinal = (ordinals[process.pid] ?? 0) + 1
        ordinals[process.pid] = ordinal
        var changes: [TruthChange] = []
        if retention == .everything { changes.reserveCapacity(Self.usualChangeCount) }
        incarnations.append(
            TruthIncarnation(
                id: process.incarnation, pid: process.pid, ordinal: ordinal, parent: parent, born: born,
                startTicks: process.startTicks, pidFDInode: process.pidFDInode,
                isKernelThread: process.isKernelThread, pidNamespace: process.pidNamespace,
                innerPID: process.innerPIDs.last ?? process.pid, changes: changes))
        describe(process, at: born)
    }

    /// Notes all attributes anew.
    mutating func describe(_ process: ProcessState, at time: Instant) {
        guard retention == .everything else { return }
        note(process, at: time, .parent(process.ppid))
        note(process, at: time, .uid(real: process.realUID, effective: process.effectiveUID))
        note(process, at: time, .gid(real: process.realGID, effective: process.effectiveGID))
        note(process, at: time, .session(process.session))
        note(process, at: time, .comm(process.comm))
        note(process, at: time, .cgroup(process.cgroup))
        noteProgram(process, at: time)
    }

    mutating func noteProgram(_ process: ProcessState, at time: Instant) {
        guard retention == .everything, let memory = process.memory else { return }
        let file = memory.program
        note(process, at: time, .program(link: file.linkText, inode: file.inode, isNamed: file.linkCount > 0))
        note(process, at: time, .commandLine(Array(memory.commandLine)))
    }

    mutating func note(_ process: ProcessState, at time: Instant, _ attribute: TruthAttribute) {
        guard retention == .everything else { return }
        let index = process.incarnation.rawValue
        incarnations[index].changes.append(TruthChange(time: time, attribute: attribute))
        switch attribute {
        case .ended(let code):
            incarnations[index].ended = time
            incarnations[index].exitCode = code
        case .reaped:
            incarnations[index].reaped = time
        default:
            break
        }
    }

    mutating func add(_ message: TruthMessage) {
        counts[Self.index(message.fate)] += 1
        guard retention == .everything else { return }
        if case .fork(_, let child) = message.event, child.isLeader {
            incarnations[message.subject.rawValue].birthMessage = messages.count
        }
        messages.append(message)
    }
}
