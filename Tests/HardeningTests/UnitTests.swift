import Foundation
import Hardening
import Testing

/// The service unit and the page for people say what the table says.
struct UnitTests {
    private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let analyser = "/usr/bin/systemd-analyze"
    static var hasAnalyser: Bool { FileManager.default.isExecutableFile(atPath: analyser) }

    private static func unit() throws -> String {
        try String(
            contentsOf: root.appendingPathComponent("Packaging/collectord.service"), encoding: .utf8)
    }

    @Test func `the unit allows the calls of the table, and no other`() throws {
        let lines = try Self.unit().split(separator: "\n").filter { $0.hasPrefix("SystemCallFilter=") }
        let names = lines.flatMap { $0.dropFirst("SystemCallFilter=".count).split(separator: " ") }
        #expect(names.map(String.init) == SyscallPolicy.collector.unitNames)
    }

    @Test func `the page shows the table`() throws {
        let page = try String(
            contentsOf: Self.root.appendingPathComponent("Documentation/sandbox.md"), encoding: .utf8)
        #expect(page.hasSuffix(SyscallPolicy.collector.markdown), "run Scripts/reference")
    }

    @Test func `each call exists on both architectures, or has one beside it that does`() {
        let (x86, arm): (UInt32, UInt32) = (0xc000_003e, 0xc000_00b7)
        let names = SyscallPolicy.collector.unitNames
        #expect(names.filter { !SeccompFilter.hasCall($0, architecture: x86) } == [])
        let pairs = [
            "access": "faccessat", "chmod": "fchmodat", "epoll_wait": "epoll_pwait", "mkdir": "mkdirat",
            "poll": "ppoll", "readlink": "readlinkat",
        ]
        // Segment registers of x86 have no counterpart.
        let absent = names.filter { !SeccompFilter.hasCall($0, architecture: arm) && $0 != "arch_prctl" }
        #expect(absent == pairs.keys.sorted())
        #expect(pairs.values.allSatisfy { names.contains($0) })
    }

    private static var daemon: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(
            "collectord"
        ).path
    }
    static var mayRunDaemon: Bool { geteuid() == 0 && FileManager.default.isExecutableFile(atPath: daemon) }

    @Test(.enabled(if: mayRunDaemon, "needs root and the collectord executable beside the tests"))
    func `the daemon starts and stops with the calls of the unit's list alone`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "unit-\(UUID().uuidString)"
        ).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            [folder = folder as String, daemon = Self.daemon as String] in
            var list = SyscallPolicy.collector
            list.rules = list.rules.map { SyscallPolicy.Rule($0.name, .always, reason: $0.reason) }
            // What the list has not fails with ENOSYS under the service manager; here only what may.
            list.refusals = list.refusals.filter { $0.name == "clone3" }
            let settings = [
                "ipc.socket=\(folder)/c.sock", "ipc.daemoneye_socket=\(folder)/d.sock", "ipc.group=0",
                "sources.filesystem.roots=\(folder)", "state.directory=\(folder)/state",
            ]
            let words =
                [daemon, "run", "--events", "none", "--for", "500ms", "--config", "/dev/null"]
                + settings.flatMap { ["--set", $0] }
            var arguments = unsafe words.map { unsafe strdup($0) }
            unsafe arguments.append(nil)
            _ = try SeccompFilter.install(list, action: .enforce)
            unsafe execv(daemon, arguments)
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(!text.contains(#""record":"crash""#), "\(text)")
    }

    /// The unit as it is installed, with a program that exists.
    private func analyse(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "unit-\(UUID().uuidString)")
        let bin = folder.appendingPathComponent("bin")
        try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createSymbolicLink(
            atPath: bin.appendingPathComponent("collectord").path, withDestinationPath: "/bin/true")
        let unit = folder.appendingPathComponent("collectord.service")
        try Self.unit().replacingOccurrences(of: "@PREFIX@", with: folder.path).write(
            to: unit, atomically: true, encoding: .utf8)
        let output = folder.appendingPathComponent("output")
        let child = try ChildProcess(
            ["/usr/bin/env", "SYSTEMD_PAGER=", "LC_ALL=C", Self.analyser] + arguments + [unit.path],
            output: .file(output), errors: .file(output))
        let status = child.wait()
        return (status, try String(contentsOf: output, encoding: .utf8))
    }

    @Test(.enabled(if: hasAnalyser, "needs systemd-analyze"))
    func `the unit's exposure is at most 2.0`() throws {
        let result = try analyse(["security", "--offline=true", "--no-pager", "--threshold=20"])
        #expect(result.status == 0, Comment(rawValue: result.output))
        #expect(result.output.contains("Overall exposure level"))
    }

    @Test(.enabled(if: hasAnalyser, "needs systemd-analyze"))
    func `systemd understands every line of the unit`() throws {
        let result = try analyse(["verify", "--man=no"])
        #expect(result.status == 0 && result.output.isEmpty, Comment(rawValue: result.output))
    }
}
