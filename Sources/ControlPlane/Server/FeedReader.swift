import CollectorCore
import EventModel

/// One reader's place in an ``EventFeed``, and its account.
struct FeedReader {
    /// Events of one output at most, so that an answer has a bounded size whatever a batch holds.
    static let outputByteCount = 256 << 10

    private let request: EventFeed.Request
    private let takesEverything: Bool
    private let notify: @Sendable () -> Void
    /// The item that comes next.
    var nextSerial: UInt64
    /// Events of that item that were already dealt with.
    private var offset = 0
    private var credit: UInt64
    private var remaining: UInt64?
    private var end: EventFeed.End?
    private var pendingGaps: [(gap: Gap, through: UInt64?)] = []
    /// Of the sources that it was told to go on behind: what it has seen of them.
    private var seen: [FeedPosition.Source] = []
    private(set) var account: StreamAccount
    /// It was told that there is nothing, and wants to know when there is.
    var isWaiting = false

    init(_ request: EventFeed.Request, nextSerial: UInt64, notify: @escaping @Sendable () -> Void) {
        self.request = request
        self.nextSerial = nextSerial
        self.notify = notify
        takesEverything = request.filter == .everything
        credit = request.credit
        remaining = request.eventLimit
        account = StreamAccount(subscriber: request.name)
    }

    var finalAccount: StreamAccount {
        var account = account
        account.dropped.add(account.inFlight, to: "closed")
        account.inFlight = 0
        return account
    }

    mutating func takeNotice() -> (@Sendable () -> Void)? {
        guard isWaiting else { return nil }
        isWaiting = false
        return notify
    }

    mutating func add(credit more: UInt64) {
        let (sum, overflow) = credit.addingReportingOverflow(more)
        credit = overflow ? .max : sum
    }

    var mayRead: Bool { credit > 0 }

    // MARK: - Places

    /// Notes how much lies between the wanted position, which is one of this run, and what is kept.
    mutating func resume(
        after: FeedPosition, newest: FeedPosition, kept: [(source: SourceName, sequence: UInt64)],
        at now: Instant, wall: WallTime
    ) {
        seen = after.sources
        for source in newest.sources {
            let wanted = after.sequence(of: source.name)
            let first = kept.first { $0.source == source.name }?.sequence ?? source.sequence + 1
            guard first > wanted + 1 else { continue }
            let lost = first - wanted - 1
            add(
                Gap(
                    source: source.name, cause: .resume, lost: takesEverything ? lost : nil,
                    lostBounds: LostBounds(atLeast: takesEverything ? lost : 0, atMost: lost), from: now,
                    until: now, time: wall, processors: [], subscriber: request.name), through: first - 1)
        }
    }

    /// Notes that nobody knows how much is gone: sequences of another run say nothing about this one.
    mutating func resume(
        afterAnotherRun after: FeedPosition, newest: FeedPosition,
        kept: [(source: SourceName, sequence: UInt64)], at now: Instant, wall: WallTime
    ) {
        let news = newest.sources.map(\.name).filter { name in
            !after.sources.contains { $0.name == name }
        }
        for name in after.sources.map(\.name) + news {
            // Of this run, what is not kept any more is known.
            let first = kept.first { $0.source == name }?.sequence ?? newest.sequence(of: name) + 1
            let bounds = LostBounds(atLeast: takesEverything ? first - 1 : 0, atMost: nil)
            add(
                Gap(
                    source: name, cause: .resume, lost: nil, lostBounds: bounds, from: now, until: now,
                    time: wall, processors: [], subscriber: request.name), through: nil)
        }
    }

    /// Enters a batch that was there before the reader.
    mutating func offerKept(_ batch: EventBatch) { offer(OriginCounts(batch, from: firstUnseen(of: batch))) }

    mutating func offer(_ counts: OriginCounts) {
        account.offered += counts.total
        account.emitted += counts.emitted
        account.baseline += counts.baseline
        account.resync += counts.resync
        account.derived += counts.derived
        account.inFlight += counts.total
    }

    /// Goes on to the next item.
    mutating func pass() {
        nextSerial += 1
        offset = 0
    }

    /// Whether it was told to go on behind a later event of the source than the last one before a gap: it knows the gap.
    func hasSeen(_ source: SourceName, beyond sequence: UInt64) -> Bool {
        seen.contains { $0.name == source && $0.sequence > sequence }
    }

    private func firstUnseen(of batch: EventBatch) -> Int {
        guard let wanted = seen.first(where: { $0.name == batch.source })?.sequence else { return 0 }
        return batch.events.firstIndex { $0.sequence > wanted } ?? batch.events.count
    }

    // MARK: - Reading

    /// What comes before the next item.
    mutating func takePending() -> EventFeed.Output? {
        if !pendingGaps.isEmpty {
            let (gap, through) = pendingGaps.removeFirst()
            return .gap(gap, through: through)
        }
        return end.map { .end($0) }
    }

    /// Reads as much of the batch as credit, limit and size allow; needs credit.
    ///
    /// - Returns: `nil` when nothing of it passes the filter.
    mutating func read(_ batch: EventBatch) -> EventFeed.Output? {
        if offset == 0 { offset = firstUnseen(of: batch) }
        let most = min(credit, remaining ?? .max)
        var indices: [UInt16] = []
        var byteCount = 0
        let begin = offset
        while offset < batch.events.count, UInt64(indices.count) < most, byteCount < Self.outputByteCount {
            if takesEverything || request.filter.matches(batch.events[offset]) {
                indices.append(UInt16(truncatingIfNeeded: offset))
                byteCount += batch.events[offset].estimatedByteCount
            }
            offset += 1
        }
        let (passed, count) = (UInt64(offset - begin), UInt64(indices.count))
        let through = offset > 0 ? batch.events[offset - 1].sequence : 0
        account.inFlight -= passed
        account.delivered += count
        account.filtered.add(passed - count, to: "filter")
        credit -= count
        if let remaining {
            self.remaining = remaining - count
            if remaining == count { end = .limitReached }
        }
        let isWhole = indices.count == batch.events.count
        if offset == batch.events.count { pass() }
        guard count > 0 else { return nil }
        return .events(SelectedEvents(batch: batch, indices: isWhole ? nil : indices), through: through)
    }

    // MARK: - Losses

    /// The item makes room before it was read to the end.
    mutating func skip(_ batch: EventBatch) {
        if offset == 0 { offset = firstUnseen(of: batch) }
        var lost: UInt64 = 0
        for index in offset..<batch.events.count
        where takesEverything || request.filter.matches(batch.events[index]) { lost += 1 }
        let passed = UInt64(batch.events.count - offset)
        account.inFlight -= passed
        account.dropped.add(lost, to: "slow")
        account.filtered.add(passed - lost, to: "filter")
        if lost > 0, let first = batch.events[offset...].first, let last = batch.events.last {
            add(
                Gap(
                    source: batch.source, cause: .subscriberQueue, lost: lost, lostBounds: .exactly(lost),
                    from: first.monotonic, until: last.monotonic, time: last.time, processors: [],
                    subscriber: request.name), through: last.sequence)
            if request.endsWhenSlow { end = .tooSlow }
        }
        pass()
    }

    /// Some of what was read cannot be sent.
    mutating func discard(_ count: UInt64, from batch: EventBatch) -> Gap? {
        guard let first = batch.events.first, let last = batch.events.last else { return nil }
        account.delivered -= count
        account.dropped.add(count, to: "too_large")
        return Gap(
            source: batch.source, cause: .subscriberQueue, lost: count, lostBounds: .exactly(count),
            from: first.monotonic, until: last.monotonic, time: last.time, processors: [],
            subscriber: request.name)
    }

    mutating func skip(_ gap: Gap, after sequence: UInt64) {
        if !hasSeen(gap.source, beyond: sequence) { add(gap, through: nil) }
        pass()
    }

    mutating func skipRecord() { pass() }

    /// Keeps a gap for the reader; those that say the same of one source become one.
    private mutating func add(_ gap: Gap, through: UInt64?) {
        let alike = pendingGaps.lastIndex {
            $0.gap.source == gap.source && $0.gap.cause == gap.cause && $0.gap.subscriber == gap.subscriber
        }
        if let alike, let merged = pendingGaps[alike].gap.merged(with: gap) {
            pendingGaps[alike] = (merged, through ?? pendingGaps[alike].through)
        } else {
            pendingGaps.append((gap, through))
        }
    }
}
