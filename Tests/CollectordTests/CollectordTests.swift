import Foundation
import Testing

/// The daemon as its users meet it: a second process, the real kernel, real signals. Needs root.
@Suite(
    .serialized, .timeLimit(.minutes(10)),
    .enabled(if: Daemon.isAvailable, "needs root and the collectord executable beside the tests")
)
struct CollectordTests {
    private static let ready = #""state":"ready""#

    @Test func `a program's life arrives in order, enriched, and both accounts balance`() throws {
        let daemon = try Daemon(["run", "--events", "json"])
        #expect(daemon.waitForLine(holding: Self.ready))
        // It lives until it was looked at.
        let program = try HeldProgram(["/bin/cat", "-"])
        let pid = program.pid
        #expect(daemon.waitForEvent("process.exec", of: pid))
        program.release()
        #expect(daemon.waitForEvent("process.exit", of: pid))
        daemon.terminate()
        let result = try daemon.finish()
        #expect(result.exitCode == 0)
        let kinds = result.events(of: pid).filter { $0["origin"] as? String == "emitted" }.compactMap {
            $0["kind"] as? String
        }
        #expect(kinds.first == "process.fork")
        #expect(kinds.contains("process.exec"))
        #expect(kinds.last == "process.exit")
        let exec = try #require(result.events(of: pid).last { $0["kind"] as? String == "process.exec" })
        let process = try #require(exec["process"] as? [String: Any])
        #expect(process["cmdline"] as? [String] == ["/bin/cat", "-"])
        #expect((exec["provenance"] as? [String: Any])?["cmdline"] as? String == "verified")
        #expect(process["parent"] != nil)
        let source = try #require(result.accounts("source").last)
        #expect(source["balanced"] as? Bool == true)
        #expect(source["lost"] as? Int == 0)
        let check = try #require(source["fork_check"] as? [String: Int])
        let forks = try #require(check["forks"])
        let (atLeast, atMost) = (try #require(check["at_least"]), try #require(check["at_most"]))
        #expect(atLeast <= forks && forks <= atMost)
        let stream = try #require(result.accounts("stream").last)
        #expect(stream["balanced"] as? Bool == true)
        #expect(stream["in_flight"] as? Int == 0)
        let offered = result.lines.filter { $0["record"] as? String == "event" }.count
        #expect(stream["offered"] as? Int == offered)
    }

    @Test func `a buffer that is too small loses a counted number, between gaps, and is resynchronised`()
        throws
    {
        let daemon = try Daemon(["run", "--events", "json", "--set", "sources.process.receive_buffer=4KiB"])
        #expect(daemon.waitForLine(holding: Self.ready))
        daemon.signal(SIGSTOP)
        try runToEnd("/bin/sh", ["-c", "i=0; while [ $i -lt 300 ]; do (:) ; i=$((i+1)); done"])
        daemon.signal(SIGCONT)
        #expect(daemon.waitForLine(holding: #""cause":"kernel_overflow""#))
        daemon.terminate()
        let result = try daemon.finish()
        let source = try #require(result.accounts("source").last)
        let lost = try #require(source["lost"] as? Int)
        #expect(lost > 0)
        #expect(source["balanced"] as? Bool == true)
        let gaps = result.lines.filter {
            $0["record"] as? String == "gap" && $0["cause"] as? String == "kernel_overflow"
        }
        #expect(gaps.compactMap { $0["lost"] as? Int }.reduce(0, +) == lost)
    }

    @Test func `privileges are gone on every thread before the first event`() throws {
        let daemon = try Daemon(["run", "--events", "json"])
        #expect(daemon.waitForLine(holding: Self.ready))
        let tasks = "/proc/\(daemon.pid)/task"
        for task in try FileManager.default.contentsOfDirectory(atPath: tasks) {
            let status = try String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
            // net_admin 12, sys_ptrace 19, dac_read_search 2: nothing else may be left.
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("CapEff:") })
            let mask = try #require(UInt64(line.split(separator: "\t")[1], radix: 16))
            #expect(mask & ~0x81004 == 0)
            #expect(status.contains("NoNewPrivs:\t1"))
            #expect(status.contains("Seccomp:\t2"))
        }
        daemon.terminate()
        #expect(try daemon.finish().exitCode == 0)
    }

    @Test func `SIGUSR1 writes accounts while it goes on`() throws {
        let daemon = try Daemon(["run", "--events", "json"])
        #expect(daemon.waitForLine(holding: Self.ready))
        daemon.signal(SIGUSR1)
        #expect(daemon.waitForLine(holding: #""record":"account""#))
        #expect(daemon.isRunning)
        daemon.terminate()
        let result = try daemon.finish()
        #expect(result.accounts("source").count == 2)
        #expect(result.accounts("source").allSatisfy { $0["balanced"] as? Bool == true })
    }

    @Test func `hostile arguments arrive losslessly in JSON`() throws {
        let daemon = try Daemon(["run", "--events", "json"])
        #expect(daemon.waitForLine(holding: Self.ready))
        let long = String(repeating: "x", count: 100_000)
        let hostile =
            ["1", "-a\n(x) R \u{1b}[31m", "\"\\", "\u{202e}abc"] + Array(repeating: long, count: 15)
        // sh ignores its further arguments but keeps them in its command line, and lives until it was looked at.
        let program = try HeldProgram(["/bin/sh", "-c", "read x"] + hostile)
        let pid = program.pid
        #expect(daemon.waitForEvent("process.exec", of: pid))
        program.release()
        #expect(daemon.waitForEvent("process.exit", of: pid))
        daemon.terminate()
        let result = try daemon.finish()
        let exec = try #require(result.events(of: pid).last { $0["kind"] as? String == "process.exec" })
        let arguments = try #require((exec["process"] as? [String: Any])?["cmdline"] as? [String])
        #expect(arguments == ["/bin/sh", "-c", "read x"] + hostile)
    }

    @Test func `a closed pipe ends the run with its accounts on standard error`() throws {
        let state = FileManager.default.temporaryDirectory.appendingPathComponent(
            "collectord-\(UUID().uuidString)")
        let result = try Program(
            at: "/bin/sh",
            [
                "-c",
                "{ \(Daemon.executable.path) run --events json --set ipc.socket= --set state.directory=\(state.path); echo code=$? >&2; } | head -n 1",
            ]
        ).finish()
        let text = result.errors
        #expect(text.contains("code=0"))
        #expect(text.contains(#""account":"source""#))
        #expect(text.contains(#""account":"stream""#))
        try FileManager.default.removeItem(at: state)
    }

    @Test func `a wrong setting names its place and what was expected`() throws {
        let daemon = try Daemon(["run", "--set", "sources.process.receive_bufer=8MiB"])
        let result = try daemon.finish()
        #expect(result.exitCode == 78)
        #expect(result.errors.contains("did you mean \"sources.process.receive_buffer\""))
    }

    @Test func `event ids differ from run to run`() throws {
        let state = FileManager.default.temporaryDirectory.appendingPathComponent(
            "collectord-\(UUID().uuidString)")
        var ids: Set<String> = []
        var count = 0
        for _ in 0..<2 {
            let daemon = try Daemon([
                "run", "--json", "--set", "ipc.socket=", "--set", "state.directory=\(state.path)",
            ])
            #expect(daemon.waitForLine(holding: Self.ready))
            #expect(daemon.waitForEvent("process.exit", of: try runToEnd("/bin/true", [])))
            daemon.terminate()
            let result = try daemon.finish()
            let events = result.lines.compactMap { $0["id"] as? String }
            count += events.count
            ids.formUnion(events)
        }
        #expect(count > 0)
        #expect(ids.count == count)
        try FileManager.default.removeItem(at: state)
    }
}
