package import EventModel

/// Which processes make events, compiled once.
///
/// With includes, a process must match one of them; a process that matches an exclude makes no events either way. What is not
/// known matches nothing: the control group is read when a process has lived for a while, so until then it is that of the
/// parent or none, and a rule on it takes effect with the first event after it is known.
package struct ProcessRules: Sendable {
    /// Most rules whose hits are counted by themselves; those of all others are counted together.
    package static let countedRuleCount = 64

    package var include: [ProcessRule] = [] {
        didSet { includes = CompiledRules(include) }
    }
    package var exclude: [ProcessRule] = [] {
        didSet { excludes = CompiledRules(exclude) }
    }
    private var includes = CompiledRules([])
    private var excludes = CompiledRules([])

    package init() {}

    package var isEmpty: Bool { include.isEmpty && exclude.isEmpty }

    /// Whether the rules say the same about a new child as about its parent, from which it has everything they look at.
    var treatChildrenAlike: Bool { !includes.asksForParent && !excludes.asksForParent }

    /// What the rules say about a process.
    package enum Decision: Hashable, Sendable {
        case admitted
        /// No include matches.
        case notIncluded
        /// The exclude at this place matches; where several do, it is one of them.
        case excluded(Int)
    }

    /// - Parameter parentPath: The executable of the process that made it.
    package func decide(on process: ProcessEvent, parentPath: String?) -> Decision {
        if !include.isEmpty, includes.match(process, parentPath) == nil { return .notIncluded }
        return excludes.match(process, parentPath).map { .excluded($0) } ?? .admitted
    }

    /// The reason under which messages of such processes are counted as filtered.
    package func reason(of decision: Decision) -> String? {
        switch decision {
        case .admitted: nil
        case .notIncluded: "not included"
        case .excluded(let index) where index < Self.countedRuleCount: "exclude \(exclude[index])"
        case .excluded: "exclude others"
        }
    }
}

/// One condition on a process.
///
/// Texts are compared as bytes, never as what Unicode considers equal: nobody slips into an exclude with another spelling.
package enum ProcessRule: Hashable, Sendable {
    case exe(TextPattern)
    case name(TextPattern)
    case uid(ClosedRange<UInt32>)
    case gid(ClosedRange<UInt32>)
    case cgroup(TextPattern)
    /// The executable of the process that made it, as it was known then, or when the process was found.
    case parent(TextPattern)

    /// A text, or with an asterisk behind it the beginning of one.
    package struct TextPattern: Hashable, Sendable, CustomStringConvertible {
        package var text: String
        package var isPrefix: Bool

        /// - Returns: `nil` for nothing, for a NUL, and for more than `byteCount` bytes, which could never match.
        init?(_ text: Substring, byteCount: Int) {
            isPrefix = text.utf8.last == 0x2a
            self.text = String(isPrefix ? text.dropLast() : text)
            guard !text.isEmpty, !text.utf8.contains(0), self.text.utf8.count <= byteCount else { return nil }
        }

        package var description: String { isPrefix ? text + "*" : text }
    }

    /// Reads `exe:/path`, `name:comm`, `uid:1000` or `uid:1000-1999`, `gid:...`, `cgroup:/path` or `parent:/path`; an asterisk at
    /// the end of a text stands for whatever follows.
    ///
    /// - Returns: `nil` for what is none of these, and for what could never match.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let value = text[text.index(after: colon)...]
        switch text[..<colon] {
        case "exe": self.init(path: value, Self.exe)
        case "parent": self.init(path: value, Self.parent)
        case "cgroup": self.init(path: value, Self.cgroup)
        case "name":
            // The kernel cuts names: no process has a longer one.
            guard let pattern = TextPattern(value, byteCount: Limits.commByteCount) else { return nil }
            self = .name(pattern)
        case "uid": self.init(numbers: value, Self.uid)
        case "gid": self.init(numbers: value, Self.gid)
        default: return nil
        }
    }

    private init?(path: Substring, _ make: (TextPattern) -> Self) {
        guard path.utf8.first == 0x2f, let pattern = TextPattern(path, byteCount: Limits.pathByteCount) else {
            return nil
        }
        self = make(pattern)
    }

    private init?(numbers: Substring, _ make: (ClosedRange<UInt32>) -> Self) {
        let parts = numbers.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = parts.first.flatMap(Self.number), let last = parts.last.flatMap(Self.number),
            parts.count <= 2, first <= last
        else { return nil }
        self = make(first...last)
    }

    /// Digits only; no signs.
    private static func number(_ text: Substring) -> UInt32? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt32(text) : nil
    }
}

extension ProcessRule: CustomStringConvertible {
    /// The text that ``init(_:)`` reads.
    package var description: String {
        switch self {
        case .exe(let pattern): "exe:\(pattern)"
        case .name(let pattern): "name:\(pattern)"
        case .uid(let range): "uid:\(Self.text(range))"
        case .gid(let range): "gid:\(Self.text(range))"
        case .cgroup(let pattern): "cgroup:\(pattern)"
        case .parent(let pattern): "parent:\(pattern)"
        }
    }

    private static func text(_ range: ClosedRange<UInt32>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }
}
