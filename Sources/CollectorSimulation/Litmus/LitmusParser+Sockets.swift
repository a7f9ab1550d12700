import Backends

extension LitmusParser {
    private static let socketVerbs =
        "accept, close, connect, descriptors, drain, fill, listen, pass, peer, put, ready, recv, rm or send"

    mutating func socketStep(_ reader: inout LitmusLineReader) throws(ScenarioError) -> LitmusSocketStep {
        let problem = reader.error("expected one of \(Self.socketVerbs)")
        switch try reader.word("one of \(Self.socketVerbs)") {
        case "listen":
            let path = try socketPath(&reader)
            let backlog = try reader.integer("backlog", limit: 4_096) ?? 128
            let mode = try mode(&reader, or: 0o600)
            return .listen(path, backlog: backlog, mode: mode, name: try newStream(&reader))
        case "connect":
            let path = try socketPath(&reader)
            if reader.skip("by") { return .connectProcess(path, process: try task(&reader)) }
            return .connect(path, name: try newStream(&reader))
        case "pass": return .pass(process: try task(&reader), try reader.bytes("a text"))
        case "accept":
            let listener = try stream(&reader)
            return .accept(listener, name: try newStream(&reader))
        case "send":
            let (name, text) = (try stream(&reader), try reader.bytes("a text"))
            return .send(name, text, times: try reader.integer("times", limit: LitmusLimits.burstCount) ?? 1)
        case "fill":
            let name = try stream(&reader)
            guard let count = try reader.integer("chunk", limit: LitmusLimits.roomByteCount), count > 0 else {
                throw reader.error("expected chunk= with a number of bytes")
            }
            return .fill(name, chunkByteCount: count)
        case "recv":
            let name = try stream(&reader)
            let count = try reader.integer("count", limit: LitmusLimits.roomByteCount)
            return .receive(name, count: max(1, count ?? LitmusLimits.contentByteCount))
        case "drain": return .drain(try stream(&reader))
        case "ready":
            let name = try stream(&reader)
            var interest: TransportInterest = []
            if reader.skip("receiving") { interest.insert(.receiving) }
            if reader.skip("sending") { interest.insert(.sending) }
            return .ready(name, interest)
        case "peer": return .peer(try stream(&reader))
        case "close": return .close(try stream(&reader))
        case "put":
            let path = try socketPath(&reader)
            if reader.skip("remains") { return .put(path, isSocket: true) }
            guard reader.skip("file") else { throw reader.error("expected remains or file") }
            return .put(path, isSocket: false)
        case "rm": return .remove(try socketPath(&reader))
        case "descriptors": return .descriptors(label: try label(&reader))
        default: throw problem
        }
    }

    private func socketPath(_ reader: inout LitmusLineReader) throws(ScenarioError) -> String {
        let problem = reader.error("expected a name without \"/\"")
        let path = try reader.word("a path")
        guard !path.contains("/") else { throw problem }
        return path
    }

    private mutating func newStream(_ reader: inout LitmusLineReader) throws(ScenarioError) -> String {
        guard reader.skip("as") else { throw reader.error("expected \"as\" and a name for the socket") }
        let name = try reader.word("a name for the socket")
        streams.insert(name)
        return name
    }

    private func stream(_ reader: inout LitmusLineReader) throws(ScenarioError) -> String {
        let problem = reader.error("expected a socket that an earlier line makes")
        let name = try reader.word("a socket")
        guard streams.contains(name) else { throw problem }
        return name
    }
}
