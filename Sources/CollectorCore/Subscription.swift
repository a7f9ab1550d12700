package import Backends
import DequeModule
public import EventModel
import Synchronization

/// What a subscriber wants and how long its queue may become.
public struct SubscriptionOptions: Sendable {
    /// Names the subscriber in accounts and gaps; unique in a collector.
    public var name: String
    public var filter: EventFilter
    /// Most events queued; 1 or more.
    public var queueLimit: Int
    /// Most bytes that the queued batches may keep alive; an estimate. 1 or more.
    public var queueByteLimit = CollectorLimits.queueByteCount
    /// `block` makes the sources wait, and in the end the kernel drop: for the one consumer that matters.
    public var overflowPolicy: OverflowPolicy

    public init(name: String, filter: EventFilter, queueLimit: Int, overflowPolicy: OverflowPolicy) {
        precondition(queueLimit > 0, "a queue needs room")
        self.name = name
        self.filter = filter
        self.queueLimit = queueLimit
        self.overflowPolicy = overflowPolicy
    }
}

/// One subscriber's bounded queue, and its account.
public final class Subscription: Sendable {
    private struct State {
        var queue: Deque<Delivery> = []
        var queuedCount = 0
        var queuedByteCount = 0
        var gapCount = 0
        /// Records other than gaps.
        var recordCount = 0
        var droppedRecordCount: UInt64 = 0
        var latency = Histogram()
        var batchSize = Histogram()
        var peakCount = 0
        var account: StreamAccount
        var isClosed = false
        /// Something was queued since the subscriber was last woken.
        var isUnannounced = false
        var lastWake = Instant(nanoseconds: .min / 2)
        /// Pumps of several sources may wait for room at a time.
        var roomWaiters: [CheckedContinuation<Void, Never>] = []

        mutating func takeRoomWaiters() -> [CheckedContinuation<Void, Never>] {
            defer { roomWaiters = [] }
            return roomWaiters
        }
    }

    /// Least time between two wake-ups for full batches while little is queued.
    private static let wakeInterval = Duration.milliseconds(5)
    /// Events queued at which a subscriber is woken at the latest; a small queue wakes it at an eighth of its room.
    private static let wakeCount = 256

    public let options: SubscriptionOptions
    private let takesEverything: Bool
    /// Events queued at which the subscriber is woken at once.
    private let wakeThreshold: Int
    private let clock: any SystemClock
    private let state: Mutex<State>
    private let itemReady = Wakeup()
    private let drained = Wakeup()

    package init(options: SubscriptionOptions, clock: any SystemClock) {
        self.options = options
        takesEverything = options.filter == .everything
        wakeThreshold = min(Self.wakeCount, max(1, options.queueLimit / 8))
        self.clock = clock
        state = Mutex(State(account: StreamAccount(subscriber: options.name)))
    }

    /// The next item; `nil` after the collector has stopped and everything was taken, or when the task is cancelled.
    public func next() async -> Delivery? {
        while true {
            let now = clock.monotonic
            let (item, isClosed, isEmpty, waiters) = state.withLock { state in
                let item = takeFirst(&state, at: now)
                return (item, state.isClosed, state.queue.isEmpty, item == nil ? [] : state.takeRoomWaiters())
            }
            #if MUTANTS
                if isClosed, isEmpty, !Mutation.drainUnannounced.isActive { drained.signal() }
            #else
                if isClosed, isEmpty { drained.signal() }
            #endif
            for waiter in waiters { waiter.resume() }
            if let item { return item }
            if isClosed { return nil }
            _ = await itemReady.waitUnlessCancelled(until: nil, on: clock)
            if Task.isCancelled { return nil }
        }
    }

    /// The account as it stands.
    public var account: StreamAccount {
        state.withLock { state in
            var account = state.account
            account.inFlight = UInt64(state.queuedCount)
            return account
        }
    }

    /// Whether ``next()`` would have to wait: the time to flush what was written.
    public var isIdle: Bool { state.withLock { $0.queue.isEmpty } }

    /// The most events that were ever queued.
    public var peakCount: Int { state.withLock { $0.peakCount } }

    /// What is measured of the subscriber.
    public var telemetry: SubscriberTelemetry {
        state.withLock { state in
            SubscriberTelemetry(
                subscriber: options.name, queuedCount: state.queuedCount,
                queuedByteCount: state.queuedByteCount, peakCount: state.peakCount,
                deliveredCount: state.account.delivered, droppedCount: state.account.dropped.total,
                droppedRecordCount: state.droppedRecordCount, latency: state.latency.summary,
                batchSize: state.batchSize.summary)
        }
    }

    /// Stops taking: what is queued, and whatever is still offered, counts as dropped for the reason `closed`.
    public func abandon() {
        let waiters = state.withLock { state in
            state.isClosed = true
            state.account.dropped.add(UInt64(state.queuedCount), to: "closed")
            state.queue = []
            state.queuedCount = 0
            state.queuedByteCount = 0
            state.gapCount = 0
            state.recordCount = 0
            return state.takeRoomWaiters()
        }
        itemReady.signal()
        drained.signal()
        for waiter in waiters { waiter.resume() }
    }

    // MARK: - Bus

    /// Offers a batch without waiting.
    ///
    /// The subscriber is woken when enough is queued or its last wake-up lies some time back; otherwise with the next
    /// ``announce()``, because a wake-up costs as much as ten events.
    /// - Returns: Whether it was dealt with; `false` when its publisher must wait for room.
    package func offerNow(_ batch: EventBatch) -> Bool {
        let selection = select(from: batch)
        let count = selection?.count ?? batch.events.count
        guard take(batch, selection, count: count) else { return false }
        if count > 0, mustAnnounce(at: clock.monotonic) { itemReady.signal() }
        return true
    }

    private func mustAnnounce(at now: Instant) -> Bool {
        state.withLock { state in
            let isDue = state.lastWake.duration(to: now) >= Self.wakeInterval
            guard state.queuedCount >= wakeThreshold || isDue else {
                #if MUTANTS
                    if Mutation.lostWakeup.isActive { return false }
                #endif
                state.isUnannounced = true
                return false
            }
            state.isUnannounced = false
            state.lastWake = now
            return true
        }
    }

    /// Wakes the subscriber if it was not yet for something in its queue.
    package func announce() {
        let now = clock.monotonic
        let isNeeded = state.withLock { state in
            guard state.isUnannounced, !state.queue.isEmpty else { return false }
            state.isUnannounced = false
            state.lastWake = now
            return true
        }
        if isNeeded { itemReady.signal() }
    }

    /// Offers a batch; waits while the queue is full only if the policy says `block`.
    package func offer(_ batch: EventBatch) async {
        let selection = select(from: batch)
        let count = selection?.count ?? batch.events.count
        while !take(batch, selection, count: count) {
            await withCheckedContinuation { waiter in
                let isParked = state.withLock { state in
                    // The subscriber may have made room since the attempt above.
                    guard mustWait(for: count, byteCount: batch.estimatedByteCount, in: state) else {
                        return false
                    }
                    state.roomWaiters.append(waiter)
                    return true
                }
                if !isParked { waiter.resume() }
            }
        }
        if count > 0 { itemReady.signal() }
    }

    /// Queues a record that is no event: outside the account. Gaps are never dropped but merged where they can be; of the
    /// others the oldest are dropped beyond ``CollectorLimits/pendingRecordCount``.
    package func offer(_ record: Delivery) {
        state.withLock { state in
            guard !state.isClosed else { return }
            if case .gap(let gap) = record {
                insert(gap, at: state.queue.endIndex, in: &state)
            } else {
                append(record, to: &state)
            }
        }
        itemReady.signal()
    }

    /// Ends the stream after what is queued.
    package func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            return state.takeRoomWaiters()
        }
        itemReady.signal()
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until the subscriber has taken everything.
    ///
    /// - Returns: Whether it had before the deadline.
    package func waitUntilDrained(until deadline: Instant) async -> Bool {
        while !isIdle {
            guard await drained.wait(until: deadline, on: clock) == .signalled else { return isIdle }
        }
        return true
    }

    // MARK: - State

    private func append(_ record: Delivery, to state: inout State) {
        if state.recordCount >= CollectorLimits.pendingRecordCount,
            let oldest = state.queue.firstIndex(where: { $0.isOtherRecord })
        {
            state.queue.remove(at: oldest)
            state.recordCount -= 1
            state.droppedRecordCount += 1
        }
        state.queue.append(record)
        state.recordCount += 1
    }

    private func takeFirst(_ state: inout State, at now: Instant) -> Delivery? {
        guard let item = state.queue.popFirst() else { return nil }
        switch item {
        case .events(let selected):
            state.queuedCount -= selected.count
            state.queuedByteCount -= selected.batch.estimatedByteCount
            state.account.delivered += UInt64(selected.count)
            state.batchSize.record(UInt64(selected.count))
            if let begun = selected.batch.begun {
                state.latency.record(UInt64(max(0, begun.duration(to: now).wholeNanoseconds)))
            }
        case .gap: state.gapCount -= 1
        case .status, .record: state.recordCount -= 1
        }
        return item
    }

    /// A batch larger than the whole queue is let in when the queue is empty: it could never fit.
    private func hasRoom(for count: Int, byteCount: Int, in state: State) -> Bool {
        #if MUTANTS
            if Mutation.batchSizeIgnored.isActive { return state.queuedCount < options.queueLimit }
        #endif
        if state.queuedCount == 0 { return true }
        return state.queuedCount + count <= options.queueLimit
            && state.queuedByteCount + byteCount <= options.queueByteLimit
    }

    private func mustWait(for count: Int, byteCount: Int, in state: State) -> Bool {
        options.overflowPolicy == .block && !state.isClosed
            && !hasRoom(for: count, byteCount: byteCount, in: state)
    }

    /// - Returns: Whether the batch was dealt with; `false` when its publisher must wait for room.
    private func take(_ batch: EventBatch, _ selection: [UInt16]?, count: Int) -> Bool {
        state.withLock { state in
            guard !mustWait(for: count, byteCount: batch.estimatedByteCount, in: state) else { return false }
            enter(batch, count: count, in: &state)
            if count == 0 { return true }
            if state.isClosed {
                state.account.dropped.add(UInt64(count), to: "closed")
            } else {
                admit(SelectedEvents(batch: batch, indices: selection), in: &state)
            }
            return true
        }
    }

    /// Indices that pass the filter; `nil` when all do.
    private func select(from batch: EventBatch) -> [UInt16]? {
        if takesEverything { return nil }
        var indices: [UInt16] = []
        for index in batch.events.indices where options.filter.matches(batch.events[index]) {
            indices.append(UInt16(truncatingIfNeeded: index))
        }
        return indices.count == batch.events.count ? nil : indices
    }

    private func enter(_ batch: EventBatch, count: Int, in state: inout State) {
        state.account.offered += UInt64(batch.events.count)
        for index in batch.events.indices {
            switch batch.events[index].origin {
            case .emitted: state.account.emitted += 1
            case .baseline: state.account.baseline += 1
            case .resync: state.account.resync += 1
            case .derived: state.account.derived += 1
            }
        }
        state.account.filtered.add(UInt64(batch.events.count - count), to: "filter")
    }

    private func admit(_ selected: SelectedEvents, in state: inout State) {
        let byteCount = selected.batch.estimatedByteCount
        guard !hasRoom(for: selected.count, byteCount: byteCount, in: state) else {
            return push(selected, to: &state)
        }
        let isTooLong = state.queuedCount + selected.count > options.queueLimit
        switch options.overflowPolicy {
        case .block, .dropNewest:
            sometimes(.queueDroppedNewest)
            let reason = isTooLong ? "queue/newest" : "queue-bytes/newest"
            drop(selected, at: state.queue.endIndex, reason: reason, in: &state)
        case .dropOldest:
            sometimes(.queueDroppedOldest)
            let reason = isTooLong ? "queue/oldest" : "queue-bytes/oldest"
            #if MUTANTS
                if Mutation.oneBatchDropped.isActive, let (oldest, index) = takeOldest(&state) {
                    drop(oldest, at: index, reason: "queue/oldest", in: &state)
                    return push(selected, to: &state)
                }
            #endif
            while !hasRoom(for: selected.count, byteCount: byteCount, in: state),
                let (oldest, index) = takeOldest(&state)
            {
                drop(oldest, at: index, reason: reason, in: &state)
            }
            push(selected, to: &state)
        }
    }

    private func push(_ selected: SelectedEvents, to state: inout State) {
        sometimes(.batchBeyondQueue, when: selected.count > options.queueLimit)
        state.queue.append(.events(selected))
        state.queuedCount += selected.count
        state.queuedByteCount += selected.batch.estimatedByteCount
        state.peakCount = max(state.peakCount, state.queuedCount)
    }

    /// Removes the oldest events; records stay.
    private func takeOldest(_ state: inout State) -> (SelectedEvents, index: Int)? {
        for index in state.queue.indices {
            guard case .events(let selected) = state.queue[index] else { continue }
            state.queue.remove(at: index)
            state.queuedCount -= selected.count
            state.queuedByteCount -= selected.batch.estimatedByteCount
            return (selected, index)
        }
        return nil
    }

    /// Counts events as dropped, and says so at their place.
    private func drop(_ selected: SelectedEvents, at index: Int, reason: String, in state: inout State) {
        #if MUTANTS
            if Mutation.uncountedDrop.isActive { return }
            if Mutation.dropCountedTwice.isActive {
                state.account.dropped.add(UInt64(selected.count), to: reason)
            }
        #endif
        let count = UInt64(selected.count)
        state.account.dropped.add(count, to: reason)
        let now = clock.monotonic
        let gap = Gap(
            source: selected.batch.source, cause: .subscriberQueue, lost: count, lostBounds: .exactly(count),
            from: now,
            until: now, time: clock.wall, processors: [], subscriber: options.name)
        insert(gap, at: index, in: &state)
    }

    /// Adds a gap at its place: merged with a neighbour of its kind, and when there are too many with the nearest
    /// before it, so that a stalled subscriber costs a bounded number of records.
    private func insert(_ gap: Gap, at index: Int, in state: inout State) {
        let isCrowded = state.gapCount >= Limits.pendingGapCount
        for other in state.queue.indices.prefix(upTo: index).reversed() {
            if case .gap(let pending) = state.queue[other], let merged = pending.merged(with: gap) {
                sometimes(.gapMerged)
                state.queue[other] = .gap(merged)
                return
            }
            if !isCrowded, case .events = state.queue[other] { break }
        }
        state.queue.insert(.gap(gap), at: index)
        state.gapCount += 1
    }
}

extension Delivery {
    /// Whether it is neither events nor a gap.
    fileprivate var isOtherRecord: Bool {
        switch self {
        case .events, .gap: false
        case .status, .record: true
        }
    }
}
