/// The account of a source over one interval, in kernel messages.
///
/// Law: `kernel = emitted + filtered + coalesced + dropped + lost`. Where the kernel does not number its
/// messages, `kernel` counts those read, ``lost`` is `nil`, and ``lostBounds`` with ``overflows`` say what is
/// known.
public struct SourceAccount: Hashable, Sendable {
    /// The source that the account is of.
    public var source: SourceName
    /// Messages the kernel made within the interval.
    public var kernel: UInt64
    /// Messages that became one event each.
    public var emitted: UInt64
    /// Messages that no event was wanted for, by reason.
    public var filtered: Tally
    /// Messages that an event made of another message stands for.
    public var coalesced: UInt64
    /// Messages whose event was dropped, by `hop/reason`.
    public var dropped: Tally
    /// Messages made by the kernel that never arrived; `nil` when nobody numbers them.
    public var lost: UInt64?
    /// At least and at most so many were lost; both equal ``lost`` where that is known.
    public var lostBounds: LostBounds
    /// How often the kernel said that it had dropped something.
    public var overflows: UInt64
    /// Events that stand for no kernel message, and were dropped before the bus; outside the law.
    public var syntheticDropped: UInt64
    /// Processors whose share of ``kernel`` is exact to the last message; `false`: up to the last one
    /// received.
    public var processors: [ProcessorAccount]
    /// `processes` of `/proc/stat` around the interval, beside the FORK messages within it: a check, not a
    /// term.
    public var forkCheck: ForkCheck?

    /// An account in which nothing has happened yet.
    public init(source: SourceName) {
        self.source = source
        kernel = 0
        emitted = 0
        filtered = Tally()
        coalesced = 0
        dropped = Tally()
        lost = 0
        lostBounds = .exactly(0)
        overflows = 0
        syntheticDropped = 0
        processors = []
    }

    /// Whether the law holds.
    public var isBalanced: Bool {
        kernel == emitted + filtered.total + coalesced + dropped.total + (lost ?? 0)
    }
}

/// One processor's share of a ``SourceAccount``.
public struct ProcessorAccount: Hashable, Sendable {
    /// The processor's number.
    public var processor: UInt32
    /// Whether a fence closed the interval on this processor, so that ``kernel`` is exact to the last
    /// message.
    public var isFenced: Bool
    /// Messages the kernel made on this processor within the interval.
    public var kernel: UInt64
    /// Those of them that never arrived.
    public var lost: UInt64

    /// Makes a share from its parts.
    public init(processor: UInt32, isFenced: Bool, kernel: UInt64, lost: UInt64) {
        self.processor = processor
        self.isFenced = isFenced
        self.kernel = kernel
        self.lost = lost
    }
}

/// A bracketed cross-check of FORK messages (threads included) against `processes` of `/proc/stat`.
public struct ForkCheck: Hashable, Sendable {
    /// FORK messages seen within the interval.
    public var forks: UInt64
    /// The fewest forks that `/proc/stat` allows for the interval: a fork is counted there before its message is sent,
    /// so each processor may have one under way at either end.
    public var atLeast: UInt64
    /// The most forks that `/proc/stat` allows for the interval.
    public var atMost: UInt64

    /// Makes a check from its parts.
    public init(forks: UInt64, atLeast: UInt64, atMost: UInt64) {
        self.forks = forks
        self.atLeast = atLeast
        self.atMost = atMost
    }

    /// Whether the messages seen, and up to `lost` more, can be what `/proc/stat` counted.
    public func agrees(withLost lost: UInt64) -> Bool {
        forks <= atMost && forks.addingReportingOverflow(lost).partialValue >= atLeast
    }
}

/// The account of one subscriber, in events.
///
/// Laws: `offered = emitted + synthetic` and `offered = delivered + filtered + dropped + inFlight`;
/// ``inFlight`` is 0 after a drain. Gap, account and status records are outside it.
public struct StreamAccount: Hashable, Sendable {
    /// The subscriber's name.
    public var subscriber: String
    /// Events that the bus had for this subscriber.
    public var offered: UInt64
    /// Those of them that stand for one kernel message.
    public var emitted: UInt64
    /// Synthetic events of a first look.
    public var baseline: UInt64
    /// Synthetic events of a scan after a loss.
    public var resync: UInt64
    /// Synthetic events concluded from others.
    public var derived: UInt64
    /// Events that the subscriber took.
    public var delivered: UInt64
    /// Events that the subscriber did not want, by reason.
    public var filtered: Tally
    /// Events for which the subscriber's queue had no room, by reason.
    public var dropped: Tally
    /// Events that still wait in the subscriber's queue.
    public var inFlight: UInt64

    /// An account in which nothing has happened yet.
    public init(subscriber: String) {
        self.subscriber = subscriber
        offered = 0
        emitted = 0
        baseline = 0
        resync = 0
        derived = 0
        delivered = 0
        filtered = Tally()
        dropped = Tally()
        inFlight = 0
    }

    /// Whether both laws hold.
    public var isBalanced: Bool {
        offered == emitted + baseline + resync + derived
            && offered == delivered + filtered.total + dropped.total + inFlight
    }
}

/// Counts by reason, in the order of the reasons' names.
///
/// Reasons are a small closed set of constants, so a sorted array beats a dictionary and prints in a stable
/// order.
public struct Tally: Hashable, Sendable {
    /// Each reason that has a count, in ascending order, none twice, none with 0.
    public private(set) var entries: [Entry] = []

    /// One reason and its count.
    public struct Entry: Hashable, Sendable {
        /// The reason, a constant of the code that counts.
        public var reason: String
        /// How often, at least 1.
        public var count: UInt64
    }

    /// An empty tally.
    public init() {}

    /// The sum of all counts.
    public var total: UInt64 { entries.reduce(0) { $0 + $1.count } }

    /// The count of one reason, 0 when it never came.
    public subscript(reason: String) -> UInt64 { entries.first { $0.reason == reason }?.count ?? 0 }

    /// Adds `count` to a reason; nothing for 0, so that a tally lists only what happened.
    public mutating func add(_ count: UInt64, to reason: String) {
        guard count > 0 else { return }
        let index = entries.firstIndex { $0.reason >= reason } ?? entries.count
        if index < entries.count, entries[index].reason == reason {
            entries[index].count += count
        } else {
            entries.insert(Entry(reason: reason, count: count), at: index)
        }
    }

    /// Adds all counts of another tally.
    public mutating func merge(_ other: Tally) {
        for entry in other.entries { add(entry.count, to: entry.reason) }
    }
}
