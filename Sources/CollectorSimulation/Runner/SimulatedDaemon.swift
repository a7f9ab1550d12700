import Backends
import CollectorCore
import EventModel
import HostSources
import SimulatedBackends
import Synchronization

/// What the parts of a simulated composition write down; everything is on the pump's thread, the lock is never contended.
final class Recorder: Sendable {
    private let state = Mutex(Recording())
    /// Samples queue depths in a run that is reported.
    let meter: DepthMeter?
    /// Whether what is delivered is kept for the oracles, or only counted.
    let keepsStream: Bool

    init(meter: DepthMeter? = nil, keepsStream: Bool = true) {
        self.meter = meter
        self.keepsStream = keepsStream
    }

    var recording: Recording { state.withLock { $0 } }
    func update<Result: Sendable>(_ body: (inout sending Recording) -> sending Result) -> Result {
        state.withLock { body(&$0) }
    }
}

/// The collector as a daemon composes it, over simulated backends: run id, endpoints, source, subscriber, signals.
///
/// Only the adapters differ from production; runtime and source are the same code.
struct SimulatedDaemon: Sendable {
    let host: SimulatedHost
    let settings: CollectorSettings
    let recorder: Recorder
    var sources = SourcesUnderTest()

    /// What the product asks for by default.
    private static let defaultReceiveBufferByteCount = 8 << 20

    /// Runs from composition to the end of the last subscriber, and writes everything down as one ``CollectorRun``.
    func run() async {
        let queueLimit = settings.queueCapacity ?? 8_192
        let started = host.clock.monotonic
        let context = RunContext(bootID: host.kernel.configuration.bootID, runID: RunID(0))
        let index = recorder.update { recording in
            recording.runs.append(CollectorRun(context: context, started: started, queueLimit: queueLimit))
            return recording.runs.count - 1
        }
        do {
            // Persisted before anything is emitted.
            let runID = try RunCounter.next(from: host.durableFile(named: "run"))
            let context = RunContext(bootID: context.bootID, runID: runID)
            recorder.update { $0.runs[index].context = context }
            let collector = try Collector(
                configuration: configuration, run: context, thread: host.threads.makeThread(named: "runtime"))
            let thread = host.threads.makeThread(named: "process")
            let source = try makeSource(clock: thread.clock)
            let isPolling = !source.descriptor.capabilities.contains(.realtime)
            recorder.update { $0.runs[index].isPolling = isPolling }
            try collector.register(source, on: thread)
            let files = try registerFiles(with: collector)
            defer { close(files, index: index) }
            let others = try registerOthers(with: collector)
            defer { for host in others { host.close() } }
            let subscription = try collector.subscribe(
                SubscriptionOptions(
                    name: "recorder", filter: .everything, queueLimit: queueLimit,
                    overflowPolicy: settings.queuePolicy.flatMap(OverflowPolicy.init(rawValue:)) ?? .block))
            try await operate(collector, subscription, index: index)
        } catch {
            recorder.update { $0.runs[index].failure = "\(error)" }
        }
        let ended = host.clock.monotonic
        let openHandleCount = host.kernel.openHandleCount
        recorder.update {
            $0.runs[index].ended = ended
            $0.runs[index].openHandleCount = openHandleCount
        }
    }

    private func operate(_ collector: Collector, _ subscription: Subscription, index: Int) async throws {
        let consumer = spawn(on: host.pump) { await consume(subscription, index: index) }
        recorder.meter?.watch(collector, subscription)
        let signals = spawn(on: host.pump) { await obeySignals(collector, index: index) }
        let report = try await collector.run()
        signals.cancel()
        await signals.value
        await consumer.value
        fold(report.accounts, index: index)
        recorder.update { recording in
            recording.runs[index].report = report
            recording.runs[index].peakQueueCount = subscription.peakCount
        }
    }

    // MARK: - Parts

    private func consume(_ subscription: Subscription, index: Int) async {
        while let delivery = await subscription.next() {
            let now = host.clock.monotonic
            recorder.meter?.look(at: now)
            recorder.update { recording in
                record(delivery, at: now, in: &recording.runs[index])
                guard case .status(let status) = delivery, status.state == .ready else { return }
                switch status.source {
                case .filesystem: recording.runs[index].filesystemReady = now
                case .process: recording.runs[index].ready = now
                default: break
                }
            }
            guard let delay = settings.subscriberDelay, case .events = delivery else { continue }
            // A cancelled sleep ends early, and there is nothing to clean up.
            try? await host.clock.sleep(until: now.advanced(by: .nanoseconds(delay)))
        }
    }

    /// Adds the items of one delivery; they become part of the trace, so that equal traces mean equal output.
    private func record(_ delivery: CollectorCore.Delivery, at now: Instant, in run: inout CollectorRun) {
        switch delivery {
        case .events(let selected):
            var digest = EventDigest()
            selected.forEach { event, position in
                digest.fold(selected.batch, at: position)
                run.eventCount += 1
                if recorder.keepsStream {
                    run.stream.append(StreamItem(content: .event(copy event), delivered: now))
                }
            }
            host.pump.fold(digest.value)
        case .gap(let gap):
            var bytes: [UInt8] = []
            gap.appendJSON(to: &bytes)
            host.pump.fold(bytes)
            run.noteLeak(in: bytes)
            if recorder.keepsStream { run.stream.append(StreamItem(content: .gap(gap), delivered: now)) }
        case .status(let status):
            var bytes: [UInt8] = []
            status.appendJSON(to: &bytes)
            host.pump.fold(bytes)
            run.noteLeak(in: bytes)
            if recorder.keepsStream {
                run.stream.append(StreamItem(content: .status(status), delivered: now))
            }
        case .record(let record):
            var bytes: [UInt8] = []
            record.appendJSON(to: &bytes)
            host.pump.fold(bytes)
            run.noteLeak(in: bytes)
        }
    }

    /// Makes accounts part of the trace.
    private func fold(_ accounts: Accounts, index: Int) {
        var bytes: [UInt8] = []
        for account in accounts.sources { account.appendJSON(to: &bytes) }
        for account in accounts.streams { account.appendJSON(to: &bytes) }
        host.pump.fold(bytes)
        recorder.update { [bytes] in $0.runs[index].noteLeak(in: bytes) }
    }

    private func obeySignals(_ collector: Collector, index: Int) async {
        while let signal = await host.signals.next() {
            switch signal {
            case .terminate, .interrupt:
                let now = host.clock.monotonic
                let lastHarm = host.kernel.lastHarm
                recorder.update {
                    $0.runs[index].stopRequested = now
                    $0.runs[index].lastHarm = lastHarm
                }
                collector.requestStop()
            case .user1:
                let accounts = await collector.closeAccounts()
                fold(accounts, index: index)
                let now = host.clock.monotonic
                recorder.update { $0.runs[index].accounts.append((now, accounts)) }
            case .hangUp:
                // Reloading is not part of this composition yet.
                continue
            }
        }
    }

    private func makeSource(clock: any SystemClock) throws -> ProcessSource {
        let observer = ScanObserver(base: host.procFileSystem) { [host, recorder] in
            let now = host.clock.monotonic
            recorder.update { $0.scans.append(now) }
        }
        var source = ProcessSourceSettings()
        source.receiveBufferByteCount = settings.receiveBuffer ?? Self.defaultReceiveBufferByteCount
        source.clockTicksPerSecond = host.kernel.configuration.clockTicksPerSecond
        if let value = settings.lateReadDelay { source.lateReadDelay = .nanoseconds(value) }
        if let value = settings.sampleInterval { source.sampleInterval = .nanoseconds(value) }
        if let value = settings.pollInterval { source.pollInterval = .nanoseconds(value) }
        if let value = settings.pollRate { source.pollRate = value }
        var endpoints = ProcessSource.Endpoints(
            procfs: observer, connector: nil, fence: host.fence, cursor: host.durableFile(named: "cursor"))
        switch try mode.choose(ticket: Self.ticket, opening: host.openConnectorSocket) {
        case .connector(let connector):
            _ = try connector.setReceiveBuffer(byteCount: source.receiveBufferByteCount)
            endpoints.connector = metered(connector)
        case .polling(let reason): endpoints.pollingReason = reason
        }
        return ProcessSource(endpoints: endpoints, settings: source, clock: clock)
    }

    /// Makes the sources that are not the collector's own.
    private func registerOthers(with collector: Collector) throws -> [SimulatedSourceHost] {
        guard let values = sources.values else { return [] }
        var hosts: [SimulatedSourceHost] = []
        do {
            for definition in sources.definitions {
                let thread = host.threads.makeThread(named: String("source-\(definition.name)".prefix(15)))
                let view = SimulatedSourceHost(
                    definition.name, on: host, clock: thread.clock, settings: values)
                hosts.append(view)
                guard let source = try definition.makeSource(on: view) else { continue }
                try collector.register(source, on: thread)
            }
        } catch {
            // The process ends here, and everything that it had open is closed.
            for host in hosts { host.close() }
            throw error
        }
        return hosts
    }

    /// Marks the first request to the connector.
    private static let ticket: UInt32 = 0x636f_6c6c

    private var mode: ProcessSourceMode {
        settings.mode ?? (host.kernel.configuration.connector == .available ? .connector : .auto)
    }

    // MARK: - Files

    /// What the source of files holds open.
    private struct FileEndpoints {
        var watcher: SimulatedFileWatcher
        var roots: [SimulatedRootedDirectory]
    }

    private func registerFiles(with collector: Collector) throws -> FileEndpoints? {
        let options = settings.filesystem
        guard !options.roots.isEmpty else { return nil }
        let thread = host.threads.makeThread(named: "filesystem")
        let watcher = try host.fileWatcher()
        let roots = try options.roots.map { try host.rootedDirectory(path: $0) }
        let endpoints = FilesystemSource.Endpoints(
            watcher: watcher, roots: roots, index: host.durableFile(named: "filesystem.index"))
        let source = FilesystemSource(
            endpoints: endpoints, settings: options.sourceSettings, clock: thread.clock)
        try collector.register(source, on: thread)
        return FileEndpoints(watcher: watcher, roots: roots)
    }

    /// The process has ended, and what it had open is closed.
    private func close(_ files: FileEndpoints?, index: Int) {
        guard let files else { return }
        let watch = WatchTruth(
            readCount: files.watcher.readCount, readOverflowCount: files.watcher.readOverflowCount)
        recorder.update { $0.runs[index].watch = watch }
        files.watcher.close()
        for root in files.roots { root.close() }
    }

    private func metered(_ socket: SimulatedConnectorSocket) -> any NetlinkSocket {
        guard let meter = recorder.meter else { return socket }
        return MeteredConnector(socket, meter: meter, clock: host.clock)
    }

    private var configuration: CollectorConfiguration {
        var configuration = CollectorConfiguration()
        if let value = settings.bufferCapacity { configuration.eventBufferSize = value }
        if let value = settings.batchCapacity { configuration.maxBatchSize = value }
        if let value = settings.batchTimeout { configuration.batchTimeout = .nanoseconds(value) }
        if let value = settings.shutdownTimeout { configuration.shutdownTimeout = .nanoseconds(value) }
        if let value = settings.startupTimeout { configuration.startupTimeout = .nanoseconds(value) }
        return configuration
    }
}

extension FilesystemOptions {
    /// The source's own settings.
    fileprivate var sourceSettings: FilesystemSourceSettings {
        var source = FilesystemSourceSettings()
        source.rules = rules
        source.reportsBaseline = reportsBaseline
        if let hashByteLimit { source.hashSizeLimit = UInt64(hashByteLimit) }
        if let hashByteRate { source.hashByteRate = UInt64(hashByteRate) }
        if let watchLimit { source.watchLimit = watchLimit }
        if let settleDelay { source.settleDelay = .nanoseconds(settleDelay) }
        if let pollInterval { source.pollInterval = .nanoseconds(pollInterval) }
        if let resyncInterval { source.resyncInterval = .nanoseconds(resyncInterval) }
        if let saveInterval { source.saveInterval = .nanoseconds(saveInterval) }
        return source
    }
}
