import SwiftProtobuf
package import WireMessages

/// The client's side of one connection: numbers requests, and says what each message of the server belongs to.
///
/// Takes payloads and gives events; reads no socket and no clock.
package struct ClientSession: Sendable {
    /// What a message of the server means.
    package enum Event: Sendable {
        /// The server has answered `hello`.
        case welcome(WireWelcome)
        /// Part of the answer to a request that is still open.
        case part(UInt64, WireServerMessage)
        /// The end of the answer to a request.
        case end(UInt64, WireServerMessage)
        /// What nobody asked for: capabilities, or a goodbye.
        case announcement(WireServerMessage)
        /// The server ends the connection, and says why.
        case refused(WireFailure)
    }

    /// What the server sent that makes no sense.
    package struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String
    }

    private enum Phase { case new, greeting(UInt64), open }

    private var phase = Phase.new
    private var lastID: UInt64 = 0
    private var open: Set<UInt64> = []

    package init() {}

    /// The first message.
    ///
    /// - Parameter client: Names the program, for people and logs.
    package mutating func hello(client: String) -> WireClientMessage {
        lastID += 1
        phase = .greeting(lastID)
        var message = WireClientMessage()
        message.requestID = lastID
        message.hello.versions = [Protocol.version]
        message.hello.client = client
        return message
    }

    /// Gives a request its id; it is open until ``Event/end(_:_:)``.
    package mutating func begin(_ body: WireClientMessage.OneOf_Body) -> WireClientMessage {
        lastID += 1
        open.insert(lastID)
        return Self.message(body, id: lastID)
    }

    /// A message that is not answered by itself, such as `credit`.
    package mutating func remark(_ body: WireClientMessage.OneOf_Body) -> WireClientMessage {
        lastID += 1
        return Self.message(body, id: lastID)
    }

    private static func message(_ body: WireClientMessage.OneOf_Body, id: UInt64) -> WireClientMessage {
        var message = WireClientMessage()
        message.requestID = id
        message.body = body
        return message
    }

    /// What one payload of the server means; `nil` for what this version does not know, and for late answers.
    ///
    /// - Throws: ``Violation``: the connection is of no use any more.
    package mutating func receive(_ payload: [UInt8]) throws(Violation) -> Event? {
        let message = try Self.decode(payload)
        let id = message.requestID
        if id == 0 {
            switch message.body {
            case .failure(let failure): return .refused(failure)
            case .capabilities, .goodbye, .reloaded: return .announcement(message)
            default: return nil
            }
        }
        if case .greeting(id) = phase {
            switch message.body {
            case .welcome(let welcome):
                guard welcome.version == Protocol.version else {
                    throw Violation(description: "the server chose version \(welcome.version)")
                }
                phase = .open
                return .welcome(welcome)
            case .failure(let failure): return .refused(failure)
            default: throw Violation(description: "the server answered hello with something else")
            }
        }
        guard open.contains(id) else { return nil }
        guard Self.isLast(message) else { return .part(id, message) }
        open.remove(id)
        return .end(id, message)
    }

    private static func isLast(_ message: WireServerMessage) -> Bool {
        switch message.body {
        case .subscribed, .events, .gap, .sourceStatus: false
        case .taskResult(let result): result.isLast
        default: true
        }
    }

    private static func decode(_ payload: [UInt8]) throws(Violation) -> WireServerMessage {
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = MessageShape.depthLimit
        options.discardUnknownFields = true
        do {
            return try WireServerMessage(serializedBytes: payload, options: options)
        } catch {
            throw Violation(description: "the server sent bytes that are no message of this protocol")
        }
    }
}

extension WireClientMessage {
    /// Appends the message as a frame.
    package func appendFrame(to bytes: inout [UInt8]) {
        Frame.append(to: &bytes) { bytes in
            // Fails only for required fields, which proto3 has not, and beyond 2 GiB.
            if let payload: [UInt8] = try? serializedBytes() { bytes.append(contentsOf: payload) }
        }
    }
}
