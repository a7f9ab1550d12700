/// A process as one event saw it.
///
/// Every field that can be absent is optional, and ``provenance`` says how the others were learnt.
public struct ProcessEvent: Hashable, Sendable {
    /// Which incarnation of the pid it is.
    public var identity: ProcessIdentity
    /// The parent's pid at the time of the event.
    public var ppid: ProcessID?
    /// `comm`: at most 15 bytes, chosen by the process itself; `nil` when not known.
    public var name: String?
    /// The executable's path as the kernel names it, without the suffix ` (deleted)`.
    public var executablePath: String?
    /// The argument vector as it stands in the process's memory; the process can overwrite it.
    public var commandLine: [String]
    /// Whether ``commandLine`` was cut at ``Limits/commandLineByteCount`` or ``Limits/argumentCount``.
    public var isCommandLineTruncated: Bool
    /// How many values in ``commandLine`` were replaced by `[redacted]` when it was read, because they look like secrets.
    public var redactedCount: Int
    /// When the process was made, by the wall clock as it stands now.
    public var startTime: WallTime?
    /// Start time in clock ticks since boot (`proc(5)`, field 22 of `stat`).
    public var startTicks: UInt64?
    /// Share of one CPU over the last sampling interval, in percent (100 = one CPU).
    public var cpuUsage: Double?
    /// Resident set size in bytes.
    public var memoryUsage: UInt64?
    /// Lower-case hexadecimal digest of the executable; set if and only if ``hashAlgorithm`` is.
    public var executableHash: String?
    /// The algorithm of ``executableHash``.
    public var hashAlgorithm: HashAlgorithm?
    /// Effective user id.
    public var uid: UserID?
    /// Effective group id.
    public var gid: GroupID?
    /// Real user id, where a message or a read told it apart from ``uid``.
    public var realUID: UserID?
    /// The session, by the pid of its leader.
    public var session: ProcessID?
    /// The control group's path.
    public var cgroup: String?
    /// Where that says the process runs; `nil` as long as its control groups have not been read, as ``cgroup`` is.
    public var container: ContainerMembership?
    /// Inode of the pid namespace.
    public var pidNamespace: UInt64?
    /// `false` when the kernel refused to show the process's details.
    public var isAccessible: Bool
    /// `false` when the executable has been unlinked; `nil` when not known.
    public var executableExists: Bool?
    /// Whether it is a thread of the kernel: it has no executable and no arguments.
    public var isKernelThread: Bool
    /// Whether it has ended and waits for its parent.
    public var isZombie: Bool
    /// Two incarnations of the pid could not be told apart: a scan without pidfs within one clock tick, or messages that
    /// were lost while the pid may have changed hands.
    public var isAmbiguous: Bool
    /// How it ended, in a `process.exit` event.
    public var exit: ProcessExit?
    /// The process that attached with ptrace; `nil` in a `process.ptrace` event means detached.
    public var tracer: ProcessID?
    /// Fields that differ from what was last reported, in a `process.modified` event; which of the ids the message was
    /// about, `uid` or `gid`, in a `process.setid` event.
    public var modifiedFields: [ProcessField]
    /// Why it deserves a look, in a `process.suspicious` event.
    public var suspicion: Suspicion?
    /// The identifier that other tools compute alike; absent rather than wrong.
    public var cpid: CommonProcessID?
    /// Which incarnation the parent is.
    public var parent: ProcessIdentity?
    /// Parent first, at most ``Limits/ancestorCount``.
    public var ancestors: [ProcessIdentity]
    /// How the fields were learnt.
    public var provenance: ProcessProvenance

    /// An event of which only the identity is known.
    public init(identity: ProcessIdentity) {
        self.identity = identity
        commandLine = []
        isCommandLineTruncated = false
        redactedCount = 0
        isAccessible = true
        isKernelThread = false
        isZombie = false
        isAmbiguous = false
        modifiedFields = []
        ancestors = []
        provenance = ProcessProvenance()
    }

    /// The pid.
    public var pid: ProcessID { identity.pid }
}

/// How a process ended, decoded from `exit_code` of the kernel (`wait(2)`).
public struct ProcessExit: Hashable, Sendable {
    /// The status passed to `exit(2)`, 0 ... 255; `nil` when a signal ended the process.
    public var status: UInt8?
    /// The signal that ended the process, 1 ... 64.
    public var signal: UInt8?
    /// Whether the kernel dumped core.
    public var isCoreDumped: Bool
    /// The end was seen by a scan after messages were lost: status and signal are unknown.
    public var isInferred: Bool

    /// Makes an end from its parts.
    public init(status: UInt8?, signal: UInt8?, isCoreDumped: Bool, isInferred: Bool) {
        self.status = status
        self.signal = signal
        self.isCoreDumped = isCoreDumped
        self.isInferred = isInferred
    }

    /// Decodes the kernel's word: signal in bits 0-6, core flag in bit 7, status in bits 8-15.
    public init(code: UInt32) {
        let signal = UInt8(code & 0x7f)
        self.init(
            status: signal == 0 ? UInt8(truncatingIfNeeded: code >> 8) : nil,
            signal: signal == 0 ? nil : signal,
            isCoreDumped: code & 0x80 != 0,
            isInferred: false)
    }

    /// An end that no message told of.
    public static let inferred = ProcessExit(status: nil, signal: nil, isCoreDumped: false, isInferred: true)
}

/// A digest algorithm. MD5 and SHA-1 are deliberately missing.
public enum HashAlgorithm: String, Hashable, Sendable, CaseIterable {
    /// SHA-256 (FIPS 180-4).
    case sha256
    /// SHA3-256 (FIPS 202).
    case sha3_256 = "sha3-256"
    /// BLAKE3 with 32 bytes of output.
    case blake3
}

/// A field that a `process.modified` or `process.setid` event can name.
public enum ProcessField: String, Hashable, Sendable, CaseIterable {
    /// Named as in JSON.
    case name, exe, cmdline, uid, gid, session, ppid, cgroup
    /// The pid namespace.
    case pidNamespace = "pid_namespace"
}

/// Why a process deserves a look, and how much.
public struct Suspicion: Hashable, Sendable {
    /// What is odd.
    public var reason: SuspicionReason
    /// How much it matters.
    public var severity: Severity

    /// Makes a suspicion from its parts.
    public init(reason: SuspicionReason, severity: Severity) {
        self.reason = reason
        self.severity = severity
    }
}

/// What is odd about a process.
public enum SuspicionReason: String, Hashable, Sendable, CaseIterable {
    /// The executable lives in an anonymous memory file (`memfd_create(2)`).
    case executedFromMemory = "executed_from_memory"
    /// The executable was already unlinked when it was executed.
    case executedDeletedFile = "executed_deleted_file"
    /// The executable lies below a folder that every user may write to.
    case executedFromWorldWritable = "executed_from_world_writable"
    /// An unprivileged process became root.
    case becameRoot = "became_root"
    /// The name imitates a kernel thread.
    case masqueradesAsKernelThread = "masquerades_as_kernel_thread"
    /// The start time lies in the future.
    case startsInFuture = "starts_in_future"
    /// The start time lies before that of the parent or before the boot.
    case startsTooEarly = "starts_too_early"
}

/// How much something matters, least first.
public enum Severity: String, Hashable, Comparable, Sendable, CaseIterable {
    /// In ascending order.
    case low, medium, high, critical

    /// Whether `a` matters less than `b`.
    public static func < (a: Self, b: Self) -> Bool {
        guard let left = allCases.firstIndex(of: a), let right = allCases.firstIndex(of: b) else {
            return false
        }
        return left < right
    }
}

/// How the fields of a ``ProcessEvent`` were learnt.
public struct ProcessProvenance: Hashable, Sendable {
    /// Of ``ProcessEvent/name``.
    public var name: Provenance = .absent
    /// Of ``ProcessEvent/executablePath``.
    public var exe: Provenance = .absent
    /// Of ``ProcessEvent/commandLine``.
    public var cmdline: Provenance = .absent
    /// Of ``ProcessEvent/ppid``.
    public var ppid: Provenance = .absent
    /// Of ``ProcessEvent/uid``.
    public var uid: Provenance = .absent
    /// Of ``ProcessEvent/gid``.
    public var gid: Provenance = .absent
    /// Of ``ProcessEvent/session``.
    public var session: Provenance = .absent
    /// Of ``ProcessEvent/startTime``.
    public var startTime: Provenance = .absent
    /// Of ``ProcessEvent/cgroup``.
    public var cgroup: Provenance = .absent
    /// Of ``ProcessEvent/pidNamespace``.
    public var pidNamespace: Provenance = .absent
    /// Of ``ProcessEvent/memoryUsage``.
    public var memory: Provenance = .absent
    /// Of ``ProcessEvent/cpid``.
    public var cpid: Provenance = .absent

    /// Nothing was looked for.
    public init() {}

    /// Field names as in JSON with their provenance, in a fixed order.
    public var labelled: [(field: String, provenance: Provenance)] {
        [
            ("name", name), ("exe", exe), ("cmdline", cmdline), ("ppid", ppid), ("uid", uid), ("gid", gid),
            ("session", session), ("start_time", startTime), ("cgroup", cgroup),
            ("pid_namespace", pidNamespace), ("memory_bytes", memory), ("cpid", cpid),
        ]
    }
}
