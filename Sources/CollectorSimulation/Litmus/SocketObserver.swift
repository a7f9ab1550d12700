import Backends
import EventModel

import struct SystemPackage.Errno

/// Does to stream sockets what a case says and answers its questions.
final class SocketObserver {
    private let sockets: any LitmusSockets
    private let clock: any SystemClock
    private var listeners: [String: any TransportListener] = [:]
    private var connections: [String: any TransportConnection] = [:]

    /// How long a wait lasts that is expected to see nothing.
    private static let waitTime: Duration = .milliseconds(2)
    /// Most bytes of one call of `drain`.
    private static let drainByteCount = 65_536

    init(_ sockets: any LitmusSockets, clock: any SystemClock) {
        self.sockets = sockets
        self.clock = clock
    }

    /// The answer: `ok` for what was done, or the error of the call that failed.
    ///
    /// - Parameter keep: Puts a value aside for `compare`.
    func answer(
        to step: LitmusSocketStep, names: ProcessNames, keep: (String, String?) -> String
    ) async throws(LitmusFailure) -> String {
        switch step {
        case .connectProcess(let path, let process):
            return try sockets.connect(process, to: path)?.symbol ?? "ok"
        case .pass(let process, let text):
            return try sockets.pass(text, from: process)?.symbol ?? "ok"
        case .ready(let name, let interest):
            guard let readiness = await ready(name, interest) else { return Errno.badFileDescriptor.symbol }
            return "\(readiness)"
        case .peer(let name):
            guard let peer = connections[name]?.peer else { return Errno.badFileDescriptor.symbol }
            let process = names.name(of: peer.pid) ?? "observer"
            return "\(process) uid=\(peer.uid.rawValue) gid=\(peer.gid.rawValue)"
        case .close(let name):
            listeners[name]?.close()
            connections[name]?.close()
            return "ok"
        default:
            do throws(Errno) { return try answer(atOnceTo: step, keep) } catch { return error.symbol }
        }
    }

    /// `nil` when there is no such socket, because making it was refused.
    private func ready(_ name: String, _ interest: TransportInterest) async -> Readiness? {
        let deadline = clock.monotonic.advanced(by: Self.waitTime)
        if let listener = listeners[name] { return await listener.acceptable(until: deadline) }
        return await connections[name]?.ready(for: interest, until: deadline)
    }

    private func answer(
        atOnceTo step: LitmusSocketStep, _ keep: (String, String?) -> String
    ) throws(Errno) -> String {
        switch step {
        case .listen(let path, let backlog, let mode, let name):
            listeners[name] = try sockets.listen(at: path, mode: mode, backlog: backlog)
        case .connect(let path, let name):
            connections[name] = try sockets.connector(to: path).connect()
        case .accept(let listener, let name):
            guard let listener = listeners[listener] else { throw .badFileDescriptor }
            connections[name] = try listener.accept()
        case .put(let path, let isSocket): try sockets.put(path, isSocket: isSocket)
        case .remove(let path): try sockets.remove(path)
        case .descriptors(let label): return keep(String(try sockets.descriptorCount), label)
        default: return try bytesAnswer(to: step)
        }
        return "ok"
    }

    // MARK: - Bytes

    private func bytesAnswer(to step: LitmusSocketStep) throws(Errno) -> String {
        switch step {
        case .send(let name, let text, let times):
            let connection = try opened(name)
            for _ in 0..<times {
                let count = try connection.send(text, from: 0)
                guard count == text.count else { return "\(count) of \(text.count)" }
            }
            return "ok"
        case .fill(let name, let chunkByteCount):
            return String(fill(try opened(name), with: Array(repeating: 0x78, count: chunkByteCount)))
        case .receive(let name, let count):
            var bytes: [UInt8] = []
            let received = try opened(name).receive(count: count, into: &bytes)
            return received == 0 ? "end" : Printer.quoted(bytes)
        case .drain(let name): return drain(try opened(name))
        default: return "not a call"
        }
    }

    private func opened(_ name: String) throws(Errno) -> any TransportConnection {
        guard let connection = connections[name] else { throw .badFileDescriptor }
        return connection
    }

    private func fill(_ connection: any TransportConnection, with chunk: [UInt8]) -> Int {
        var sum = 0
        // As often as a piece may be one byte; a send that fails has no room.
        for _ in 0..<LitmusLimits.burstCount {
            guard let count = try? connection.send(chunk, from: 0) else { break }
            sum += count
        }
        return sum
    }

    private func drain(_ connection: any TransportConnection) -> String {
        var sum = 0
        var bytes: [UInt8] = []
        do throws(Errno) {
            while true {
                bytes.removeAll(keepingCapacity: true)
                let count = try connection.receive(count: Self.drainByteCount, into: &bytes)
                if count == 0 { return "\(sum) bytes, end" }
                sum += count
            }
        } catch {
            return "\(sum) bytes, \(error.symbol)"
        }
    }
}
