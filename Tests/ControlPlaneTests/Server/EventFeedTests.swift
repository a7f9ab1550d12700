import CollectorCore
import ControlPlane
import EventModel
import Synchronization
import Testing

/// Events whose kind alone matters; each is estimated at a few hundred bytes.
struct FeedWriter {
    static let run = RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(3))
    var sequences: [SourceName: UInt64] = [:]

    mutating func batch(_ source: SourceName, _ kinds: [EventKind]) -> Delivery {
        var events: ContiguousArray<Event> = []
        for kind in kinds {
            let sequence = (sequences[source] ?? 0) + 1
            sequences[source] = sequence
            var event = Event(
                source: source, kind: kind, origin: sequence % 5 == 0 ? .derived : .emitted,
                time: WallTime(nanoseconds: 0), monotonic: Instant(nanoseconds: Int64(sequence)),
                subject: .process(
                    ProcessEvent(
                        identity: ProcessIdentity(
                            pid: ProcessID(1), birth: .scan(startTicks: 1, pidFDInode: 1)))),
                escaped: [])
            event.sequence = sequence
            events.append(event)
        }
        return .events(
            SelectedEvents(
                batch: EventBatch(run: Self.run, source: source, events: events), indices: nil))
    }
}

/// What a reader got, put together again.
struct FeedRecord {
    var sequences: [SourceName: [UInt64]] = [:]
    var lost: [GapCause: UInt64] = [:]
    var end: EventFeed.End?

    mutating func read(_ feed: EventFeed, _ id: EventFeed.ReaderID, atMost limit: Int = .max) {
        for _ in 0..<limit {
            switch feed.next(id) {
            case .events(let selected, let through):
                selected.forEach { event, _ in sequences[event.source, default: []].append(event.sequence) }
                #expect(sequences[selected.batch.source]?.last ?? 0 <= through)
            case .gap(let gap, _): lost[gap.cause, default: 0] += gap.lost ?? gap.lostBounds.atLeast
            case .end(let end):
                self.end = end
                return
            case .status: continue
            case nil: return
            }
        }
    }
}

@Suite struct EventFeedTests {
    private func feed(_ byteLimit: Int = 1 << 20) -> EventFeed {
        EventFeed(run: FeedWriter.run, byteLimit: byteLimit)
    }

    private func open(
        _ feed: EventFeed, _ request: EventFeed.Request, notify: @escaping @Sendable () -> Void = {}
    ) -> EventFeed.ReaderID {
        feed.open(
            request, at: Instant(nanoseconds: 0), wall: WallTime(nanoseconds: 0), notify: notify
        ).id
    }

    private let everything = EventFeed.Request(name: "all", filter: .everything)

    @Test func `a reader gets what comes after it, in order`() {
        let feed = feed()
        var writer = FeedWriter()
        feed.append(writer.batch("process", [.processFork, .processExec]))
        let id = open(feed, everything)
        feed.append(writer.batch("process", [.processExit]))
        feed.append(writer.batch("filesystem", [.fileCreated]))
        var record = FeedRecord()
        record.read(feed, id)
        #expect(record.sequences == ["process": [3], "filesystem": [1]])
        #expect(feed.accounts[0].delivered == 2 && feed.accounts[0].isBalanced)
    }

    @Test func `a filter passes what it names, and the rest is counted`() throws {
        let feed = feed()
        var writer = FeedWriter()
        let filter = EventFilter(topics: TopicSet([.processExec]))
        let id = open(feed, EventFeed.Request(name: "exec", filter: filter))
        feed.append(writer.batch("process", [.processFork, .processExec, .processExit]))
        var record = FeedRecord()
        record.read(feed, id)
        #expect(record.sequences == ["process": [2]])
        let account = try #require(feed.close(id))
        #expect(account.offered == 3 && account.filtered["filter"] == 2 && account.isBalanced)
    }

    @Test func `nobody gets more than its credit`() {
        let feed = feed()
        var writer = FeedWriter()
        var request = everything
        request.credit = 3
        let id = open(feed, request)
        feed.append(writer.batch("process", Array(repeating: .processFork, count: 5)))
        var record = FeedRecord()
        record.read(feed, id)
        #expect(record.sequences == ["process": [1, 2, 3]])
        feed.credit(1, to: id)
        record.read(feed, id)
        #expect(record.sequences == ["process": [1, 2, 3, 4]])
        #expect(feed.accounts[0].inFlight == 1 && feed.accounts[0].isBalanced)
    }

    @Test func `a stream ends after as many events as were wanted`() {
        let feed = feed()
        var writer = FeedWriter()
        var request = everything
        request.eventLimit = 2
        let id = open(feed, request)
        feed.append(writer.batch("process", Array(repeating: .processFork, count: 5)))
        var record = FeedRecord()
        record.read(feed, id)
        #expect(record.sequences == ["process": [1, 2]] && record.end == .limitReached)
        #expect(feed.close(id)?.isBalanced == true)
    }

    @Test func `a slow reader loses the oldest, and learns how much by its own filter`() throws {
        let feed = feed(2_000)
        var writer = FeedWriter()
        let all = open(feed, everything)
        let exec = open(
            feed, EventFeed.Request(name: "exec", filter: EventFilter(topics: TopicSet([.processExec]))))
        for _ in 0..<50 { feed.append(writer.batch("process", [.processFork, .processExec])) }
        var record = FeedRecord()
        record.read(feed, all)
        let got = UInt64(record.sequences["process"]?.count ?? 0)
        #expect(got > 0 && record.lost[.subscriberQueue] == 100 - got)
        var filtered = FeedRecord()
        filtered.read(feed, exec)
        #expect(filtered.lost[.subscriberQueue] == 50 - UInt64(filtered.sequences["process"]?.count ?? 0))
        for id in [all, exec] {
            let account = try #require(feed.close(id))
            #expect(account.isBalanced && account.offered == 100 && account.inFlight == 0)
        }
    }

    @Test func `a reader that does not want to skip is ended when it is too slow`() {
        let feed = feed(2_000)
        var writer = FeedWriter()
        var request = everything
        request.endsWhenSlow = true
        let id = open(feed, request)
        for _ in 0..<50 { feed.append(writer.batch("process", [.processFork])) }
        var record = FeedRecord()
        record.read(feed, id)
        #expect(record.end == .tooSlow && record.lost[.subscriberQueue] ?? 0 > 0)
    }

    @Test func `a gap that made room is told all the same`() {
        let feed = feed(2_000)
        var writer = FeedWriter()
        let id = open(feed, everything)
        let gap = Gap(
            source: "process", cause: .kernelOverflow, lost: 7, lostBounds: .exactly(7),
            from: Instant(nanoseconds: 0), until: Instant(nanoseconds: 1), time: WallTime(nanoseconds: 0),
            processors: [], subscriber: nil)
        feed.append(.gap(gap))
        for _ in 0..<50 { feed.append(writer.batch("process", [.processFork])) }
        var record = FeedRecord()
        record.read(feed, id)
        #expect(record.lost[.kernelOverflow] == 7)
    }

    @Test func `who comes back goes on where it was`() {
        let feed = feed()
        var writer = FeedWriter()
        for _ in 0..<3 { feed.append(writer.batch("process", [.processFork, .processExec])) }
        var request = everything
        request.after = FeedPosition(
            run: FeedWriter.run, sources: [FeedPosition.Source(name: "process", sequence: 3)])
        let id = open(feed, request)
        var record = FeedRecord()
        record.read(feed, id)
        feed.append(writer.batch("process", [.processFork]))
        record.read(feed, id)
        #expect(record.sequences == ["process": [4, 5, 6, 7]] && record.lost.isEmpty)
        #expect(feed.close(id)?.isBalanced == true)
    }

    @Test func `who comes back too late is told exactly how much is gone`() {
        let feed = feed(2_000)
        var writer = FeedWriter()
        for _ in 0..<50 { feed.append(writer.batch("process", [.processFork])) }
        var request = everything
        request.after = FeedPosition(
            run: FeedWriter.run, sources: [FeedPosition.Source(name: "process", sequence: 3)])
        let id = open(feed, request)
        var record = FeedRecord()
        record.read(feed, id)
        let first = record.sequences["process"]?.first ?? 0
        #expect(first > 4 && record.lost[.resume] == first - 4)
        #expect(record.sequences["process"]?.last == 50)
    }

    @Test func `who breaks off behind a gap is not told of it again`() throws {
        let feed = feed(2_000)
        var writer = FeedWriter()
        let id = open(feed, everything)
        for _ in 0..<50 { feed.append(writer.batch("process", [.processFork])) }
        guard case .gap(let gap, let through?)? = feed.next(id) else {
            return #expect(Bool(false), "a gap comes first, and says how far it reaches")
        }
        #expect(gap.lost == through)
        var request = everything
        request.after = FeedPosition(
            run: FeedWriter.run, sources: [FeedPosition.Source(name: "process", sequence: through)])
        var record = FeedRecord()
        record.read(feed, open(feed, request))
        #expect(record.lost.isEmpty && record.sequences["process"] == Array(through + 1...50))
    }

    @Test func `a gap that lies before where a reader goes on is not told again`() {
        let feed = feed()
        var writer = FeedWriter()
        feed.append(writer.batch("process", [.processFork]))
        let gap = Gap(
            source: "process", cause: .kernelOverflow, lost: 7, lostBounds: .exactly(7),
            from: Instant(nanoseconds: 0), until: Instant(nanoseconds: 1), time: WallTime(nanoseconds: 0),
            processors: [], subscriber: nil)
        feed.append(.gap(gap))
        feed.append(writer.batch("process", [.processFork]))
        for (position, lost): (UInt64, UInt64?) in [(0, 7), (1, 7), (2, nil)] {
            var request = everything
            request.after = FeedPosition(
                run: FeedWriter.run, sources: [FeedPosition.Source(name: "process", sequence: position)])
            var record = FeedRecord()
            record.read(feed, open(feed, request))
            #expect(record.lost[.kernelOverflow] == lost)
        }
    }

    @Test func `who has seen what has not happened was with another run`() throws {
        let feed = feed()
        var writer = FeedWriter()
        feed.append(writer.batch("process", [.processFork]))
        var request = everything
        request.after = FeedPosition(
            run: FeedWriter.run, sources: [FeedPosition.Source(name: "process", sequence: .max)])
        let (id, position) = feed.open(
            request, at: Instant(nanoseconds: 0), wall: WallTime(nanoseconds: 0), notify: {})
        #expect(position.sequence(of: "process") == 0, "or it would never be overtaken")
        feed.append(writer.batch("process", [.processExec]))
        guard case .gap(let gap, _)? = feed.next(id) else { return #expect(Bool(false), "a gap comes first") }
        #expect(gap.cause == .resume && gap.lost == nil && gap.lostBounds.atMost == nil)
        var record = FeedRecord()
        record.read(feed, id)
        #expect(record.sequences == ["process": [1, 2]])
        #expect(feed.accounts[0].inFlight == 0 && feed.accounts[0].isBalanced)
    }

    @Test func `who was with another run is told that nobody knows how much is gone`() {
        let feed = feed()
        var writer = FeedWriter()
        feed.append(writer.batch("process", [.processFork]))
        var request = everything
        request.after = FeedPosition(
            run: RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(2)),
            sources: [FeedPosition.Source(name: "process", sequence: 3)])
        let id = open(feed, request)
        guard case .gap(let gap, _)? = feed.next(id) else { return #expect(Bool(false), "a gap comes first") }
        #expect(gap.cause == .resume && gap.lost == nil && gap.lostBounds.atMost == nil)
    }

    @Test func `who was with another run is told so though nothing has happened in this one`() {
        let feed = feed()
        var request = everything
        request.after = FeedPosition(
            run: RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(2)),
            sources: [FeedPosition.Source(name: "process", sequence: 3)])
        let id = open(feed, request)
        guard case .gap(let gap, _)? = feed.next(id) else { return #expect(Bool(false), "a gap comes first") }
        #expect(gap.source == "process" && gap.cause == .resume)
    }

    @Test func `who was with another run gets what this one has told before it came back`() throws {
        let feed = feed()
        var writer = FeedWriter()
        feed.append(writer.batch("process", [.processBaseline, .processFork]))
        feed.append(writer.batch("filesystem", [.fileCreated]))
        var request = everything
        request.after = FeedPosition(
            run: RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(2)),
            sources: [FeedPosition.Source(name: "process", sequence: 70)])
        let (id, position) = feed.open(
            request, at: Instant(nanoseconds: 0), wall: WallTime(nanoseconds: 0), notify: {})
        #expect(position.run == FeedWriter.run)
        #expect(position.sequence(of: "process") == 0 && position.sequence(of: "filesystem") == 0)
        feed.append(writer.batch("process", [.processExit]))
        var record = FeedRecord()
        record.read(feed, id)
        #expect(record.sequences == ["process": [1, 2, 3], "filesystem": [1]])
        let account = try #require(feed.close(id))
        #expect(account.offered == 4 && account.delivered == 4 && account.isBalanced)
    }

    @Test func `who was with another run learns how much of this one is gone already`() throws {
        let feed = feed(1_500)
        var writer = FeedWriter()
        for _ in 0..<50 { feed.append(writer.batch("process", [.processFork])) }
        var request = everything
        request.after = FeedPosition(
            run: RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(2)),
            sources: [FeedPosition.Source(name: "process", sequence: 3)])
        let (id, position) = feed.open(
            request, at: Instant(nanoseconds: 0), wall: WallTime(nanoseconds: 0), notify: {})
        guard case .gap(let gap, _)? = feed.next(id) else { return #expect(Bool(false), "a gap comes first") }
        var record = FeedRecord()
        record.read(feed, id)
        let first = try #require(record.sequences["process"]?.first)
        #expect(first > 1 && record.sequences["process"] == Array(first...50))
        #expect(gap.lost == nil && gap.lostBounds == LostBounds(atLeast: first - 1, atMost: nil))
        #expect(position.sequence(of: "process") == first - 1)
    }

    @Test func `a reader that waits is woken once`() {
        let feed = feed()
        var writer = FeedWriter()
        final class Counter: Sendable { let value = Mutex(0) }
        let counter = Counter()
        let id = open(feed, everything) { counter.value.withLock { $0 += 1 } }
        guard case nil = feed.next(id) else { return #expect(Bool(false), "nothing is there") }
        feed.append(writer.batch("process", [.processFork]))
        feed.append(writer.batch("process", [.processFork]))
        #expect(counter.value.withLock { $0 } == 1)
    }

    @Test func `a closed feed ends its streams after what is kept`() {
        let feed = feed()
        var writer = FeedWriter()
        let id = open(feed, everything)
        feed.append(writer.batch("process", [.processFork]))
        feed.close()
        var record = FeedRecord()
        record.read(feed, id)
        #expect(record.sequences == ["process": [1]] && record.end == .stopped)
    }

    /// Whatever readers do, each event is delivered in order, or filtered, or told as lost.
    @Test(arguments: 0..<60) func `every event of a random run is accounted for`(seed: UInt64) throws {
        var random = SplitMix(state: seed &* 0x9e37_79b9_7f4a_7c15 &+ 1)
        let feed = feed(Int(random.next() % 6_000) + 500)
        var writer = FeedWriter()
        var readers: [(id: EventFeed.ReaderID, record: FeedRecord, filter: EventFilter)] = []
        let kinds: [EventKind] = [.processFork, .processExec, .processExit, .fileCreated]
        for _ in 0..<400 {
            switch random.next() % 8 {
            case 0 where readers.count < 6:
                let filter =
                    random.next() % 2 == 0
                    ? EventFilter.everything : EventFilter(topics: TopicSet([kinds[Int(random.next() % 4)]]))
                var request = EventFeed.Request(name: "r\(readers.count)", filter: filter)
                request.credit = random.next() % 3 == 0 ? random.next() % 20 : .max
                readers.append((open(feed, request), FeedRecord(), filter))
            case 1, 2:
                guard !readers.isEmpty else { continue }
                let index = Int(random.next() % UInt64(readers.count))
                readers[index].record.read(feed, readers[index].id, atMost: Int(random.next() % 4))
            case 3:
                guard !readers.isEmpty else { continue }
                feed.credit(random.next() % 10, to: readers[Int(random.next() % UInt64(readers.count))].id)
            default:
                let count = Int(random.next() % 6) + 1
                let source: SourceName = random.next() % 3 == 0 ? "filesystem" : "process"
                feed.append(writer.batch(source, (0..<count).map { _ in kinds[Int(random.next() % 4)] }))
            }
            for account in feed.accounts { #expect(account.isBalanced) }
        }
        for index in readers.indices {
            feed.credit(.max, to: readers[index].id)
            readers[index].record.read(feed, readers[index].id)
            let account = try #require(feed.close(readers[index].id))
            let record = readers[index].record
            let got = record.sequences.values.reduce(0) { $0 + $1.count }
            #expect(account.isBalanced && account.inFlight == 0)
            #expect(account.delivered == UInt64(got))
            #expect(account.dropped.total == record.lost[.subscriberQueue] ?? 0)
            for sequences in record.sequences.values {
                #expect(zip(sequences, sequences.dropFirst()).allSatisfy { $0 < $1 })
            }
        }
    }
}

struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
