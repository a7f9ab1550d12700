import EventModel

/// How the filesystem source works.
package struct FilesystemSourceSettings: Sendable {
    package var rules = FileRules()
    /// Whether files that are there when the source begins make events of their own.
    package var reportsBaseline = false
    /// Whether contents are hashed.
    package var hashes = true
    /// Largest file that is hashed, in bytes.
    package var hashSizeLimit: UInt64 = 64 << 20
    /// Bytes a second that are read for hashing.
    package var hashByteRate: UInt64 = 32 << 20
    /// How long an event waits for its hash: a change is worth more soon than with a hash.
    ///
    /// One that the budget cannot serve in that time is told at once. 64 MiB take a second at the default rate.
    package var hashPatience: Duration = .seconds(2)
    /// Most folders that are watched.
    package var watchLimit = 1_048_576
    /// `fs.inotify.max_user_watches`, where known.
    package var kernelWatchLimit: UInt64?
    /// How long a file that is being written may stay so before it is told as modified.
    package var settleDelay: Duration = .seconds(1)
    /// How long the second half of a rename is waited for.
    package var renameWindow: Duration = .milliseconds(10)
    /// How often folders without a watch are looked at instead.
    package var pollInterval: Duration = .seconds(60)
    /// Least time between two rescans of everything.
    package var resyncInterval: Duration = .seconds(1)
    /// How often a changed index is kept.
    package var saveInterval: Duration = .seconds(300)

    package init() {}
}

/// Why a file makes no events.
package enum FileExclusion: Hashable, Sendable {
    /// It is the collector's own.
    case own
    /// A rule leaves it out: under this name it is counted.
    case rule(String)

    /// The name in the account.
    package var label: String {
        switch self {
        case .own: "self"
        case .rule(let label): label
        }
    }
}

/// Which files make no events, and are not even known.
package struct FileRules: Sendable {
    private struct Rule {
        var bytes: [UInt8]
        /// Under which name its records are counted.
        var label: String
    }

    private var patterns: [Rule] = []
    private var paths: [Rule] = []
    private var ownPaths: [[UInt8]] = []

    /// The first rules are counted one by one, the others together.
    package static let countedRuleCount = 64

    package init() {}

    private func label(of text: String) -> String {
        patterns.count + paths.count < Self.countedRuleCount ? "exclude \(text)" : "exclude others"
    }

    /// Adds an absolute path, which stands for all below it, or a pattern for names: `*` for any bytes, `?` for one.
    ///
    /// - Returns: Whether it was one of these; a name has no slash and at most 255 bytes.
    package mutating func exclude(_ text: String) -> Bool {
        var bytes = Array(text.utf8)
        guard !bytes.isEmpty, !bytes.contains(0), bytes.count < Limits.pathByteCount else { return false }
        if bytes[0] == 0x2f {
            while bytes.count > 1, bytes.last == 0x2f { bytes.removeLast() }
            guard bytes.count > 1 else { return false }
            paths.append(Rule(bytes: bytes, label: label(of: text)))
            return true
        }
        guard !bytes.contains(0x2f), bytes.count <= Limits.fileNameByteCount else { return false }
        patterns.append(Rule(bytes: bytes, label: label(of: text)))
        return true
    }

    /// Adds a folder of the collector's own: an absolute path.
    package mutating func excludeOwn(_ path: [UInt8]) { ownPaths.append(path) }

    /// Whether ``exclude(_:)`` takes it.
    package static func isRule(_ text: String) -> Bool {
        var rules = FileRules()
        return rules.exclude(text)
    }

    /// Whether paths matter, too: what a folder holds can then become excluded by a rename.
    package var hasPaths: Bool { !paths.isEmpty || !ownPaths.isEmpty }

    /// Why a name makes no events; `nil` when it does.
    ///
    /// What is in an excluded folder needs no answer: nobody looks into it.
    /// - Parameter path: The absolute path, asked for only when it matters.
    package func reason(against name: [UInt8], path: () -> [UInt8]) -> FileExclusion? {
        if let rule = patterns.first(where: { Self.matches($0.bytes, name) }) { return .rule(rule.label) }
        if ownPaths.contains(where: { Self.isNamed($0, name) }), ownPaths.contains(path()) { return .own }
        guard paths.contains(where: { Self.isNamed($0.bytes, name) }) else { return nil }
        let path = path()
        return paths.first { $0.bytes == path }.map { .rule($0.label) }
    }

    /// Whether the last component of a path is `name`.
    private static func isNamed(_ path: [UInt8], _ name: [UInt8]) -> Bool {
        path.count > name.count && path[path.count - name.count - 1] == 0x2f
            && path[(path.count - name.count)...].elementsEqual(name)
    }

    /// Linear but for the last asterisk that is tried again: no pattern makes it slow.
    private static func matches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
        var (position, other) = (0, 0)
        var retry: (pattern: Int, name: Int)?
        while other < name.count {
            if position < pattern.count, pattern[position] == 0x2a {
                retry = (position + 1, other)
                position += 1
            } else if position < pattern.count, pattern[position] == 0x3f || pattern[position] == name[other]
            {
                position += 1
                other += 1
            } else if let last = retry {
                retry = (last.pattern, last.name + 1)
                (position, other) = (last.pattern, last.name + 1)
            } else {
                return false
            }
        }
        return pattern[position...].allSatisfy { $0 == 0x2a }
    }
}
