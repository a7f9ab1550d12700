package import Backends
import CollectorCore
import DequeModule
package import EventModel
import Synchronization
import Wire
package import WireMessages

package import struct SystemPackage.Errno

/// Why a collector could not be asked, or gave no answer.
package enum ControlClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The socket could not be connected to.
    case unreachable(Errno)
    /// The connection has ended; the text says why, as far as that is known.
    case disconnected(String)
    /// The collector refused.
    case refused(WireFailure.Code, String)
    /// No answer within the time.
    case timedOut
    /// What the collector sent makes no sense.
    case violation(String)

    package var description: String {
        switch self {
        case .unreachable(let error): "cannot connect: \(error)"
        case .disconnected(let reason): "the connection has ended: \(reason)"
        case .refused(_, let message): message
        case .timedOut: "no answer in time"
        case .violation(let reason): reason
        }
    }
}

/// One connection to a collector: any number of requests at a time, each with its deadline.
///
/// All methods may be called from any thread. The memory of a stream is bounded by the credit that its reader gives.
package final class ControlClient: Sendable {
    /// One part of an answer.
    package enum Part: Sendable {
        /// Events of a stream.
        case events(EventBatch, through: UInt64)
        /// Anything else.
        case message(WireServerMessage)
    }

    /// What a stream's reader gets.
    package enum StreamItem: Sendable {
        case part(Part)
        /// What the collector tells every client.
        case announcement(WireServerMessage)
    }

    private enum Found {
        case part(Part)
        case nothingYet(Wakeup)
        case end
    }

    /// The parts of one answer, in the order in which they came.
    private struct Request {
        var parts: Deque<Part> = []
        var isEnded = false
        let arrived = Wakeup()
    }

    private struct State {
        var session = ClientSession()
        var output: [UInt8] = []
        var requests: [UInt64: Request] = [:]
        var welcome: WireWelcome?
        var announcements: Deque<WireServerMessage> = []
        var end: ControlClientError?
    }

    /// Announcements that nobody took; the oldest make room.
    private static let announcementCount = 16

    private let connection: any TransportConnection
    private let thread: any ExecutionThread
    private let state: Mutex<State>
    private let greeted = Latch()

    /// Connects, says hello and waits for the answer.
    ///
    /// - Parameters:
    ///   - name: Names the program to the collector; at most 128 bytes.
    ///   - thread: Carries the connection; its clock times requests.
    package static func connect(
        _ connector: any TransportConnector, name: String, on thread: any ExecutionThread,
        until deadline: Instant
    ) async throws(ControlClientError) -> ControlClient {
        let connection: any TransportConnection
        do throws(Errno) {
            connection = try connector.connect()
        } catch {
            throw .unreachable(error)
        }
        let client = ControlClient(connection, name: name, on: thread)
        _ = spawn(on: thread) { await client.run() }
        guard await client.greeted.wait(until: deadline, on: thread.clock) else {
            client.close()
            throw .timedOut
        }
        if let end = client.state.withLock({ $0.end }) { throw end }
        return client
    }

    private init(_ connection: any TransportConnection, name: String, on thread: any ExecutionThread) {
        self.connection = connection
        self.thread = thread
        var state = State()
        state.session.hello(client: name).appendFrame(to: &state.output)
        self.state = Mutex(state)
    }

    /// What the collector said of itself and of our rights.
    package var welcome: WireWelcome { state.withLock { $0.welcome ?? WireWelcome() } }

    /// Ends the connection; whoever waits for an answer gets ``ControlClientError/disconnected(_:)``.
    package func close() { finish(.disconnected("closed by us")) }

    // MARK: - Requests

    /// Asks, and waits for an answer of one part.
    package func ask(_ body: WireClientMessage.OneOf_Body, until deadline: Instant)
        async
        throws(ControlClientError) -> WireServerMessage
    {
        let id = try begin(body)
        defer { forget(id) }
        guard case .message(let answer)? = try await next(id, until: deadline) else {
            throw .violation("the collector answered with nothing, or with events")
        }
        return answer
    }

    /// Begins a request whose answer has several parts; take them with ``next(_:until:)``.
    package func begin(_ body: WireClientMessage.OneOf_Body) throws(ControlClientError) -> UInt64 {
        let result = state.withLock { state -> Result<UInt64, ControlClientError> in
            if let end = state.end { return .failure(end) }
            let message = state.session.begin(body)
            message.appendFrame(to: &state.output)
            state.requests[message.requestID] = Request()
            return .success(message.requestID)
        }
        connection.interrupt()
        return try result.get()
    }

    /// The next part of an answer; `nil` behind the last.
    ///
    /// One caller at a time for each request.
    /// - Parameter deadline: `nil` to wait as long as the connection lasts.
    package func next(_ id: UInt64, until deadline: Instant?) async throws(ControlClientError)
        -> Part?
    {
        while true {
            switch try find(id) {
            case .part(let part): return part
            case .nothingYet(let arrived): try await wait(for: arrived, until: deadline)
            case .end: return nil
            }
        }
    }

    /// The next part of a stream, or the oldest announcement that was not taken yet; `nil` behind the last part.
    ///
    /// One caller at a time. Waits as long as the connection lasts.
    package func nextOrAnnouncement(_ id: UInt64) async throws(ControlClientError) -> StreamItem? {
        while true {
            let announcement = state.withLock { $0.announcements.popFirst() }
            if let announcement { return .announcement(announcement) }
            switch try find(id) {
            case .part(let part): return .part(part)
            case .nothingYet(let arrived): try await wait(for: arrived, until: nil)
            case .end: return nil
            }
        }
    }

    private func find(_ id: UInt64) throws(ControlClientError) -> Found {
        let (part, request, end) = state.withLock { state in
            let part = state.requests[id]?.parts.popFirst()
            return (part, state.requests[id], state.end)
        }
        if let part {
            if case .message(let message) = part, case .failure(let failure)? = message.body {
                throw .refused(failure.code, failure.message)
            }
            return .part(part)
        }
        guard let request, !request.isEnded else { return .end }
        if let end { throw end }
        return .nothingYet(request.arrived)
    }

    private func wait(for arrived: Wakeup, until deadline: Instant?) async throws(ControlClientError) {
        guard await arrived.waitUnlessCancelled(until: deadline, on: thread.clock) == .signalled else {
            throw .timedOut
        }
        if Task.isCancelled { throw .disconnected("cancelled") }
    }

    /// Says something about a request, such as `credit` or `cancel`; not answered by itself.
    package func remark(_ body: WireClientMessage.OneOf_Body) {
        state.withLock { state in state.session.remark(body).appendFrame(to: &state.output) }
        connection.interrupt()
    }

    /// Asks for a page more of a task.
    package func nextPage(_ id: UInt64) {
        var next = WireNextPage()
        next.requestID = id
        remark(.nextPage(next))
    }

    /// Drops what comes for a request from now on.
    package func forget(_ id: UInt64) {
        state.withLock { state in state.requests[id] = nil }
    }

    // MARK: - The loop

    private func run() async {
        var reader = FrameReader(payloadLimit: Frame.serverPayloadByteCount)
        var output: [UInt8] = []
        var sentCount = 0
        while state.withLock({ $0.end == nil }) {
            do throws(Errno) {
                try receive(&reader)
                if sentCount == output.count {
                    output = state.withLock { state in
                        defer { state.output = [] }
                        return state.output
                    }
                    sentCount = 0
                }
                while sentCount < output.count { sentCount += try connection.send(output, from: sentCount) }
                if state.withLock({ !$0.output.isEmpty }) { continue }
            } catch .resourceTemporarilyUnavailable {
                // The kernel's buffer is full; wait for room.
            } catch {
                finish(.disconnected("\(error)"))
            }
            guard state.withLock({ $0.end == nil }) else { break }
            let interest: TransportInterest = sentCount < output.count ? [.receiving, .sending] : .receiving
            _ = await connection.ready(for: interest, until: nil)
            if Task.isCancelled { finish(.disconnected("cancelled")) }
        }
        connection.close()
    }

    private func receive(_ reader: inout FrameReader) throws(Errno) {
        while true {
            let count: Int
            do throws(Errno) {
                count = try reader.fill { (count, buffer) throws(Errno) in
                    try connection.receive(count: count, into: &buffer)
                }
            } catch .resourceTemporarilyUnavailable {
                return
            }
            if count == 0 { return finish(.disconnected("by the collector")) }
            do throws(FrameError) {
                while let payload = try reader.next() { take(payload) }
            } catch {
                return finish(.violation("\(error)"))
            }
        }
    }

    private func take(_ payload: [UInt8]) {
        // Most of what comes; read without a message in between.
        if let id = EventDecoder.request(ofEventsIn: payload) { return takeEvents(payload, of: id) }
        let event: ClientSession.Event?
        do throws(ClientSession.Violation) {
            event = try state.withLock { state throws(ClientSession.Violation) in
                try state.session.receive(payload)
            }
        } catch {
            return finish(.violation(error.description))
        }
        switch event {
        case .welcome(let welcome):
            state.withLock { $0.welcome = welcome }
            greeted.open()
        case .part(let id, let message): deliver(.message(message), to: id, isLast: false)
        case .end(let id, let message): deliver(.message(message), to: id, isLast: true)
        case .announcement(let message):
            let waiting = state.withLock { state in
                if state.announcements.count >= Self.announcementCount { _ = state.announcements.popFirst() }
                state.announcements.append(message)
                return state.requests.values.map(\.arrived)
            }
            // A stream without events must not keep back what everybody is told.
            for arrived in waiting { arrived.signal() }
            if case .goodbye(let goodbye)? = message.body { finish(.disconnected(goodbye.reason)) }
        case .refused(let failure): finish(.refused(failure.code, failure.message))
        case nil: return
        }
    }

    private func takeEvents(_ payload: [UInt8], of id: UInt64) {
        do throws(MessageError) {
            let events = try EventDecoder.events(inServerMessage: payload)
            deliver(.events(events.batch, through: events.through), to: id, isLast: false)
        } catch {
            finish(.violation("the collector sent events that make no sense: \(error)"))
        }
    }

    private func deliver(_ part: Part, to id: UInt64, isLast: Bool) {
        let arrived = state.withLock { state in
            state.requests[id]?.parts.append(part)
            if isLast { state.requests[id]?.isEnded = true }
            return state.requests[id]?.arrived
        }
        arrived?.signal()
    }

    /// The first reason counts; everybody who waits is told.
    private func finish(_ reason: ControlClientError) {
        let waiting = state.withLock { state in
            if state.end == nil { state.end = reason }
            return state.requests.values.map(\.arrived)
        }
        for arrived in waiting { arrived.signal() }
        greeted.open()
        connection.interrupt()
    }
}
