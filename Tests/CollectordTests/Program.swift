import Foundation
import Testing

/// A program that a test runs beside the daemon, with all that it writes.
final class Program {
    struct Result {
        var exitCode: Int32
        var output: String
        var errors: String

        /// Lines that are JSON objects.
        var lines: [[String: Any]] { Program.objects(output) }
    }

    private let child: ChildProcess
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
        child = try ChildProcess([path] + arguments, output: .file(output), errors: .file(errors))
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
        let exitCode = child.wait()
        return Result(exitCode: exitCode, output: try text(of: output), errors: try text(of: errors))
    }

    /// Ends it as a person would with Ctrl-C.
    func interrupt() throws -> Result {
        signal(SIGINT)
        return try finish()
    }

    /// Waits until what it has written holds a text so many times.
    func waitForOutput(
        holding part: String, count: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Bool {
        try Wait.until("\(count) times \(part) in the output", sourceLocation: sourceLocation) {
            try text(of: output).components(separatedBy: part).count > count
        }
    }

    /// Kills it once it has written so many whole lines, and gives those.
    func killAfterLines(_ count: Int) throws -> [[String: Any]] {
        _ = try Wait.until("\(count) lines of output") {
            try text(of: output).count(where: { $0 == "\n" }) >= count
        }
        signal(SIGKILL)
        child.wait()
        let written = try text(of: output)
        let whole = written.lastIndex(of: "\n").map { String(written[...$0]) } ?? ""
        return Program.objects(whole)
    }

    func signal(_ number: Int32) { child.signal(number) }

    /// Waits until the daemon counts a subscription beside the one that asks.
    func waitUntilConnected(_ socket: String, _ ctl: (String...) throws -> Program) -> Bool {
        Wait.until("the subscription is there") {
            let accounts = try? ctl("accounts", "--json").finish()
            return accounts?.lines.contains { ($0["subscriber"] as? String)?.hasPrefix("ipc/") == true }
                == true
        }
    }
}
