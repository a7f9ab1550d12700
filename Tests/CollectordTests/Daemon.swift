import Foundation

/// A real `collectord` beside the test, as another process.
struct Daemon {
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
    private let output: URL
    private let errors: URL
    private let folder: URL

    /// Beside the test bundle: `swift build --build-tests` makes both.
    static var executable: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("collectord")
    }

    static var isAvailable: Bool {
        geteuid() == 0 && FileManager.default.isExecutableFile(atPath: executable.path)
    }

    init(_ arguments: [String]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("collectord-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        output = folder.appendingPathComponent("out")
        errors = folder.appendingPathComponent("err")
        try Data().write(to: output)
        try Data().write(to: errors)
        process.executableURL = Self.executable
        let hasState = arguments.contains { $0.hasPrefix("state.directory=") }
        process.arguments = arguments + (hasState ? [] : ["--set", "state.directory=\(folder.path)/state"])
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
    }

    /// Waits until standard output holds `text`; gives up after 20 s.
    func waitUntilOutput(holds text: String) throws -> Bool {
        for _ in 0..<400 {
            if try String(decoding: Data(contentsOf: output), as: UTF8.self).contains(text) { return true }
            usleep(50_000)
        }
        return false
    }

    func finish() throws -> Result {
        process.waitUntilExit()
        let text = try String(decoding: Data(contentsOf: output), as: UTF8.self)
        let complaints = try String(decoding: Data(contentsOf: errors), as: UTF8.self)
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
