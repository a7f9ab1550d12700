package import SimulatedBackends

/// A line of `when`: something that happens at a time.
package struct WhenLine: Hashable, Sendable {
    package var number: Int
    /// Nanoseconds after the scenario's `@0` on `CLOCK_MONOTONIC`.
    package var time: Int64
    package var action: WhenAction

    package init(number: Int, time: Int64, action: WhenAction) {
        self.number = number
        self.time = time
        self.action = action
    }
}

/// What can happen.
package enum WhenAction: Hashable, Sendable {
    // The collector and who operates it.
    case start
    case stop(signal: StopSignal)
    case account
    /// Stopped in order, then started again after a while.
    case restart(downtime: Int64)

    // Processes.
    case fork(parent: ProcessReference, child: Int32?, isReuse: Bool, keepsStartTick: Bool)
    case exec(ProcessReference, Execution)
    case exit(ProcessReference, code: UInt8, signal: UInt8?)
    case reap(ProcessReference)
    case setUID(ProcessReference, UInt32)
    case setGID(ProcessReference, UInt32)
    case setSession(ProcessReference)
    case setName(ProcessReference, [UInt8])
    case setTitle(ProcessReference, [UInt8])
    case thread(ThreadAction)
    case ptraceAttach(tracer: ProcessReference, target: ProcessReference)
    case ptraceDetach(ProcessReference)
    case coredump(ProcessReference, signal: UInt8)
    case burst(Burst)
    case hide(ProcessReference)
    case unlink([UInt8])
    case file(FileAction)

    // The kernel and its clocks.
    case stepRealtime(nanoseconds: Int64)
    case suspend(nanoseconds: Int64)
    /// A message that claims to come from the connector but was sent by a process.
    case forge(ForgedKind, pid: Int32, port: UInt32)
}

package enum StopSignal: String, Hashable, Sendable, CaseIterable {
    case terminate = "SIGTERM"
    case interrupt = "SIGINT"
}

package enum ForgedKind: String, Hashable, Sendable, CaseIterable {
    case fork, exec, exit
}

/// What a process executes.
package struct Execution: Hashable, Sendable {
    package var executable: [UInt8]
    package var arguments: [[UInt8]]
    /// `nil`: the last component of the executable's path.
    package var name: [UInt8]?
    /// The executable is an anonymous memory file (`memfd_create(2)`).
    package var isMemoryFile: Bool
}

package enum ThreadAction: Hashable, Sendable {
    case create(ProcessReference, tid: Int32?)
    case exit(ProcessReference, tid: Int32)
    /// A thread that is not the leader executes: it takes over the leader's pid.
    case exec(ProcessReference, tid: Int32, Execution)
    /// `pthread_exit` in the main thread while others live on.
    case leaderExits(ProcessReference)
}

/// Many short lives, evenly spread.
package struct Burst: Hashable, Sendable {
    package var parent: ProcessReference
    package var count: Int
    /// Between the first fork and the last exit.
    package var span: Int64
    /// `nil`: the children do not execute anything.
    package var executable: [UInt8]?
}

extension WhenLine {
    static let verbs =
        [
            "start", "stop", "account", "restart", "fork", "exec", "exit", "kill", "reap", "setuid", "setgid",
            "setsid",
            "comm", "title", "thread", "ptrace", "coredump", "burst", "hide", "unlink", "clock", "forge",
        ] + FileLines.whenVerbs

    init(_ reader: inout LineReader) throws(ScenarioError) {
        number = reader.line
        let verb = try reader.verb(of: Self.verbs)
        time = try reader.requiredTime()
        guard time >= 0 else { throw reader.error("expected a time that is not negative", column: 3) }
        action = try WhenAction(verb: verb, &reader)
        try reader.finish()
    }
}

extension WhenAction {
    init(verb: String, _ reader: inout LineReader) throws(ScenarioError) {
        switch verb {
        case "start": self = .start
        case "stop":
            let known = StopSignal.allCases.map(\.rawValue)
            self = .stop(signal: StopSignal(rawValue: try reader.word(of: known)) ?? .terminate)
        case "account": self = .account
        case "restart": self = .restart(downtime: try reader.duration(key: "down") ?? 0)
        case "clock": self = try Self.clock(&reader)
        case "forge": self = try Self.forge(&reader)
        case "burst": self = .burst(try Burst(&reader))
        case "unlink": self = .unlink(try reader.bytes("the path of an executable"))
        case "ptrace": self = try Self.ptrace(&reader)
        case "thread": self = .thread(try ThreadAction(&reader))
        case _ where FileLines.whenVerbs.contains(verb): self = .file(try FileLines.when(verb, &reader))
        default: self = try Self.process(verb, &reader)
        }
    }

    private static func process(_ verb: String, _ reader: inout LineReader) throws(ScenarioError)
        -> WhenAction
    {
        let process = try reader.process()
        switch verb {
        case "fork":
            let child = reader.takesArrow() ? try reader.pid() : nil
            let keepsTick = try reader.choice(key: "start", of: ["same-tick"]) != nil
            return .fork(
                parent: process, child: child, isReuse: reader.flag("reuse"), keepsStartTick: keepsTick)
        case "exec": return .exec(process, try Execution(&reader))
        case "exit":
            let signal = try reader.integer(key: "signal", in: 1...64)
            let code = try reader.integer(key: "code", in: 0...255)
            return .exit(process, code: UInt8(code ?? 0), signal: signal.map { UInt8($0) })
        case "kill":
            return .exit(process, code: 0, signal: UInt8(try reader.integer(key: "signal", in: 1...64) ?? 9))
        case "reap": return .reap(process)
        case "setuid": return .setUID(process, try identifier(&reader, "a user id"))
        case "setgid": return .setGID(process, try identifier(&reader, "a group id"))
        case "setsid": return .setSession(process)
        case "comm": return .setName(process, try reader.bytes("a name"))
        case "title": return .setTitle(process, try reader.bytes("the text that overwrites the arguments"))
        case "coredump":
            return .coredump(process, signal: UInt8(try reader.integer(key: "signal", in: 1...64) ?? 11))
        default: return .hide(process)
        }
    }

    private static func identifier(_ reader: inout LineReader, _ expected: String) throws(ScenarioError)
        -> UInt32
    {
        try reader.parsed(expected) { Quantity.integer($0).flatMap(UInt32.init(exactly:)) }
    }

    private static func clock(_ reader: inout LineReader) throws(ScenarioError) -> WhenAction {
        guard try reader.word(of: ["realtime", "suspend"]) == "realtime" else {
            return .suspend(nanoseconds: try reader.duration())
        }
        guard let step = try reader.parsed("step", "a duration such as -5s", { Quantity.nanoseconds($0) })
        else {
            throw reader.error("expected step= with a duration such as -5s")
        }
        return .stepRealtime(nanoseconds: step)
    }

    private static func forge(_ reader: inout LineReader) throws(ScenarioError) -> WhenAction {
        let known = ForgedKind.allCases.map(\.rawValue)
        let kind = ForgedKind(rawValue: try reader.word(of: known)) ?? .exit
        let pid = try reader.pid()
        let port = try reader.integer(key: "port", in: 1...UInt64(UInt32.max)) ?? 4_242
        return .forge(kind, pid: pid, port: UInt32(port))
    }

    private static func ptrace(_ reader: inout LineReader) throws(ScenarioError) -> WhenAction {
        guard try reader.word(of: ["attach", "detach"]) == "attach" else {
            return .ptraceDetach(try reader.process())
        }
        let tracer = try reader.process()
        try reader.arrow()
        return .ptraceAttach(tracer: tracer, target: try reader.process())
    }
}

extension Execution {
    init(_ reader: inout LineReader) throws(ScenarioError) {
        executable = try reader.bytes("the path of an executable")
        arguments = try reader.list(key: "argv") ?? [executable]
        name = try reader.bytes(key: "comm")
        isMemoryFile = reader.flag("memfd")
    }
}

extension ThreadAction {
    init(_ reader: inout LineReader) throws(ScenarioError) {
        let verb = try reader.word(of: ["create", "exit", "exec", "leader-exits"])
        let process = try reader.process()
        switch verb {
        case "create": self = .create(process, tid: reader.takesArrow() ? try reader.pid() : nil)
        case "exit": self = .exit(process, tid: try reader.pid())
        case "exec": self = .exec(process, tid: try reader.pid(), try Execution(&reader))
        default: self = .leaderExits(process)
        }
    }
}

extension Burst {
    init(_ reader: inout LineReader) throws(ScenarioError) {
        let kind = try reader.word(of: ["fork+exit", "fork+exec+exit"])
        parent = try reader.process()
        count = Int(
            try reader.parsed("a count such as x300") { text in
                text.first == "x" ? Quantity.integer(text.dropFirst()).flatMap(Self.bounded) : nil
            })
        span = try reader.duration(key: "over") ?? 0
        let path = try reader.bytes(key: "exe")
        executable = kind == "fork+exit" ? nil : path ?? Array("/bin/true".utf8)
    }

    private static func bounded(_ count: UInt64) -> UInt64? {
        (1...ScenarioLimits.burstCount).contains(count) ? count : nil
    }
}
