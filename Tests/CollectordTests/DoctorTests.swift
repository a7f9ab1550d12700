import Foundation
import Testing

/// What `collectord doctor` finds as whom.
@Suite(.enabled(if: Daemon.isAvailable), .timeLimit(.minutes(10)))
struct DoctorTests {
    /// Runs the doctor, in front of it a program that changes who it is, in a folder that belongs to `uid`.
    private func examine(
        _ guise: [String] = [], _ settings: [String] = [], uid: Int = 0
    ) throws -> Program.Result {
        // Everybody must be able to run it: the folder of the build may be somebody's own.
        let folder = URL(fileURLWithPath: "/tmp/doctor-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755, .ownerAccountID: uid])
        defer { try? FileManager.default.removeItem(at: folder) }
        let copy = folder.appendingPathComponent("collectord")
        // By another process: a child forked here meanwhile would hold the writing end, and the file be busy.
        try runToEnd("/bin/cp", [Daemon.executable.path, copy.path])
        let arguments =
            [
                "doctor", "--json", "--config", "/dev/null", "--set", "ipc.socket=\(folder.path)/c.sock",
                "--set", "state.directory=\(folder.path)/state",
            ] + settings.flatMap { ["--set", $0] }
        let words = guise + [copy.path] + arguments
        return try Program(at: words[0], Array(words.dropFirst())).finish()
    }

    private func state(_ result: Program.Result, _ subject: String, _ check: String) -> String? {
        finding(result, subject, check)?["state"] as? String
    }

    private func finding(_ result: Program.Result, _ subject: String, _ check: String) -> [String: Any]? {
        result.lines.first { $0["subject"] as? String == subject && $0["check"] as? String == check }
    }

    @Test func `root is told of every process, and of folders that are not there`() throws {
        let result = try examine([], ["sources.filesystem.roots=/etc,/nonexistent"])
        #expect(state(result, "process", "connector") == "ok", "\(result)")
        #expect(state(result, "process", "receive_buffer") == "ok")
        #expect(state(result, "privileges", "capabilities") == "ok")
        #expect(state(result, "state", "directory") == "ok")
        #expect(state(result, "control", "socket") == "ok")
        #expect(state(result, "filesystem", "root") == "ok")
        #expect(result.exitCode == 69)
        let missing = result.lines.first { $0["state"] as? String == "missing" }
        #expect((missing?["found"] as? String)?.contains("/nonexistent") == true, "\(result.output)")
        #expect((missing?["fix"] as? String)?.contains("sources.filesystem.roots") == true)
        #expect(result.lines.last?["record"] as? String == "doctor")
    }

    @Test func `an ordinary user learns what is not seen, and what would change that`() throws {
        let result = try examine(["/usr/bin/setpriv", "--reuid", "65534", "--clear-groups"], uid: 65_534)
        #expect(state(result, "privileges", "capabilities") == "limited", "\(result)")
        #expect(state(result, "process", "executables") == "limited")
        let fix = finding(result, "process", "executables")?["fix"] as? String
        #expect(fix?.contains("root") == true)
        #expect(result.exitCode != 0)
    }

    @Test func `in a user namespace the connector is found not to answer, and processes to be polled for`()
        throws
    {
        let result = try examine(["/usr/bin/unshare", "-r"])
        #expect(state(result, "process", "connector") == "limited", "\(result)")
        #expect(result.exitCode == 1)
        let finding = finding(result, "process", "connector")
        #expect((finding?["found"] as? String)?.contains("does not answer") == true)
        #expect((finding?["effect"] as? String)?.contains("poll_interval") == true)
        #expect((finding?["fix"] as? String)?.contains("namespaces") == true)
    }

    @Test func `who insists on the connector in a user namespace misses it`() throws {
        let result = try examine(["/usr/bin/unshare", "-r"], ["sources.process.mode=connector"])
        #expect(state(result, "process", "connector") == "missing", "\(result)")
        #expect(result.exitCode == 69)
    }

    @Test func `what is switched off is no fault`() throws {
        let result = try examine([], ["sources.process.enabled=false"])
        #expect(state(result, "process", "source") == "off")
        #expect(state(result, "filesystem", "source") == "off")
        #expect(result.exitCode == 0, "\(result)")
    }
}
