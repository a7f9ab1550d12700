/// How the process source works.
package struct ProcessSourceSettings: Sendable {
    /// How long a process must live before its dear files (`status`, `cgroup`) are read.
    package var lateReadDelay: Duration = .milliseconds(100)
    /// How often CPU and memory of every tracked process are sampled.
    package var sampleInterval: Duration = .seconds(30)
    /// Least time between two resyncs, so that a storm of losses does not become a storm of scans.
    package var resyncInterval: Duration = .seconds(1)
    /// `sysconf(_SC_CLK_TCK)`: 100 on every Linux architecture in use.
    package var clockTicksPerSecond: UInt64 = 100
    /// `sysconf(_SC_PAGESIZE)`.
    package var pageByteCount: UInt64 = 4_096
    /// What the connector's receive buffer was set to: messages are left to gather only where there is room for them.
    package var receiveBufferByteCount = 8 << 20
    /// Without the connector: how often all processes shall be looked at.
    package var pollInterval: Duration = .seconds(1)
    /// Without the connector: most files and links of `/proc` opened in a second, on average.
    package var pollRate = 3_000
    package var rules = ProcessRules()
    /// Whether secrets in arguments are replaced before anything else sees them.
    package var redactsArguments = true
    /// Names of options and variables whose values are secrets, beside those that are known.
    package var secretNames: [String] = []
    /// Folders that every user may write to; an executable below one is suspicious.
    package var worldWritableFolders = ["/tmp/", "/var/tmp/", "/dev/shm/"]

    package init() {}
}
