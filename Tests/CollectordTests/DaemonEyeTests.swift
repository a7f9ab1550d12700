import Foundation
import Testing

/// The second socket of a real daemon, and a client written from the protocol's file alone.
@Suite(.enabled(if: Daemon.isAvailable && PythonClient.isAvailable), .serialized, .timeLimit(.minutes(10)))
struct DaemonEyeTests {
    private let folder: URL
    private var socket: String { folder.appendingPathComponent("d.sock").path }
    private var control: String { folder.appendingPathComponent("c.sock").path }

    init() throws {
        // The path of a socket is short.
        folder = URL(fileURLWithPath: "/tmp/collectord-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func startDaemon(_ settings: String...) throws -> Daemon {
        let common = ["ipc.daemoneye_socket=\(socket)", "state.directory=\(folder.path)/state"]
        let daemon = try Daemon(
            ["run", "--events", "json"] + (common + settings).flatMap { ["--set", $0] })
        let hasRoots = settings.contains { $0.hasPrefix("sources.filesystem.roots=") }
        #expect(daemon.waitUntilReady(["process"] + (hasRoots ? ["filesystem"] : [])))
        return daemon
    }

    private func steps(_ arguments: String?...) throws -> [String: [String: Any]] {
        let session: Program.Result
        switch arguments.compactMap({ $0 }).first {
        case let file?:
            session = try PythonClient.run(socket, file, script: "daemoneye_session.py", in: folder)
        case nil: session = try PythonClient.run(socket, script: "daemoneye_session.py", in: folder)
        }
        #expect(session.exitCode == 0, "\(session.errors)")
        return Dictionary(session.lines.map { ($0["step"] as? String ?? "", $0) }, uniquingKeysWith: { $1 })
    }

    @Test func `a client written in Python from the protocol's file alone is answered truly`() throws {
        let root = folder.appendingPathComponent("watched")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        try Data("hello\n".utf8).write(to: root.appendingPathComponent("f"))
        let daemon = try startDaemon("sources.filesystem.roots=\(root.path)", "ipc.socket=\(control)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let steps = try steps("\(root.path)/f")
        func flag(_ step: String, _ key: String) -> Bool? { steps[step]?[key] as? Bool }
        #expect(flag("capabilities", "negotiated") == true && flag("missing", "negotiated") == false)
        #expect(
            (steps["capabilities"]?["domains"] as? [String]).map { Set($0) } == ["PROCESS", "FILESYSTEM"])
        for key in ["success", "is_same", "ppid", "path", "user", "accessible", "file_exists"] {
            #expect(flag("filtered", key) == true, "\(key)")
        }
        #expect(steps["filtered"]?["name"] as? String == "cat")
        #expect((steps["filtered"]?["command_line"] as? [String])?.last == "-u")
        #expect(flag("all", "has_all") == true && steps["all"]?["repeated"] as? Int == 0)
        #expect(flag("negotiation_by_task", "has_me") == true && flag("tree", "is_same") == true)
        #expect(flag("half_closed", "has_me") == true)
        #expect(flag("hash", "is_match") == true && flag("other_hash", "is_match") == false)
        for step in [
            "no_such_process", "no_file", "task_type_4", "task_type_5", "task_type_6", "task_type_99",
            "bad_checksum",
        ] {
            #expect(flag(step, "success") == false, "\(step)")
            #expect((steps[step]?["message"] as? String)?.isEmpty == false, "\(step)")
        }
        // The digest of the running image where the source offers it, and a refusal, no false success, where not.
        #expect(flag("verify_executable", "is_same") == flag("verify_executable", "success"))
        #expect(flag("bad_checksum", "is_closed") == true && steps["done"] != nil)
        try expectListener(endings: "frame_checksum")
        daemon.terminate()
        #expect(try daemon.finish().exitCode == 0)
        #expect(!FileManager.default.fileExists(atPath: socket), "the name goes with the daemon")
    }

    /// It is shown beside the control socket.
    private func expectListener(endings: String) throws {
        let status = try Program("collectorctl", ["metrics", "--socket", control]).finish()
        #expect(status.output.contains("path=\"\(socket)\"") && status.output.contains("path=\"\(control)\""))
        #expect(status.output.contains(endings))
    }

    @Test func `the socket stands alone, too, and is not there unless asked for`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(try steps()["all"]?["has_all"] as? Bool == true)
        var status = stat()
        #expect(unsafe stat(socket, &status) == 0 && status.st_mode & 0o777 == 0o660)
        daemon.terminate()
        #expect(try daemon.finish().exitCode == 0)
        let other = try Daemon(["run", "--events", "json", "--set", "ipc.socket=\(control)"])
        #expect(other.waitForLine(holding: #""state":"ready""#))
        #expect(!FileManager.default.fileExists(atPath: socket))
        other.terminate()
        _ = try other.finish()
    }
}
