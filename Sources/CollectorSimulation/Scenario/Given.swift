package import SimulatedBackends

/// A line of `given`: something the world holds at `@0`.
package struct GivenLine: Hashable, Sendable {
    package var number: Int
    package var fact: GivenFact
}

package enum GivenFact: Hashable, Sendable {
    case process(GivenProcess)
    /// A kernel thread: no executable, no command line.
    case kernelThread(pid: Int32, name: [UInt8])
    /// What is done to make the files that a line speaks of.
    case files([FileAction])
}

/// A process that is there at `@0`.
package struct GivenProcess: Hashable, Sendable {
    package var pid: Int32
    package var executable: [UInt8]
    package var parent: Int32
    package var uid: UInt32
    package var gid: UInt32
    /// `nil`: the executable's path alone.
    package var arguments: [[UInt8]]?
    /// `nil`: the last component of the executable's path.
    package var name: [UInt8]?
    /// Clock ticks since boot; `nil` lets the world choose.
    package var startTicks: UInt64?
    package var cgroup: [UInt8]?
    /// `PR_SET_DUMPABLE` 0: its details belong to root.
    package var isDumpable: Bool
    /// How many of its kind there are, with consecutive pids.
    package var count: Int32 = 1
}

extension GivenLine {
    static let verbs = ["proc", "kthread"] + FileLines.givenVerbs

    init(_ reader: inout LineReader) throws(ScenarioError) {
        number = reader.line
        try reader.refuseTime()
        let verb = try reader.verb(of: Self.verbs)
        switch verb {
        case "proc": fact = .process(try GivenProcess(&reader))
        case "kthread":
            fact = .kernelThread(pid: try reader.pid(), name: try reader.bytes("the thread's name"))
        default: fact = .files(try FileLines.given(verb, &reader))
        }
        try reader.finish()
    }
}

extension GivenProcess {
    init(_ reader: inout LineReader) throws(ScenarioError) {
        pid = try reader.pid()
        executable = try reader.bytes("the path of an executable")
        parent =
            try reader.parsed("ppid", "a pid or 0") { Quantity.integer($0).flatMap(Int32.init(exactly:)) }
            ?? (pid == 1 ? 0 : 1)
        let user = try reader.integer(key: "uid", in: 0...4_294_967_294)
        uid = UInt32(user ?? 0)
        gid = UInt32(try reader.integer(key: "gid", in: 0...4_294_967_294) ?? user ?? 0)
        arguments = try reader.list(key: "argv")
        name = try reader.bytes(key: "comm")
        startTicks = try reader.integer(key: "start", in: 0...UInt64.max / 2)
        cgroup = try reader.bytes(key: "cgroup")
        isDumpable = !reader.flag("nondumpable")
        count = Int32(try reader.integer(key: "count", in: 1...UInt64(Int32.max - pid)) ?? 1)
    }
}
