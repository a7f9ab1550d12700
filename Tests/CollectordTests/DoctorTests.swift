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

    @Test func `a user namespace is told as the cause, not the lack of capabilities`() throws {
        let result = try examine(["/usr/bin/unshare", "-r"])
        let privileges = finding(result, "privileges", "capabilities")
        #expect(privileges?["state"] as? String == "limited", "\(result)")
        #expect((privileges?["found"] as? String)?.contains("user namespace") == true)
        #expect((finding(result, "process", "executables")?["fix"] as? String)?.contains("namespace") == true)
    }

    @Test func `a folder that may not be read, and a file, have other remedies than one that is not there`()
        throws
    {
        let result = try examine(
            ["/usr/bin/setpriv", "--reuid", "65534", "--clear-groups"],
            ["sources.filesystem.roots=/root,/etc/passwd,/nonexistent"], uid: 65_534)
        let fixes = result.lines.filter { $0["check"] as? String == "root" }.map {
            $0["fix"] as? String ?? ""
        }
        try #require(fixes.count == 3, "\(result)")
        #expect(fixes[0].contains("CAP_DAC_READ_SEARCH"))
        #expect(fixes[1].contains("not files"))
        #expect(fixes[2].contains("that exist"))
    }

    @Test func `each limit on watches has its own remedy`() throws {
        func fix(_ script: String) throws -> String? {
            let result = try examine(
                ["/usr/bin/unshare", "-r", "/bin/sh", "-c", script + #"; exec "$0" "$@""#],
                ["sources.filesystem.roots=/etc"])
            return finding(result, "filesystem", "inotify")?["fix"] as? String
        }
        let watches = try fix("echo 5 > /proc/sys/user/max_inotify_watches")
        #expect(watches?.contains("user.max_inotify_watches") == true, "\(watches ?? "")")
        let instances = try fix("echo 0 > /proc/sys/user/max_inotify_instances")
        #expect(instances?.contains("max_inotify_instances") == true, "\(instances ?? "")")
    }

    @Test func `a socket in a folder of everybody has the command that closes the folder`() throws {
        let folder = URL(fileURLWithPath: "/tmp/doctor-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
        let result = try examine([], ["ipc.socket=\(folder.path)/c.sock"])
        #expect(state(result, "control", "socket") == "missing", "\(result)")
        let fix = finding(result, "control", "socket")?["fix"] as? String
        #expect(fix == "chmod go-w \(folder.path), or --set ipc.socket=PATH")
    }

    @Test func `what is switched off is no fault`() throws {
        let result = try examine([], ["sources.process.enabled=false"])
        #expect(state(result, "process", "source") == "off")
        #expect(state(result, "filesystem", "source") == "off")
        #expect(result.exitCode == 0, "\(result)")
    }
}
