import Foundation
import Testing

/// The daemon where the kernel tells it nothing.
@Suite(
    .enabled(if: Daemon.isAvailable && FileManager.default.isExecutableFile(atPath: "/usr/bin/unshare")),
    .serialized, .timeLimit(.minutes(10)))
struct PollingTests {
    private static let unshared = ["/usr/bin/unshare", "-r", "-n"]

    private func start(_ settings: [String] = []) throws -> Daemon {
        try Daemon(
            ["run", "--events", "json"] + settings.flatMap { ["--set", $0] }, behind: Self.unshared)
    }

    @Test func `in another network namespace a process is seen to come and to go`() throws {
        let daemon = try start(["sources.process.poll_interval=200ms"])
        #expect(daemon.waitForLine(holding: "\"state\":\"ready\""))
        let child = try ChildProcess(["/bin/sleep", "600"])
        let pid = child.pid
        #expect(daemon.waitForEvent("process.baseline", of: pid))
        child.signal(SIGTERM)
        child.wait()
        #expect(daemon.waitForEvent("process.exit", of: pid))
        daemon.terminate()
        let result = try daemon.finish()
        #expect(result.exitCode == 0, "\(result.errors)")
        let births = result.events(of: pid).filter { $0["kind"] as? String == "process.baseline" }
        let process = births.last?["process"] as? [String: Any]
        #expect((process?["exe"] as? String)?.hasSuffix("sleep") ?? true)
        #expect(result.errors.contains("processes are looked for from time to time"), "\(result.errors)")
        let account = try #require(result.accounts("source").first)
        #expect(account["balanced"] as? Bool == true)
        #expect(account["lost"] is NSNull)
        #expect(account["kernel"] as? Int == 0)
        #expect(result.accounts("stream").allSatisfy { $0["balanced"] as? Bool == true })
    }

    @Test func `short lives lie within what is told to be missing`() throws {
        let daemon = try start()
        #expect(daemon.waitForLine(holding: "\"state\":\"ready\""))
        var pids: Set<Int32> = []
        for _ in 0..<40 { pids.insert(try runToEnd("/bin/true", [])) }
        #expect(daemon.waitForLine(holding: "\"cause\":\"between_polls\""))
        daemon.terminate()
        let result = try daemon.finish()
        let seen = pids.count { !result.events(of: $0).isEmpty }
        let account = try #require(result.accounts("source").first)
        let bounds = try #require(account["lost_bounds"] as? [Any])
        let most = try #require(bounds.last as? Int)
        #expect(bounds.first as? Int == 0)
        #expect(most >= 40 - seen, "\(most)")
        let gaps = result.lines.filter { $0["cause"] as? String == "between_polls" }
        let sum = gaps.reduce(0) { $0 + (($1["lost_bounds"] as? [Any])?.last as? Int ?? 0) }
        #expect(sum == most)
    }

    @Test func `polling that is asked for needs no excuse`() throws {
        let daemon = try Daemon(
            ["run", "--events", "json", "--set", "sources.process.mode=poll", "--for", "1s"])
        let result = try daemon.finish()
        #expect(result.exitCode == 0)
        #expect(!result.errors.contains("looked for"), "\(result.errors)")
        let account = try #require(result.accounts("source").first)
        #expect(account["lost"] is NSNull && account["balanced"] as? Bool == true)
    }

    @Test func `who insists on the connector is told why it cannot be had`() throws {
        let daemon = try start(["sources.process.mode=connector"])
        let result = try daemon.finish()
        #expect(result.exitCode == 69, "\(result.errors)")
        #expect(result.errors.contains("proc connector"))
    }

    @Test func `capabilities and health say what is missing`() throws {
        let folder = URL(fileURLWithPath: "/tmp/collectord-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let socket = folder.appendingPathComponent("c.sock").path
        let daemon = try start(["ipc.socket=\(socket)"])
        #expect(daemon.waitForLine(holding: "\"state\":\"ready\""))
        let capabilities = try Program("collectorctl", ["capabilities", "--json", "--socket", socket])
            .finish()
        #expect(capabilities.exitCode == 0, "\(capabilities)")
        #expect(capabilities.output.contains("process") && !capabilities.output.contains("realtime"))
        let health = try Program("collectorctl", ["health", "--json", "--socket", socket]).finish()
        #expect(health.output.contains("looked for from time to time"), "\(health)")
        daemon.terminate()
        #expect(try daemon.finish().exitCode == 0)
    }
}
