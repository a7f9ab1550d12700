import Foundation

/// A program that a test runs beside the daemon; ended after 20 s at the latest.
final class Program {
    struct Result {
        var exitCode: Int32
        var output: String
        var errors: String

        /// Lines that are JSON objects.
        var lines: [[String: Any]] { Program.objects(output) }
    }

    private let process = Process()
    private let output: URL
    private let errors: URL
    private let folder: URL

    /// One that `swift build --build-tests` makes, beside the test bundle.
    static func path(_ name: String) -> String {
        Daemon.executable.deletingLastPathComponent().appendingPathComponent(name).path
    }

    static func isThere(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }

    convenience init(_ name: String, _ arguments: [String]) throws {
        try self.init(at: Self.path(name), arguments)
    }

    init(at path: String, _ arguments: [String]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("program-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        output = folder.appendingPathComponent("out")
        errors = folder.appendingPathComponent("err")
        for file in [output, errors] { try Data().write(to: file) }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        process.arguments = ["--signal=KILL", "20", path] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    fileprivate static func objects(_ text: String) -> [[String: Any]] {
        text.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
    }

    private func text(of file: URL) throws -> String {
        String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }

    func finish() throws -> Result {
        process.waitUntilExit()
        return Result(
            exitCode: process.terminationStatus, output: try text(of: output), errors: try text(of: errors))
    }

    /// Ends it as a person would with Ctrl-C.
    func interrupt() throws -> Result {
        signal(SIGINT)
        return try finish()
    }

    /// Waits until what it has written holds a text so many times.
    func waitForOutput(holding part: String, count: Int) throws -> Bool {
        let deadline = Date().addingTimeInterval(10)
        while try text(of: output).components(separatedBy: part).count <= count {
            guard Date() < deadline else { return false }
            sched_yield()
        }
        return true
    }

    /// Kills it once it has written so many whole lines, and gives those.
    func killAfterLines(_ count: Int) throws -> [[String: Any]] {
        let deadline = Date().addingTimeInterval(10)
        while try text(of: output).count(where: { $0 == "\n" }) < count, Date() < deadline { sched_yield() }
        signal(SIGKILL)
        process.waitUntilExit()
        let text = try text(of: output)
        let whole = text.lastIndex(of: "\n").map { String(text[...$0]) } ?? ""
        return Program.objects(whole)
    }

    /// To the program itself, which is the one child of `timeout`.
    func signal(_ number: Int32) {
        let path = "/proc/\(process.processIdentifier)/task/\(process.processIdentifier)/children"
        let children = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        for child in children.split(separator: " ") { if let pid = Int32(child) { kill(pid, number) } }
    }

    /// Waits until the daemon counts a subscription beside the one that asks.
    func waitUntilConnected(_ socket: String, _ ctl: (String...) throws -> Program) -> Bool {
        let deadline = Date().addingTimeInterval(10)
        while Date() < deadline {
            let accounts = try? ctl("accounts", "--json").finish()
            if accounts?.lines.contains(where: { ($0["subscriber"] as? String)?.hasPrefix("ipc/") == true })
                == true
            {
                return true
            }
        }
        return false
    }
}
