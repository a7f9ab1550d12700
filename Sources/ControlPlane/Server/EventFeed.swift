package import CollectorCore
import DequeModule
package import EventModel
import Synchronization

/// The last events, kept once for all clients, each of which reads them at its own pace.
///
/// Bounded in bytes. When the oldest must make room, readers that have not got it lose it: what they lost is counted
/// exactly, by their own filter, and told as a gap. A reader costs no memory beside its place. All methods may be called
/// from any thread.
package final class EventFeed: Sendable {
    /// What one subscriber of the feed wants.
    package struct Request: Sendable {
        /// Names the reader in its account and its gaps.
        package var name: String
        package var filter: EventFilter
        /// Where to begin; the newest when `nil`.
        package var after: FeedPosition?
        package var endsWhenSlow: Bool
        /// Events that may be read before the first ``EventFeed/credit(_:to:)``.
        package var credit: UInt64
        /// Events after which the stream ends; `nil` for never.
        package var eventLimit: UInt64?

        package init(
            name: String, filter: EventFilter, after: FeedPosition? = nil, endsWhenSlow: Bool = false,
            credit: UInt64 = .max, eventLimit: UInt64? = nil
        ) {
            self.name = name
            self.filter = filter
            self.after = after
            self.endsWhenSlow = endsWhenSlow
            self.credit = credit
            self.eventLimit = eventLimit
        }
    }

    /// The next thing that a reader gets.
    package enum Output: Sendable {
        /// Some events of a batch, and the last sequence that was looked at.
        case events(SelectedEvents, through: UInt64)
        /// Something is missing; with the last sequence that is, when it had one.
        case gap(Gap, through: UInt64?)
        case status(SourceStatus)
        /// Nothing will follow.
        case end(End)
    }

    /// Why a stream ended.
    package enum End: Hashable, Sendable {
        /// As many events as were wanted have come.
        case limitReached
        /// The reader was too slow, and had asked not to go on then.
        case tooSlow
        /// The collector stops, and everything was read.
        case stopped
    }

    /// Names one reader.
    package struct ReaderID: Hashable, Sendable {
        fileprivate var rawValue: UInt64
    }

    fileprivate enum Item {
        case events(EventBatch)
        /// With the last sequence of its source before it.
        case gap(Gap, after: UInt64)
        case status(SourceStatus)
    }

    private struct State {
        var items: Deque<Item> = []
        /// The serial number of the first item.
        var firstSerial: UInt64 = 0
        var byteCount = 0
        var lastSequences: [(source: SourceName, sequence: UInt64)] = []
        var readers: [(id: ReaderID, reader: FeedReader)] = []
        var lastID: UInt64 = 0
        var isClosed = false
        var evictedEventCount: UInt64 = 0

        var endSerial: UInt64 { firstSerial + UInt64(items.count) }
    }

    /// The most bytes that the batches may keep alive; an estimate.
    package let byteLimit: Int
    private let run: RunContext
    private let state = Mutex(State())

    package init(run: RunContext, byteLimit: Int) {
        precondition(byteLimit > 0, "a feed needs room")
        self.run = run
        self.byteLimit = byteLimit
    }

    // MARK: - Writing

    /// Adds what a subscription of the collector delivered.
    package func append(_ delivery: Delivery) {
        if case .record = delivery { return }
        let waiting = state.withLock { state in
            switch delivery {
            // The feed subscribes to everything, so that every batch comes entire.
            case .events(let selected): enter(.events(selected.batch), in: &state)
            case .gap(let gap):
                let last = state.lastSequences.first { $0.source == gap.source }?.sequence ?? 0
                enter(.gap(gap, after: last), in: &state)
            case .status(let status): enter(.status(status), in: &state)
            case .record: break
            }
            return Self.takeWaiting(&state)
        }
        for notify in waiting { notify() }
    }

    /// Ends every stream after what is kept.
    package func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            return Self.takeWaiting(&state)
        }
        for notify in waiting { notify() }
    }

    private func enter(_ item: Item, in state: inout State) {
        state.items.append(item)
        if case .events(let batch) = item {
            state.byteCount += batch.estimatedByteCount
            if let last = batch.events.last?.sequence { Self.note(batch.source, last, in: &state) }
            let counts = OriginCounts(batch)
            for index in state.readers.indices { state.readers[index].reader.offer(counts) }
        }
        // The newest stays, however large it is.
        while state.byteCount > byteLimit || state.items.count > Self.itemLimit, state.items.count > 1 {
            evict(&state)
        }
    }

    /// The most batches, gaps and statuses: small ones cost more than their bytes.
    private static let itemLimit = 65_536

    private func evict(_ state: inout State) {
        guard let item = state.items.popFirst() else { return }
        let serial = state.firstSerial
        state.firstSerial += 1
        if case .events(let batch) = item {
            state.byteCount -= batch.estimatedByteCount
            state.evictedEventCount += UInt64(batch.events.count)
        }
        for index in state.readers.indices where state.readers[index].reader.nextSerial == serial {
            switch item {
            case .events(let batch): state.readers[index].reader.skip(batch)
            case .gap(let gap, let last): state.readers[index].reader.skip(gap, after: last)
            case .status: state.readers[index].reader.skipRecord()
            }
        }
    }

    private static func note(_ source: SourceName, _ sequence: UInt64, in state: inout State) {
        if let index = state.lastSequences.firstIndex(where: { $0.source == source }) {
            state.lastSequences[index].sequence = sequence
        } else {
            state.lastSequences.append((source, sequence))
        }
    }

    private static func takeWaiting(_ state: inout State) -> [@Sendable () -> Void] {
        var waiting: [@Sendable () -> Void] = []
        for index in state.readers.indices {
            if let notify = state.readers[index].reader.takeNotice() { waiting.append(notify) }
        }
        return waiting
    }

    // MARK: - Reading

    /// Adds a reader.
    ///
    /// - Parameter notify: Called, once after each ``next(_:)`` that gave nothing, when there may be more; on any thread.
    /// - Returns: Its id, and where its stream begins. What of the wanted position is gone comes first, as a gap; who was with
    ///   another run gets everything of this one that is kept.
    package func open(
        _ request: Request, at now: Instant, wall: WallTime, notify: @escaping @Sendable () -> Void
    )
        -> (id: ReaderID, position: FeedPosition)
    {
        state.withLock { state in
            state.lastID += 1
            let id = ReaderID(rawValue: state.lastID)
            var reader = FeedReader(request, nextSerial: state.endSerial, notify: notify)
            let newest = FeedPosition(
                run: run,
                sources: state.lastSequences.map {
                    FeedPosition.Source(name: $0.source, sequence: $0.sequence)
                })
            var position = newest
            if let after = request.after {
                let kept = Self.oldestKept(state)
                // Nobody has seen what has not happened: whoever says so was with another run, which had the same number
                // because the folder for state was lost.
                let isOurs =
                    after.run == run
                    && after.sources.allSatisfy { $0.sequence <= newest.sequence(of: $0.name) }
                if isOurs {
                    reader.resume(after: after, newest: newest, kept: kept, at: now, wall: wall)
                } else {
                    reader.resume(afterAnotherRun: after, newest: newest, kept: kept, at: now, wall: wall)
                }
                reader.nextSerial = state.firstSerial
                for item in state.items {
                    if case .events(let batch) = item { reader.offerKept(batch) }
                }
                position = isOurs ? after : Self.beginning(of: newest, kept: kept)
            }
            state.readers.append((id, reader))
            return (id, position)
        }
    }

    /// The first sequence of each source that is still kept.
    private static func oldestKept(_ state: borrowing State) -> [(source: SourceName, sequence: UInt64)] {
        var oldest: [(source: SourceName, sequence: UInt64)] = []
        for item in state.items {
            guard oldest.count < state.lastSequences.count else { break }
            guard case .events(let batch) = item, let first = batch.events.first else { continue }
            if !oldest.contains(where: { $0.source == batch.source }) {
                oldest.append((batch.source, first.sequence))
            }
        }
        return oldest
    }

    /// The place before everything that is kept.
    private static func beginning(
        of newest: FeedPosition, kept: [(source: SourceName, sequence: UInt64)]
    ) -> FeedPosition {
        var position = newest
        for index in position.sources.indices {
            let first = kept.first { $0.source == position.sources[index].name }
            if let first { position.sources[index].sequence = first.sequence - 1 }
        }
        return position
    }

    /// The next thing for a reader; `nil` when there is nothing, or no credit, at present.
    package func next(_ id: ReaderID) -> Output? {
        state.withLock { state in
            guard let index = state.readers.firstIndex(where: { $0.id == id }) else { return nil }
            while true {
                if let output = state.readers[index].reader.takePending() { return output }
                let serial = state.readers[index].reader.nextSerial
                guard serial < state.endSerial else {
                    if state.isClosed { return .end(.stopped) }
                    state.readers[index].reader.isWaiting = true
                    return nil
                }
                switch state.items[Int(serial - state.firstSerial)] {
                case .gap(let gap, let last):
                    state.readers[index].reader.pass()
                    guard !state.readers[index].reader.hasSeen(gap.source, beyond: last) else { continue }
                    return .gap(gap, through: nil)
                case .status(let status):
                    state.readers[index].reader.pass()
                    return .status(status)
                case .events(let batch):
                    guard state.readers[index].reader.mayRead else { return nil }
                    if let output = state.readers[index].reader.read(batch) { return output }
                }
            }
        }
    }

    /// Lets a reader have more events.
    package func credit(_ count: UInt64, to id: ReaderID) {
        state.withLock { state in
            guard let index = state.readers.firstIndex(where: { $0.id == id }) else { return }
            state.readers[index].reader.add(credit: count)
        }
    }

    /// Takes back that events were delivered, because they are too large to be sent.
    ///
    /// - Returns: The gap that tells of them; `nil` when there is no such reader.
    func discard(_ count: Int, of id: ReaderID, from selected: SelectedEvents) -> Gap? {
        state.withLock { state in
            guard let index = state.readers.firstIndex(where: { $0.id == id }) else { return nil }
            return state.readers[index].reader.discard(UInt64(count), from: selected.batch)
        }
    }

    /// Removes a reader; what it has not got counts as dropped for the reason `closed`.
    ///
    /// - Returns: Its last account; `nil` when there is no such reader.
    package func close(_ id: ReaderID) -> StreamAccount? {
        state.withLock { state in
            guard let index = state.readers.firstIndex(where: { $0.id == id }) else { return nil }
            return state.readers.remove(at: index).reader.finalAccount
        }
    }

    // MARK: - What is known

    /// Where each source stands.
    package var position: FeedPosition {
        state.withLock { state in
            FeedPosition(
                run: run,
                sources: state.lastSequences.map {
                    FeedPosition.Source(name: $0.source, sequence: $0.sequence)
                })
        }
    }

    /// Of all readers, as they stand.
    package var accounts: [StreamAccount] { state.withLock { $0.readers.map(\.reader.account) } }
    /// Estimated bytes that are kept.
    package var byteCount: Int { state.withLock { $0.byteCount } }
    /// Events that made room for newer ones.
    package var evictedEventCount: UInt64 { state.withLock { $0.evictedEventCount } }
}

/// A place between the events of a run: for each source, the last sequence that was seen.
package struct FeedPosition: Hashable, Sendable {
    package struct Source: Hashable, Sendable {
        package var name: SourceName
        package var sequence: UInt64

        package init(name: SourceName, sequence: UInt64) {
            self.name = name
            self.sequence = sequence
        }
    }

    package var run: RunContext
    /// In no particular order; no name twice.
    package var sources: [Source]

    package init(run: RunContext, sources: [Source]) {
        self.run = run
        self.sources = sources
    }

    /// Everything of the source up to the sequence was seen.
    mutating func note(_ source: SourceName, through sequence: UInt64) {
        if let index = sources.firstIndex(where: { $0.name == source }) {
            sources[index].sequence = max(sources[index].sequence, sequence)
        } else {
            sources.append(Source(name: source, sequence: sequence))
        }
    }

    /// What was seen of a source; 0 when nothing.
    package func sequence(of source: SourceName) -> UInt64 {
        sources.first { $0.name == source }?.sequence ?? 0
    }
}

/// How many events of a batch exist for which reason.
struct OriginCounts {
    var emitted: UInt64 = 0
    var baseline: UInt64 = 0
    var resync: UInt64 = 0
    var derived: UInt64 = 0

    init(_ batch: EventBatch, from first: Int = 0) {
        for index in first..<batch.events.count {
            switch batch.events[index].origin {
            case .emitted: emitted += 1
            case .baseline: baseline += 1
            case .resync: resync += 1
            case .derived: derived += 1
            }
        }
    }

    var total: UInt64 { emitted + baseline + resync + derived }
}
