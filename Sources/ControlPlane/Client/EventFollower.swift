package import Backends
package import CollectorCore
package import EventModel
package import WireMessages

/// Follows a collector's events over broken connections and restarts: goes on where it was, and a gap says what is gone.
package struct EventFollower: Sendable {
    /// What comes.
    package enum Item: Sendable {
        case events(WireEventBatch)
        case gap(Gap)
        case status(SourceStatus)
        /// Connected; what the collector says of itself.
        case connected(WireWelcome)
        /// The connection broke; the next try comes after the pause.
        case disconnected(ControlClientError, pause: Duration)
        /// The stream ended as was asked for.
        case end(WireStreamEnd)
    }

    /// Events that are on their way at most.
    private static let credit: UInt32 = 16_384

    private let connector: any TransportConnector
    private let name: String
    private let thread: any ExecutionThread
    private let entropy: any Entropy
    private let filter: WireFilter
    private let connectTimeout = Duration.seconds(5)
    private var remaining: UInt64?
    private var client: ControlClient?
    private var request: UInt64 = 0
    private var spent: UInt32 = 0
    private var backoff = Backoff()
    private var retriesForever: Bool
    private var isDone = false
    /// Everything up to here was returned by ``next()``.
    package private(set) var position: FeedPosition?

    /// - Parameters:
    ///   - after: Where to begin; the newest when `nil`.
    ///   - eventLimit: How many events are wanted; `nil` for all.
    ///   - retriesForever: Whether to try again when the first connection fails, too.
    package init(
        _ connector: any TransportConnector, name: String, filter: WireFilter, after: FeedPosition? = nil,
        eventLimit: UInt64? = nil, retriesForever: Bool = false, on thread: any ExecutionThread,
        entropy: any Entropy
    ) {
        self.connector = connector
        self.name = name
        self.filter = filter
        self.thread = thread
        self.entropy = entropy
        self.retriesForever = retriesForever
        remaining = eventLimit
        position = after
    }

    /// The next item; `nil` behind the end.
    ///
    /// - Throws: ``ControlClientError`` when the collector refuses what is asked for, or was never reached.
    package mutating func next() async throws(ControlClientError) -> Item? {
        if isDone { return nil }
        do throws(ControlClientError) {
            guard let client else { return try await connect() }
            guard let part = try await client.next(request, until: nil) else {
                throw .disconnected("the stream ended without a word")
            }
            return try take(part)
        } catch {
            return try lose(error)
        }
    }

    /// Waits out a pause that ``Item/disconnected(_:pause:)`` told of; returns early when the task is cancelled.
    package func wait(_ pause: Duration) async {
        try? await thread.clock.sleep(until: thread.clock.monotonic.advanced(by: pause))
    }

    private mutating func connect() async throws(ControlClientError) -> Item {
        let deadline = thread.clock.monotonic.advanced(by: connectTimeout)
        let client = try await ControlClient.connect(connector, name: name, on: thread, until: deadline)
        var subscribe = WireSubscribe()
        subscribe.filter = filter
        subscribe.credit = Self.credit
        if let position { subscribe.after = WirePosition(position) }
        if let remaining { subscribe.eventLimit = remaining }
        request = try client.begin(.subscribe(subscribe))
        self.client = client
        spent = 0
        retriesForever = true
        return .connected(client.welcome)
    }

    private mutating func take(_ part: WireServerMessage) throws(ControlClientError) -> Item? {
        backoff.reset()
        do throws(MessageError) {
            switch part.body {
            case .subscribed(let subscribed):
                position = try FeedPosition(subscribed.position)
                return .status(nil)
            case .events(let batch):
                try note(batch)
                return .events(batch)
            case .gap(let gap): return .gap(try Gap(gap))
            case .sourceStatus(let status): return .status(try SourceStatus(status))
            case .streamEnd(let end):
                guard end.reason.code != .cancelled else { throw MessageError(field: "", expected: "") }
                isDone = true
                client?.close()
                return .end(end)
            default: return nil
            }
        } catch {
            throw .violation("\(error)")
        }
    }
}
