package import Backends
package import DequeModule
package import EventModel
import Synchronization

/// What travels from a source to the bus, in order.
package enum PipelineItem: Sendable {
    case events(EventBatch)
    case gap(Gap)
}

/// The bounded buffer of one source: it numbers events, closes batches, and accounts for what it cannot take.
///
/// One producer (the source) and one consumer (its pump to the bus). One uncontended lock per emission.
package final class SourceBuffer: Sendable {
    private struct State {
        var open: ContiguousArray<Event> = []
        var openedAt: Instant?
        var closed: Deque<PipelineItem> = []
        /// Batches on their way, oldest first: see ``SourceBuffer/releaseFinishedBatches()``.
        var retained: Deque<EventBatch> = []
        var queuedCount = 0
        var gapCount = 0
        var nextSequence: UInt64 = 1
        var counts = EmissionCounts()
        var isFinished = false
    }

    /// Most batches kept back for their own thread to free; beyond it the last subscriber frees them.
    private static let retainedBatchLimit = 32

    package let source: SourceName
    private let run: RunContext
    private let configuration: CollectorConfiguration
    private let policy: OverflowPolicy
    private let clock: any SystemClock
    private let state = Mutex(State())
    private let itemReady = Wakeup()
    private let roomReady = Wakeup()
    private let batchOpened = Wakeup()
    private let finished = Wakeup()

    package init(
        source: SourceName, run: RunContext, configuration: CollectorConfiguration, policy: OverflowPolicy,
        clock: any SystemClock
    ) {
        self.source = source
        self.run = run
        self.configuration = configuration
        self.policy = policy
        self.clock = clock
    }

    // MARK: - Producer

    /// Appends `events` and leaves the array empty; waits only while the buffer is full.
    package func emit(_ events: inout ContiguousArray<Event>) async {
        releaseFinishedBatches()
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

    /// Closes the open batch, so that subscribers see it now: to be called when the source goes idle.
    package func flush() {
        let closedOne = state.withLock { state in closeBatch(&state) }
        if closedOne { itemReady.signal() }
    }

    /// Puts a gap into the stream, after everything emitted so far.
    package func report(_ gap: Gap) {
        state.withLock { state in
            _ = closeBatch(&state)
            if !state.isFinished { insert(gap, at: state.closed.endIndex, in: &state) }
        }
        itemReady.signal()
    }

    /// No more will come: the consumer gets what is left and then the end.
    ///
    /// What a source emits nevertheless is dropped and counted.
    package func finish() {
        state.withLock { state in
            _ = closeBatch(&state)
            state.isFinished = true
        }
        itemReady.signal()
        roomReady.signal()
        batchOpened.signal()
        finished.signal()
    }

    package var counts: EmissionCounts { state.withLock { $0.counts } }

    package var isUnderPressure: Bool {
        let threshold = Double(configuration.eventBufferSize) * configuration.backpressureThreshold
        return state.withLock { Double($0.queuedCount) >= threshold }
    }

    // MARK: - Consumer

    /// Everything that is closed, at least one item; `nil` at the end.
    package func next() async -> Deque<PipelineItem>? {
        while true {
            let (items, isFinished) = state.withLock { state -> (Deque<PipelineItem>, Bool) in
                var items: Deque<PipelineItem> = []
                swap(&items, &state.closed)
                state.queuedCount = state.open.count
                state.gapCount = 0
                return (items, state.isFinished)
            }
            if !items.isEmpty {
                roomReady.signal()
                return items
            }
            if isFinished { return nil }
            _ = await itemReady.wait(until: nil, on: clock)
        }
    }

    /// Closes batches that have been open for ``CollectorConfiguration/batchTimeout``; returns after ``finish()``.
    ///
    /// Sleeps as long as nothing is emitted, and wakes at most once per time-out under load.
    package func closeOverdueBatches() async {
        while true {
            let (openedAt, isFinished) = state.withLock { ($0.openedAt, $0.isFinished) }
            if isFinished { return }
            guard let openedAt else {
                _ = await batchOpened.wait(until: nil, on: clock)
                await waitForNextLook()
                continue
            }
            let deadline = openedAt.advanced(by: configuration.batchTimeout)
            if clock.monotonic >= deadline {
                flush()
            } else {
                _ = await finished.wait(until: deadline, on: clock)
            }
        }
    }

    /// A batch that is full before anybody looks shows load: then one look per time-out is in time for every later one.
    private func waitForNextLook() async {
        guard state.withLock({ $0.openedAt == nil && !$0.isFinished }) else { return }
        _ = await finished.wait(until: clock.monotonic.advanced(by: configuration.batchTimeout), on: clock)
    }

    // MARK: - State

    /// - Returns: Whether all of `events` was taken; what was not stays in the array.
    private func append(_ events: inout ContiguousArray<Event>) -> Bool {
        enum Signal { case none, opened, closed }
        var signal = Signal.none
        let isDone = state.withLock { state -> Bool in
            if state.isFinished {
                for event in events { state.counts.drop(event.origin, reason: "buffer/closed") }
                events.removeAll(keepingCapacity: true)
                return true
            }
            let room = configuration.eventBufferSize - state.queuedCount
            guard room > 0 else { return false }
            if state.open.isEmpty, events.count <= min(room, configuration.maxBatchSize), events.count > 1 {
                // The usual case under load: the array becomes the batch, no event is copied.
                number(&events, in: &state)
                swap(&state.open, &events)
                state.openedAt = clock.monotonic
                signal = .opened
                if state.open.count == configuration.maxBatchSize, closeBatch(&state) { signal = .closed }
                return true
            }
            var taken = 0
            for index in events.indices.prefix(room) {
                if state.open.isEmpty {
                    state.openedAt = clock.monotonic
                    if signal == .none { signal = .opened }
                }
                number(&events[index], in: &state)
                state.open.append(events[index])
                taken += 1
                if state.open.count == configuration.maxBatchSize, closeBatch(&state) { signal = .closed }
            }
            if taken == events.count {
                events.removeAll(keepingCapacity: true)
                return true
            }
            events.removeFirst(taken)
            return false
        }
        switch signal {
        case .none: break
        case .opened: batchOpened.signal()
        case .closed: itemReady.signal()
        }
        // A full buffer must not wait for the batch time-out of its last, partly filled batch.
        if !isDone { flush() }
        return isDone
    }

    private func number(_ events: inout ContiguousArray<Event>, in state: inout State) {
        for index in events.indices { number(&events[index], in: &state) }
    }

    private func number(_ event: inout Event, in state: inout State) {
        event.sequence = state.nextSequence
        state.nextSequence += 1
        state.queuedCount += 1
        state.counts.accept(event.origin)
    }

    private func closeBatch(_ state: inout State) -> Bool {
        guard !state.open.isEmpty else { return false }
        var events: ContiguousArray<Event> = []
        swap(&events, &state.open)
        state.openedAt = nil
        let batch = EventBatch(run: run, source: source, events: events)
        state.closed.append(.events(batch))
        state.retained.append(batch)
        return true
    }

    /// Lets go of batches that every subscriber has finished with, on the thread that made them.
    ///
    /// A subscriber that frees another thread's strings one by one fights with that thread for its heap; measured by
    /// `collector-bench pipeline`.
    private func releaseFinishedBatches() {
        var finished: [EventBatch] = []
        state.withLock { state in
            while !state.retained.isEmpty,
                state.retained.count > Self.retainedBatchLimit
                    || isKnownUniquelyReferenced(&state.retained[0])
            {
                finished.append(state.retained.removeFirst())
            }
        }
        // They end here, outside the lock.
        finished.removeAll()
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
                lost = events.map(\.origin)
                place = state.closed.endIndex
                for origin in lost { state.counts.drop(origin, reason: "buffer/newest") }
                events.removeAll(keepingCapacity: true)
            case .dropOldest:
                guard let (batch, index) = takeOldestBatch(&state) else { return }
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
        itemReady.signal()
    }

    /// Removes the oldest batch, the open one if there is no other.
    private func takeOldestBatch(_ state: inout State) -> (ContiguousArray<Event>, index: Int)? {
        _ = closeBatch(&state)
        for index in state.closed.indices {
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
                state.closed[other] = .gap(merged)
                return
            }
            if !isCrowded, case .events = state.closed[other] { break }
        }
        state.closed.insert(.gap(gap), at: index)
        state.gapCount += 1
    }
}

/// What became of the events of a source at its buffer.
package struct EmissionCounts: Sendable {
    /// Events accepted that stand for one kernel message each, less those dropped afterwards.
    package var emitted: UInt64 = 0
    /// Events accepted that were derived, less those dropped afterwards.
    package var synthetic: UInt64 = 0
    package var dropped = Tally()
    package var syntheticDropped: UInt64 = 0

    package mutating func accept(_ origin: EventOrigin) {
        if origin == .emitted { emitted += 1 } else { synthetic += 1 }
    }

    package mutating func drop(_ origin: EventOrigin, reason: String) {
        if origin == .emitted { dropped.add(1, to: reason) } else { syntheticDropped += 1 }
    }

    /// Drops an event that had been accepted.
    package mutating func retract(_ origin: EventOrigin, reason: String) {
        if origin == .emitted { emitted -= 1 } else { synthetic -= 1 }
        drop(origin, reason: reason)
    }
}

extension Gap {
    /// Both gaps as one, when they have the same source, cause and subscriber.
    package func merged(with later: Gap) -> Gap? {
        guard source == later.source, cause == later.cause, subscriber == later.subscriber else { return nil }
        var gap = self
        if let a = lost, let b = later.lost { gap.lost = a + b } else { gap.lost = nil }
        gap.lostBounds.atLeast += later.lostBounds.atLeast
        if let a = lostBounds.atMost, let b = later.lostBounds.atMost {
            gap.lostBounds.atMost = a + b
        } else {
            gap.lostBounds.atMost = nil
        }
        gap.from = min(from, later.from)
        gap.until = max(until, later.until)
        gap.time = later.time
        for loss in later.processors {
            if let index = gap.processors.firstIndex(where: { $0.processor == loss.processor }) {
                gap.processors[index].lost += loss.lost
                gap.processors[index].before = loss.before
            } else {
                gap.processors.append(loss)
            }
        }
        gap.processors.sort { $0.processor < $1.processor }
        return gap
    }
}
