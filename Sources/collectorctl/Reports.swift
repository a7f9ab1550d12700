import ArgumentParser
import CollectorCore
import ControlPlane
import EventModel
import LinuxBackends
import Presentation
import WireMessages

/// What `status` is answered with, as values.
struct StatusAnswer {
    var health: HealthReport
    var telemetry: Telemetry
    var listeners: [ListenerReport]

    init(_ message: WireServerMessage) throws(MessageError) {
        guard case .status(let status)? = message.body else {
            throw MessageError(field: "body", expected: "a status")
        }
        health = try HealthReport(status.health)
        telemetry = try Telemetry(status.telemetry)
        listeners = []
        for listener in status.listeners { listeners.append(try ListenerReport(listener)) }
    }
}

extension ListenerReport {
    init(_ message: WireListenerStatus) throws(MessageError) {
        self.init(path: message.path)
        connectionCount = UInt64(message.connections)
        acceptedCount = message.accepted
        requestCount = message.requests
        ended = try Tally(message.ended)
        receivedByteCount = message.bytesReceived
        sentByteCount = message.bytesSent
    }

    func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "status")
            json.member("kind", "collector.listener")
            json.member("path", path)
            json.member("connections", connectionCount)
            json.member("accepted", acceptedCount)
            json.member("requests", requestCount)
            json.member("bytes_received", receivedByteCount)
            json.member("bytes_sent", sentByteCount)
            json.beginObject("ended")
            for entry in ended.entries {
                json.foreignKey(entry.reason)
                json.value(entry.count)
            }
            json.endObject()
            json.endObject()
        }
    }
}

extension Console {
    func status() async throws(CommandFailure) -> (StatusAnswer, WireWelcome) {
        let client = try await connect()
        let message = try await ask(client, .status(WireStatusRequest()))
        return (try read { () throws(MessageError) in try StatusAnswer(message) }, client.welcome)
    }

    func accounts(of client: ControlClient) async throws(CommandFailure) -> Accounts {
        let message = try await ask(client, .accounts(WireAccountsRequest()))
        return try read { () throws(MessageError) in
            var accounts = Accounts(sources: [], streams: [])
            for source in message.accounts.sources { accounts.sources.append(try SourceAccount(source)) }
            for stream in message.accounts.streams { accounts.streams.append(try StreamAccount(stream)) }
            return accounts
        }
    }
}

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show health, resources, sources and clients at a glance.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Console.run(common) { console throws(CommandFailure) in
            let (status, welcome) = try await console.status()
            guard !console.options.isJSON else {
                try console.writeJSON { status.health.appendJSON(to: &$0) }
                try console.writeJSON { status.telemetry.appendJSON(to: &$0) }
                for listener in status.listeners { try console.writeJSON { listener.appendJSON(to: &$0) } }
                return
            }
            try console.write(
                console.table.statusLines(
                    for: status.health, status.telemetry, status.listeners,
                    name: "\(status.health.component), run \(welcome.run.runID)"))
        }
    }
}

struct Sources: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show each event source: its state, since when, what has passed through it.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Console.run(common) { console throws(CommandFailure) in
            let (status, _) = try await console.status()
            guard !console.options.isJSON else {
                return try console.writeJSON { status.health.appendJSON(to: &$0) }
            }
            try console.write(console.table.sourceLines(for: status.health, status.telemetry))
        }
    }
}

struct HealthCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Show how the collector and its sources are.",
        discussion:
            "Exits with 0 when everything is healthy, with 1 when something is degraded or has failed.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Console.run(common) { console throws(CommandFailure) in
            let (status, _) = try await console.status()
            if console.options.isJSON {
                try console.writeJSON { status.health.appendJSON(to: &$0) }
            } else {
                try console.write(console.table.lines(for: status.health))
            }
            try console.flush()
            switch status.health.health {
            case .healthy: return
            case .degraded(let reason): throw CommandFailure(1, "degraded: \(reason)")
            case .failed(let reason): throw CommandFailure(1, "failed: \(reason)")
            }
        }
    }
}

struct Capabilities: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what the collector observes, and which tasks it carries out, at present.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Console.run(common) { console throws(CommandFailure) in
            let client = try await console.connect()
            let message = client.welcome.capabilities
            let report = try console.read { () throws(MessageError) in try CapabilityReport(message) }
            let tasks = message.tasks.map { TaskCommand.name(of: $0) }
            guard !console.options.isJSON else {
                try console.writeJSON { report.appendJSON(to: &$0) }
                return try console.writeJSON { bytes in
                    JSONWriter.append(to: &bytes) { json in
                        json.beginObject()
                        json.member("record", "status")
                        json.member("kind", "collector.tasks")
                        json.beginArray("tasks")
                        for task in tasks { json.value(task) }
                        json.endArray()
                        json.endObject()
                    }
                }
            }
            try console.write(console.table.lines(for: report, tasks: tasks))
        }
    }
}

struct AccountsReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts",
        abstract: "Make up the accounts: what became of every kernel message, and of every event.",
        discussion: "Exits with 1 when an account does not balance, which is a defect of the collector.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Console.run(common) { console throws(CommandFailure) in
            let accounts = try await console.accounts(of: try await console.connect())
            if console.options.isJSON {
                for account in accounts.sources { try console.writeJSON { account.appendJSON(to: &$0) } }
                for account in accounts.streams { try console.writeJSON { account.appendJSON(to: &$0) } }
            } else {
                let table = console.table
                try console.write(accounts.sources.flatMap { table.lines(for: $0) })
                try console.write(table.streamLines(for: accounts.streams))
            }
            try console.flush()
            guard accounts.sources.allSatisfy(\.isBalanced), accounts.streams.allSatisfy(\.isBalanced) else {
                throw CommandFailure(1, "an account does not balance; please report this")
            }
        }
    }
}

struct Metrics: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print metrics in the text format of Prometheus.",
        discussion: """
            For the textfile collector of node_exporter, or any scraper that runs a command. With --json, the records that \
            the metrics are made of.
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Console.run(common) { console throws(CommandFailure) in
            let client = try await console.connect()
            let message = try await console.ask(client, .status(WireStatusRequest()))
            let status = try console.read { () throws(MessageError) in try StatusAnswer(message) }
            let accounts = try await console.accounts(of: client)
            guard !console.options.isJSON else {
                try console.writeJSON { status.health.appendJSON(to: &$0) }
                try console.writeJSON { status.telemetry.appendJSON(to: &$0) }
                for account in accounts.sources { try console.writeJSON { account.appendJSON(to: &$0) } }
                for account in accounts.streams { try console.writeJSON { account.appendJSON(to: &$0) } }
                return
            }
            var report = MetricsReport()
            report.version = HostProcess.version
            report.health = status.health
            report.telemetry = status.telemetry
            report.sources = accounts.sources
            report.streams = accounts.streams
            report.listeners = status.listeners
            try console.write(Array(PrometheusText.render(report).utf8))
        }
    }
}
