/// The system calls that a process makes, each with the reason why it needs it: one table, from which come the filter of
/// the running process, the list of the service manager and the page for people.
package struct SyscallPolicy: Hashable, Sendable {
    /// When a call is made.
    package struct Phases: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Before the filter: everything is opened, and privileges are given up.
        package static let open = Phases(rawValue: 1)
        /// Until every source is ready.
        package static let start = Phases(rawValue: 2)
        /// While sources run.
        package static let run = Phases(rawValue: 4)
        /// While settings are read anew.
        package static let reload = Phases(rawValue: 8)
        /// From the signal to the end.
        package static let stop = Phases(rawValue: 16)
        /// All of the time in which the filter is in force.
        package static let filtered: Phases = [.start, .run, .reload, .stop]
        package static let always: Phases = [.open, .filtered]

        /// `start, run`; in the order of time.
        package var text: String {
            let names = ["open", "start", "run", "reload", "stop"]
            let made = names.indices.filter { rawValue & 1 << UInt8($0) != 0 }
            return made.map { names[$0] }.joined(separator: ", ")
        }
    }

    /// What one argument of a call must be.
    package struct Match: Hashable, Sendable {
        package enum Value: Hashable, Sendable {
            case equal(UInt64)
            /// The argument's bits in `mask` are `value`.
            case masked(mask: UInt64, UInt64)
            /// The number of the process that installs the filter.
            case ownProcess
        }

        /// Counted from 0.
        package var argument: UInt32
        package var value: Value

        package init(_ argument: UInt32, _ value: Value) {
            self.argument = argument
            self.value = value
        }
    }

    /// One permission.
    package struct Rule: Hashable, Sendable {
        package var name: String
        package var phases: Phases
        /// A call needs all matches of one of these; `nil` allows every call. Only pointers and contents of memory cannot
        /// be looked at.
        package var arguments: [[Match]]?
        /// ``arguments`` for a person; empty without them.
        package var limits: String
        package var reason: String

        package init(
            _ name: String, _ phases: Phases, arguments: [[Match]]? = nil, limits: String = "", reason: String
        ) {
            self.name = name
            self.phases = phases
            self.arguments = arguments
            self.limits = limits
            self.reason = reason
        }
    }

    /// A call that libraries make in good faith and can do without: it fails, and the process goes on.
    package struct Refusal: Hashable, Sendable {
        package var name: String
        /// Which calls; `nil` for every one.
        package var matches: [Match]?
        /// ``matches`` for a person; empty without them.
        package var limits: String
        package var errno: Int32
        package var reason: String

        package init(
            _ name: String, matches: [Match]? = nil, limits: String = "", errno: Int32, reason: String
        ) {
            self.name = name
            self.matches = matches
            self.limits = limits
            self.errno = errno
            self.reason = reason
        }
    }

    package var rules: [Rule]
    package var refusals: [Refusal]

    package init(rules: [Rule], refusals: [Refusal]) {
        self.rules = rules
        self.refusals = refusals
    }

    /// The rules of the filter: without what is needed only before it.
    package var filteredRules: [Rule] { rules.filter { !$0.phases.isDisjoint(with: .filtered) } }
}

// MARK: - For the service manager, for people

extension SyscallPolicy {
    /// The names of all calls, for `SystemCallFilter=` of a unit: what is needed before the filter is among them.
    package var unitNames: [String] { Set(rules.map(\.name)).sorted() }

    /// Two tables in Markdown: what is allowed, and what fails.
    package var markdown: String {
        var text = "| call | when | limited to | needed for |\n| --- | --- | --- | --- |\n"
        for rule in rules.sorted(by: { $0.name < $1.name }) {
            text += "| `\(rule.name)` | \(rule.phases.text) | \(rule.limits) | \(rule.reason) |\n"
        }
        text += "\n| call | which | fails with | why it does not end the process |\n"
        text += "| --- | --- | --- | --- |\n"
        for refusal in refusals.sorted(by: { $0.name < $1.name }) {
            text += "| `\(refusal.name)` | \(refusal.limits.isEmpty ? "every" : refusal.limits) | "
            text += "\(Self.errnoNames[refusal.errno] ?? "\(refusal.errno)") | \(refusal.reason) |\n"
        }
        return text
    }

    private static let errnoNames: [Int32: String] = [1: "EPERM", 13: "EACCES", 38: "ENOSYS"]
}
