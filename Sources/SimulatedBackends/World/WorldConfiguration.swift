package import EventModel

/// Everything about a simulated host that stays the same during a run.
///
/// The same configuration, scenario and build give the same run.
package struct WorldConfiguration: Hashable, Sendable {
    /// Where all chance comes from.
    package var seed: UInt64 = 1
    package var policy: SchedulingPolicy = .random
    package var limits = SimulationLimits()
    /// Steps of the trace to keep whole (``SimulationReport/captured``), for comparing two runs step by step.
    package var captureRange: Range<Int> = 0..<0

    package var kernel = KernelVersion(major: 6, minor: 8)
    /// Number of online processors, 1 ... 64.
    package var processorCount: UInt32 = 2
    /// Processors on which the collector may not run (`cpuset(7)`): announcing there gives `EINVAL`.
    package var forbiddenProcessors: [UInt32] = []
    /// Clock ticks per second of `/proc` (`sysconf(_SC_CLK_TCK)`).
    package var clockTicksPerSecond: UInt64 = 100
    /// Pids are below this number (`/proc/sys/kernel/pid_max`).
    package var pidMaximum: Int32 = 32_768
    /// `CLOCK_REALTIME` at the moment of the boot.
    package var bootWall = WallTime(nanoseconds: 1_772_323_200_000_000_000)
    package var bootID = BootID(high: 0x5ec0_11ec_7000_4000, low: 0x8000_0000_0000_0001)
    /// `CLOCK_MONOTONIC` at the start of the run.
    package var start = Instant(nanoseconds: 0)
    /// How long the host was suspended before the start of the run: `CLOCK_BOOTTIME` is ahead by this.
    package var suspendedBeforeStart: Duration = .zero

    package var hidepid: HidePID = .off
    /// The collector itself.
    package var ownProcessID = ProcessID(900)
    package var ownUserID = UserID(0)
    package var ownCapabilities: Set<SimulatedCapability> = [.networkAdministration, .ptrace, .readAnyFile]
    package var connector: ConnectorAvailability = .available
    /// `net.core.rmem_max`, what a request without CAP_NET_ADMIN is cut to, in bytes.
    package var receiveBufferMaximum = 212_992
    /// `net.core.rmem_default`, the buffer a socket starts with, in bytes.
    package var receiveBufferDefault = 212_992
    /// Most open handles of the collector (`RLIMIT_NOFILE`); beyond it, `EMFILE`.
    package var descriptorLimit = 1_024

    /// Most records that an inotify instance queues (`fs.inotify.max_queued_events`).
    package var watchQueueLimit = 16_384
    /// Most watches of a user (`fs.inotify.max_user_watches`).
    package var watchLimit = 1_048_576
    /// Most inotify instances of a user (`fs.inotify.max_user_instances`).
    package var watchInstanceLimit = 128

    /// `net.core.wmem_default`, what the bytes that a peer has not read may take of each end's buffer.
    package var socketSendBuffer = 212_992
    /// Most clients that may wait for a listener (`net.core.somaxconn`).
    package var socketBacklogMaximum = 4_096

    /// Virtual time that one call of a backend takes, drawn anew for each.
    package var callCost: ClosedRange<Duration> = .microseconds(1) ... .microseconds(20)
    /// Time from the first visible change of an `execve(2)` to its EXEC message, drawn anew for each.
    package var execDuration: ClosedRange<Duration> = .zero ... .microseconds(60)
    /// How far apart the clocks of a message's stamp and of its sending may be: makes stamps of different processors
    /// come out of order, as they do on a real host.
    package var stampJitter: ClosedRange<Duration> = .zero ... .microseconds(2)
    /// How late timers fire; never early.
    package var timerLateness: ClosedRange<Duration> = .zero ... .zero
    /// How long init takes to reap an orphan that ended.
    package var initReapDelay: Duration = .microseconds(200)
    /// Whether ``TruthLog`` keeps every message or only its counts.
    package var truthRetention: TruthRetention = .everything

    package init(seed: UInt64 = 1) { self.seed = seed }
}

/// What ends a simulation that does not end by itself.
package struct SimulationLimits: Hashable, Sendable {
    /// Most jobs of one run.
    package var jobCount = 50_000_000
    /// Most jobs at one instant of virtual time: more is a livelock.
    package var jobCountPerInstant = 100_000
    /// Most backend calls of one job: more is a loop that never suspends, and traps.
    package var callCountPerJob = 20_000_000
    /// Latest virtual time.
    package var end = Instant(nanoseconds: .max)

    package init() {}
}

/// A kernel release, as far as behaviour depends on it.
package struct KernelVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var major: Int
    package var minor: Int

    package init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads `6.8` or `6.8.0-45`; `nil` for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1].prefix { $0.isNumber })
        else {
            return nil
        }
        guard (2...99).contains(major), (0...999).contains(minor) else { return nil }
        self.init(major: major, minor: minor)
    }

    package var description: String { "\(major).\(minor)" }

    package static func < (a: Self, b: Self) -> Bool { (a.major, a.minor) < (b.major, b.minor) }

    /// Since 6.9 every pidfd of a process has an inode of its own (pidfs).
    package var hasPIDFS: Bool { self >= KernelVersion(major: 6, minor: 9) }
    /// Until 6.5 subscribing to the process connector took CAP_NET_ADMIN (`cn_proc.c`).
    package var letsAnyoneSubscribe: Bool { self >= KernelVersion(major: 6, minor: 6) }
    /// Since 6.16 opening a file of `/proc/PID` that shows memory fails at once if there is none (`proc_mem_open`).
    package var refusesMissingMemory: Bool { self >= KernelVersion(major: 6, minor: 16) }
}

/// The `hidepid` mount option of procfs (`proc(5)`).
package enum HidePID: String, Hashable, Sendable, CaseIterable {
    /// Everybody sees everything.
    case off = "0"
    /// Processes of others are listed, but nothing below them opens: `EPERM`.
    case noAccess = "1"
    /// Processes of others are not listed and nothing below them exists: `ENOENT`.
    case invisible = "2"
    /// Only what could be traced is there at all.
    case ptraceable = "4"
}

/// A capability that changes what the collector may see.
package enum SimulatedCapability: String, Hashable, Sendable, CaseIterable {
    case networkAdministration = "net_admin"
    case ptrace = "sys_ptrace"
    case readAnyFile = "dac_read_search"
}

/// What the kernel makes of the process connector.
package enum ConnectorAvailability: String, Hashable, Sendable, CaseIterable {
    case available
    /// Built without `CONFIG_CONNECTOR`: no socket (`EPROTONOSUPPORT`).
    case missing
    /// Built without `CONFIG_PROC_EVENTS` or in a foreign network namespace: sending gives `ECONNREFUSED`.
    case refusing
    /// The collector lives in another pid or user namespace: requests are ignored without a word.
    case silent
}

/// How much the truth log keeps.
package enum TruthRetention: String, Hashable, Sendable {
    case everything
    /// Who had which pid, but neither messages nor what became of attributes: all that scenarios refer to.
    case lives
    /// Only counts, for long runs: memory does not grow with events.
    case counts
}
