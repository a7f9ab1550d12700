import Backends
import CollectorCore
import Configuration
import EventModel
import HostSources
import LinuxBackends
import Synchronization

import struct SystemPackage.Errno

/// A process source that is run until it is ready, and then stopped.
final class ProcessTrial: Sendable {
    enum Result: Sendable {
        /// Processes of the baseline, and how long it took.
        case ready(UInt64, Duration)
        case failed(String)
    }

    let requested: Int
    let granted: Int
    let isPolling: Bool
    /// Why, unless that was asked for.
    let pollingReason: String?
    private let main: LinuxThread
    private let collector: Collector
    private let subscription: Subscription
    private let result = Mutex(Result.failed("the source did not become ready"))

    init(_ values: SettingsValues) throws(HostError) {
        main = try OpenedHost.attempt("a thread") { () throws(Errno) in try LinuxThread(name: "doctor") }
        let thread = try OpenedHost.attempt("a thread") { () throws(Errno) in try LinuxThread(name: "source")
        }
        let procfs = try OpenedHost.attempt("/proc") { () throws(Errno) in try LinuxProcFileSystem() }
        let connector = try OpenedConnector.open(values, on: thread)
        requested = values[HostSettings.receiveBuffer].bytes
        granted = connector.receiveBufferByteCount
        isPolling = connector.socket == nil
        pollingReason = connector.pollingReason
        let source = ProcessSource(
            endpoints: ProcessSource.Endpoints(
                procfs: procfs, connector: connector.socket, pollingReason: pollingReason,
                fence: LinuxProcessorFence(), cursor: nil),
            settings: HostSettings.processSettings(values), clock: main.clock)
        do {
            var configuration = HostSettings.collectorConfiguration(values)
            configuration.maxRestarts = 0
            collector = try Collector(
                configuration: configuration,
                run: RunContext(bootID: BootID(high: 0, low: 0), runID: RunID(0)), thread: main)
            try collector.register(source, on: thread)
            subscription = try collector.subscribe(
                SubscriptionOptions(
                    name: "doctor", filter: .everything, queueLimit: 65_536, overflowPolicy: .dropOldest))
        } catch {
            throw HostError(.internal, "\(error)")
        }
    }

    /// To be called on the process's first thread.
    func run() -> Result {
        main.serveOnCallingThread { [self] in
            let watching = spawn(on: main) { await self.watch() }
            do {
                let report = try await collector.run()
                if let failure = report.failures.first { result.withLock { $0 = .failed(failure.reason) } }
            } catch {
                result.withLock { $0 = .failed("\(error)") }
            }
            await watching.value
        }
        return result.withLock { $0 }
    }

    private func watch() async {
        let begin = main.clock.monotonic
        var count: UInt64 = 0
        while let delivery = await subscription.next() {
            if case .events(let selected) = delivery { count += UInt64(selected.count) }
            guard case .status(let status) = delivery, status.state == .ready else { continue }
            let time = begin.duration(to: main.clock.monotonic).rounded
            result.withLock { [count] in $0 = .ready(count, time) }
            collector.requestStop()
        }
    }
}

extension Duration {
    /// To the millisecond.
    fileprivate var rounded: Duration {
        .milliseconds(max(1, components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000))
    }
}
