package import EventModel

/// A task as the proc connector names it: the thread and the process it belongs to.
///
/// The kernel's words are the other way round: its `process_pid` is the thread id, its `process_tgid` the process id.
package struct ConnectorTask: Hashable, Sendable {
    /// Thread id (`process_pid`, `task->pid`).
    package var tid: ProcessID
    /// Process id (`process_tgid`, `task->tgid`).
    package var tgid: ProcessID

    package init(tid: ProcessID, tgid: ProcessID) {
        self.tid = tid
        self.tgid = tgid
    }

    /// The main thread of a process.
    package init(leaderOf pid: ProcessID) {
        self.init(tid: pid, tgid: pid)
    }

    /// Whether the task is the main thread of its process.
    package var isLeader: Bool { tid == tgid }

    /// Whether both ids are 0: no task at all, as in the tracer of a detach.
    package var isNone: Bool { tid.rawValue == 0 && tgid.rawValue == 0 }
}

/// What a message of the proc connector reports (`struct proc_event`, `include/uapi/linux/cn_proc.h`).
package enum ConnectorEvent: Hashable, Sendable {
    /// `PROC_EVENT_NONE`: the answer to a request; 0, or a positive `errno` (`EPERM`, `EINVAL`).
    case acknowledgement(error: UInt32)
    /// A process or a thread has begun; `parent` is the real parent, for a thread that of its whole process.
    case fork(parent: ConnectorTask, child: ConnectorTask)
    case exec(ConnectorTask)
    case uid(ConnectorTask, real: UserID, effective: UserID)
    case gid(ConnectorTask, real: GroupID, effective: GroupID)
    /// The task has become the leader of a session of its own (`setsid(2)`).
    case session(ConnectorTask)
    /// A tracer has attached, or detached: then ``ConnectorTask/isNone`` holds for `tracer`.
    case ptrace(ConnectorTask, tracer: ConnectorTask)
    case comm(ConnectorTask, name: TaskComm)
    /// The task begins to dump core; `parent` is `nil` where the kernel does not tell (before Linux 4.18).
    case coredump(ConnectorTask, parent: ConnectorTask?)
    /// The task has ended. `code` is the word of `wait(2)`; `signal` goes to the parent, -1 for a thread.
    ///
    /// `parent` is `nil` where the kernel does not tell: before Linux 4.18, and for a task already unhashed.
    case exit(ConnectorTask, code: UInt32, signal: Int32, parent: ConnectorTask?)
    /// A kind that a newer kernel has added; its payload is not kept.
    case unknown(what: UInt32)

    /// The kind as the kernel numbers it (`enum what`).
    package var what: UInt32 {
        switch self {
        case .acknowledgement: 0
        case .fork: ConnectorEventMask.fork.rawValue
        case .exec: ConnectorEventMask.exec.rawValue
        case .uid: ConnectorEventMask.uid.rawValue
        case .gid: ConnectorEventMask.gid.rawValue
        case .session: ConnectorEventMask.session.rawValue
        case .ptrace: ConnectorEventMask.ptrace.rawValue
        case .comm: ConnectorEventMask.comm.rawValue
        case .coredump: ConnectorEventMask.coredump.rawValue
        case .exit: ConnectorEventMask.exit.rawValue
        case .unknown(let what): what
        }
    }
}

/// Kinds of connector events, as `enum what` gives each a bit.
package struct ConnectorEventMask: OptionSet, Hashable, Sendable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let fork = Self(rawValue: 0x0000_0001)
    package static let exec = Self(rawValue: 0x0000_0002)
    package static let uid = Self(rawValue: 0x0000_0004)
    package static let gid = Self(rawValue: 0x0000_0040)
    package static let session = Self(rawValue: 0x0000_0080)
    package static let ptrace = Self(rawValue: 0x0000_0100)
    package static let comm = Self(rawValue: 0x0000_0200)
    /// Exits whose code is not 0; only ever part of a mask, never the kind of a message.
    package static let nonzeroExit = Self(rawValue: 0x2000_0000)
    package static let coredump = Self(rawValue: 0x4000_0000)
    package static let exit = Self(rawValue: 0x8000_0000)

    /// Every kind that Linux 6.18 knows (`PROC_EVENT_ALL`).
    package static let all: Self = [
        .fork, .exec, .uid, .gid, .session, .ptrace, .comm, .nonzeroExit, .coredump, .exit,
    ]

    /// Whether a listener with this mask is sent `event` (`cn_filter` in `drivers/connector/cn_proc.c`).
    ///
    /// With a mask other than ``all`` acknowledgements are held back too.
    package func admits(_ event: ConnectorEvent) -> Bool {
        if self == .all { return true }
        if contains(.nonzeroExit), case .exit(_, let code, _, _) = event, code != 0 { return true }
        return rawValue & event.what != 0
    }
}

/// The name of a task in a COMM message: 16 bytes, of which at most 15 count (`TASK_COMM_LEN`).
///
/// Kept in two words, so that a message needs no memory of its own.
package struct TaskComm: Hashable, Sendable {
    /// Bytes 0 to 7 and 8 to 15, the first in the lowest bits; 0 from the terminating NUL on.
    private var low: UInt64
    private var high: UInt64

    /// Takes the bytes before the first NUL, at most ``Limits/commByteCount``, as the kernel does on `prctl(2)`.
    package init(_ name: some Sequence<UInt8>) {
        low = 0
        high = 0
        var shift: UInt64 = 0
        for byte in name.prefix(Limits.commByteCount) {
            if byte == 0 { return }
            if shift < 64 { low |= UInt64(byte) << shift } else { high |= UInt64(byte) << (shift - 64) }
            shift += 8
        }
    }

    /// Takes the 16 bytes of the message; what follows the first NUL is dropped.
    init(low: UInt64, high: UInt64) {
        // The bits of all bytes below the first zero byte: borrow-free search, one subtraction per word.
        let lowMask = Self.maskBeforeNul(low)
        self.low = low & lowMask
        self.high = lowMask == .max ? high & Self.maskBeforeNul(high) & 0x00ff_ffff_ffff_ffff : 0
    }

    private static func maskBeforeNul(_ word: UInt64) -> UInt64 {
        // Sets the top bit of each zero byte; the lowest one set is exact (Warren, Hacker's Delight, 6-1).
        let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
        return zeros == 0 ? .max : (zeros & (0 &- zeros)) >> 7 &- 1
    }

    /// The name without padding; any bytes but NUL.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for word in [low, high] {
            for shift: UInt64 in stride(from: 0, to: 64, by: 8) {
                let byte = UInt8(truncatingIfNeeded: word >> shift)
                if byte == 0 { return bytes }
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// Appends all 16 bytes, zeros after the name.
    func append(to bytes: inout OutputSpan<UInt8>) {
        bytes.append(doubleWord: low)
        bytes.append(doubleWord: high)
    }
}
