package import Backends
package import CollectorCore
package import EventModel
import Synchronization
package import WireMessages

/// Follows a collector's events over broken connections and restarts: goes on where it was, and a gap says what is gone.
package struct EventFollower: Sendable {
    /// What comes.
    package enum Item: Sendable {
        case events(EventBatch)
        case gap(Gap)
        case status(SourceStatus)
        /// Connected; what the collector says of itself.
        case connected(WireWelcome)
        /// The connection broke; the next try comes after the pause.
        case disconnected(ControlClientError, pause: Duration)
        /// What the collector tells every client: its capabilities or its configuration have changed.
        case announcement(WireServerMessage)
        /// The stream ended as was asked for.
        case end(WireStreamEnd)
    }

    /// Events that are on their way at most.
    private static let credit: UInt32 = 16_384
    private static let connectTimeout = Duration.seconds(5)

    private let connector: any TransportConnector
    private let name: String
    private let thread: any ExecutionThread
    private let entropy: any Entropy
    private let filter: WireFilter
    private let isPatient: Bool
    private var remaining: UInt64?
    private var client: ControlClient?
    private var request: UInt64 = 0
    private var spentCredit: UInt32 = 0
    private var backoff = Backoff()
    private var wasConnected = false
    private var isDone = false
    private let present = PresentStream()
    /// Everything up to here was returned by ``next()``.
    package private(set) var position: FeedPosition?

    /// - Parameters:
    ///   - after: Where to begin; the newest when `nil`.
    ///   - eventLimit: How many events are wanted; `nil` for all.
    ///   - isPatient: Whether to try again when the first connection fails, too.
    package init(
        _ connector: any TransportConnector, name: String, filter: WireFilter, after: FeedPosition? = nil,
        eventLimit: UInt64? = nil, isPatient: Bool = false, on thread: any ExecutionThread,
        entropy: any Entropy
    ) {
        self.connector = connector
        self.name = name
        self.filter = filter
        self.thread = thread
        self.entropy = entropy
        self.isPatient = isPatient
        remaining = eventLimit
        position = after
    }

    /// The next item; `nil` behind the end.
    ///
    /// - Throws: ``ControlClientError`` when the collector refuses what is asked for, speaks nonsense, or was never reached.
    package mutating func next() async throws(ControlClientError) -> Item? {
        while !isDone {
            do throws(ControlClientError) {
                guard let client else { return .connected(try await connect()) }
                switch try await client.nextOrAnnouncement(request) {
                case .announcement(let message): return .announcement(message)
                case .part(let part): if let item = try take(part) { return item }
                case nil: throw .disconnected("the stream ended without a word")
                }
            } catch {
                return .disconnected(error, pause: try lose(error))
            }
        }
        return nil
    }

    /// Waits out the pause that ``Item/disconnected(_:pause:)`` told of; shorter when the task is cancelled.
    package func wait(_ pause: Duration) async {
        // Cancellation shows at the next call.
        try? await thread.clock.sleep(until: thread.clock.monotonic.advanced(by: pause))
    }

    /// Ends the connection.
    package func close() { client?.close() }

    /// Asks the collector to end the stream, so that ``Item/end(_:)`` comes with its account; callable from any thread.
    ///
    /// `false` when there is no stream at present, so that nothing will come of it.
    package var requestEnd: @Sendable () -> Bool { { [present] in present.requestEnd() } }

    private mutating func connect() async throws(ControlClientError) -> WireWelcome {
        let deadline = thread.clock.monotonic.advanced(by: Self.connectTimeout)
        let client = try await ControlClient.connect(connector, name: name, on: thread, until: deadline)
        var subscribe = WireSubscribe()
        subscribe.filter = filter
        subscribe.credit = Self.credit
        if let position { subscribe.after = WirePosition(position) }
        if let remaining { subscribe.eventLimit = remaining }
        request = try client.begin(.subscribe(subscribe))
        self.client = client
        present.set(client, request)
        spentCredit = 0
        wasConnected = true
        return client.welcome
    }

    /// - Returns: How long to wait before the next try.
    private mutating func lose(_ error: ControlClientError) throws(ControlClientError) -> Duration {
        client?.close()
        client = nil
        present.clear()
        switch error {
        case .refused(let code, _) where code != .exhausted: throw error
        case .violation: throw error
        case .unreachable, .disconnected, .timedOut, .refused:
            guard wasConnected || isPatient else { throw error }
            return backoff.pause(entropy)
        }
    }

    /// - Returns: `nil` when the part is of no use to the caller.
    private mutating func take(_ part: ControlClient.Part) throws(ControlClientError) -> Item? {
        backoff.reset()
        switch part {
        case .events(let batch, let through):
            position?.note(batch.source, through: through)
            spend(UInt32(clamping: batch.events.count))
            return .events(batch)
        case .message(let message): return try take(message)
        }
    }

    private mutating func take(_ message: WireServerMessage) throws(ControlClientError) -> Item? {
        switch message.body {
        case .subscribed(let subscribed):
            position = try convert { () throws(MessageError) in try FeedPosition(subscribed.position) }
            return nil
        case .gap(let message):
            let gap = try convert { () throws(MessageError) in try Gap(message) }
            // What is lost is not to be told again after a broken connection.
            if message.hasThrough { position?.note(gap.source, through: message.through) }
            return .gap(gap)
        case .sourceStatus(let status):
            return .status(try convert { () throws(MessageError) in try SourceStatus(status) })
        case .streamEnd(let end):
            // The collector stops, and may come back.
            if end.reason.code == .cancelled, !present.isEnding { throw .disconnected(end.reason.message) }
            isDone = true
            client?.close()
            return .end(end)
        default: return nil
        }
    }

    private func convert<Value>(_ body: () throws(MessageError) -> Value) throws(ControlClientError) -> Value
    {
        do throws(MessageError) {
            return try body()
        } catch {
            throw .violation("\(error)")
        }
    }

    /// Gives back the credit for what was read, in large pieces.
    private mutating func spend(_ count: UInt32) {
        if let remaining { self.remaining = remaining - min(remaining, UInt64(count)) }
        spentCredit += count
        guard spentCredit >= Self.credit / 2 else { return }
        var credit = WireCredit()
        credit.requestID = request
        credit.events = spentCredit
        client?.remark(.credit(credit))
        spentCredit = 0
    }
}

/// The stream that is open at the moment, for those who want to end it from another thread.
private final class PresentStream: Sendable {
    private struct State {
        var stream: (client: ControlClient, request: UInt64)?
        var isEnding = false
    }

    private let state = Mutex(State())

    var isEnding: Bool { state.withLock { $0.isEnding } }

    func set(_ client: ControlClient, _ request: UInt64) {
        let isEnding = state.withLock { state in
            state.stream = (client, request)
            return state.isEnding
        }
        if isEnding { cancel(client, request) }
    }

    func clear() { state.withLock { $0.stream = nil } }

    func requestEnd() -> Bool {
        let stream = state.withLock { state in
            state.isEnding = true
            return state.stream
        }
        guard let stream else { return false }
        cancel(stream.client, stream.request)
        return true
    }

    private func cancel(_ client: ControlClient, _ request: UInt64) {
        var cancel = WireCancel()
        cancel.requestID = request
        client.remark(.cancel(cancel))
    }
}
