package import CollectorCore
package import Configuration
import EventModel
package import HostSources

/// Every setting of `collectord`: the one table behind `--set`, its checks, and `config explain`.
package enum HostSettings {
    /// All settings at once.
    package static let table = table()

    /// All settings, and those of sources that are not the collector's own.
    package static func table(adding sources: [SourceDefinition] = []) -> SettingsTable {
        SettingsTable(
            [collector, processSource, filesystemSource, control, stateAndHardening]
                + sources.map(\.settings),
            constraints: constraints + socketPathLengths)
    }

    private static let constraints: [SettingsConstraint] = [
        SettingsConstraint(keys: [maxBatchSize.key, eventBufferSize.key]) {
            $0[maxBatchSize] <= $0[eventBufferSize]
        } message: {
            "expected \(maxBatchSize.key) (\($0[maxBatchSize])) to be at most "
                + "\(eventBufferSize.key) (\($0[eventBufferSize])): a larger batch could never fill"
        },
        SettingsConstraint(keys: [restartDelay.key, maxRestartDelay.key]) {
            $0[restartDelay] <= $0[maxRestartDelay]
        } message: {
            "expected \(restartDelay.key) (\($0[restartDelay])) to be at most "
                + "\(maxRestartDelay.key) (\($0[maxRestartDelay]))"
        },
    ]

    private static let collector: [Setting] = [
        maxEventSources.setting, eventBufferSize.setting, shutdownTimeout.setting, startupTimeout.setting,
        maxBatchSize.setting, batchTimeout.setting, backpressureThreshold.setting,
        maxBackpressureWait.setting, componentName.setting, healthCheckInterval.setting,
        enableDebugLogging.setting, enableTelemetry.setting, telemetryInterval.setting,
        restartDelay.setting, maxRestartDelay.setting, maxRestarts.setting, restartWindow.setting,
    ]

    private static let processSource: [Setting] = [
        processEnabled.setting, processMode.setting, pollInterval.setting, pollRate.setting,
        receiveBuffer.setting, sampleInterval.setting, lateReadDelay.setting,
        exclude.setting, include.setting, worldWritable.setting, redact.setting, redactNames.setting,
    ]

    private static let stateAndHardening: [Setting] = [
        stateDirectory.setting, seccomp.setting, capabilities.setting,
    ]
}

// MARK: - collector

extension HostSettings {
    package static let maxEventSources = TypedSetting.integer(
        "collector.max_event_sources", default: 16, range: 1...1_024, unit: "sources", reload: .atRestart,
        "Most event sources that may be registered at a time.")
    package static let eventBufferSize = TypedSetting.integer(
        "collector.event_buffer_size", default: 1_000, range: 1...1_000_000, unit: "events",
        reload: .atRestart,
        "Events of one source that may wait between emission and the bus. More ride out longer "
            + "bursts and cost memory."
    )
    package static let shutdownTimeout = TypedSetting.duration(
        "collector.shutdown_timeout", default: .seconds(30), range: .milliseconds(1) ... .seconds(3_600),
        reload: .atRestart,
        "Time for sources to stop, for queues to drain and for subscribers to finish. What is "
            + "left then is counted and reported."
    )
    package static let startupTimeout = TypedSetting.duration(
        "collector.startup_timeout", default: .seconds(10), range: .milliseconds(1) ... .seconds(3_600),
        reload: .atRestart,
        "Time for a source to report that it is ready. It bounds the start only; a source lives "
            + "until it is stopped."
    )
    package static let maxBatchSize = TypedSetting.integer(
        "collector.max_batch_size", default: 100, range: 1...65_535, unit: "events", reload: .atRestart,
        "Most events that go to subscribers together.")
    package static let batchTimeout = TypedSetting.duration(
        "collector.batch_timeout", default: .milliseconds(100), range: .milliseconds(1) ... .seconds(60),
        reload: .atRestart, "How long an event may wait for its batch to fill.")
    package static let backpressureThreshold = TypedSetting.percentage(
        "collector.backpressure_threshold", default: Percentage(80), range: Percentage(1)...Percentage(100),
        reload: .atRestart,
        "How full a source's buffer is when the source is told, as a share of "
            + "collector.event_buffer_size.")
    package static let maxBackpressureWait = TypedSetting.duration(
        "collector.max_backpressure_wait", default: .milliseconds(500),
        range: .milliseconds(1) ... .seconds(60),
        reload: .atRestart,
        "How long a source waits for room in its buffer before its policy decides what is "
            + "dropped and counted."
    )
    package static let componentName = TypedSetting.string(
        "collector.component_name", default: "collector-core", rule: .nonEmpty, secrecy: .open,
        reload: .atRestart, "The name of this collector in its records about itself.")
    package static let healthCheckInterval = TypedSetting.duration(
        "collector.health_check_interval", default: .seconds(60),
        range: .milliseconds(10) ... .seconds(86_400), reload: .whileRunning,
        "How often each source is asked how it is. A source that has failed or does not answer twice in a row "
            + "is stopped and started again.")
    package static let enableDebugLogging = TypedSetting.boolean(
        "collector.enable_debug_logging", default: false, reload: .whileRunning,
        "Whether decisions about sources, checks and the steps of stopping are written to standard error.")
    package static let enableTelemetry = TypedSetting.boolean(
        "collector.enable_telemetry", default: true, reload: .whileRunning,
        "Whether subscribers regularly get a record of what the collector uses: CPU time, memory, "
            + "descriptors, queues and delays.")
    package static let telemetryInterval = TypedSetting.duration(
        "collector.telemetry_interval", default: .seconds(30), range: .milliseconds(10) ... .seconds(86_400),
        reload: .whileRunning, "How often the record of collector.enable_telemetry is made.")
}

// MARK: - collector, restarts of sources

extension HostSettings {
    package static let restartDelay = TypedSetting.duration(
        "collector.restart_delay", default: .seconds(1), range: .milliseconds(1) ... .seconds(3_600),
        reload: .atRestart,
        "How long a source that has failed waits before it is started again. Doubles with each restart "
            + "within collector.restart_window.")
    package static let maxRestartDelay = TypedSetting.duration(
        "collector.max_restart_delay", default: .seconds(60), range: .milliseconds(1) ... .seconds(3_600),
        reload: .atRestart, "The longest time that a source that has failed waits before it is started again."
    )
    package static let maxRestarts = TypedSetting.integer(
        "collector.max_restarts", default: 5, range: 0...1_000, unit: "restarts", reload: .atRestart,
        "Most restarts of one source within collector.restart_window; one more failure is final.")
    package static let restartWindow = TypedSetting.duration(
        "collector.restart_window", default: .seconds(600), range: .seconds(1) ... .seconds(86_400),
        reload: .atRestart, "The time over which collector.max_restarts counts.")
}

// MARK: - sources.process

extension HostSettings {
    package static let processEnabled = TypedSetting.boolean(
        "sources.process.enabled", default: true, reload: .atRestart, "Whether processes are watched.")
    package static let processMode = TypedSetting<ProcessSourceMode>.choice(
        "sources.process.mode", default: .auto, reload: .atRestart,
        "Whether processes are watched through the kernel's proc connector, which tells of each at once, or by looking "
            + "at /proc from time to time, which misses those that live too short and tells how many at most. "
            + "auto: through the connector where it answers, else by looking.")
    package static let pollInterval = TypedSetting.duration(
        "sources.process.poll_interval", default: .seconds(1),
        range: .milliseconds(50) ... .seconds(3_600), reload: .whileRunning,
        "Without the connector: how often /proc is listed and, as far as sources.process.poll_rate allows, every "
            + "process looked at.")
    package static let pollRate = TypedSetting.integer(
        "sources.process.poll_rate", default: 3_000, range: 10...1_000_000, unit: "files/s",
        reload: .whileRunning,
        "Without the connector: most files of /proc that are read in a second. A look at one process takes about "
            + "five. When this does not suffice for sources.process.poll_interval, health says how long a turn "
            + "through all processes takes.")
    package static let receiveBuffer = TypedSetting.byteCount(
        "sources.process.receive_buffer", default: .mebibytes(8), range: .kibibytes(4) ... .gibibytes(1),
        reload: .atRestart,
        "Receive buffer asked of the kernel for process messages. When it is full, the kernel "
            + "drops messages; each loss is counted and becomes a gap record. More than "
            + "net.core.rmem_max takes CAP_NET_ADMIN."
    )
    package static let sampleInterval = TypedSetting.duration(
        "sources.process.sample_interval", default: .seconds(30),
        range: .milliseconds(100) ... .seconds(86_400),
        reload: .whileRunning, "How often CPU time and memory of every process are sampled.")
    package static let lateReadDelay = TypedSetting.duration(
        "sources.process.late_read_delay", default: .milliseconds(100),
        range: .milliseconds(1) ... .seconds(60),
        reload: .whileRunning,
        "How long a process must live before the files that are dear to read are read. "
            + "Shorter-lived processes inherit those fields from their parent."
    )
    package static let exclude = TypedSetting.list(
        "sources.process.exclude", default: [], rule: processRule, reload: .whileRunning,
        "Processes that make no events; their messages are counted as filtered, by rule. Rules are exe:/path, "
            + "name:, uid:1000 or uid:1000-1999, gid:, cgroup:/path and parent:/path of the executable that made "
            + "the process; a path or name that ends with an asterisk stands for all that begin so. What is "
            + "not known yet matches no rule.")
    package static let include = TypedSetting.list(
        "sources.process.include", default: [], rule: processRule, reload: .whileRunning,
        "If not empty, only processes that match one of these rules, and no rule of "
            + "sources.process.exclude, make events."
    )
    package static let worldWritable = TypedSetting.list(
        "sources.process.world_writable", default: ["/tmp/", "/var/tmp/", "/dev/shm/"], rule: folder,
        reload: .whileRunning,
        "Folders that every user may write to. Executing a file below one of them is reported "
            + "as suspicious.")

    package static let redact = TypedSetting.boolean(
        "sources.process.redact", default: true, reload: .atRestart,
        "Whether secrets in the arguments of processes are replaced by [redacted] before anything else sees them: values "
            + "of options, variables and headers such as --password or API_TOKEN, passwords in URLs, and tokens."
    )
    package static let redactNames = TypedSetting.list(
        "sources.process.redact_names", default: [], rule: secretName, reload: .atRestart,
        "Names of further options and variables whose values are secrets. Case, dashes, underscores and dots "
            + "are ignored: launch-code stands for --launch-code and LAUNCH_CODE, too.")

    private static let secretName = TextRule(
        expected: "a name of letters, digits, \"-\", \"_\" and \".\", at most 64 bytes long"
    ) { text in
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy { byte in
                byte == 0x2d || byte == 0x2e || byte == 0x5f || (0x30...0x39).contains(byte)
                    || (0x61...0x7a).contains(byte | 0x20)
            } && text.utf8.contains { $0 != 0x2d && $0 != 0x2e && $0 != 0x5f }
    }

    private static let processRule = TextRule(
        expected:
            "a rule: exe:, parent: or cgroup: with an absolute path, name: with at most "
            + "\(Limits.commByteCount) bytes (an asterisk at the end of these stands for anything), "
            + "or uid: or gid: with a number or two as in 1000-1999"
    ) { ProcessRule($0) != nil }

    private static let folder = TextRule(expected: "an absolute path that ends with \"/\"") {
        $0.hasPrefix("/") && $0.hasSuffix("/") && !$0.utf8.contains(0)
    }
}

// MARK: - state, hardening

extension HostSettings {
    package static let stateDirectory = TypedSetting.string(
        "state.directory", default: "/var/lib/collector-core", rule: .absolutePath, secrecy: .open,
        reload: .atRestart,
        "Where the number of the run and the last kernel sequences are kept, so that the next "
            + "run can state what it missed."
    )
    package static let seccomp = TypedSetting<SeccompPolicy>.choice(
        "hardening.seccomp", default: .enforce, reload: .atRestart,
        "What happens on a system call that the collector does not need: it is refused, told on standard error, and ends "
            + "the collector (enforce); it goes through, and the kernel logs it (log); or no filter is installed (off)."
    )
    package static let capabilities = TypedSetting.list(
        "hardening.capabilities", default: ["net_admin", "sys_ptrace", "dac_read_search"],
        rule: .oneOf(["net_admin", "sys_ptrace", "dac_read_search"]), reload: .atRestart,
        "Capabilities kept after everything is open; all others are given up for good. "
            + "net_admin: receive buffers beyond net.core.rmem_max. sys_ptrace: executables of other "
            + "users' processes. dac_read_search: files whose mode forbids reading."
    )

    /// What a system call outside the filter's list does.
    package enum SeccompPolicy: String, Hashable, Sendable, CaseIterable {
        case enforce, log, off
    }
}
