import Backends
import CollectorCore
import EventModel
import HostSources
import SimulatedBackends
import Synchronization

/// The collector of a soak: composed like the one of a scenario, but what it says is checked as it comes and forgotten.
struct SoakDaemon: Sendable {
    /// What is kept of the stream: sums, whose size does not depend on the number of events.
    struct Progress: Sendable {
        var eventCount = 0
        var gapCount = 0
        /// Messages that gap records say were lost.
        var lostCount: UInt64 = 0
        /// The sequence of the last event.
        var lastSequence: UInt64 = 0
        var samples: [SoakSample] = []
        var failures: [Failure] = []
        var report: CollectorReport?
        var isDone = false

        /// Only the first few: they say what is wrong.
        mutating func fail(_ oracle: OracleName, _ verdict: Verdict, at time: Int64?, _ message: String) {
            if failures.count < 5 { failures.append(Failure(oracle, verdict, at: time, message)) }
        }
    }

    /// Of the socket, so that storms overrun it.
    static let receiveBufferByteCount = 64 << 10
    private static let queueLimit = 8_192

    let host: SimulatedHost
    let eventCount: Int
    let sampleInterval: Int
    let progress: SharedProgress
    /// Called once when enough events have come.
    let onEnough: @Sendable () -> Void
    /// Called with each sample.
    let onSample: @Sendable (SoakSample) -> Void

    final class SharedProgress: Sendable {
        private let state = Mutex(Progress())

        var value: Progress { state.withLock { $0 } }
        func update<Result: Sendable>(_ body: (inout sending Progress) -> sending Result) -> Result {
            state.withLock { body(&$0) }
        }
    }

    func run() async {
        do {
            try await compose()
        } catch {
            progress.update { $0.fail(.progress, .liveness, at: nil, "the collector: \(error)") }
        }
    }

    private func compose() async throws {
        let configuration = host.kernel.configuration
        let run = RunContext(bootID: configuration.bootID, runID: RunID(1))
        let collector = try Collector(
            configuration: CollectorConfiguration(), run: run,
            thread: host.threads.makeThread(named: "runtime"))
        let connector = try host.openConnectorSocket()
        _ = try connector.setReceiveBuffer(byteCount: Self.receiveBufferByteCount)
        var settings = ProcessSourceSettings()
        settings.clockTicksPerSecond = configuration.clockTicksPerSecond
        let thread = host.threads.makeThread(named: "process")
        let source = ProcessSource(
            endpoints: ProcessSource.Endpoints(
                procfs: host.procFileSystem, connector: connector, fence: host.fence, cursor: nil),
            settings: settings, clock: thread.clock)
        try collector.register(source, on: thread)
        let subscription = try collector.subscribe(
            SubscriptionOptions(
                name: "soak", filter: .everything, queueLimit: Self.queueLimit, overflowPolicy: .block))
        let observer = SoakObserver(
            daemon: self, collector: collector, source: source, connector: connector,
            subscription: subscription)
        let consumer = spawn(on: host.pump) { await observer.consume() }
        let sampler = spawn(on: host.pump) { await observer.sampleUntilEnough() }
        let report = try await collector.run()
        await sampler.value
        await consumer.value
        progress.update { $0.report = report }
    }
}

/// Looks at the stream and at the sizes while they last.
private struct SoakObserver: Sendable {
    let daemon: SoakDaemon
    let collector: Collector
    let source: ProcessSource
    let connector: SimulatedConnectorSocket
    let subscription: Subscription

    private var now: Instant { daemon.host.clock.monotonic }
    private var time: Int64 {
        now.nanoseconds.subtractingClamped(daemon.host.kernel.configuration.start.nanoseconds)
    }

    func consume() async {
        while let delivery = await subscription.next() {
            switch delivery {
            case .events(let selected):
                var sequences: (first: UInt64, last: UInt64)?
                selected.forEach { event, _ in
                    sequences = (sequences?.first ?? event.sequence, event.sequence)
                }
                let count = selected.count
                guard let sequences else { continue }
                daemon.progress.update { [time] progress in
                    // Nothing is dropped between source and subscriber, so the sequence has no hole.
                    let isNext = sequences.first == progress.lastSequence + 1
                    if !isNext || sequences.last - sequences.first + 1 != UInt64(count) {
                        progress.fail(
                            .order, .safety, at: time,
                            "event \(sequences.first) to \(sequences.last) after \(progress.lastSequence)")
                    }
                    progress.lastSequence = sequences.last
                    progress.eventCount += count
                }
            case .gap(let gap):
                daemon.progress.update { progress in
                    progress.gapCount += 1
                    progress.lostCount += gap.lost ?? 0
                }
            default: continue
            }
        }
    }

    /// Takes a sample each time another share of the events has come; then lets the world rest and stops.
    func sampleUntilEnough() async {
        var next = daemon.sampleInterval
        while true {
            let count = daemon.progress.value.eventCount
            if count >= next {
                await sample()
                next = count - count % daemon.sampleInterval + daemon.sampleInterval
            }
            if count >= daemon.eventCount { break }
            await pause(for: .milliseconds(100))
        }
        daemon.onEnough()
        // Longer than any late look and any resync that is put off.
        await pause(for: .seconds(5))
        collector.requestStop()
    }

    private func pause(for duration: Duration) async {
        // Nobody cancels it.
        try? await daemon.host.clock.sleep(until: now.advanced(by: duration))
    }

    private func sample() async {
        // Before the account, which makes the source handle what it holds.
        let (buffered, queued) = (collector.bufferedEventCount, Int(clamping: subscription.account.inFlight))
        let kernelByteCount = connector.occupancy.byteCount
        let accounts = await collector.closeAccounts()
        let progress = daemon.progress.value
        let sample = SoakSample(
            number: progress.samples.count + 1, eventCount: progress.eventCount, virtualNanoseconds: time,
            memory: MemoryAccount(
                source: source.memory, bufferedCount: buffered, queuedCount: queued,
                kernelByteCount: kernelByteCount),
            residentByteCount: Soak.residentByteCount)
        daemon.progress.update { progress in
            progress.samples.append(sample)
            for account in accounts.sources where !account.isBalanced {
                progress.fail(
                    .accounts, .safety, at: sample.virtualNanoseconds,
                    "the account of \(account.source) does not balance")
            }
            for account in accounts.streams where !account.isBalanced {
                progress.fail(
                    .accounts, .safety, at: sample.virtualNanoseconds,
                    "the account of \(account.subscriber) does not balance")
            }
        }
        daemon.onSample(sample)
    }
}
