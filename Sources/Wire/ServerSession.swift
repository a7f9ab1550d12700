package import EventModel
import SwiftProtobuf
package import WireMessages

/// The server's side of one connection: what a client may say when, and what is to be done about it.
///
/// Takes payloads and times and gives actions; reads no socket and no clock.
package struct ServerSession: Sendable {
    /// What a client may use.
    package struct Limits: Hashable, Sendable {
        /// Requests that have not been answered to the end, subscriptions and tasks included.
        package var openRequestCount = 16
        package var subscriptionCount = 4
        /// Until the first message has arrived.
        package var helloTimeout = Duration.seconds(5)
        package var times = ConnectionTimes.Limits()

        package init() {}
    }

    /// What the first message of a connection may lead to.
    package struct Identity: Sendable {
        package var server: String
        package var run: RunContext
        package var role: WireWelcome.Role

        package init(server: String, run: RunContext, role: WireWelcome.Role) {
            self.server = server
            self.run = run
            self.role = role
        }
    }

    /// Questions that one message answers.
    package enum Query: Hashable, Sendable, CaseIterable {
        case status, accounts, settings
    }

    package enum Action: Sendable {
        /// Send it.
        case send(WireServerMessage)
        /// The client is known now; greet it with ``welcome(_:)``.
        case greet(client: String)
        /// Answer, then call ``finish(_:)``.
        case answer(UInt64, Query)
        /// Read the configuration anew, or say what that would do, then call ``finish(_:)``.
        case reload(UInt64, isCheck: Bool)
        /// Begin a stream; call ``finish(_:)`` when it has ended.
        case subscribe(UInt64, WireSubscribe)
        /// The stream may send more.
        case credit(UInt64, events: UInt64)
        /// Carry it out; call ``finish(_:)`` after the last page.
        case perform(UInt64, WireDetectionTask)
        case nextPage(UInt64)
        /// End the stream or task, tell the client, call ``finish(_:)``.
        case cancel(UInt64)
        /// Send what is given, then close; count it under the label.
        case close(WireServerMessage, label: String)
        /// Close at once: what waits for the client is lost. Count it under the label, unless it was ending already.
        case abandon(label: String)
    }

    private enum Kind { case query, subscription, task }
    private enum Phase { case beforeHello, open, closed }

    private let identity: Identity
    private let limits: Limits
    private var phase = Phase.beforeHello
    private var open: [(id: UInt64, kind: Kind)] = []
    private let begun: Instant
    private var times: ConnectionTimes
    /// Messages taken.
    package private(set) var requestCount: UInt64 = 0

    package init(identity: Identity, limits: Limits, at now: Instant) {
        self.identity = identity
        self.limits = limits
        begun = now
        times = ConnectionTimes(limits.times, at: now)
    }

    /// Whether the client has said hello, and may be told things that it did not ask for.
    package var isOpen: Bool { phase == .open }

    // MARK: - Time

    /// When ``expire(at:)`` has to be asked next.
    package var deadline: Instant? {
        let hello = phase == .beforeHello ? begun.advanced(by: limits.helloTimeout) : nil
        return [hello, times.deadline(isIdle: isIdle)].compactMap { $0 }.min()
    }

    /// What the time that has passed leads to.
    package mutating func expire(at now: Instant) -> Action? {
        let expiry = times.expiry(isIdle: isIdle, at: now)
        if expiry == .write {
            end(at: now)
            return .abandon(label: ConnectionTimes.Expiry.write.label)
        }
        if phase == .beforeHello, begun.advanced(by: limits.helloTimeout) <= now {
            return close(
                .deadlineExceeded, "no hello within \(limits.helloTimeout)", label: "hello_timeout", at: now)
        }
        guard let expiry else { return nil }
        return close(.deadlineExceeded, times.complaint(expiry), label: expiry.label, at: now)
    }

    private var isIdle: Bool { phase == .open && open.isEmpty }

    /// Nothing of the client is heard any more: it has ``ConnectionTimes/Limits/writeTimeout`` to take what it is owed.
    package mutating func end(at now: Instant) {
        phase = .closed
        times.end(at: now)
    }

    /// Notes whether the bytes so far end within a frame that the client could send on.
    ///
    /// - Parameter isNew: Whether another frame has ended since the last call.
    package mutating func noteFrame(isOpen: Bool, isNew: Bool, at now: Instant) {
        times.noteFrame(isOpen: isOpen, isNew: isNew, at: now)
    }

    /// Notes whether something waits for the client to take it, and whether it has just taken some.
    package mutating func noteOutput(isWaiting: Bool, hasMoved: Bool, at now: Instant) {
        times.noteOutput(isWaiting: isWaiting, hasMoved: hasMoved, at: now)
    }

    // MARK: - Messages

    /// What one payload of the client leads to.
    package mutating func receive(_ payload: [UInt8], at now: Instant) -> Action? {
        guard phase != .closed else { return nil }
        times.noteMessage(at: now)
        requestCount += 1
        do throws(MessageDefect) {
            try MessageShape.checkClientMessage(payload.span)
            return take(try Self.decode(payload), at: now)
        } catch {
            return close(.invalid, "\(error)", label: error.label, at: now)
        }
    }

    /// A frame that makes no sense ends the connection.
    package mutating func refuse(_ error: FrameError, at now: Instant) -> Action {
        close(.invalid, "\(error)", label: error.label, at: now)
    }

    /// The request has been answered to the end, its id is free again.
    package mutating func finish(_ id: UInt64, at now: Instant) {
        open.removeAll { $0.id == id }
        times.noteMessage(at: now)
    }

    /// The answer to `hello`.
    package func welcome(_ capabilities: WireCapabilities) -> WireWelcome {
        var welcome = WireWelcome()
        welcome.version = Protocol.version
        welcome.server = identity.server
        welcome.run.bootID = "\(identity.run.bootID)"
        welcome.run.runID = identity.run.runID.rawValue
        welcome.role = identity.role
        welcome.capabilities = capabilities
        welcome.limits.clientPayloadBytes = UInt32(Frame.clientPayloadByteCount)
        welcome.limits.serverPayloadBytes = UInt32(Frame.serverPayloadByteCount)
        welcome.limits.openRequests = UInt32(limits.openRequestCount)
        welcome.limits.subscriptions = UInt32(limits.subscriptionCount)
        welcome.limits.idleTimeoutNs = UInt64(clamping: limits.times.idleTimeout.wholeNanoseconds)
        return welcome
    }

    private static func decode(_ payload: [UInt8]) throws(MessageDefect) -> WireClientMessage {
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = MessageShape.depthLimit
        options.discardUnknownFields = true
        do {
            return try WireClientMessage(serializedBytes: payload, options: options)
        } catch {
            throw .malformed
        }
    }

    private mutating func take(_ message: WireClientMessage, at now: Instant) -> Action? {
        let id = message.requestID
        guard id != 0 else { return close(.invalid, "a request without an id", label: "request_id", at: now) }
        if case .hello(let hello)? = message.body { return greet(hello, id, at: now) }
        guard phase == .open else {
            return close(.invalid, "the first message must be hello", label: "hello_missing", at: now)
        }
        switch message.body {
        case .status: return begin(id, .query, at: now) ?? .answer(id, .status)
        case .accounts: return begin(id, .query, at: now) ?? .answer(id, .accounts)
        case .settings: return begin(id, .query, at: now) ?? .answer(id, .settings)
        case .reload(let reload):
            return begin(id, .query, at: now) ?? .reload(id, isCheck: reload.checkOnly)
        case .subscribe(let subscribe):
            return begin(id, .subscription, at: now) ?? .subscribe(id, subscribe)
        case .task(let task): return begin(id, .task, at: now) ?? .perform(id, task)
        // Those that mean a request that has just ended are no mistake of the client.
        case .credit(let credit):
            return isOpen(credit.requestID, .subscription)
                ? .credit(credit.requestID, events: UInt64(credit.events)) : nil
        case .cancel(let cancel): return isOpen(cancel.requestID, nil) ? .cancel(cancel.requestID) : nil
        case .nextPage(let next):
            return isOpen(next.requestID, .task)
                ? .nextPage(next.requestID)
                : .send(.failure(.notFound, "request \(next.requestID) is no open task", to: id))
        case .hello, nil:
            return .send(.failure(.unsupported, "a request that this version does not know", to: id))
        }
    }

    private mutating func greet(_ hello: WireHello, _ id: UInt64, at now: Instant) -> Action? {
        guard phase == .beforeHello else {
            return close(.invalid, "hello twice", label: "hello_twice", at: now)
        }
        guard hello.client.utf8.count <= Protocol.clientNameByteCount else {
            return close(
                .invalid, "a client's name has at most \(Protocol.clientNameByteCount) bytes",
                label: "hello_name", at: now)
        }
        guard hello.versions.contains(Protocol.version) else {
            return close(
                .unsupportedVersion, "this collector speaks version \(Protocol.version)",
                label: "unsupported_version", to: id, at: now)
        }
        phase = .open
        helloID = id
        return .greet(client: hello.client)
    }

    /// The id of the request that ``Action/greet(client:)`` answers.
    package private(set) var helloID: UInt64 = 0

    private mutating func begin(_ id: UInt64, _ kind: Kind, at now: Instant) -> Action? {
        guard !open.contains(where: { $0.id == id }) else {
            return close(.invalid, "request \(id) is still open", label: "request_id", at: now)
        }
        guard open.count < limits.openRequestCount else {
            return .send(
                .failure(.exhausted, "at most \(limits.openRequestCount) requests may be open", to: id))
        }
        if kind == .subscription, open.count(where: { $0.kind == .subscription }) >= limits.subscriptionCount
        {
            return .send(
                .failure(
                    .exhausted, "at most \(limits.subscriptionCount) subscriptions per connection", to: id))
        }
        open.append((id, kind))
        return nil
    }

    private func isOpen(_ id: UInt64, _ kind: Kind?) -> Bool {
        open.contains { $0.id == id && (kind == nil || $0.kind == kind) }
    }

    private mutating func close(
        _ code: WireFailure.Code, _ message: String, label: String, to id: UInt64 = 0, at now: Instant
    ) -> Action {
        end(at: now)
        return .close(.failure(code, message, to: id), label: label)
    }
}

/// What both sides agree on.
package enum Protocol {
    /// The one version there is.
    package static let version: UInt32 = 1
    package static let clientNameByteCount = 128
}

extension WireServerMessage {
    package static func failure(_ code: WireFailure.Code, _ message: String, to id: UInt64) -> Self {
        var answer = WireServerMessage()
        answer.requestID = id
        answer.failure.code = code
        answer.failure.message = message
        return answer
    }

    /// Appends the message as a frame.
    package func appendFrame(to bytes: inout [UInt8]) {
        Frame.append(to: &bytes) { bytes in
            // Fails only for required fields, which proto3 has not, and beyond 2 GiB.
            if let payload: [UInt8] = try? serializedBytes() { bytes.append(contentsOf: payload) }
        }
    }
}
