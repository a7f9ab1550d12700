/// The account of a source over one interval, in kernel messages.
///
/// Law: `kernel = emitted + filtered + coalesced + dropped + lost`. Where the kernel does not number its messages,
/// `kernel` counts those read, ``lost`` is `nil`, and ``lostBounds`` with ``overflows`` say what is known.
public struct SourceAccount: Hashable, Sendable {
    public var source: SourceName
    /// Messages the kernel made within the interval.
    public var kernel: UInt64
    /// Messages that became one event each.
    public var emitted: UInt64
    public var filtered: Tally
    public var coalesced: UInt64
    /// Messages whose event was dropped, by `hop/reason`.
    public var dropped: Tally
    public var lost: UInt64?
    public var lostBounds: LostBounds
    /// How often the kernel said that it had dropped something.
    public var overflows: UInt64
    /// Events that stand for no kernel message, and were dropped before the bus; outside the law.
    public var syntheticDropped: UInt64
    /// Processors whose share of ``kernel`` is exact to the last message; `false`: up to the last one received.
    public var processors: [ProcessorAccount]
    /// `processes` of `/proc/stat` around the interval, beside the FORK messages within it: a check, not a term.
    public var forkCheck: ForkCheck?

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
    public var processor: UInt32
    public var isFenced: Bool
    public var kernel: UInt64
    public var lost: UInt64

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
    /// The fewest and the most forks that `/proc/stat` allows for the interval.
    public var atLeast: UInt64
    public var atMost: UInt64

    public init(forks: UInt64, atLeast: UInt64, atMost: UInt64) {
        self.forks = forks
        self.atLeast = atLeast
        self.atMost = atMost
    }
}

/// The account of one subscriber, in events.
///
/// Laws: `offered = emitted + synthetic` and `offered = delivered + filtered + dropped + inFlight`; ``inFlight`` is 0
/// after a drain. Gap, account and status records are outside it.
public struct StreamAccount: Hashable, Sendable {
    public var subscriber: String
    public var offered: UInt64
    public var emitted: UInt64
    public var baseline: UInt64
    public var resync: UInt64
    public var derived: UInt64
    public var delivered: UInt64
    public var filtered: Tally
    public var dropped: Tally
    public var inFlight: UInt64

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

    public var isBalanced: Bool {
        offered == emitted + baseline + resync + derived
            && offered == delivered + filtered.total + dropped.total + inFlight
    }
}

/// Counts by reason, in the order of the reasons' names.
///
/// Reasons are a small closed set of constants, so a sorted array beats a dictionary and prints in a stable order.
public struct Tally: Hashable, Sendable {
    public private(set) var entries: [Entry] = []

    public struct Entry: Hashable, Sendable {
        public var reason: String
        public var count: UInt64
    }

    public init() {}

    public var total: UInt64 { entries.reduce(0) { $0 + $1.count } }

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

    public mutating func merge(_ other: Tally) {
        for entry in other.entries { add(entry.count, to: entry.reason) }
    }
}
