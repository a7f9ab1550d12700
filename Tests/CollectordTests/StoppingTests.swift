import Foundation
import Testing

/// How the daemon ends, and what it says of itself, when somebody does not do his part.
@Suite(
    .serialized, .timeLimit(.minutes(10)),
    .enabled(if: Daemon.isAvailable, "needs root and the collectord executable beside the tests")
)
struct StoppingTests {
    /// Starts a daemon whose output nobody reads any more, and makes more of it than pipes and buffers hold.
    private func makeStalled(_ arguments: [String]) throws -> Daemon {
        let daemon = try Daemon(["run", "--events", "json"] + arguments)
        #expect(daemon.waitForLine(holding: #""state":"ready""#))
        try runToEnd("/bin/sh", ["-c", "i=0; while [ $i -lt 1500 ]; do (:) ; i=$((i+1)); done"])
        return daemon
    }

    @Test func `a reader that stalls does not hold up the stop, and the accounts go to standard error`()
        throws
    {
        let daemon = try makeStalled(["--set", "collector.shutdown_timeout=1s"])
        daemon.terminate()
        daemon.waitUntilExit()
        let result = try daemon.finish()
        #expect(result.exitCode == 70)
        #expect(
            result.errors.contains(#""account":"source""#) && result.errors.contains(#""account":"stream""#))
    }

    @Test func `a second signal ends it at once, with the accounts as they stand and a code of its own`()
        throws
    {
        let daemon = try makeStalled(["--set", "collector.shutdown_timeout=1h"])
        daemon.terminate()
        // Until it is not taken for the first one any more.
        while daemon.isRunning {
            daemon.signal(SIGINT)
            try runToEnd("/bin/true", [])
        }
        daemon.waitUntilExit()
        let result = try daemon.finish()
        #expect(result.exitCode == 75)
        #expect(result.errors.contains("second signal"))
        #expect(
            result.errors.contains(#""account":"source""#) && result.errors.contains(#""account":"stream""#))
    }

    /// As timeout(1) sends it.
    @Test func `a signal that is sent twice at once stops in order`() throws {
        let daemon = try Daemon(["run", "--events", "json"])
        #expect(daemon.waitForLine(holding: #""state":"ready""#))
        daemon.signal(SIGTERM)
        daemon.signal(SIGTERM)
        daemon.waitUntilExit()
        let result = try daemon.finish()
        #expect(result.exitCode == 0)
        #expect(!result.errors.contains("second signal"), "\(result.errors)")
    }

    @Test func `telemetry and health come by themselves and with SIGUSR1`() throws {
        let daemon = try Daemon([
            "run", "--events", "json", "--set", "collector.telemetry_interval=100ms", "--set",
            "collector.component_name=here",
        ])
        #expect(daemon.waitForLine(holding: #""record":"telemetry""#))
        daemon.signal(SIGUSR1)
        #expect(daemon.waitForLine(holding: #""kind":"collector.health""#))
        #expect(daemon.waitForLine(holding: #""record":"telemetry""#))
        daemon.terminate()
        let result = try daemon.finish()
        #expect(result.exitCode == 0)
        let telemetry = try #require(result.lines.last { $0["record"] as? String == "telemetry" })
        #expect(telemetry["component"] as? String == "here")
        #expect(try #require(telemetry["resident_bytes"] as? Int) > 1 << 20)
        #expect(try #require(telemetry["open_descriptors"] as? Int) > 5)
        #expect(try #require(telemetry["cpu_user_ns"] as? Int) > 0)
        let health = try #require(result.lines.last { $0["kind"] as? String == "collector.health" })
        #expect(health["health"] as? String == "healthy")
    }
}
