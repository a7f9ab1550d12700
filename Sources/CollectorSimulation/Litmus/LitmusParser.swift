import Backends
import SimulatedBackends

extension SceneGrammar {
    /// A litmus case: the three sections only tell a reader what a line is for.
    package static let litmus = SceneGrammar(
        kind: "litmus", version: 1, sections: ["given", "when", "observe"])
}

extension LitmusCase {
    /// Parses the text of a `litmus NAME v1` file.
    ///
    /// - Parameter path: The file's name for messages.
    package init(parsing bytes: [UInt8], path: String) throws(ScenarioError) {
        let document = try SceneDocument(parsing: bytes, path: path, grammar: .litmus)
        var parser = LitmusParser(path: path)
        self = try parser.parse(document)
    }
}

struct LitmusParser {
    let path: String
    /// Names of processes and threads that a line has made.
    private(set) var tasks: Set<String> = ["R"]
    var handles: Set<String> = []
    var sockets: Set<String> = []
    var labels: Set<String> = []
    /// Files that a process keeps open.
    var heldFiles: Set<String> = []
    /// Files and folders that the observer keeps open.
    var fileHandles: Set<String> = []
    var watchers: Set<String> = []
    var watchLabels: Set<String> = []
    /// Stream sockets that a line has made.
    var streams: Set<String> = []
    /// Whether ``projection(_:)`` has taken the word `as` already.
    var pendingLabel = false

    init(path: String) { self.path = path }

    mutating func parse(_ document: SceneDocument) throws(ScenarioError) -> LitmusCase {
        var result = LitmusCase(
            name: document.name, about: "", rows: [], source: "", tryCount: 1, retryCount: 0, since: nil,
            waivers: [],
            steps: [])
        for line in document.directives where !line.tokens.isEmpty { try directive(line, into: &result) }
        guard !result.about.isEmpty, !result.rows.isEmpty, !result.source.isEmpty else {
            throw ScenarioError(
                path: path, position: SourcePosition(line: 1, column: 1),
                message: "expected the directives about, row and source")
        }
        for section in document.sections {
            for line in section.lines {
                switch line.content {
                case .tokens: result.steps.append(try action(line))
                case .output(let text): result.steps.append(try expectation(text, line))
                case .comment, .blank: continue
                }
            }
        }
        let hasExpectation = result.steps.contains {
            if case .observation(_, expected: .some) = $0.kind { true } else { false }
        }
        guard hasExpectation else {
            throw ScenarioError(
                path: path, position: nil, message: "expected at least one line \"| WHAT -> ANSWER\"")
        }
        return result
    }

    private static let directives = "one of about, row, source, since, host, tries, retry, waive"

    private func directive(_ line: SceneLine, into result: inout LitmusCase) throws(ScenarioError) {
        var reader = LitmusLineReader(line.tokens, path: path, line: line.number)
        switch try reader.word(Self.directives) {
        case "about":
            result.about = String(decoding: try reader.bytes("a sentence in quotes"), as: UTF8.self)
        case "source":
            result.source = String(decoding: try reader.bytes("a source in quotes"), as: UTF8.self)
        case "row":
            while !reader.isAtEnd { result.rows.append(try reader.word("a number such as P2")) }
        case "since":
            guard let version = KernelVersion(try reader.word("a release such as 6.9")) else {
                throw reader.error("expected a release such as 6.9", column: line.column)
            }
            result.since = version
        case "host":
            let name = try reader.bytes(forKey: "connector").map { String(decoding: $0, as: UTF8.self) } ?? ""
            guard let connector = ConnectorAvailability(rawValue: name) else {
                throw reader.error(
                    "expected connector= with one of \(ConnectorAvailability.allCases.map(\.rawValue))")
            }
            result.connector = connector
        case "tries": result.tryCount = try count(&reader, LitmusLimits.tryCount)
        case "retry":
            result.retryCount = try count(&reader, LitmusLimits.retryCount)
            guard let reason = try reader.bytes(forKey: "because"), !reason.isEmpty else {
                throw reader.error("expected because=\"what can disturb the case\"")
            }
        case "waive":
            guard let arm = LitmusArmName(rawValue: try reader.word("real or sim")) else {
                throw reader.error("expected real or sim")
            }
            guard let reason = try reader.bytes(forKey: "because"), !reason.isEmpty else {
                throw reader.error("expected because=\"a reason with its source\"")
            }
            result.waivers.append(LitmusWaiver(arm: arm, reason: String(decoding: reason, as: UTF8.self)))
        default:
            throw reader.error("expected \(Self.directives)", column: line.column)
        }
        try reader.finish()
    }

    private func count(_ reader: inout LitmusLineReader, _ limit: UInt64) throws(ScenarioError) -> Int {
        let problem = reader.error("expected 1 to \(limit)")
        guard let count = Quantity.integer(try reader.word("a number")), (1...limit).contains(count) else {
            throw problem
        }
        return Int(count)
    }

    // MARK: - Actions

    private mutating func action(_ line: SceneLine) throws(ScenarioError) -> LitmusStep {
        var reader = LitmusLineReader(line.tokens, path: path, line: line.number)
        let text = Printer.line(line.tokens)
        let verb = try reader.word("a verb")
        let kind: LitmusStep.Kind
        if let action = try lifeAction(verb, &reader) {
            kind = .action(action)
        } else if let action = try attributeAction(verb, &reader) {
            kind = .action(action)
        } else if let action = try observerAction(verb, &reader) {
            kind = .action(action)
        } else if let action = try fileAction(verb, &reader) {
            kind = .action(.files(action))
        } else if let observation = try observation(verb, &reader) {
            kind = .observation(observation, expected: nil)
        } else {
            throw reader.error("unknown verb \"\(verb)\"; expected one of \(Self.verbs)", column: line.column)
        }
        try reader.finish()
        return LitmusStep(kind: kind, text: text, line: line.number)
    }

    static let verbs =
        "attach, burst, burst-twice, clock, comm, detach, exec, exit, exit-thread, forge, fork, hidepid, ignore, kill, kthread, "
        + "nondumpable, observe-as, proc, reap, setgid, setsid, setuid, sleep, thread, title, unlink, \(fileVerbs), "
        + "or something to look at: ack, announce, cancel-timer, clock, compare, drain, durable, fence, image, list, listen, open, pidfd, "
        + "read, readlink, recv, room, status, tally, threads, timer, timers, \(fileObservationVerbs), "
        + "socket"

    private mutating func lifeAction(_ verb: String, _ reader: inout LitmusLineReader) throws(ScenarioError)
        -> LitmusAction?
    {
        switch verb {
        case "proc":
            return .fork(parent: "R", child: try newTask(&reader), pidOf: nil, isInNewNamespace: false)
        case "fork":
            let parent = try task(&reader)
            try reader.arrow()
            let child = try newTask(&reader)
            let pidOf = try reader.bytes(forKey: "pid-of").map { String(decoding: $0, as: UTF8.self) }
            if let pidOf, !tasks.contains(pidOf) {
                throw reader.error("expected a process after \"pid-of=\"")
            }
            let namespace = try reader.bytes(forKey: "namespace")
            guard namespace == nil || namespace == Array("new".utf8) else {
                throw reader.error("expected namespace=new")
            }
            return .fork(parent: parent, child: child, pidOf: pidOf, isInNewNamespace: namespace != nil)
        case "kthread": return .kernelThread(try newTask(&reader))
        case "exec": return try exec(&reader)
        case "exit":
            return .exit(try task(&reader), code: Int32(try reader.integer("code", limit: 255) ?? 0))
        case "kill":
            return .kill(try task(&reader), signal: Int32(try reader.integer("signal", limit: 64) ?? 9))
        case "reap": return .reap(try task(&reader))
        case "thread":
            let process = try task(&reader)
            try reader.arrow()
            return .createThread(process: process, thread: try newTask(&reader))
        case "exit-thread": return .exitThread(try task(&reader))
        case "burst": return .burst(try task(&reader), count: try burstCount(&reader))
        case "burst-twice": return .burstTwice(try task(&reader), count: try burstCount(&reader))
        default: return nil
        }
    }

    private func exec(_ reader: inout LitmusLineReader) throws(ScenarioError) -> LitmusAction {
        let name = try task(&reader)
        let label = try reader.bytes(forKey: "memfd")
        let program = label == nil ? try reader.bytes("the name of a program") : []
        guard !program.contains(UInt8(ascii: "/")) else {
            throw reader.error("expected a program's name without \"/\"")
        }
        var arguments = try reader.list("argv", limit: LitmusLimits.argumentCount) ?? [label ?? program]
        if let count = try reader.integer("fill", limit: LitmusLimits.fillByteCount) {
            arguments.append(Array(repeating: UInt8(ascii: "x"), count: count))
        }
        if let duration = try reader.duration(forKey: "over"), label == nil {
            return .beginExec(name, program: program, arguments: arguments, duration: duration)
        }
        if let label { return .execMemoryFile(name, label: label, arguments: arguments) }
        return .exec(name, program: program, arguments: arguments)
    }

    private func attributeAction(_ verb: String, _ reader: inout LitmusLineReader) throws(ScenarioError)
        -> LitmusAction?
    {
        switch verb {
        case "comm": return .setComm(try task(&reader), try reader.bytes("a name"))
        case "setuid": return .setUser(try task(&reader), try number(&reader))
        case "setgid": return .setGroup(try task(&reader), try number(&reader))
        case "setsid": return .startSession(try task(&reader))
        case "attach", "detach":
            let tracer = try task(&reader)
            try reader.arrow()
            let tracee = try task(&reader)
            return verb == "attach"
                ? .attach(tracer: tracer, tracee: tracee) : .detach(tracer: tracer, tracee: tracee)
        case "title": return .overwriteTitle(try task(&reader), try reader.bytes("a text"))
        case "nondumpable": return .makeNonDumpable(try task(&reader))
        case "unlink": return .unlink(try reader.bytes("the name of a program"))
        default: return nil
        }
    }

    private mutating func observerAction(
        _ verb: String, _ reader: inout LitmusLineReader
    ) throws(ScenarioError) -> LitmusAction? {
        switch verb {
        case "observe-as": return .observeAs(try number(&reader))
        case "hidepid":
            let mode = try number(&reader)
            guard mode <= 2 else { throw reader.error("expected hidepid 0, 1 or 2") }
            return .hideProcesses(Int32(mode))
        case "ignore": return .ignore(socket: try socket(&reader))
        case "forge": return .forge(socket: try socket(&reader))
        case "sleep":
            let duration = try reader.duration()
            guard duration <= LitmusLimits.sleepTime else { throw reader.error("expected at most 500ms") }
            return .sleep(duration)
        case "clock":
            if let step = try reader.duration(forKey: "step") { return .stepWallClock(step) }
            if let length = try reader.duration(forKey: "suspend") { return .suspend(length) }
            if let length = try reader.duration(forKey: "pause") { return .pauseMachine(length) }
            return nil
        default: return nil
        }
    }

    // MARK: - Words

    mutating func label(_ reader: inout LitmusLineReader) throws(ScenarioError) -> String? {
        guard pendingLabel || reader.skip("as") else { return nil }
        pendingLabel = false
        let label = try reader.word("a name for the value")
        labels.insert(label)
        return label
    }

    func knownLabel(_ reader: inout LitmusLineReader) throws(ScenarioError) -> String {
        let problem = reader.error("expected a value that an earlier line keeps with \"as\"")
        let name = try reader.word("a kept value")
        guard labels.contains(name) else { throw problem }
        return name
    }

    func socket(_ reader: inout LitmusLineReader) throws(ScenarioError) -> String {
        let problem = reader.error("expected a socket that an earlier \"listen\" opens")
        let name = try reader.word("a socket")
        guard sockets.contains(name) else { throw problem }
        return name
    }

    func task(_ reader: inout LitmusLineReader) throws(ScenarioError) -> String {
        let problem = reader.error("expected a process or thread that an earlier line makes")
        let name = try reader.word("a process or thread")
        guard tasks.contains(name) else { throw problem }
        return name
    }

    private mutating func newTask(_ reader: inout LitmusLineReader) throws(ScenarioError) -> String {
        let problem = reader.error("expected a new name of letters and digits that begins with a capital")
        let name = try reader.word("a name")
        let isValid = name.utf8.allSatisfy {
            (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0.isDigit
        }
        guard isValid, let first = name.utf8.first, (0x41...0x5a).contains(first), tasks.insert(name).inserted
        else {
            throw problem
        }
        return name
    }

    func number(_ reader: inout LitmusLineReader) throws(ScenarioError) -> UInt32 {
        let problem = reader.error("expected a number")
        guard let number = Quantity.integer(try reader.word("a number")), let value = UInt32(exactly: number)
        else {
            throw problem
        }
        return value
    }

    func burstCount(_ reader: inout LitmusLineReader) throws(ScenarioError) -> Int {
        let problem = reader.error("expected a number such as x300, at most x\(LitmusLimits.burstCount)")
        let word = try reader.word("a number such as x300")
        guard word.hasPrefix("x"), let count = Quantity.integer(word.dropFirst()),
            count <= LitmusLimits.burstCount
        else {
            throw problem
        }
        return Int(count)
    }
}
