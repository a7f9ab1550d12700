import EventModel
package import HostSources
package import SimulatedBackends

/// The simulated host, as the `host` directive describes it.
package struct HostDescription: Hashable, Sendable {
    /// Major and minor number of the kernel; pidfds have unique inodes since 6.9.
    package var kernelMajor: UInt64 = 6
    package var kernelMinor: UInt64 = 12
    package var processorCount: Int = 2
    /// Clock ticks per second (`sysconf(_SC_CLK_TCK)`).
    package var ticksPerSecond: Int = 100
    package var pidMaximum: Int32 = 32_768
    /// `CLOCK_REALTIME` at the scenario's `@0`, in nanoseconds since 1970; the default is 2026-03-01T00:00:00Z.
    package var wallNanoseconds: Int64 = 1_772_323_200_000_000_000
    /// `CLOCK_BOOTTIME` and `CLOCK_MONOTONIC` at the scenario's `@0`.
    package var uptimeNanoseconds: Int64 = 1_000_000_000_000
    package var hidePID: Int = 0
    /// What the kernel makes of the process connector.
    package var connector = ConnectorAvailability.available
    /// The collector's own user and pid.
    package var uid: UInt32 = 997
    package var ownPID: Int32 = 300
    /// Capabilities of the collector; without `sys_ptrace` other users' details are refused.
    package var capabilities: [String] = ["net_admin", "sys_ptrace", "dac_read_search"]
    /// Virtual time that one backend call takes, at least and at most.
    package var callNanoseconds: ClosedRange<Int64> = 1_000...20_000
}

/// Bounds of the simulated kernel, from the `limit` directive.
package struct WorldLimits: Hashable, Sendable {
    /// `net.core.rmem_max` for who lacks `CAP_NET_ADMIN`.
    package var receiveBufferMaximum: Int?
    /// Open files of the collector (`RLIMIT_NOFILE`).
    package var openFileCount: Int?
    /// `fs.inotify.max_queued_events`, `max_user_watches` and `max_user_instances`.
    package var watchQueue: Int?
    package var watchCount: Int?
    package var watchInstanceCount: Int?
}

/// Settings of the collector under test, from the `config` directive; `nil` leaves the product's default.
package struct CollectorSettings: Hashable, Sendable {
    package var bufferCapacity: Int?
    package var batchCapacity: Int?
    package var batchTimeout: Int64?
    package var queueCapacity: Int?
    /// `block`, `drop-oldest` or `drop-newest` for the subscriber.
    package var queuePolicy: String?
    /// How long the subscriber takes for one batch.
    package var subscriberDelay: Int64?
    package var shutdownTimeout: Int64?
    package var startupTimeout: Int64?
    package var sampleInterval: Int64?
    package var lateReadDelay: Int64?
    package var receiveBuffer: Int?
    /// `nil`: through the connector where there is one, else as the product's default has it. Where there is one, asking it
    /// first would only change the calls of all scenarios.
    package var mode: ProcessSourceMode?
    package var pollInterval: Int64?
    package var pollRate: Int?
    /// How long the world has to be at rest before the table must equal the truth again.
    package var convergence: Int64?
    package var filesystem = FilesystemOptions()
    /// `KEY=VALUE` for each setting of a source that is not the collector's own.
    package var sourceSettings: [String] = []
}

/// Settings of the source that watches files; it runs when there are roots.
package struct FilesystemOptions: Hashable, Sendable {
    package var roots: [[UInt8]] = []
    package var exclusions: [String] = []
    package var hashByteLimit: Int?
    package var hashByteRate: Int?
    package var watchLimit: Int?
    package var settleDelay: Int64?
    package var pollInterval: Int64?
    package var resyncInterval: Int64?
    package var saveInterval: Int64?
    /// Whether files that are there at the beginning make events; without, no oracle knows what the collector knows.
    package var reportsBaseline = true
}

/// In which order the pump runs jobs that are ready.
package enum ScheduleChoice: Hashable, Sendable {
    case fifo
    case random
    /// Probabilistic concurrency testing with this many priority changes.
    case priority(depth: Int)
}

extension HostDescription {
    mutating func read(_ line: inout LineReader) throws(ScenarioError) {
        if let version = try line.parsed("kernel", "a version such as 6.8", Self.version) {
            (kernelMajor, kernelMinor) = version
        }
        if let value = try line.integer(key: "cpus", in: 1...256) { processorCount = Int(value) }
        if let value = try line.integer(key: "hz", in: 1...1_000) { ticksPerSecond = Int(value) }
        if let value = try line.integer(key: "pid_max", in: 301...4_194_304) { pidMaximum = Int32(value) }
        if let value = try line.parsed("boot", "a time such as 2026-03-01T00:00:00Z", Timestamp.nanoseconds) {
            wallNanoseconds = value
        }
        if let value = try line.duration(key: "uptime") { uptimeNanoseconds = value }
        if let value = try line.integer(key: "hidepid", in: 0...2) { hidePID = Int(value) }
        if let value = try line.choice(
            key: "connector", of: ConnectorAvailability.allCases.map(\.rawValue))
        {
            connector = ConnectorAvailability(rawValue: value) ?? connector
        }
        if let value = try line.integer(key: "uid", in: 0...4_294_967_294) { uid = UInt32(value) }
        if let value = try line.pid(key: "pid") { ownPID = value }
        if let value = try line.parsed("caps", "a list such as net_admin,sys_ptrace", Self.capabilities) {
            capabilities = value
        }
        if let value = try line.parsed("call", "a range such as 1us..20us", Self.range) {
            callNanoseconds = value
        }
    }

    private static func version(_ text: String) -> (UInt64, UInt64)? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Quantity.integer($0) }
        guard parts.count >= 2, let major = parts[0], let minor = parts[1] else { return nil }
        return (major, minor)
    }

    private static func capabilities(_ text: String) -> [String]? {
        let known = ["net_admin", "sys_ptrace", "dac_read_search", "none"]
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        return names.allSatisfy(known.contains) ? names.filter { $0 != "none" } : nil
    }

    private static func range(_ text: String) -> ClosedRange<Int64>? {
        guard let separator = text.firstRange(of: "..") else { return nil }
        let low = Quantity.nanoseconds(text[..<separator.lowerBound])
        let high = Quantity.nanoseconds(text[separator.upperBound...])
        guard let low, let high, low >= 0, low <= high else { return nil }
        return low...high
    }
}

extension WorldLimits {
    mutating func read(_ line: inout LineReader) throws(ScenarioError) {
        if let value = try line.byteCount(key: "netlink.rcvbuf") { receiveBufferMaximum = value }
        if let value = try line.integer(key: "fds", in: 1...1_048_576) { openFileCount = Int(value) }
        if let value = try line.integer(key: "watch.queue", in: 1...1_048_576) { watchQueue = Int(value) }
        if let value = try line.integer(key: "watch.count", in: 1...1_048_576) { watchCount = Int(value) }
        if let value = try line.integer(key: "watch.instances", in: 0...128) {
            watchInstanceCount = Int(value)
        }
    }
}

extension CollectorSettings {
    mutating func read(_ line: inout LineReader) throws(ScenarioError) {
        if let value = try line.integer(key: "buffer", in: 1...1_000_000) { bufferCapacity = Int(value) }
        if let value = try line.integer(key: "batch", in: 1...100_000) { batchCapacity = Int(value) }
        if let value = try line.duration(key: "batch.timeout") { batchTimeout = value }
        if let value = try line.integer(key: "queue", in: 1...1_000_000) { queueCapacity = Int(value) }
        if let value = try line.choice(key: "policy", of: ["block", "drop-oldest", "drop-newest"]) {
            queuePolicy = value
        }
        if let value = try line.duration(key: "subscriber.delay") { subscriberDelay = value }
        if let value = try line.duration(key: "shutdown") { shutdownTimeout = value }
        if let value = try line.duration(key: "startup") { startupTimeout = value }
        if let value = try line.duration(key: "sample") { sampleInterval = value }
        if let value = try line.duration(key: "late-read") { lateReadDelay = value }
        if let value = try line.byteCount(key: "rcvbuf") { receiveBuffer = value }
        if let value = try line.choice(key: "mode", of: ProcessSourceMode.allCases.map(\.rawValue)) {
            mode = ProcessSourceMode(rawValue: value)
        }
        if let value = try line.duration(key: "poll.interval") { pollInterval = value }
        if let value = try line.integer(key: "poll.rate", in: 1...1_000_000) { pollRate = Int(value) }
        if let value = try line.duration(key: "converge") { convergence = value }
        try filesystem.read(&line)
        for (key, text) in try line.texts(keyPrefix: "sources.") { sourceSettings.append("\(key)=\(text)") }
    }
}

extension FilesystemOptions {
    mutating func read(_ line: inout LineReader) throws(ScenarioError) {
        if let value = try line.parsed("filesystem.roots", "paths such as /etc,/srv", Self.roots) {
            roots = value
        }
        if let value = try line.parsed(
            "filesystem.exclude", "names or paths such as *.swp,/srv/tmp", Self.list)
        {
            exclusions = value
        }
        if let value = try line.byteCount(key: "filesystem.hash-size") { hashByteLimit = value }
        if let value = try line.byteCount(key: "filesystem.hash-rate") { hashByteRate = value }
        if let value = try line.integer(key: "filesystem.watches", in: 1...1_048_576) {
            watchLimit = Int(value)
        }
        if let value = try line.duration(key: "filesystem.settle") { settleDelay = value }
        if let value = try line.duration(key: "filesystem.poll") { pollInterval = value }
        if let value = try line.duration(key: "filesystem.resync") { resyncInterval = value }
        if let value = try line.duration(key: "filesystem.save") { saveInterval = value }
        if let value = try line.choice(key: "filesystem.baseline", of: ["on", "off"]) {
            reportsBaseline = value == "on"
        }
    }

    private static func list(_ text: String) -> [String]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        return parts.allSatisfy { !$0.isEmpty } ? parts : nil
    }

    private static func roots(_ text: String) -> [[UInt8]]? {
        guard let parts = list(text), parts.allSatisfy({ $0.hasPrefix("/") }) else { return nil }
        return parts.map { Array($0.utf8) }
    }
}

/// Points of time as RFC 3339 writes them.
enum Timestamp {
    /// Reads `2026-03-01T00:00:00Z` (UTC, whole seconds) as nanoseconds since 1970; `nil` for anything else.
    static func nanoseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        let pattern = Array("0000-00-00T00:00:00Z".utf8)
        guard bytes.count == pattern.count else { return nil }
        for (byte, expected) in zip(bytes, pattern) {
            let isFine = expected == UInt8(ascii: "0") ? byte.isDigit : byte == expected
            guard isFine else { return nil }
        }
        func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) } }
        let (month, day) = (number(5..<7), number(8..<10))
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        guard (1970...2200).contains(number(0..<4)), (1...12).contains(month), (1...31).contains(day),
            hour < 24,
            minute < 60, second < 60
        else { return nil }
        let days = CivilDate(year: number(0..<4), month: month, day: day).daysSinceEpoch
        return (days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000_000
    }
}
