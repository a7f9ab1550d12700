import Backends

extension LitmusParser {
    mutating func expectation(_ text: String, _ line: SceneLine) throws(ScenarioError) -> LitmusStep {
        let position = SourcePosition(line: line.number, column: line.column)
        guard let (question, answer) = Self.split(text) else {
            throw ScenarioError(path: path, position: position, message: "expected \"| WHAT -> ANSWER\"")
        }
        let tokens: [SceneToken]
        do { tokens = try SceneLexer.tokens(of: Array(question.utf8)[...]) } catch {
            let place = SourcePosition(line: line.number, column: line.column + 1 + error.column)
            throw ScenarioError(path: path, position: place, message: error.message)
        }
        // Two columns for the bar and its space, one because columns count from 1.
        var reader = LitmusLineReader(tokens, path: path, line: line.number, offset: line.column + 1)
        let verb = try reader.word("something to look at")
        guard let observation = try observation(verb, &reader) else {
            throw reader.error("unknown \"\(verb)\"; expected one of \(Self.verbs)")
        }
        try reader.finish()
        guard let expected = LitmusExpectation(parsing: answer) else {
            throw ScenarioError(
                path: path, position: position, message: "expected an answer or {one|another} after \"->\"")
        }
        return LitmusStep(
            kind: .observation(observation, expected: expected), text: Printer.line(tokens), line: line.number
        )
    }

    /// The parts around the first arrow: a question never holds one.
    private static func split(_ text: String) -> (question: String, answer: String)? {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard let arrow = words.firstIndex(of: "->"), arrow > 0, arrow + 1 < words.count else { return nil }
        return (words[..<arrow].joined(separator: " "), words[(arrow + 1)...].joined(separator: " "))
    }

    mutating func observation(
        _ verb: String, _ reader: inout LitmusLineReader
    ) throws(ScenarioError) -> LitmusObservation? {
        switch verb {
        case "open", "read", "readlink", "status", "threads", "image":
            return try procObservation(verb, &reader)
        case "list": return .list
        case "pidfd": return .pidFDInode(try task(&reader), label: try label(&reader))
        case "compare": return .compare(try knownLabel(&reader), try knownLabel(&reader))
        case "listen":
            let socket = try reader.word("a name for the socket")
            sockets.insert(socket)
            return .listen(socket: socket, bufferByteCount: try reader.byteCount("buffer"))
        case "recv":
            let socket = try socket(&reader)
            let only = try reader.bytes(forKey: "only").map { String(decoding: $0, as: UTF8.self) }
            let kinds = only?.split(separator: ",").map(String.init) ?? []
            return .receive(socket, only: kinds, isDetailed: reader.skip("detail"))
        case "drain": return .drain(try socket(&reader))
        case "ack": return .acknowledgement(try socket(&reader))
        case "fence": return .fence(try number(&reader))
        case "room":
            let socket = try socket(&reader)
            let problem = reader.error("expected a size such as 64KiB")
            guard let byteCount = Quantity.byteCount(try reader.word("a size such as 64KiB")) else {
                throw problem
            }
            return .room(socket, byteCount: byteCount)
        case "announce": return .announce(try socket(&reader))
        case "tally":
            let socket = try socket(&reader)
            var fields: [String] = []
            while !reader.isAtEnd { fields.append(try reader.word("what to count")) }
            return .tally(socket, fields: fields)
        case "clock":
            let name = try reader.word("order, wall, monotonic, boot or suspended")
            if name == "order" { return .clockOrder }
            guard ["wall", "monotonic", "boot", "suspended"].contains(name) else {
                throw reader.error("expected order, wall, monotonic, boot or suspended")
            }
            return .clock(name, label: try label(&reader))
        case "timer": return .timer(try reader.duration())
        case "cancel-timer": return .cancelTimer(try reader.duration())
        case "timers":
            var durations: [Duration] = []
            while !reader.isAtEnd { durations.append(try reader.duration()) }
            return .timers(durations)
        case "durable":
            if reader.skip("read") { return .durableRead }
            guard reader.skip("replace") else { throw reader.error("expected read or replace") }
            return .durableReplace(try reader.bytes("a text"))
        case "socket": return .sockets(try socketStep(&reader))
        default: return try fileObservation(verb, &reader).map(LitmusObservation.files)
        }
    }

    private mutating func procObservation(
        _ verb: String, _ reader: inout LitmusLineReader
    ) throws(ScenarioError) -> LitmusObservation? {
        let target = try reader.word("a process, or a file of one such as A/stat")
        let parts = target.split(separator: "/", maxSplits: 1).map(String.init)
        guard let first = parts.first else { throw reader.error("expected a process or a handle") }
        let rest = parts.count > 1 ? parts[1] : nil
        if verb == "read", first == "host" {
            guard let file = SystemFile(rawValue: rest ?? "") else {
                throw reader.error("expected host/ and one of \(SystemFile.allCases.map(\.rawValue))")
            }
            return .readSystem(file, try projection(&reader), label: try label(&reader))
        }
        guard tasks.contains(first) || handles.contains(first) else {
            throw reader.error("expected a process or a handle that an earlier line names, not \"\(first)\"")
        }
        let base: LitmusObservation.Base = tasks.contains(first) ? .process(first) : .handle(first)
        switch verb {
        case "threads" where rest == nil: return .threads(base)
        case "image" where rest == nil: return .image(base, program: try reader.bytes("a program"))
        case "status" where rest == nil:
            guard case .handle(let handle) = base else {
                throw reader.error("expected an open file, or a link such as A/exe")
            }
            return .fileStatus(handle)
        case "open":
            guard reader.skip("as") else { throw reader.error("expected \"as\" and a name") }
            let handle = try reader.word("a name for the handle")
            handles.insert(handle)
            guard let rest else { return .openDirectory(base, handle: handle) }
            if rest == ProcessLink.exe.rawValue { return .openExecutable(in: base, handle: handle) }
            return .openFile(try file(rest, reader), in: base, handle: handle)
        case "read":
            let count = try reader.integer("count", limit: UInt64(LitmusLimits.readByteCount))
            let projection = try projection(&reader)
            let label = try label(&reader)
            guard let rest else {
                guard case .handle(let handle) = base else {
                    throw reader.error("expected a file such as A/stat")
                }
                return .readHandle(handle, count: count, projection, label: label)
            }
            return .readFile(try file(rest, reader), in: base, count: count, projection, label: label)
        case "readlink", "status":
            guard let link = ProcessLink(rawValue: rest ?? "") else {
                throw reader.error("expected one of the links \(ProcessLink.allCases.map(\.rawValue))")
            }
            return verb == "status" ? .linkStatus(link, in: base) : .readLink(link, in: base)
        default: throw reader.error("expected only a process or a handle")
        }
    }

    private func file(_ name: String, _ reader: LitmusLineReader) throws(ScenarioError) -> ProcessFile {
        guard let file = ProcessFile(rawValue: name) else {
            throw reader.error("expected one of the files \(ProcessFile.allCases.map(\.rawValue))")
        }
        return file
    }

    private mutating func projection(_ reader: inout LitmusLineReader) throws(ScenarioError)
        -> LitmusObservation.Projection
    {
        if reader.skip("size") { return .size }
        var fields: [String] = []
        while !reader.isAtEnd {
            let word = try reader.word("a field")
            if word == "as" {
                pendingLabel = true
                break
            }
            fields.append(word)
        }
        return fields.isEmpty ? .text : .fields(fields)
    }
}
