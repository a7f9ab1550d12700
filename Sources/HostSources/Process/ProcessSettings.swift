package import EventModel

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
    package var rules = ProcessRules()
    /// Whether secrets in arguments are replaced before anything else sees them.
    package var redactsArguments = true
    /// Names of options and variables whose values are secrets, beside those that are known.
    package var secretNames: [String] = []
    /// Folders that every user may write to; an executable below one is suspicious.
    package var worldWritableFolders = ["/tmp/", "/var/tmp/", "/dev/shm/"]

    package init() {}
}

/// Which processes make events.
///
/// With includes, a process must match one of them; a process that matches an exclude makes none either way.
package struct ProcessRules: Sendable {
    package var include: [ProcessRule] = []
    package var exclude: [ProcessRule] = []

    package init() {}

    package var isEmpty: Bool { include.isEmpty && exclude.isEmpty }

    package func admits(_ process: ProcessEvent) -> Bool {
        if !include.isEmpty, !include.contains(where: { $0.matches(process) }) { return false }
        return !exclude.contains { $0.matches(process) }
    }
}

/// One condition on a process.
package enum ProcessRule: Hashable, Sendable {
    case exe(String)
    case name(String)
    case uid(UserID)

    /// Reads `exe:/path`, `name:comm` or `uid:1000`.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let value = String(text[text.index(after: colon)...])
        guard !value.isEmpty else { return nil }
        switch text[..<colon] {
        case "exe" where value.hasPrefix("/"): self = .exe(value)
        case "name": self = .name(value)
        case "uid":
            guard let number = UInt32(value) else { return nil }
            self = .uid(UserID(number))
        default: return nil
        }
    }

    package func matches(_ process: ProcessEvent) -> Bool {
        switch self {
        case .exe(let path): Self.isSame(path, process.executablePath)
        case .name(let name): Self.isSame(name, process.name)
        case .uid(let uid): process.uid == uid
        }
    }

    /// Compares bytes, never what Unicode considers equal: nobody slips into an exclude with another spelling.
    private static func isSame(_ text: String, _ other: String?) -> Bool {
        other.map { text.utf8.elementsEqual($0.utf8) } ?? false
    }
}
