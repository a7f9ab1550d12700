/// A stretch of the stream in which something is missing: where, why and how much.
public struct Gap: Hashable, Sendable {
    /// The source in whose stream something is missing.
    public var source: SourceName
    /// Why it is missing.
    public var cause: GapCause
    /// How many units are missing; `nil` when the kernel keeps no count, then see ``lostBounds``.
    public var lost: UInt64?
    /// At least, and at most where known.
    public var lostBounds: LostBounds
    /// When the last intact observation before the loss was made.
    public var from: Instant
    /// When the loss was noticed.
    public var until: Instant
    /// When the loss was noticed, on the wall clock.
    public var time: WallTime
    /// For kernel sequences: which processors lost how many.
    public var processors: [ProcessorLoss]
    /// The subscriber that missed the events, for causes at a subscriber's queue.
    public var subscriber: String?

    /// Makes a gap from its parts.
    public init(
        source: SourceName, cause: GapCause, lost: UInt64?, lostBounds: LostBounds, from: Instant,
        until: Instant,
        time: WallTime, processors: [ProcessorLoss], subscriber: String?
    ) {
        self.source = source
        self.cause = cause
        self.lost = lost
        self.lostBounds = lostBounds
        self.from = from
        self.until = until
        self.time = time
        self.processors = processors
        self.subscriber = subscriber
    }
}

/// Where and why something went missing.
public enum GapCause: String, Hashable, Sendable, CaseIterable {
    /// The kernel dropped messages because the socket's receive buffer was full; a resync follows.
    case kernelOverflow = "kernel_overflow"
    /// The kernel dropped file events because the queue of the watches was full (`IN_Q_OVERFLOW`); a rescan follows.
    case watchQueueOverflow = "watch_queue_overflow"
    /// A folder could not be watched for a while, or at all; what changed in it is stated by a rescan where there is one.
    case watchLost = "watch_lost"
    /// Processes may have begun and ended between two looks at `/proc`: at most as many as the kernel counted forks, those of
    /// threads included, less the processes that were found.
    case betweenPolls = "between_polls"
    /// The collector was not running.
    case notRunning = "not_running"
    /// The source's bounded buffer was full.
    case sourceBuffer = "source_buffer"
    /// A subscriber's bounded queue was full.
    case subscriberQueue = "subscriber_queue"
    /// A subscriber wanted to go on where it had stopped, and what came since is not kept any more.
    case resume
}

/// Bounds on an unknown number of losses.
public struct LostBounds: Hashable, Sendable {
    /// The lower bound.
    public var atLeast: UInt64
    /// `nil`: no upper bound is known.
    public var atMost: UInt64?

    /// Makes bounds from their parts.
    public init(atLeast: UInt64, atMost: UInt64?) {
        self.atLeast = atLeast
        self.atMost = atMost
    }

    /// Bounds that leave no doubt.
    public static func exactly(_ count: UInt64) -> LostBounds { LostBounds(atLeast: count, atMost: count) }
}

/// Messages lost on one processor: the sequences after `after` and before `before`.
public struct ProcessorLoss: Hashable, Sendable {
    /// The processor's number.
    public var processor: UInt32
    /// How many messages it lost.
    public var lost: UInt64
    /// The last sequence received before the loss.
    public var after: UInt32
    /// The first sequence received after it.
    public var before: UInt32

    /// Makes a loss from its parts.
    public init(processor: UInt32, lost: UInt64, after: UInt32, before: UInt32) {
        self.processor = processor
        self.lost = lost
        self.after = after
        self.before = before
    }
}
