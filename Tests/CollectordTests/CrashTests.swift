import Foundation
import Testing

/// A daemon that crashes says so, and the next one says it again.
@Suite(
    .serialized, .enabled(if: Daemon.isAvailable, "needs root and the collectord executable beside the tests")
)
struct CrashTests {
    private static let ready = #""state":"ready""#

    /// Its own folder for state, removed at the end.
    private final class State {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("crash-\(UUID().uuidString)")

        deinit { try? FileManager.default.removeItem(at: url) }

        func text(_ name: String) -> String {
            (try? String(contentsOf: url.appendingPathComponent(name), encoding: .utf8)) ?? ""
        }
    }

    private func words(_ text: String) throws -> [String: Any] {
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(#"{"record":"crash""#) })
        return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test func `a crash is told at once, by the next run once, and kept`() throws {
        let state = State()
        let daemon = try Daemon(["run", "--events", "json", "--set", "state.directory=\(state.url.path)"])
        #expect(daemon.waitForLine(holding: Self.ready))
        daemon.signal(SIGSEGV)
        let result = try daemon.finish()
        #expect(result.exitCode == 128 + SIGSEGV)
        let words = try words(result.errors)
        #expect(words["program"] as? String == "collectord" && words["signal"] as? String == "SIGSEGV")
        #expect(words["pid"] as? Int == Int(daemon.pid))
        #expect(words["sender"] as? Int == Int(getpid()))
        #expect(result.errors.contains(state.text("last-crash.json")))

        for count in [1, 0] {
            let next = try Daemon([
                "run", "--events", "json", "--set", "state.directory=\(state.url.path)", "--for", "100ms",
            ]).finish()
            #expect(next.exitCode == 0)
            #expect(next.errors.components(separatedBy: "a run before has crashed").count == count + 1)
            #expect(state.text("last-crash.1.json").contains("SIGSEGV"))
            #expect(state.text("last-crash.json").isEmpty)
        }
    }

    @Test func `without standard output and error the evidence is in the file`() throws {
        let state = State()
        let shell = try ChildProcess([
            "/bin/sh", "-c",
            """
            exec \(Daemon.executable.path) run --config /dev/null --events json --for 600s --set ipc.socket= \
            --set state.directory=\(state.url.path) >&- 2>&-
            """,
        ])
        let status = "/proc/\(shell.pid)/status"
        #expect(
            try Wait.until("the filter") {
                try String(contentsOfFile: status, encoding: .utf8).contains("Seccomp:\t2")
            })
        shell.signal(SIGABRT)
        #expect(shell.wait() == 128 + SIGABRT)
        #expect(try words(state.text("last-crash.json"))["signal"] as? String == "SIGABRT")
    }
}
