import Foundation

/// A real `collectord` beside the test, as another process.
final class Daemon {
    struct Result {
        var exitCode: Int32
        var lines: [[String: Any]]
        var text: String
        var errors: String

        func accounts(_ kind: String) -> [[String: Any]] {
            lines.filter { $0["record"] as? String == "account" && $0["account"] as? String == kind }
        }

        func events(of pid: Int32) -> [[String: Any]] {
            lines.filter { ($0["process"] as? [String: Any])?["pid"] as? Int == Int(pid) }
        }
    }

    let process = Process()
    private let output = Pipe()
    private let errors: URL
    private let folder: URL
    private var data = Data()
    private var examinedCount = 0
    private var searchedCount = 0

    /// Beside the test bundle: `swift build --build-tests` makes both.
    static var executable: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(
            "collectord")
    }

    static var isAvailable: Bool {
        geteuid() == 0 && FileManager.default.isExecutableFile(atPath: executable.path)
    }

    /// Starts the daemon, if need be by way of a program that changes where it is; whatever happens it ends by itself
    /// after 20 s.
    init(_ arguments: [String], behind guise: [String] = []) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "collectord-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        errors = folder.appendingPathComponent("err")
        try Data().write(to: errors)
        let hasState = arguments.contains { $0.hasPrefix("state.directory=") }
        let hasSocket = arguments.contains { $0.hasPrefix("ipc.socket=") }
        let hasLimit = arguments.contains("--for")
        let words = guise + [Self.executable.path]
        process.executableURL = URL(fileURLWithPath: words[0])
        // What this host's own collector is told is not for tests.
        process.arguments =
            arguments + (arguments.contains("--config") ? [] : ["--config", "/dev/null"])
            + (hasSocket ? [] : ["--set", "ipc.socket="])
            + (hasState ? [] : ["--set", "state.directory=\(folder.path)/state"])
            + (hasLimit ? [] : ["--for", "20s"])
        process.arguments = Array(words.dropFirst()) + (process.arguments ?? [])
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
    }

    /// Reads standard output until a line not looked at before satisfies `condition`; `false` when it ended first.
    func waitForLine(where condition: (String) -> Bool) -> Bool {
        while true {
            while let newline = data.range(of: Data([0x0a]), in: searchedCount..<data.count) {
                let line = String(decoding: data[examinedCount..<newline.lowerBound], as: UTF8.self)
                examinedCount = newline.upperBound
                searchedCount = newline.upperBound
                if condition(line) { return true }
            }
            searchedCount = data.count
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return false }
            data += more
        }
    }

    func waitForLine(holding part: String) -> Bool { waitForLine { $0.contains(part) } }

    /// Waits for an event of one kind about one process.
    func waitForEvent(_ kind: String, of pid: Int32) -> Bool {
        waitForLine { $0.contains("\"kind\":\"\(kind)\"") && $0.contains("\"process\":{\"pid\":\(pid),") }
    }

    func finish() throws -> Result {
        data += output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let complaints = try String(decoding: Data(contentsOf: errors), as: UTF8.self)
        let text = String(decoding: data, as: UTF8.self)
        let lines = text.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
        try FileManager.default.removeItem(at: folder)
        return Result(exitCode: process.terminationStatus, lines: lines, text: text, errors: complaints)
    }
}

/// Runs a program to its end and returns its pid.
@discardableResult
func runToEnd(_ path: String, _ arguments: [String]) throws -> Int32 {
    let child = Process()
    child.executableURL = URL(fileURLWithPath: path)
    child.arguments = arguments
    child.standardOutput = FileHandle.nullDevice
    child.standardError = FileHandle.nullDevice
    try child.run()
    child.waitUntilExit()
    return child.processIdentifier
}
