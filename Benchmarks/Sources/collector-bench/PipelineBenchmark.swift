import Backends
import CollectorCore
import EventModel
import LinuxBackends

/// CPU time per event over all threads: source -> batch -> bus -> two filtered subscribers.
///
/// Four threads as in the daemon: the source's, the runtime's, and one for each subscriber. Events are built within the
/// measured time; how much of it that is stands beside it.
struct PipelineBenchmark {
    private let repetitions: Int
    private let eventCount: Int

    init(_ setup: Setup) {
        repetitions = setup.repetitions(short: 5, full: 15)
        eventCount = setup.repetitions(short: 100_000, full: 200_000)
    }

    func measure() async throws -> [Row] {
        var whole = Samples()
        var building = Samples()
        _ = try await passEvents(count: eventCount / 4)
        for _ in 0..<repetitions {
            building.add(buildEvents())
            whole.add(try await passEvents(count: eventCount))
        }
        let cost = Quantity(whole.quietest, .nanoseconds)
        return [
            Row(
                .pipeline, "CPU per event, 2 filtered subscribers", cost,
                peer: ("building alone", Quantity(building.quietest, .nanoseconds)),
                ratio: whole.quietest / building.quietest,
                bar: Row.Bar(judged: cost, floor: .atMost(1_000), target: .atMost(500), kind: .time),
                remark:
                    "median \(Quantity(whole.median, .nanoseconds).text) of \(repetitions) runs of \(eventCount) "
                    + "events with \(EventTemplate.stringCount) strings over 15 bytes, each decoded afresh"),
            Row(
                .pipeline, "of which the pipeline, without building",
                Quantity(whole.quietest - building.quietest, .nanoseconds)),
        ]
    }

    /// - Returns: CPU nanoseconds per event that making and freeing it takes without any pipeline.
    private func buildEvents() -> Double {
        let template = EventTemplate()
        var batch: ContiguousArray<Event> = []
        let begin = threadCPUNanoseconds()
        for number in 0..<eventCount {
            batch.append(template.mixed(number))
            if batch.count == BurstSource.burstCount {
                keep(batch)
                batch.removeAll(keepingCapacity: true)
            }
        }
        return Double(threadCPUNanoseconds() - begin) / Double(eventCount)
    }

    /// - Returns: CPU nanoseconds per event over all threads of this process.
    private func passEvents(count: Int) async throws -> Double {
        let threads = try ["bench-runtime", "bench-source", "bench-first", "bench-second"].map {
            try LinuxThread(name: $0)
        }
        defer { for thread in threads { thread.stop() } }
        let collector = try Collector(
            configuration: CollectorConfiguration(),
            run: RunContext(bootID: BootID(high: 1, low: 1), runID: RunID(1)),
            thread: threads[0])
        try collector.register(BurstSource(eventCount: count), on: threads[1])
        let executions = try subscribe(
            collector, "executions",
            EventFilter(topics: TopicSet([.processExec]), executablePrefix: "/usr/lib/"))
        let ends = try subscribe(
            collector, "ends", EventFilter(topics: TopicSet([.processExit]), uids: [UserID(1_000)]))
        let begin = processCPUNanoseconds()
        async let first = threads[2].run { await Self.consume(executions) }
        async let second = threads[3].run { await Self.consume(ends) }
        let report = try await threads[0].run { try await collector.run() }
        let delivered = try await [first, second]
        let cost = Double(processCPUNanoseconds() - begin) / Double(count)
        guard delivered == [count / 2, count / 4], report.failures.isEmpty else {
            throw BenchmarkError("the subscribers were given \(delivered) of \(count) events")
        }
        return cost
    }

    private func subscribe(_ collector: Collector, _ name: String, _ filter: EventFilter) throws
        -> Subscription
    {
        try collector.subscribe(
            SubscriptionOptions(name: name, filter: filter, queueLimit: 8_192, overflowPolicy: .block))
    }

    /// Takes everything and looks at every event.
    private static func consume(_ subscription: Subscription) async -> Int {
        var count = 0
        while let delivery = await subscription.next() {
            guard case .events(let selected) = delivery else { continue }
            selected.forEach { event, _ in if event.sequence > 0 { count += 1 } }
        }
        return count
    }
}

/// Emits a number of fresh events in bursts, as the process source does under load, and ends.
struct BurstSource: EventSource {
    static let burstCount = 100

    let eventCount: Int

    var descriptor: SourceDescriptor {
        SourceDescriptor(name: "bench", capabilities: [], overflowPolicy: .block, restartPolicy: .onFailure)
    }

    func run(_ context: SourceContext) async throws {
        context.ready()
        let template = EventTemplate()
        var burst: ContiguousArray<Event> = []
        for number in 0..<eventCount {
            if burst.isEmpty { burst.reserveCapacity(Self.burstCount) }
            burst.append(template.mixed(number))
            if burst.count == Self.burstCount { await context.emitter.emit(contentsOf: &burst) }
        }
        await context.emitter.emit(contentsOf: &burst)
        context.emitter.flush()
    }
}
