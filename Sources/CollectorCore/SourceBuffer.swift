package import Backends
package import DequeModule
package import EventModel
import Synchronization

/// What travels from a source to the bus, in order.
package enum PipelineItem: Sendable {
    case events(EventBatch)
    case gap(Gap)
}

extension PipelineItem {
    var eventCount: Int {
        switch self {
        case .events(let batch): batch.events.count
        case .gap: 0
        }
    }
}

/// Items that could not be handed out at once.
package struct Backlog: Sendable {
    package var items: Deque<PipelineItem>
    /// Those who have yet to take the first item; everybody has yet to take the others. `nil` when nobody was asked.
    package var refusers: [Subscription]?

    package init(items: some Sequence<PipelineItem>, refusers: [Subscription]?) {
        self.items = Deque(items)
        self.refusers = refusers
    }
}

/// The bounded buffer of one source: it numbers events, closes batches, and accounts for what it cannot take.
///
/// A closed batch goes to the bus on the thread that closed it, which has its events at hand; only when a subscriber
/// makes it wait does it stay here, for the pump. One producer (the source) and one pump. One uncontended lock per
/// emission.
package final class SourceBuffer: Sendable {
    private struct State {
        var open: ContiguousArray<Event> = []
        var closed: Deque<PipelineItem> = []
        var queuedCount = 0
        var gapCount = 0
        var nextSequence: UInt64 = 1
        var counts = EmissionCounts()
        var isFinished = false
        /// Somebody hands out items: the others leave theirs to it, so that the order stays.
        var isPublishing = false
        /// Who would not take the first of ``closed``; then the pump goes on.
        var refusers: [Subscription]?
        /// The pump hands out a backlog.
        var isHandedOver = false
        /// When the first event of ``open`` was emitted.
        var openSince = Instant(nanoseconds: 0)
        /// When the oldest event was emitted that subscribers may not have been woken for.
        var unannouncedSince: Instant?
    }

    package let source: SourceName
    private let run: RunContext
    private let configuration: CollectorConfiguration
    private let policy: OverflowPolicy
    private let clock: any SystemClock
    private let bus: EventBus?
    private let state = Mutex(State())
    private let recycler = BatchRecycler()
    private let backlogReady = Wakeup()
    private let roomReady = Wakeup()
    private let eventWaits = Wakeup()
    private let finished = Wakeup()

    package init(
        source: SourceName, run: RunContext, configuration: CollectorConfiguration, policy: OverflowPolicy,
        clock: any SystemClock, bus: EventBus?
    ) {
        self.bus = bus
        self.source = source
        self.run = run
        self.configuration = configuration
        self.policy = policy
        self.clock = clock
    }

    // MARK: - Producer

    /// Appends `events` and leaves the array empty; waits only while the buffer is full.
    package func emit(_ events: inout ContiguousArray<Event>) async {
        defer { recycler.refill(&events, capacity: configuration.maxBatchSize) }
        while !events.isEmpty {
            if append(&events) { continue }
            let deadline = clock.monotonic.advanced(by: configuration.maxBackpressureWait)
            while !append(&events) {
                let patience = policy == .block ? nil : deadline
                if await roomReady.wait(until: patience, on: clock) == .deadlinePassed { overflow(&events) }
                if events.isEmpty { break }
            }
        }
    }

    /// Closes the open batch and wakes the subscribers: to be called when the source goes idle.
    package func flush() {
        state.withLock { state in
            closeBatch(&state)
            state.unannouncedSince = nil
        }
        publishClosed()
        bus?.announce()
    }

    /// Puts a gap into the stream, after everything emitted so far.
    package func report(_ gap: Gap) {
        state.withLock { state in
            closeBatch(&state)
            if !state.isFinished { insert(gap, at: state.closed.endIndex, in: &state) }
        }
        publishClosed()
    }

    /// No more will come: the consumer gets what is left and then the end.
    ///
    /// What a source emits nevertheless is dropped and counted.
    package func finish() {
        state.withLock { state in
            closeBatch(&state)
            state.isFinished = true
        }
        publishClosed()
        bus?.announce()
        backlogReady.signal()
        roomReady.signal()
        eventWaits.signal()
        finished.signal()
    }

    package var counts: EmissionCounts { state.withLock { $0.counts } }

    /// Events that no subscriber's queue has taken yet.
    package var queuedCount: Int { state.withLock { $0.queuedCount } }

    /// Whether the next emission must wait.
    package var isFull: Bool { queuedCount >= configuration.eventBufferSize }

    package var isUnderPressure: Bool {
        let threshold = Double(configuration.eventBufferSize) * configuration.backpressureThreshold
        return state.withLock { Double($0.queuedCount) >= threshold }
    }

    // MARK: - Handing out

    /// Hands out what is closed, unless somebody else does or a subscriber makes it wait.
    private func publishClosed() {
        guard let bus else { return backlogReady.signal() }
        guard var item = state.withLock({ beginPublishing(&$0) }) else { return }
        while true {
            let refusers = bus.publishNow(item)
            guard refusers.isEmpty else {
                sometimes(.subscriberBlocked)
                state.withLock { state in
                    state.closed.prepend(item)
                    state.queuedCount += item.eventCount
                    state.refusers = refusers
                }
                return backlogReady.signal()
            }
            // The source may wait while another thread, which closed an overdue batch, hands out.
            roomReady.signal()
            guard let next = state.withLock({ nextToPublish(&$0) }) else { return }
            item = next
        }
    }

    private func beginPublishing(_ state: inout State) -> PipelineItem? {
        guard !state.isPublishing else { return nil }
        return nextToPublish(&state)
    }

    private func nextToPublish(_ state: inout State) -> PipelineItem? {
        guard let item = state.closed.popFirst() else {
            state.isPublishing = false
            // The pump may have been told of the end while another thread was handing out.
            if state.isFinished { backlogReady.signal() }
            return nil
        }
        state.isPublishing = true
        state.queuedCount -= item.eventCount
        if case .gap = item { state.gapCount -= 1 }
        return item
    }

    /// What somebody has refused, and everything after it; `nil` at the end.
    ///
    /// Whoever calls it hands the items out, in order, and calls again.
    package func next() async -> Backlog? {
        while true {
            let (backlog, isEnded) = state.withLock { state -> (Backlog?, Bool) in
                // Only the pump goes on after a refusal; without a bus everything is its own.
                let isOurs = bus == nil || state.refusers != nil || state.isHandedOver
                guard isOurs, !state.closed.isEmpty else {
                    if state.isHandedOver { (state.isHandedOver, state.isPublishing) = (false, false) }
                    return (nil, state.isFinished && !state.isPublishing && state.closed.isEmpty)
                }
                let backlog = Backlog(items: state.closed, refusers: state.refusers)
                state.closed = []
                state.refusers = nil
                state.isHandedOver = bus != nil
                state.queuedCount = state.open.count
                state.gapCount = 0
                return (backlog, false)
            }
            if let backlog {
                roomReady.signal()
                return backlog
            }
            if isEnded { return nil }
            _ = await backlogReady.wait(until: nil, on: clock)
        }
    }

    /// Flushes when an event has waited for ``CollectorConfiguration/batchTimeout``; returns after ``finish()``.
    ///
    /// Sleeps as long as nothing is emitted, and wakes at most once per time-out under load.
    package func flushOverdue() async {
        while true {
            let (since, isFinished) = state.withLock { ($0.unannouncedSince, $0.isFinished) }
            if isFinished { return }
            guard let since else {
                _ = await eventWaits.wait(until: nil, on: clock)
                await waitForNextLook()
                continue
            }
            let deadline = since.advanced(by: configuration.batchTimeout)
            if clock.monotonic >= deadline {
                sometimes(.batchTimedOut)
                flush()
            } else {
                _ = await finished.wait(until: deadline, on: clock)
            }
        }
    }

    /// A source that has flushed before anybody looks does so by itself: then one look per time-out is in time.
    private func waitForNextLook() async {
        guard state.withLock({ $0.unannouncedSince == nil && !$0.isFinished }) else { return }
        _ = await finished.wait(until: clock.monotonic.advanced(by: configuration.batchTimeout), on: clock)
    }

    // MARK: - State

    /// - Returns: Whether all of `events` was taken; what was not stays in the array.
    private func append(_ events: inout ContiguousArray<Event>) -> Bool {
        let (isDone, mustArm, hasClosed) = state.withLock { state -> (Bool, Bool, Bool) in
            if state.isFinished {
                sometimes(.emittedAfterEnd)
                for event in events { state.counts.drop(event.origin, reason: "buffer/closed") }
                events.removeAll(keepingCapacity: true)
                return (true, false, false)
            }
            let room = configuration.eventBufferSize - state.queuedCount
            guard room > 0 else { return (false, false, false) }
            let mustArm = state.unannouncedSince == nil
            if mustArm || state.open.isEmpty {
                let now = clock.monotonic
                if mustArm { state.unannouncedSince = now }
                if state.open.isEmpty { state.openSince = now }
            }
            if state.open.isEmpty, events.count <= min(room, configuration.maxBatchSize), events.count > 1 {
                // The usual case under load: the array becomes the batch, no event is copied.
                for index in events.indices { number(&events[index], in: &state) }
                swap(&state.open, &events)
                return (true, mustArm, closeIfFull(&state))
            }
            var hasClosed = false
            let taken = min(room, events.count)
            for index in events.indices.prefix(taken) {
                number(&events[index], in: &state)
                state.open.append(events[index])
                if closeIfFull(&state) { hasClosed = true }
            }
            if taken == events.count {
                events.removeAll(keepingCapacity: true)
            } else {
                events.removeFirst(taken)
            }
            return (events.isEmpty, mustArm, hasClosed)
        }
        if mustArm { eventWaits.signal() }
        if hasClosed { publishClosed() }
        // A full buffer must not wait for the batch time-out of its last, partly filled batch.
        if !isDone {
            sometimes(.bufferFull)
            flush()
        }
        return isDone
    }

    private func number(_ event: inout Event, in state: inout State) {
        event.sequence = state.nextSequence
        state.nextSequence += 1
        state.queuedCount += 1
        state.counts.accept(event.origin)
    }

    private func closeIfFull(_ state: inout State) -> Bool {
        guard state.open.count >= configuration.maxBatchSize else { return false }
        closeBatch(&state)
        return true
    }

    private func closeBatch(_ state: inout State) {
        guard !state.open.isEmpty else { return }
        var events: ContiguousArray<Event> = []
        swap(&events, &state.open)
        let batch = EventBatch(run: run, source: source, events: events, begun: state.openSince) {
            [recycler] in
            recycler.take($0)
        }
        state.closed.append(.events(batch))
    }

    /// Applies the policy to a buffer that stayed full.
    private func overflow(_ events: inout ContiguousArray<Event>) {
        let now = clock.monotonic
        let wall = clock.wall
        state.withLock { state in
            let lost: [EventOrigin]
            let place: Int
            switch policy {
            case .block:
                return
            case .dropNewest:
                sometimes(.bufferDroppedNewest)
                lost = events.map(\.origin)
                place = state.closed.endIndex
                for origin in lost { state.counts.drop(origin, reason: "buffer/newest") }
                events.removeAll(keepingCapacity: true)
            case .dropOldest:
                guard let (batch, index) = takeOldestBatch(&state) else { return }
                sometimes(.bufferDroppedOldest)
                lost = batch.map(\.origin)
                place = index
                state.queuedCount -= lost.count
                for origin in lost { state.counts.retract(origin, reason: "buffer/oldest") }
            }
            insert(
                Gap(
                    source: source, cause: .sourceBuffer, lost: UInt64(lost.count),
                    lostBounds: .exactly(UInt64(lost.count)), from: now, until: now, time: wall,
                    processors: [],
                    subscriber: nil), at: place, in: &state)
        }
        publishClosed()
    }

    /// Removes the oldest batch that nobody has taken, the open one if there is no other.
    private func takeOldestBatch(_ state: inout State) -> (ContiguousArray<Event>, index: Int)? {
        closeBatch(&state)
        for index in state.closed.indices.dropFirst(state.refusers == nil ? 0 : 1) {
            guard case .events(let batch) = state.closed[index] else { continue }
            state.closed.remove(at: index)
            return (batch.events, index)
        }
        return nil
    }

    /// Adds a gap at its place: merged with a neighbour of its kind, and when there are too many with the nearest
    /// before it.
    private func insert(_ gap: Gap, at index: Int, in state: inout State) {
        let isCrowded = state.gapCount >= Limits.pendingGapCount
        for other in state.closed.indices.prefix(upTo: index).reversed() {
            if case .gap(let pending) = state.closed[other], let merged = pending.merged(with: gap) {
                sometimes(.gapMerged)
                state.closed[other] = .gap(merged)
                return
            }
            if !isCrowded, case .events = state.closed[other] { break }
        }
        state.closed.insert(.gap(gap), at: index)
        state.gapCount += 1
    }
}
