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
        var peakCount = 0
        var account: StreamAccount
        var isClosed = false
    }

    public let options: SubscriptionOptions
    private let takesEverything: Bool
    private let clock: any SystemClock
    private let state: Mutex<State>
    private let itemReady = Wakeup()
    private let roomReady = Wakeup()
    private let drained = Wakeup()

    package init(options: SubscriptionOptions, clock: any SystemClock) {
        self.options = options
        takesEverything = options.filter == .everything
        self.clock = clock
        state = Mutex(State(account: StreamAccount(subscriber: options.name)))
    }

    /// The next item; `nil` after the collector has stopped and everything was taken, or when the task is cancelled.
    public func next() async -> Delivery? {
        while true {
            let (item, isClosed, isEmpty) = state.withLock { state -> (Delivery?, Bool, Bool) in
                guard let item = state.queue.popFirst() else { return (nil, state.isClosed, true) }
                if case .events(let selected) = item {
                    state.queuedCount -= selected.count
                    state.account.delivered += UInt64(selected.count)
                }
                return (item, state.isClosed, state.queue.isEmpty)
            }
            if isClosed, isEmpty { drained.signal() }
            if let item {
                roomReady.signal()
                return item
            }
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

    /// Stops taking: what is queued, and whatever is still offered, counts as dropped for the reason `closed`.
    public func abandon() {
        state.withLock { state in
            state.isClosed = true
            state.account.dropped.add(UInt64(state.queuedCount), to: "closed")
            state.queue = []
            state.queuedCount = 0
        }
        itemReady.signal()
        roomReady.signal()
        drained.signal()
    }

    // MARK: - Bus

    /// Offers a batch; waits while the queue is full only if the policy says `block`.
    package func offer(_ batch: EventBatch) async {
        let selection = select(from: batch)
        let count = selection?.count ?? batch.events.count
        while true {
            let isTaken = state.withLock { state -> Bool in
                // A batch larger than the whole queue is let in when the queue is empty: it could never fit.
                let fits = state.queuedCount + count <= options.queueLimit || state.queuedCount == 0
                guard fits || options.overflowPolicy != .block || state.isClosed else { return false }
                enter(batch, count: count, in: &state)
                if count == 0 { return true }
                if state.isClosed {
                    state.account.dropped.add(UInt64(count), to: "closed")
                } else {
                    admit(SelectedEvents(batch: batch, indices: selection), fits: fits, in: &state)
                }
                return true
            }
            if isTaken { break }
            _ = await roomReady.wait(until: nil, on: clock)
        }
        if count > 0 { itemReady.signal() }
    }

    /// Queues a record that is no event: outside the account, never dropped, merged where it can be.
    package func offer(_ record: Delivery) {
        state.withLock { state in
            guard !state.isClosed else { return }
            if case .gap(let gap) = record { append(gap, to: &state) } else { state.queue.append(record) }
        }
        itemReady.signal()
    }

    /// Ends the stream after what is queued.
    package func close() {
        state.withLock { $0.isClosed = true }
        itemReady.signal()
        roomReady.signal()
    }

    /// Waits until the subscriber has taken everything, or until the deadline.
    package func waitUntilDrained(until deadline: Instant) async {
        if state.withLock({ $0.queue.isEmpty }) { return }
        _ = await drained.wait(until: deadline, on: clock)
    }

    // MARK: - State

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

    private func admit(_ selected: SelectedEvents, fits: Bool, in state: inout State) {
        if fits {
            push(selected, to: &state)
            return
        }
        switch options.overflowPolicy {
        case .block, .dropNewest:
            drop(selected, reason: "queue/newest", in: &state)
        case .dropOldest:
            while state.queuedCount + selected.count > options.queueLimit, let oldest = takeOldest(&state) {
                drop(oldest, reason: "queue/oldest", in: &state)
            }
            push(selected, to: &state)
        }
    }

    private func push(_ selected: SelectedEvents, to state: inout State) {
        state.queue.append(.events(selected))
        state.queuedCount += selected.count
        state.peakCount = max(state.peakCount, state.queuedCount)
    }

    private func takeOldest(_ state: inout State) -> SelectedEvents? {
        for index in state.queue.indices {
            guard case .events(let selected) = state.queue[index] else { continue }
            state.queue.remove(at: index)
            state.queuedCount -= selected.count
            return selected
        }
        return nil
    }

    private func drop(_ selected: SelectedEvents, reason: String, in state: inout State) {
        #if MUTANTS
            if Mutation.uncountedDrop.isActive { return }
        #endif
        let count = UInt64(selected.count)
        state.account.dropped.add(count, to: reason)
        let now = clock.monotonic
        let gap = Gap(
            source: selected.batch.source, cause: .subscriberQueue, lost: count, lostBounds: .exactly(count), from: now,
            until: now, time: clock.wall, processors: [], subscriber: options.name)
        append(gap, to: &state)
    }

    /// Adds a gap, merged with a pending one of its kind if there is one: a stalled subscriber costs one record a cause.
    private func append(_ gap: Gap, to state: inout State) {
        for index in state.queue.indices.reversed() {
            guard case .gap(let pending) = state.queue[index], let merged = pending.merged(with: gap) else { continue }
            state.queue[index] = .gap(merged)
            return
        }
        state.queue.append(.gap(gap))
    }
}
