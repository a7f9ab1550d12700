package import EventModel

/// How long a server waits for a client: for the rest of a frame, for a request, for room.
///
/// Takes times and reads no clock.
package struct ConnectionTimes: Sendable {
    package struct Limits: Hashable, Sendable {
        /// From the first byte of a frame to its last.
        package var frameTimeout = Duration.seconds(5)
        /// Without any message, while no request is open.
        package var idleTimeout = Duration.seconds(600)
        /// Without the client taking a byte of what waits for it; after its end, until it has taken all of it.
        package var writeTimeout = Duration.seconds(10)

        package init() {}
    }

    /// What has taken too long.
    package enum Expiry: Hashable, Sendable {
        case write, frame, idle

        /// The reason in counters.
        package var label: String {
            switch self {
            case .write: "write_timeout"
            case .frame: "frame_timeout"
            case .idle: "idle_timeout"
            }
        }
    }

    private let limits: Limits
    private var frameBegun: Instant?
    private var lastMessage: Instant
    private var stalledSince: Instant?
    private var endedSince: Instant?

    package init(_ limits: Limits, at now: Instant) {
        self.limits = limits
        lastMessage = now
    }

    /// Whether ``end(at:)`` was called.
    package var isEnded: Bool { endedSince != nil }

    /// When ``expiry(isIdle:at:)`` has to be asked next.
    ///
    /// - Parameter isIdle: Whether the client has asked for nothing that is still to be answered.
    package func deadline(isIdle: Bool) -> Instant? {
        if let endedSince { return endedSince.advanced(by: limits.writeTimeout) }
        let deadlines = [
            frameBegun?.advanced(by: limits.frameTimeout),
            stalledSince?.advanced(by: limits.writeTimeout),
            isIdle ? lastMessage.advanced(by: limits.idleTimeout) : nil,
        ]
        return deadlines.compactMap { $0 }.min()
    }

    /// What has taken too long by now.
    package func expiry(isIdle: Bool, at now: Instant) -> Expiry? {
        if let since = endedSince ?? stalledSince, since.advanced(by: limits.writeTimeout) <= now {
            return .write
        }
        if isEnded { return nil }
        if let frameBegun, frameBegun.advanced(by: limits.frameTimeout) <= now { return .frame }
        return isIdle && lastMessage.advanced(by: limits.idleTimeout) <= now ? .idle : nil
    }

    /// What a client is told of it, in one line.
    package func complaint(_ expiry: Expiry) -> String {
        switch expiry {
        case .write: "nothing was taken for \(limits.writeTimeout)"
        case .frame: "a frame was not complete within \(limits.frameTimeout)"
        case .idle: "nothing was asked for \(limits.idleTimeout)"
        }
    }

    /// Nothing is heard of the client any more: it has ``Limits/writeTimeout`` to take what it is owed.
    package mutating func end(at now: Instant) { endedSince = endedSince ?? now }

    /// The client has asked for something, or has got its answer.
    package mutating func noteMessage(at now: Instant) { lastMessage = now }

    /// Notes whether the bytes so far end within a frame that the client could send on.
    ///
    /// - Parameter isNew: Whether another frame has ended since the last call.
    package mutating func noteFrame(isOpen: Bool, isNew: Bool, at now: Instant) {
        if !isOpen { frameBegun = nil } else if isNew || frameBegun == nil { frameBegun = now }
    }

    /// Notes whether something waits for the client to take it, and whether it has just taken some.
    package mutating func noteOutput(isWaiting: Bool, hasMoved: Bool, at now: Instant) {
        if !isWaiting {
            stalledSince = nil
        } else if hasMoved || stalledSince == nil {
            stalledSince = now
        }
    }
}
