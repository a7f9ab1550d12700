import ArgumentParser
import CollectorCore
import ControlPlane
import EventModel
import LinuxBackends
import Presentation
import WireMessages

struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow events as they come, over restarts of the collector.",
        discussion: """
            Conditions are joined by "and", repeated ones by "or". What is lost on the way is told as a gap. When the \
            connection breaks, it is made again and goes on where it was. At the end the position is written to standard \
            error; a later --from POSITION goes on behind it, as far as the collector still keeps the events.

            Examples:
              collectorctl watch --topic events.process.exec --name curl
              collectorctl watch --topic 'events.file.#' --json
              collectorctl watch --topic 'events.process.#' --format ocsf
            """)

    /// How the stream is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, ocsf
    }

    @OptionGroup var common: CommonOptions

    @Option(
        help: ArgumentHelp(
            "How events are shown: table, json (as --json) or ocsf (OCSF 1.8.0).", valueName: "format"))
    var format: Format?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Events of a topic: + is one level, # all that follow. Repeatable.", valueName: "pattern"))
    var topic: [String] = []

    @Option(
        parsing: .singleValue, help: ArgumentHelp("Events about a process. Repeatable.", valueName: "pid"))
    var pid: [UInt32] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Processes of an effective user id. Repeatable.", valueName: "uid"))
    var uid: [UInt32] = []

    @Option(help: ArgumentHelp("Processes of a name (comm, at most 15 bytes).", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("Processes whose executable's path begins so.", valueName: "prefix"))
    var exe: String?

    @Option(help: ArgumentHelp("End after as many events.", valueName: "number"))
    var count: UInt64?

    @Option(help: ArgumentHelp("Go on behind a position.", valueName: "position"))
    var from: String?

    @Flag(help: "Wait for the collector if it is not there yet.")
    var wait = false

    private var filter: WireFilter {
        var filter = WireFilter()
        filter.topics = topic
        filter.pids = pid
        filter.uids = uid
        if let name { filter.name = name }
        if let exe { filter.executablePrefix = exe }
        return filter
    }

    func validate() throws {
        if common.isJSON, let format, format != .json {
            throw ValidationError("--json and --format \(format.rawValue) contradict each other")
        }
    }

    func run() throws {
        let format = format ?? (common.isJSON ? .json : .table)
        var after: FeedPosition?
        if let from {
            guard let position = FeedPosition(text: from) else {
                throw CommandFailure(
                    64, "--from: \"\(from)\" is no position such as collectorctl watch prints")
            }
            after = position
        }
        let (filter, count, isPatient) = (filter, count, wait)
        try Console.run(common) { [after] console throws(CommandFailure) in
            let follower = EventFollower(
                try console.connector, name: "collectorctl \(HostProcess.version) watch", filter: filter,
                after: after,
                eventLimit: count, isPatient: isPatient, on: console.thread, entropy: LinuxEntropy())
            try await console.runUntilSignal(onSignal: follower.requestEnd) { () throws(CommandFailure) in
                var printer = EventPrinter(console: console, follower: follower, format: format)
                try await printer.run()
            }
        }
    }
}

/// Writes what a follower gets until it ends, or a signal says so.
private struct EventPrinter {
    let console: Console
    private let format: Watch.Format
    private let ocsf = OCSFProjection(hostName: HostProcess.hostName, productVersion: HostProcess.version)
    private var follower: EventFollower
    private var eventCount: UInt64 = 0
    private var lostCount: UInt64 = 0
    private var wasConnected = false

    init(console: Console, follower: EventFollower, format: Watch.Format) {
        self.console = console
        self.format = format
        self.follower = follower
    }

    mutating func run() async throws(CommandFailure) {
        let table = console.table
        defer { if wasConnected { sayWhere() } }
        while !Task.isCancelled {
            let item: EventFollower.Item?
            do throws(ControlClientError) {
                item = try await follower.next()
            } catch {
                throw CommandFailure(error, socket: console.options.socket)
            }
            guard let item else { return }
            if case .disconnected(let error, let pause) = item {
                if Task.isCancelled { return }
                Console.complain("collectorctl: \(error); trying again")
                await follower.wait(pause)
            } else {
                try show(item, table)
                try console.flush()
            }
        }
    }

    private mutating func show(_ item: EventFollower.Item, _ table: EventTable) throws(CommandFailure) {
        switch item {
        case .events(let batch):
            eventCount += UInt64(batch.events.count)
            for index in batch.events.indices {
                switch format {
                case .json: try console.writeJSON { batch.appendJSON(ofEventAt: index, to: &$0) }
                case .ocsf: try console.writeJSON { ocsf.append(eventAt: index, of: batch, to: &$0) }
                case .table: try console.write([table.line(for: batch.events[index])])
                }
            }
        case .gap(let gap):
            lostCount += gap.lost ?? gap.lostBounds.atLeast
            switch format {
            case .json: try console.writeJSON { gap.appendJSON(to: &$0) }
            case .ocsf: try console.writeJSON { ocsf.append(gap, to: &$0) }
            case .table: try console.write([table.line(for: gap)])
            }
        case .status(let status):
            switch format {
            case .json: try console.writeJSON { status.appendJSON(to: &$0) }
            case .ocsf: try console.writeJSON { ocsf.append(status, to: &$0) }
            case .table: if let line = table.line(for: status) { try console.write([line]) }
            }
        case .announcement(let message): try show(message)
        case .end(let end): try show(end.account, table)
        case .connected:
            if format == .table, !wasConnected { try console.write([table.header]) }
            wasConnected = true
        case .disconnected: return
        }
    }

    private func show(_ announcement: WireServerMessage) throws(CommandFailure) {
        let record: CollectorRecord
        switch announcement.body {
        case .capabilities(let message):
            record = .capabilities(
                try console.read { () throws(MessageError) in try CapabilityReport(message) })
            if format == .table {
                let labels = message.capabilities.joined(separator: " ")
                Console.complain("collectorctl: the collector now has the capabilities \(labels)")
            }
        case .reloaded(let message):
            let clock = console.thread.clock
            record = .configuration(
                ConfigurationReport(
                    component: "collectord", generation: message.generation, changed: message.changed,
                    pending: message.pending, problems: message.problems, time: clock.wall,
                    monotonic: clock.monotonic))
            if format == .table {
                for line in message.lines(isCheck: false) { Console.complain("collectorctl: \(line)") }
            }
        default: return
        }
        switch format {
        case .json: try console.writeJSON { record.appendJSON(to: &$0) }
        case .ocsf: try console.writeJSON { ocsf.append(record, to: &$0) }
        case .table: return
        }
    }

    /// The collector's own account of the stream is its last record.
    private func show(_ message: WireStreamAccount, _ table: EventTable) throws(CommandFailure) {
        let account = try console.read { () throws(MessageError) in try StreamAccount(message) }
        switch format {
        case .json: try console.writeJSON { account.appendJSON(to: &$0) }
        case .ocsf: try console.writeJSON { ocsf.append(account, at: console.thread.clock.wall, to: &$0) }
        case .table: for line in table.lines(for: account) { Console.complain("collectorctl: \(line)") }
        }
    }

    private func sayWhere() {
        follower.close()
        // For whoever wants to go on later; the stream itself is on standard output.
        let position = follower.position.map { "; go on with --from \($0.text)" } ?? ""
        Console.complain("collectorctl: \(eventCount) events, at least \(lostCount) lost\(position)")
    }
}

extension FeedPosition {
    /// Boot, run and the last sequence of each source: `BOOT/7/filesystem=3,process=12`.
    fileprivate var text: String {
        let parts = sources.sorted { $0.name.rawValue < $1.name.rawValue }.map { "\($0.name)=\($0.sequence)" }
        return "\(run.bootID)/\(run.runID.rawValue)/\(parts.joined(separator: ","))"
    }

    fileprivate init?(text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let boot = BootID(parts[0]), let run = UInt64(parts[1]) else { return nil }
        self.init(run: RunContext(bootID: boot, runID: RunID(run)), sources: [])
        for part in parts[2].split(separator: ",") {
            let words = part.split(separator: "=", omittingEmptySubsequences: false)
            guard words.count == 2, let name = SourceName(String(words[0])), let sequence = UInt64(words[1])
            else { return nil }
            sources.append(Source(name: name, sequence: sequence))
        }
    }
}
