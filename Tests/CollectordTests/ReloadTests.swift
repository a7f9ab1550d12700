import Foundation
import Testing

/// Settings in files, and changing them while a real daemon runs.
@Suite(.enabled(if: Daemon.isAvailable), .serialized, .timeLimit(.minutes(10)))
struct ReloadTests {
    private let folder: URL
    private var file: String { folder.appendingPathComponent("config.toml").path }
    private var socket: String { folder.appendingPathComponent("control.sock").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("reload-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    private func write(_ text: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    }

    private func remove() throws { try FileManager.default.removeItem(at: folder) }

    private func daemon(_ arguments: String...) throws -> Daemon {
        try Daemon(
            ["run", "--json", "--config", file, "--set", "ipc.socket=\(socket)"] + arguments)
    }

    private func ctl(_ arguments: String...) throws -> Program.Result {
        try Program(
            "collectorctl", Array(arguments.prefix(1)) + arguments.dropFirst() + ["--socket", socket]
        )
        .finish()
    }

    /// Standard error of `collectord config check`, and its exit code.
    private func check(_ arguments: String...) throws -> Program.Result {
        try Program("collectord", ["config", "check", "--config", file] + arguments).finish()
    }

    @Test func `a reload brings a rule into force, and the stream says from where on`() throws {
        defer { try? remove() }
        try write("[sources.process]\nsample_interval = \"30s\"\n")
        let daemon = try daemon()
        #expect(daemon.waitForLine(holding: "\"state\":\"ready\""))
        let before = try runToEnd("/bin/true", [])
        #expect(daemon.waitForEvent("process.exit", of: before))

        try write("[sources.process]\nsample_interval = \"30s\"\nexclude = [\"exe:/usr/bin/cat\"]\n")
        let checked = try ctl("config", "check", "--json")
        #expect(checked.exitCode == 0)
        #expect(checked.lines.first?["changed"] as? [String] == ["sources.process.exclude"])
        #expect(checked.lines.first?["generation"] as? Int == 1)
        let reloaded = try ctl("reload")
        #expect(reloaded.exitCode == 0, "\(reloaded.errors)")
        #expect(reloaded.output.contains("changed: sources.process.exclude\n"), "\(reloaded.output)")
        #expect(reloaded.output.contains("configuration 2 is in force"))
        #expect(daemon.waitForLine(holding: "\"kind\":\"collector.configuration\""))

        // It lives until its executable was read: what comes after it is told.
        let program = try HeldProgram(["/usr/bin/cat"])
        let excluded = program.pid
        #expect(daemon.waitForEvent("process.exit", of: try runToEnd("/bin/false", [])))
        program.release()
        #expect(daemon.waitForEvent("process.exit", of: try runToEnd("/bin/false", [])))
        let shown = try ctl("config", "show", "--json", "sources.process.exclude")
        #expect(shown.lines.first?["value"] as? String == "exe:/usr/bin/cat")
        #expect(shown.lines.first?["origin"] as? String == "\(file): sources.process.exclude")
        daemon.signal(SIGTERM)
        let result = try daemon.finish()
        #expect(result.exitCode == 0, "\(result.errors)")
        let kinds = result.events(of: excluded).compactMap { $0["kind"] as? String }
        #expect(!kinds.contains("process.exec") && !kinds.contains("process.exit"), "\(kinds)")
        #expect(result.accounts("source").allSatisfy { $0["balanced"] as? Bool == true })
    }

    @Test func `what is wrong is refused as a whole, told, and the old settings stay`() throws {
        defer { try? remove() }
        try write("[collector]\ntelemetry_interval = \"10s\"\n")
        let daemon = try daemon()
        #expect(daemon.waitForLine(holding: "\"state\":\"ready\""))
        try write("[collector]\ntelemetry_interval = \"20s\"\nmax_batch_size = 0\n[sources]\nproces = 1\n")
        let refused = try ctl("reload")
        #expect(refused.exitCode == 1)
        #expect(
            refused.output.contains("\(file): collector.max_batch_size: expected an integer"), "\(refused)")
        #expect(refused.output.contains("\(file): sources.proces: unknown setting"), "\(refused)")
        let shown = try ctl("config", "show", "collector.telemetry_interval")
        #expect(shown.output.contains("collector.telemetry_interval = 10s"))
        #expect(shown.errors.contains("the last reload was refused"), "\(shown)")
        let metrics = try ctl("metrics")
        #expect(metrics.output.contains("collector_config_generation 1\n"), "\(metrics.output)")
        #expect(metrics.output.contains("collector_config_refused_total 1\n"), "\(metrics.output)")
        daemon.signal(SIGTERM)
        let result = try daemon.finish()
        #expect(result.text.contains("\"kind\":\"collector.configuration\""))
        #expect(result.exitCode == 0)
    }

    @Test func `the hang-up signal reloads, and what cannot change while running is said to wait`() throws {
        defer { try? remove() }
        try write("")
        let daemon = try daemon()
        #expect(daemon.waitForLine(holding: "\"state\":\"ready\""))
        try write("[collector]\nmax_event_sources = 5\nhealth_check_interval = \"5s\"\n")
        daemon.signal(SIGHUP)
        #expect(daemon.waitForLine(holding: "\"generation\":2"))
        let shown = try ctl("config", "explain", "collector.max_event_sources")
        #expect(shown.output.contains("pending   5"), "\(shown.output)")
        daemon.signal(SIGTERM)
        let result = try daemon.finish()
        #expect(result.errors.contains("at the next start: collector.max_event_sources"), "\(result.errors)")
        #expect(result.errors.contains("configuration 2 is in force; 1 settings changed"), "\(result.errors)")
    }

    @Test func `a file that others can change is refused`() throws {
        defer { try? remove() }
        try write("", mode: 0o666)
        let result = try check()
        #expect(result.exitCode == 78)
        #expect(result.errors.contains("expected a file that only root"), "\(result.errors)")
    }

    @Test func `settings are explained while a file of them is wrong`() throws {
        defer { try? remove() }
        try write("[collector]\nbatch_timeot = 1\n")
        #expect(try check().exitCode == 78)
        for format in [[], ["--json"]] {
            let arguments = ["config", "explain", "collector.batch_timeout", "--config", file] + format
            let result = try Program("collectord", arguments).finish()
            #expect(result.exitCode == 0, "\(result)")
            #expect(result.output.contains("COLLECTORD_COLLECTOR__BATCH_TIMEOUT"))
        }
    }

    @Test func `the settings of a user are not looked for below where one stands`() throws {
        defer { try? remove() }
        for (value, isRead) in [(folder.path, true), ("relative", false)] {
            let arguments = ["XDG_CONFIG_HOME=\(value)", Program.path("collectord"), "config", "check"]
            let result = try Program(at: "/usr/bin/env", arguments).finish()
            let isNamed = result.output.contains(" \(value)/collector-core/config.toml,")
            #expect(result.exitCode == 0 && isNamed == isRead, "\(result)")
        }
    }

    @Test func `a path that no socket can have is told before the start`() throws {
        defer { try? remove() }
        try write("")
        let path = "/" + String(repeating: "a", count: 107)
        let result = try check("--set", "ipc.socket=\(path)")
        #expect(result.exitCode == 78)
        #expect(result.errors.contains("at most 107 bytes, not 108"), "\(result.errors)")
    }

    @Test func `a folder, a FIFO and a missing file are no settings`() throws {
        defer { try? remove() }
        #expect(try check().exitCode == 78)
        #expect(unsafe mkfifo(file, 0o600) == 0)
        #expect(try check().errors.contains("expected a regular file"))
        unsafe unlink(file)
        unsafe mkdir(file, 0o700)
        #expect(try check().errors.contains("expected a regular file"))
    }

    @Test func `a check names every layer and everything that is wrong in it`() throws {
        defer { try? remove() }
        try write("[collector]\nmax_batch_size = 7\n")
        let good = try check("--set", "collector.event_buffer_size=70")
        #expect(good.exitCode == 0)
        #expect(good.output.hasPrefix("2 of "), "\(good.output)")
        try write("[collector\n")
        let bad = try check("--set", "collector.event_buffer_size=0")
        #expect(bad.exitCode == 78)
        #expect(bad.errors.split(separator: "\n").count == 2, "\(bad.errors)")
        #expect(bad.errors.contains("\(file):1:"), "\(bad.errors)")
    }
}
