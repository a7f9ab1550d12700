import Backends
import CollectorCore
import Configuration
import ControlPlane
import EventModel
import HostSources
import LinuxBackends
import Presentation
import Synchronization

/// One run of the daemon, from the first source to the last account.
final class HostSession: Sendable {
    /// Events that may wait for standard output. It blocks rather than drops: what the reader does not take stays with
    /// the kernel, which numbers what it then loses.
    static let outputQueueLimit = 8_192

    /// How long the last words may take: whoever reads standard error may be stuck.
    static let lastWordTimeout = Duration.seconds(2)
    /// A signal that comes so soon after the one that stops is the same wish: timeout(1) sends it to its child and once more to
    /// the group, and a shell and a terminal may both pass on what a person pressed once.
    private static let repetitionInterval = Duration.milliseconds(200)

    private let options: HostOptions
    private let format: HostOptions.Format
    let host: OpenedHost
    let collector: Collector
    private let subscription: Subscription
    private let settings: LiveSettings
    private let server: ControlServer?
    private let daemonEye: DaemonEyeServer?
    private let ocsf = OCSFProjection(hostName: HostProcess.hostName, productVersion: HostProcess.version)
    private let standardOutput = LinuxOutput.standardOutput()
    private let standardError = LinuxOutput.standardError()
    private let isAnswering = Mutex(false)
    private let sinkEnd = Mutex<EventSink.End?>(nil)

    init(
        options: HostOptions, reader: SettingsReader, values: SettingsValues, host: OpenedHost
    ) throws(HostError) {
        self.options = options
        self.host = host
        format = options.format ?? (standardOutput.isTerminal ? .table : .none)
        do {
            collector = try Collector(
                configuration: HostSettings.collectorConfiguration(values), run: host.run, thread: host.main,
                meter: LinuxResourceMeter()
            ) { [standardError] message in
                // Nobody can be told that standard error is gone.
                try? standardError.write(
                    "\(DaemonCommand.program.name): debug: " + TerminalText.escape(message) + "\n")
            }
            let process = ProcessSource(
                endpoints: host.endpoints, settings: HostSettings.processSettings(values),
                clock: host.main.clock)
            if values[HostSettings.processEnabled] { try collector.register(process, on: host.processThread) }
            var filesystem: FilesystemSource?
            if let files = host.files {
                var settings = HostSettings.filesystemSettings(values)
                settings.kernelWatchLimit = files.kernelWatchLimit
                let source = FilesystemSource(
                    endpoints: files.endpoints, settings: settings, clock: host.main.clock)
                try collector.register(source, on: files.thread)
                filesystem = source
            }
            for opened in host.sources { try collector.register(opened.source, on: opened.thread) }
            subscription = try collector.subscribe(
                SubscriptionOptions(
                    name: "stdout", filter: .everything, queueLimit: Self.outputQueueLimit,
                    overflowPolicy: .block))
            settings = LiveSettings(
                reader: reader, values: values,
                consumers: LiveSettings.Consumers(
                    collector: collector, process: process, filesystem: filesystem),
                clock: host.main.clock)
            daemonEye = host.daemonEye?.makeDaemonEyeServer(for: collector)
            server = try host.control?.makeServer(
                for: collector, values, settings: settings, beside: daemonEye)
        } catch {
            throw HostError(.configuration, "\(error)")
        }
    }

    func run() async -> Int32 {
        if let reason = host.endpoints.pollingReason {
            complain("processes are looked for from time to time, as \(reason); see collectord doctor")
        }
        let sink = spawn(on: host.sinkThread) { await self.runSink() }
        let signals = spawn(on: host.main) { await self.handleSignals() }
        if let server, let control = host.control { _ = spawn(on: control.thread) { await server.run() } }
        if let daemonEye, let socket = host.daemonEye {
            _ = spawn(on: socket.thread) { await daemonEye.run() }
        }
        let reports = host.manager.map { manager in
            spawn(on: host.main) { await self.report(to: manager) }
        }
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
        reports?.cancel()
        if report.isWithinTimeout { await sink.value }
        await dismissClients()
        await tell(report)
        return exitCode(for: report)
    }

    // MARK: - Parts

    private func runSink() async {
        let columns = standardOutput.terminalSize?.columns ?? 160
        let hasColours = standardOutput.isTerminal && !options.isColourDisabled
        let sink = EventSink(
            subscription: subscription, output: standardOutput, errors: standardError, format: format,
            table: EventTable(width: columns, colours: hasColours ? .ansi : .none), ocsf: ocsf)
        let end = await sink.run()
        sinkEnd.withLock { $0 = end }
        if case .drained = end { return }
        subscription.abandon()
        stop()
    }

    /// Clients get what is left for them, and are told why it ends; one that takes nothing is not waited for long.
    private func dismissClients() async {
        let reason = "the collector stops"
        server?.stop(reason)
        daemonEye?.stop(reason)
        let deadline = host.main.clock.monotonic.advanced(by: Self.lastWordTimeout)
        let haveLeft = await server?.waitUntilStopped(until: deadline) ?? true
        if await !(daemonEye?.waitUntilStopped(until: deadline) ?? true) || !haveLeft {
            complain("a client has not taken its last bytes")
        }
    }

    private func handleSignals() async {
        var firstStop: Instant?
        while let signal = await host.signals.next() {
            switch signal {
            case .terminate, .interrupt:
                let now = host.main.clock.monotonic
                if let firstStop {
                    if firstStop.duration(to: now) >= Self.repetitionInterval { stopAtOnce() }
                } else {
                    firstStop = now
                    stop()
                }
            case .user1:
                answer()
            case .hangUp:
                // A source that does not answer must not keep the next signal waiting.
                _ = spawn(on: host.main) { await self.reload() }
            }
        }
    }

    private func reload() async {
        host.manager?.tell(.reloading(host.main.clock.monotonic))
        defer { host.manager?.tell(.ready) }
        do throws(TaskError) {
            let report: ConfigurationReport = try await settings.reload()
            for problem in report.problems { complain("reload refused: \(problem)") }
            if !report.pending.isEmpty {
                complain("at the next start: \(report.pending.joined(separator: ", "))")
            }
            guard report.problems.isEmpty else { return }
            complain(
                "configuration \(report.generation) is in force; \(report.changed.count) settings changed")
        } catch {
            complain("\(error)")
        }
    }

    private func stop() {
        host.manager?.tell(.stopping)
        collector.requestStop()
        let grace = collector.configuration.shutdownTimeout + .seconds(1)
        _ = host.main.clock.schedule(at: host.main.clock.monotonic.advanced(by: grace)) {
            self.complain("did not stop within \(self.collector.configuration.shutdownTimeout); giving up")
            HostProcess.exitNow(HostError.Code.internal.exitCode)
        }
    }

    /// The second signal means now: the accounts as they stand, and an end, whatever hangs.
    private func stopAtOnce() {
        let code = HostError.Code.interrupted.exitCode
        let accounts = collector.presentAccounts
        // Whoever reads standard error may be stuck, too.
        _ = host.main.clock.schedule(at: host.main.clock.monotonic.advanced(by: Self.lastWordTimeout)) {
            HostProcess.exitNow(code)
        }
        _ = spawn(on: host.emergencyThread) {
            self.complain(
                "stopped at once by a second signal; what was on its way is not delivered, and sources were not asked "
                    + "what they filtered")
            self.writeLines(self.text(of: accounts), to: self.standardError)
            HostProcess.exitNow(code)
        }
    }

    // MARK: - Reports

    /// Accounts are part of a stream that programs read; beside a table, or when nobody reads, they go to standard error.
    ///
    /// The last word must not wait for whoever has stopped reading: then it goes to standard error, or nowhere.
    private func tell(_ report: CollectorReport) async {
        let bytes = text(of: report.accounts) + text(of: report)
        let isTold = Latch()
        _ = spawn(on: host.emergencyThread) {
            if self.format.isForPrograms, report.isWithinTimeout {
                self.writeLines(self.text(of: report.accounts), to: self.reportOutput)
                self.writeLines(self.text(of: report), to: self.standardError)
            } else {
                self.writeLines(bytes, to: self.standardError)
            }
            isTold.open()
        }
        let clock = host.main.clock
        _ = await isTold.wait(until: clock.monotonic.advanced(by: Self.lastWordTimeout), on: clock)
    }

    /// Answers a signal, behind what the sink writes: a source or a reader that stalls must not stall the signals.
    private func answer() {
        let isFirst = isAnswering.withLock { isAnswering in
            defer { isAnswering = true }
            return !isAnswering
        }
        guard isFirst else { return complain("the answer before has not been read yet") }
        _ = spawn(on: host.main) {
            var accounts = await self.collector.closeAccounts()
            accounts.streams += self.server?.feed.accounts ?? []
            let health = await self.collector.healthReport()
            let bytes = self.text(of: accounts) + self.text(of: health, self.collector.telemetry())
            _ = spawn(on: self.host.sinkThread) {
                self.writeLines(bytes, to: self.reportOutput)
                self.isAnswering.withLock { $0 = false }
            }
        }
    }

    private func text(of health: HealthReport, _ telemetry: Telemetry) -> [UInt8] {
        var bytes: [UInt8] = []
        switch format {
        case .json:
            health.appendJSON(to: &bytes)
            bytes.append(0x0a)
            telemetry.appendJSON(to: &bytes)
            bytes.append(0x0a)
        case .ocsf:
            ocsf.append(lines: .record(.health(health)), to: &bytes)
            ocsf.append(lines: .record(.telemetry(telemetry)), to: &bytes)
        case .table, .none:
            for line in reportTable.lines(for: health) + reportTable.lines(for: telemetry) {
                bytes.append(contentsOf: (line + "\n").utf8)
            }
        }
        return bytes
    }

    /// What went wrong, one line each.
    private func text(of report: CollectorReport) -> [UInt8] {
        var lines = report.failures.map { "source \($0.source): \($0.reason)" }
        lines += report.abandoned.map { "source \($0) did not stop within the time-out" }
        if case .failed(let error)? = sinkEnd.withLock({ $0 }) { lines.append("standard output: \(error)") }
        return lines.flatMap { Array("\(DaemonCommand.program.name): \(TerminalText.escape($0))\n".utf8) }
    }

    private var reportOutput: LinuxOutput {
        var isClosed = false
        if case .closedPipe? = sinkEnd.withLock({ $0 }) { isClosed = true }
        return format.isForPrograms && !isClosed ? standardOutput : standardError
    }

    private var reportTable: EventTable {
        EventTable(width: standardError.terminalSize?.columns ?? 160, colours: .none)
    }

    private func text(of accounts: Accounts) -> [UInt8] {
        var bytes: [UInt8] = []
        guard format.isForPrograms else {
            let table = reportTable
            let lines =
                accounts.sources.flatMap { table.lines(for: $0) }
                + accounts.streams.flatMap { table.lines(for: $0) }
            for line in lines { bytes.append(contentsOf: (line + "\n").utf8) }
            return bytes
        }
        let now = host.main.clock.wall
        let isOCSF = format == .ocsf
        for account in accounts.sources {
            if isOCSF { ocsf.append(account, at: now, to: &bytes) } else { account.appendJSON(to: &bytes) }
            bytes.append(0x0a)
        }
        for account in accounts.streams {
            if isOCSF { ocsf.append(account, at: now, to: &bytes) } else { account.appendJSON(to: &bytes) }
            bytes.append(0x0a)
        }
        return bytes
    }

    private func writeLines(_ bytes: [UInt8], to output: LinuxOutput) {
        do {
            try output.write(bytes)
            try output.flush()
        } catch {
            complain("a report could not be written: \(error)")
        }
    }

    private func complain(_ message: String) {
        // Standard error is the last resort: if it is gone, nobody can be told.
        try? standardError.write("\(DaemonCommand.program.name): " + TerminalText.escape(message) + "\n")
    }

    private func exitCode(for report: CollectorReport) -> Int32 {
        if !report.failures.isEmpty { return HostError.Code.unavailable.exitCode }
        return report.isWithinTimeout ? 0 : HostError.Code.internal.exitCode
    }
}
