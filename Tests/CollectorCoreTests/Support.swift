import Backends
import CollectorCore
import EventModel
import SimulatedBackends
import Synchronization
import Testing

/// Runs `body` on a pump of its own and expects it to end.
@discardableResult
func simulate(
    seed: UInt64 = 1, policy: SchedulingPolicy = .random, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: @escaping @Sendable (Pump) async throws -> Void
) -> SimulationReport {
    var configuration = WorldConfiguration(seed: seed)
    configuration.policy = policy
    let pump = Pump(configuration)
    let report = Simulation.run(pump) { try await body(pump) }
    #expect(report.ending == .completed, "seed \(seed)", sourceLocation: sourceLocation)
    return report
}

extension Pump {
    /// Suspends the calling task for some virtual time, cancelled or not.
    func sleep(for duration: Duration) async {
        await withCheckedContinuation { continuation in
            _ = clock.schedule(at: now.advanced(by: duration)) { continuation.resume() }
        }
    }
}

/// A value that tasks of a simulation share with the test.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value { mutex.withLock { $0 } }

    func change(_ body: (inout Value) -> Void) { mutex.withLock { body(&$0) } }
}

let sampleRun = RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(3))

/// An event about the process `number`, not emitted yet.
func makeEvent(_ number: Int = 1, origin: EventOrigin = .emitted, kind: EventKind = .processFork) -> Event {
    let identity = ProcessIdentity(
        pid: ProcessID(Int32(number)), birth: .scan(startTicks: UInt64(number), pidFDInode: 0))
    return Event(
        source: "test", kind: kind, origin: origin, time: WallTime(nanoseconds: 0),
        monotonic: Instant(nanoseconds: 0),
        subject: .process(ProcessEvent(identity: identity)), escaped: [])
}

/// A batch of events with the sequences of `range`.
func makeBatch(_ range: ClosedRange<UInt64>, origin: EventOrigin = .emitted, kind: EventKind = .processFork)
    -> EventBatch
{
    var events: ContiguousArray<Event> = []
    for sequence in range {
        var event = makeEvent(Int(sequence), origin: origin, kind: kind)
        event.sequence = sequence
        events.append(event)
    }
    return EventBatch(run: sampleRun, source: "test", events: events)
}

func makeGap(
    _ lost: UInt64?, source: SourceName = "test", cause: GapCause = .kernelOverflow, from: Int64 = 0,
    until: Int64 = 0,
    processors: [ProcessorLoss] = [], subscriber: String? = nil
) -> Gap {
    Gap(
        source: source, cause: cause, lost: lost,
        lostBounds: lost.map { .exactly($0) } ?? LostBounds(atLeast: 0, atMost: nil),
        from: Instant(nanoseconds: from),
        until: Instant(nanoseconds: until), time: WallTime(nanoseconds: until), processors: processors,
        subscriber: subscriber)
}

/// What a subscriber has taken, in order, and whether what is missing is named where it is missing.
struct Received: Sendable {
    var sequences: [UInt64] = []
    var gaps: [Gap] = []
    var statuses: [SourceStatus] = []
    var records: [CollectorRecord] = []
    /// The sequence that comes next if all gaps are true.
    var nextSequence: UInt64 = 1
    /// Events that came at another place than the gaps before them say.
    var misplaced: [UInt64] = []

    mutating func take(_ item: Delivery) {
        switch item {
        case .events(let selected): for event in selected { take(event.sequence) }
        case .gap(let gap): take(gap)
        case .status(let status): statuses.append(status)
        case .record(let record): records.append(record)
        }
    }

    mutating func take(_ item: PipelineItem) {
        switch item {
        case .events(let batch): for event in batch.events { take(event.sequence) }
        case .gap(let gap): take(gap)
        }
    }

    private mutating func take(_ sequence: UInt64) {
        if sequence != nextSequence { misplaced.append(sequence) }
        nextSequence = sequence + 1
        sequences.append(sequence)
    }

    private mutating func take(_ gap: Gap) {
        gaps.append(gap)
        if gap.cause != .kernelOverflow { nextSequence += gap.lost ?? 0 }
    }

    func states(of source: SourceName) -> [SourceStatus.State] {
        statuses.filter { $0.source == source }.map(\.state)
    }

    var capabilities: [CapabilityReport] {
        records.compactMap { if case .capabilities(let report) = $0 { report } else { nil } }
    }

    var healthReports: [HealthReport] {
        records.compactMap { if case .health(let report) = $0 { report } else { nil } }
    }

    var telemetry: [Telemetry] {
        records.compactMap { if case .telemetry(let telemetry) = $0 { telemetry } else { nil } }
    }

    var lost: UInt64 { gaps.reduce(0) { $0 + ($1.lost ?? 0) } }
}

extension EventBus {
    /// Offers one item to everybody, waiting where it must.
    func publish(_ item: PipelineItem) async { await publish(Backlog(items: [item], refusers: nil)) }
}

extension Subscription {
    /// Takes everything until the end of the stream.
    func takeAll(into received: Shared<Received>) async {
        while let item = await next() { received.change { $0.take(item) } }
    }
}

/// A source whose main loop is a closure.
struct ScriptedSource: EventSource {
    var descriptor: SourceDescriptor
    var health: @Sendable () async -> Health = { .healthy }
    var account: @Sendable () async -> SourceAccount? = { nil }
    let body: @Sendable (SourceContext) async throws -> Void

    init(
        _ name: SourceName = "test", capabilities: SourceCapabilities = .process,
        policy: OverflowPolicy = .block, restart: RestartPolicy = .onFailure,
        _ body: @escaping @Sendable (SourceContext) async throws -> Void
    ) {
        descriptor = SourceDescriptor(
            name: name, capabilities: capabilities, overflowPolicy: policy, restartPolicy: restart)
        self.body = body
    }

    func run(_ context: SourceContext) async throws { try await body(context) }
    func checkHealth() async -> Health { await health() }
    func closeAccount() async -> SourceAccount? { await account() }
}

/// Waits until the source is cancelled.
func untilCancelled(_ context: SourceContext) async {
    try? await context.clock.sleep(until: Instant(nanoseconds: .max))
}
