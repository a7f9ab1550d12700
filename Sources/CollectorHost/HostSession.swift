import Backends
import CollectorCore
import Configuration
import EventModel
import HostSources
import LinuxBackends
import Synchronization

/// One run of the daemon, from the first source to the last account.
final class HostSession: Sendable {
    /// Events that may wait for standard output. It blocks rather than drops: what the reader does not take stays with
    /// the kernel, which numbers what it then loses.
    static let outputQueueLimit = 8_192

    private let options: HostOptions
    private let format: HostOptions.Format
    private let host: OpenedHost
    private let collector: Collector
    private let subscription: Subscription
    private let standardOutput = LinuxOutput.standardOutput()
    private let standardError = LinuxOutput.standardError()
    private let sinkEnd = Mutex<EventSink.End?>(nil)

    init(options: HostOptions, values: SettingsValues, host: OpenedHost) throws(HostError) {
        self.options = options
        self.host = host
        format = options.format ?? (standardOutput.isTerminal ? .table : .none)
        do {
            collector = try Collector(
                configuration: HostSettings.collectorConfiguration(values), run: host.run, thread: host.main)
            let source = ProcessSource(
                endpoints: host.endpoints, settings: HostSettings.processSettings(values),
                clock: host.main.clock)
            if values[HostSettings.processEnabled] { try collector.register(source, on: host.processThread) }
            subscription = try collector.subscribe(
                SubscriptionOptions(
                    name: "stdout", filter: .everything, queueLimit: Self.outputQueueLimit,
                    overflowPolicy: .block))
        } catch {
            throw HostError(.configuration, "\(error)")
        }
    }

    func run() async -> Int32 {
        let sink = spawn(on: host.sinkThread) { await self.runSink() }
        let signals = spawn(on: host.main) { await self.handleSignals() }
        if let duration = options.duration {
            let deadline = host.main.clock.monotonic.advanced(by: duration)
            _ = host.main.clock.schedule(at: deadline) { self.stop() }
        }
        let report: CollectorReport
        do {
            report = try await collector.run()
        } catch {
            complain("\(error)")
            return HostError.Code.internal.exitCode
        }
        signals.cancel()
        if report.isWithinTimeout { await sink.value }
        write(report.accounts)
        return exitCode(for: report)
    }

    // MARK: - Parts

    private func runSink() async {
        let columns = standardOutput.terminalSize?.columns ?? 160
        let hasColours = standardOutput.isTerminal && !options.isColourDisabled
        let sink = EventSink(
            subscription: subscription, output: standardOutput, format: format,
            table: EventTable(width: columns, colours: hasColours ? .ansi : .none))
        let end = await sink.run()
        sinkEnd.withLock { $0 = end }
        if case .drained = end { return }
        subscription.abandon()
        stop()
    }

    private func handleSignals() async {
        var stopCount = 0
        while let signal = await host.signals.next() {
            switch signal {
            case .terminate, .interrupt:
                stopCount += 1
                // The second one means now: what is left is said by the exit code.
                if stopCount > 1 { HostProcess.exitNow(HostError.Code.internal.exitCode) }
                stop()
            case .user1:
                write(await collector.closeAccounts())
            case .hangUp:
                complain("nothing to reload: settings take effect at the next start")
            }
        }
    }

    private func stop() {
        collector.requestStop()
        let grace = collector.configuration.shutdownTimeout + .seconds(1)
        _ = host.main.clock.schedule(at: host.main.clock.monotonic.advanced(by: grace)) {
            self.complain("did not stop within \(self.collector.configuration.shutdownTimeout); giving up")
            HostProcess.exitNow(HostError.Code.internal.exitCode)
        }
    }

    // MARK: - Reports

    /// Accounts are part of the JSON stream; beside a table, or when nobody reads, they go to standard error.
    private func write(_ accounts: Accounts) {
        var isClosed = false
        if case .closedPipe? = sinkEnd.withLock({ $0 }) { isClosed = true }
        var bytes: [UInt8] = []
        if format == .json {
            for account in accounts.sources {
                account.appendJSON(to: &bytes)
                bytes.append(0x0a)
            }
            for account in accounts.streams {
                account.appendJSON(to: &bytes)
                bytes.append(0x0a)
            }
        } else {
            let table = EventTable(width: standardError.terminalSize?.columns ?? 160, colours: .none)
            let lines =
                accounts.sources.flatMap { table.lines(for: $0) }
                + accounts.streams.flatMap { table.lines(for: $0) }
            for line in lines { bytes.append(contentsOf: Array((line + "\n").utf8)) }
        }
        let output = format == .json && !isClosed ? standardOutput : standardError
        do {
            try output.write(bytes)
            try output.flush()
        } catch {
            complain("the accounts could not be written: \(error)")
        }
    }

    private func complain(_ message: String) {
        // Standard error is the last resort: if it is gone, nobody can be told.
        try? standardError.write("collectord: " + TerminalText.escape(message) + "\n")
    }

    private func exitCode(for report: CollectorReport) -> Int32 {
        for failure in report.failures { complain("source \(failure.source): \(failure.reason)") }
        for source in report.abandoned { complain("source \(source) did not stop within the time-out") }
        if case .failed(let error)? = sinkEnd.withLock({ $0 }) { complain("standard output: \(error)") }
        if !report.failures.isEmpty { return HostError.Code.unavailable.exitCode }
        return report.isWithinTimeout ? 0 : HostError.Code.internal.exitCode
    }
}
