import Foundation
import Testing

/// The control socket of a real daemon, and `collectorctl` as another process.
@Suite(.enabled(if: Daemon.isAvailable), .serialized, .timeLimit(.minutes(10)))
struct ControlTests {
    private let folder: URL
    private var socket: String { folder.appendingPathComponent("c.sock").path }

    init() throws {
        // The path of a socket is short.
        folder = URL(fileURLWithPath: "/tmp/collectord-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func startDaemon(_ settings: String...) throws -> Daemon {
        let daemon = try Daemon(
            ["run", "--events", "json", "--set", "ipc.socket=\(socket)"] + [
                "--set", "state.directory=\(folder.path)/state",
            ] + settings.flatMap { ["--set", $0] })
        let hasRoots = settings.contains { $0.hasPrefix("sources.filesystem.roots=") }
        #expect(daemon.waitUntilReady(["process"] + (hasRoots ? ["filesystem"] : [])))
        return daemon
    }

    private func stop(_ daemon: Daemon) throws -> Daemon.Result {
        daemon.terminate()
        return try daemon.finish()
    }

    private func ctl(_ arguments: String...) throws -> Program {
        try Program("collectorctl", arguments + ["--socket", socket])
    }

    @Test func `collectorctl shows how the collector is`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        let status = try ctl("status").finish()
        #expect(status.exitCode == 0 && status.output.contains("process") && status.output.contains("ready"))
        let health = try ctl("health", "--json").finish()
        #expect(health.exitCode == 0 && health.lines[0]["overall"] != nil || health.lines[0]["health"] != nil)
        let accounts = try ctl("accounts", "--json").finish()
        #expect(accounts.exitCode == 0)
        #expect(accounts.lines.allSatisfy { $0["balanced"] as? Bool == true })
        #expect(accounts.lines.contains { $0["subscriber"] as? String == "ipc" })
        let settings = try ctl("config", "show", "ipc.socket").finish()
        #expect(settings.output.contains(socket))
        let capabilities = try ctl("capabilities", "--json").finish()
        #expect(capabilities.lines.last?["tasks"] as? [String] == ["processes", "tree", "executable"])
        let metrics = try ctl("metrics").finish()
        #expect(metrics.output.contains("# TYPE"))
        let result = try stop(daemon)
        #expect(result.exitCode == 0)
        #expect(!FileManager.default.fileExists(atPath: socket), "the name goes with the daemon")
    }

    @Test func `a process that runs is found by its pid, and one that does not is not`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        let held = try HeldProgram(["/bin/cat", "-"])
        let pid = held.pid
        #expect(daemon.waitForEvent("process.exec", of: pid))
        let found = try ctl("task", "processes", "--pid", "\(pid)", "--json").finish()
        #expect(found.lines.count == 1)
        #expect(
            (found.lines[0]["process"] as? [String: Any])?["cmdline"] as? [String] == ["/bin/cat", "-"])
        let tree = try ctl("task", "tree", "\(getpid())", "--json").finish()
        #expect(
            tree.lines.contains { ($0["process"] as? [String: Any])?["pid"] as? Int == Int(pid) })
        held.release()
        #expect(daemon.waitForEvent("process.exit", of: pid))
        #expect(try ctl("task", "processes", "--pid", "\(pid)", "--json").finish().lines.isEmpty)
        let missing = try ctl("task", "tree", "\(pid)").finish()
        #expect(missing.exitCode == 1)
        _ = try stop(daemon)
    }

    @Test func `every page of a long list comes, and nobody twice`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        // Killed when they go.
        let sleepers = try (0..<300).map { _ in try ChildProcess(["/bin/sleep", "300"]) }
        let last = sleepers[299].pid
        #expect(daemon.waitForEvent("process.exec", of: last))
        let found = try ctl("task", "processes", "--name", "sleep", "--json").finish()
        let pids = found.lines.compactMap { ($0["process"] as? [String: Any])?["pid"] as? Int }
        #expect(Set(pids).isSuperset(of: sleepers.map { Int($0.pid) }))
        #expect(Set(pids).count == pids.count)
        _ = try stop(daemon)
    }

    @Test func `a file below a watched root is hashed, and no other`() throws {
        let root = folder.appendingPathComponent("watched")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        try Data("hello\n".utf8).write(to: root.appendingPathComponent("f"))
        try FileManager.default.createSymbolicLink(
            at: root.appendingPathComponent("link"), withDestinationURL: URL(fileURLWithPath: "/etc/passwd"))
        let daemon = try startDaemon("sources.filesystem.roots=\(root.path)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let digest = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
        let good = try ctl("task", "hash", "\(root.path)/f", "--expect", digest).finish()
        #expect(good.exitCode == 0 && good.output.hasPrefix(digest))
        let other = String(repeating: "0", count: 64)
        #expect(try ctl("task", "hash", "\(root.path)/f", "--expect", other).finish().exitCode == 1)
        for bad in ["/etc/passwd", "\(root.path)/../../etc/passwd", "\(root.path)/link", "\(root.path)/none"]
        {
            let refused = try ctl("task", "hash", bad).finish()
            #expect(refused.exitCode != 0 && refused.output.isEmpty, "\(bad): \(refused.errors)")
        }
        _ = try stop(daemon)
    }

    @Test func `what a process runs is verified, whatever is on disk by now`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = folder.appendingPathComponent("tool")
        // By another process: a child forked here meanwhile would hold the writing end, and the file be busy.
        try runToEnd("/bin/cp", ["/bin/sleep", program.path])
        let digest = try sha256("/bin/sleep")
        // Killed when it goes.
        let sleeper = try ChildProcess([program.path, "300"])
        let pid = sleeper.pid
        defer { withExtendedLifetime(sleeper) {} }
        #expect(daemon.waitForEvent("process.exec", of: pid))
        func verify(_ arguments: String...) throws -> [String: Any] {
            let result = try Program(
                "collectorctl",
                ["task", "executable", "\(pid)", "--json", "--socket", socket] + arguments
            ).finish()
            let hash = try #require(result.lines.last)
            let process = try #require(result.lines.first?["process"] as? [String: Any])
            #expect(process["pid"] as? Int == Int(pid) && process["exe"] as? String == program.path)
            return hash.merging(["exit": Int(result.exitCode)]) { $1 }
        }
        let intact = try verify("--expect", digest)
        #expect(intact["digest"] as? String == digest && intact["on_disk"] as? String == "same")
        #expect(intact["matches"] as? Bool == true && intact["exit"] as? Int == 0)
        try FileManager.default.removeItem(at: program)
        let deleted = try verify()
        #expect(deleted["digest"] as? String == digest && deleted["on_disk"] as? String == "missing")
        try FileManager.default.copyItem(at: URL(fileURLWithPath: "/bin/true"), to: program)
        let replaced = try verify()
        #expect(replaced["digest"] as? String == digest && replaced["on_disk"] as? String == "replaced")
        #expect(replaced["exit"] as? Int == 0)
        let shown = try ctl("task", "verify", "\(pid)").finish()
        #expect(shown.output.contains("\(digest)  \(program.path)\non disk: replaced"))
        #expect(try verify("--expect", String(repeating: "0", count: 64))["exit"] as? Int == 1)
        _ = try stop(daemon)
    }

    @Test func `threads of the kernel and those that are gone have no executable to verify`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        let pid = try runToEnd("/bin/true", [])
        #expect(daemon.waitForEvent("process.exit", of: pid))
        let gone = try ctl("task", "executable", "\(pid)").finish()
        #expect(gone.exitCode == 1 && gone.errors.contains("there is no process \(pid)"))
        // In a container pid 2 is anybody.
        if try String(contentsOfFile: "/proc/2/comm", encoding: .utf8) == "kthreadd\n" {
            let thread = try ctl("task", "executable", "2").finish()
            #expect(thread.exitCode != 0 && thread.errors.contains("thread of the kernel"))
        }
        _ = try stop(daemon)
    }

    @Test func `files are listed in order, page by page`() throws {
        let root = folder.appendingPathComponent("watched")
        try FileManager.default.createDirectory(
            at: root.appendingPathComponent("a"), withIntermediateDirectories: true)
        let names = (0..<700).map { "a/n\(1_000 + $0)" } + ["a-b", "z"]
        for name in names { try Data("hello\n".utf8).write(to: root.appendingPathComponent(name)) }
        let daemon = try startDaemon("sources.filesystem.roots=\(root.path)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try ctl("task", "files", root.path, "--json").finish()
        let files = result.lines.compactMap { $0["file"] as? [String: Any] }
        let expected = (names + ["a"]).map { "\(root.path)/\($0)" }.sorted { a, b in
            Array(a.utf8).lexicographicallyPrecedes(Array(b.utf8))
        }
        #expect(files.compactMap { $0["path"] as? String } == expected)
        #expect(files.first?["type"] as? String == "directory" && files.last?["size_bytes"] as? Int == 6)
        let some = try ctl("task", "files", "\(root.path)/a/n16").finish()
        #expect(some.output.split(separator: "\n").count == 100 && some.output.hasPrefix("-rw"))
        _ = try stop(daemon)
    }

    private func sha256(_ path: String) throws -> String {
        let result = try Program(at: "/usr/bin/sha256sum", [path]).finish()
        return String(result.output.prefix(64))
    }

    @Test func `what a client sees is what standard output shows`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        let watch = try ctl(
            "watch", "--json", "--topic", "events.process.exec", "--topic", "events.process.exit")
        #expect(watch.waitUntilConnected(socket, self.ctl))
        var pids: [Int32] = []
        for _ in 0..<50 { pids.append(try runToEnd("/bin/true", [])) }
        #expect(daemon.waitForEvent("process.exit", of: pids[49]))
        // Its execution and its end.
        #expect(try watch.waitForOutput(holding: "\"process\":{\"pid\":\(pids[49]),", count: 2))
        let result = try watch.interrupt()
        let seen = try stop(daemon)
        for pid in pids {
            let there = seen.events(of: pid).filter {
                ["process.exec", "process.exit"].contains($0["kind"] as? String)
            }
            let here = result.lines.filter { ($0["process"] as? [String: Any])?["pid"] as? Int == Int(pid) }
            #expect(there.compactMap { $0["id"] as? String } == here.compactMap { $0["id"] as? String })
        }
        #expect(result.errors.contains("at least 0 lost"))
        let account = try #require(result.lines.last)
        #expect(account["record"] as? String == "account" && account["balanced"] as? Bool == true)
        let events = result.lines.count { $0["record"] as? String == "event" }
        #expect(account["delivered"] as? Int == events, "accounts hold across the socket")
    }

    @Test func `a client that is killed goes on exactly where it was`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        let first = try ctl("watch", "--json")
        #expect(first.waitUntilConnected(socket, self.ctl))
        for _ in 0..<20 { try runToEnd("/bin/true", []) }
        let before = try first.killAfterLines(10)
        for _ in 0..<20 { try runToEnd("/bin/true", []) }
        let last = try #require(before.last?["id"] as? String).split(separator: "/")
        let second = try ctl(
            "watch", "--json", "--from", "\(last[0])/\(last[1])/process=\(last[3])", "--count", "60")
        let after = try second.finish().lines
        let sequences = (before + after).compactMap { $0["sequence"] as? Int }
        #expect(sequences.count >= 70)
        #expect(
            zip(sequences, sequences.dropFirst()).allSatisfy { $0 + 1 == $1 },
            "nothing missing, nothing twice")
        #expect(!after.contains { $0["record"] as? String == "gap" })
        _ = try stop(daemon)
    }

    @Test func `a client outlives a daemon that is killed, and is told of the gap`() throws {
        let first = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        let watch = try ctl("watch", "--json", "--topic", "events.process.#")
        #expect(watch.waitUntilConnected(socket, self.ctl))
        let before = try runToEnd("/bin/true", [])
        #expect(try watch.waitForOutput(holding: "\"process\":{\"pid\":\(before),", count: 3))
        first.signal(SIGKILL)
        _ = try first.finish()
        let second = try startDaemon()
        #expect(watch.waitUntilConnected(socket, self.ctl))
        let pid = try runToEnd("/bin/true", [])
        #expect(second.waitForEvent("process.exit", of: pid))
        #expect(try watch.waitForOutput(holding: "\"process\":{\"pid\":\(pid),", count: 3))
        _ = try stop(second)
        let result = try watch.interrupt()
        let ids = result.lines.compactMap { $0["id"] as? String }
        #expect(Set(ids).count == ids.count)
        #expect(Set(ids.map { $0.split(separator: "/")[1] }).count == 2, "two runs")
        #expect(
            result.lines.contains { $0["record"] as? String == "gap" && $0["cause"] as? String == "resume" })
    }

    @Test func `a client that comes back to a new run is told what that has told so far`() throws {
        let first = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        let watch = try ctl("watch", "--json", "--topic", "events.process.#")
        #expect(watch.waitUntilConnected(socket, self.ctl))
        first.signal(SIGKILL)
        _ = try first.finish()
        let second = try startDaemon()
        let pid = try runToEnd("/bin/true", [])
        #expect(second.waitForEvent("process.exit", of: pid))
        #expect(try watch.waitForOutput(holding: "\"process\":{\"pid\":\(pid),", count: 3))
        _ = try stop(second)
        let lines = try watch.interrupt().lines.filter {
            ($0["id"] as? String)?.contains("/2/process/") == true
        }
        #expect(lines.first?["sequence"] as? Int == 1, "the new run's first event")
        #expect(lines.contains { $0["kind"] as? String == "process.baseline" })
    }

    @Test func `who watches a quiet stream is told of a reload at once`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        // Nothing passes: no process has this name.
        let watch = try ctl("watch", "--json", "--name", "no such name")
        #expect(watch.waitUntilConnected(socket, self.ctl))
        #expect(try ctl("reload").finish().exitCode == 0)
        #expect(try watch.waitForOutput(holding: "collector.configuration", count: 1))
        _ = try watch.interrupt()
        _ = try stop(daemon)
    }

    @Test func `a file whose name is no UTF-8 is hashed by the name under which it is listed`() throws {
        let root = folder.appendingPathComponent("watched")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        let name = Array("\(root.path)/bad".utf8CString.dropLast()) + [CChar(bitPattern: 0xff), 0]
        let descriptor = unsafe open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        #expect(unsafe write(descriptor, "hello\n", 6) == 6)
        close(descriptor)
        let daemon = try startDaemon("sources.filesystem.roots=\(root.path)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let listed = try ctl("task", "files", "\(root.path)/", "--json").finish()
        let path = try #require((listed.lines.first?["file"] as? [String: Any])?["path"] as? String)
        #expect(path == "\(root.path)/bad\\xff")
        let hashed = try ctl("task", "hash", path).finish()
        #expect(hashed.exitCode == 0, "\(hashed.errors)")
        #expect(hashed.output.hasPrefix("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"))
        // A name that looks so, and is there, is meant as it is.
        try Data("other\n".utf8).write(to: root.appendingPathComponent("bad\\xff"))
        let other = try ctl("task", "hash", path).finish()
        #expect(other.exitCode == 0 && !other.output.hasPrefix("5891"))
        _ = try stop(daemon)
    }

    @Test func `a digest that is none is a mistake, not a difference`() throws {
        let root = folder.appendingPathComponent("watched")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        try Data("hello\n".utf8).write(to: root.appendingPathComponent("f"))
        let daemon = try startDaemon("sources.filesystem.roots=\(root.path)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for digest in ["abc", "", String(repeating: "g", count: 64)] {
            let result = try ctl("task", "hash", "\(root.path)/f", "--expect", digest).finish()
            #expect(result.exitCode == 64 && result.errors.contains("hexadecimal"), "\(digest)")
        }
        let outside = try ctl("task", "hash", "\(root.path)/../out").finish()
        #expect(outside.exitCode == 1 && outside.errors.contains("below a watched root"))
        _ = try stop(daemon)
    }

    @Test func `who has no right to connect is told what to do`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        let denied = try Program(
            at: "/usr/bin/setpriv",
            [
                "--reuid", "65534", "--regid", "65534", "--clear-groups", Program.path("collectorctl"),
                "status",
            ] + [
                "--socket", socket,
            ]
        ).finish()
        #expect(denied.exitCode == 77 && denied.errors.contains("ipc.group"))
        _ = try stop(daemon)
        let gone = try ctl("status").finish()
        #expect(gone.exitCode == 69 && gone.errors.contains("start collectord"))
    }

    @Test func `members of the group may ask and follow, and have no files read`() throws {
        let root = folder.appendingPathComponent("watched")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        try Data("secret\n".utf8).write(to: root.appendingPathComponent("f"))
        let daemon = try startDaemon("ipc.group=65534", "sources.filesystem.roots=\(root.path)")
        defer { try? FileManager.default.removeItem(at: folder) }
        func member(_ arguments: String...) throws -> Program.Result {
            try Program(
                at: "/usr/bin/setpriv",
                ["--reuid", "65534", "--regid", "65534", "--clear-groups", Program.path("collectorctl")]
                    + arguments + ["--socket", socket]
            ).finish()
        }
        #expect(try member("status").exitCode == 0)
        #expect(try member("task", "processes", "--pid", "1").exitCode == 0)
        let refused = try member("task", "hash", "\(root.path)/f")
        #expect(refused.exitCode == 77 && refused.output.isEmpty)
        _ = try stop(daemon)
    }

    @Test func `two daemons do not share a socket`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        let second = try Daemon(["run", "--set", "ipc.socket=\(socket)"])
        let result = try second.finish()
        #expect(result.exitCode == 69 && result.errors.contains("another process listens"))
        #expect(try ctl("status").finish().exitCode == 0)
        _ = try stop(daemon)
    }

    @Test(.enabled(if: PythonClient.isAvailable))
    func `a client written in Python from the protocol's files alone gets everything`() throws {
        let root = folder.appendingPathComponent("watched")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        for name in ["f", "g"] { try Data("hello\n".utf8).write(to: root.appendingPathComponent(name)) }
        let daemon = try startDaemon("sources.filesystem.roots=\(root.path)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let session = try PythonClient.run(socket, "\(root.path)/f", in: folder)
        let steps = Dictionary(
            session.lines.map { ($0["step"] as? String ?? "", $0) }, uniquingKeysWith: { $1 })
        #expect(session.exitCode == 0, "\(session.errors)")
        #expect(steps["done"] != nil)
        let stream = steps["subscribe"] ?? [:]
        #expect(stream["with_credit"] as? Int == 2 && stream["is_held_back"] as? Bool == true)
        #expect(stream["seen"] as? [Int] == stream["wanted"] as? [Int] && stream["repeated"] as? Int == 0)
        let resumed = steps["resume"] ?? [:]
        #expect(resumed["seen"] as? [Int] == resumed["wanted"] as? [Int] && resumed["repeated"] as? Int == 0)
        #expect((resumed["gaps"] as? [String])?.isEmpty == true)
        #expect(resumed["delivered"] as? Int == resumed["events"] as? Int)
        #expect((steps["resume_elsewhere"]?["gaps"] as? [String])?.contains("resume") == true)
        #expect(steps["event_limit"]?["events"] as? Int == 2)
        for step in ["process_tree", "enumerate_processes"] {
            #expect(
                steps[step]?["has_all"] as? Bool == true && steps[step]?["repeated"] as? Int == 0, "\(step)")
        }
        #expect(
            steps["check_hash"]?["is_same"] as? Bool == true
                && steps["check_hash"]?["is_match"] as? Bool == true)
        let verified = steps["verify_executable"] ?? [:]
        #expect(verified["is_same"] as? Bool == true && verified["on_disk"] as? String == "same")
        #expect(steps["verify_nobody"]?["failure"] as? String == "CODE_NOT_FOUND")
        let listed = steps["list_files"] ?? [:]
        #expect(listed["has_file"] as? Bool == true && listed["is_ordered"] as? Bool == true)
        // Two, one a page.
        #expect(listed["files"] as? Int == 2 && listed["pages"] as? Int == 2)
        _ = try stop(daemon)
    }
}

/// Google's own implementation of protobuf, with modules made from the protocol's files.
enum PythonClient {
    private static let python = "/usr/bin/python3"
    private static let protoc = "/usr/bin/protoc"

    static let isAvailable: Bool = {
        guard FileManager.default.isExecutableFile(atPath: protoc) else { return false }
        let check = try? Program(at: python, ["-c", "import google.protobuf"]).finish()
        return check?.exitCode == 0
    }()

    /// - Parameter script: A file of `Tests/ControlPlaneTests/python`.
    static func run(
        _ arguments: String..., script: String = "control_session.py", in folder: URL
    ) throws -> Program.Result {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let files = root.appendingPathComponent("Sources/WireMessages/Protocol").path
        let made = try Program(
            at: protoc,
            ["-I", files, "--python_out=\(folder.path)"]
                + ["collector", "daemoneye", "event", "report"].map { "\(files)/\($0).proto" }
        ).finish()
        guard made.exitCode == 0 else { return made }
        let scripts = root.appendingPathComponent("Tests/ControlPlaneTests/python").path
        return try Program(
            at: "/usr/bin/env",
            [
                "PYTHONPATH=\(folder.path):\(scripts)", "PYTHONDONTWRITEBYTECODE=1", python,
                "\(scripts)/\(script)",
            ]
                + arguments
        ).finish()
    }
}
