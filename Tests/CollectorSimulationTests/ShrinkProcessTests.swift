import Foundation
import Testing

/// `collector-sim` beside the test, as another process: workers are that very program.
enum SimulatorProcess {
    /// What `run --json` says about one run.
    struct Record: Decodable {
        var verdict: String
        var oracles: [String: String]
    }

    struct Result {
        var exitCode: Int32
        var output: String
        var errors: String
    }

    /// Beside the test bundle: `swift build --build-tests` makes both.
    static var executable: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("collector-sim")
    }

    static func run(_ arguments: [String]) throws -> Result {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = folder.appendingPathComponent("output")
        let errors = folder.appendingPathComponent("errors")
        let process = try ChildProcess(
            [executable.path] + arguments, output: .file(output), errors: .file(errors))
        // A swarm of runs in a build for debugging takes its time.
        let exitCode = process.wait(within: .seconds(600))
        return Result(
            exitCode: exitCode, output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }

    /// Runs a scenario of the gallery.
    static func records(of file: String, seeds: ClosedRange<Int>, mutant: String?) throws -> [Record] {
        let path = `the gallery`.folder.appendingPathComponent(file + ".scn").path
        let planted = mutant.map { ["--mutant", $0] } ?? []
        let result = try run(
            ["run", path, "--json", "--seeds", "\(seeds.lowerBound)..\(seeds.upperBound)"] + planted)
        return try result.output.split(separator: "\n").map {
            try JSONDecoder().decode(Record.self, from: Data($0.utf8))
        }
    }

    static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "collector-sim-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}

@Suite struct `the command shrink` {
    private static let scenario = """
        scenario big v1
        about "expects a queue that is never longer than one event"
        host cpus=4 pid_max=4096
        config batch=10
        given
          proc 77 /usr/bin/bash ppid=1 uid=1000
          proc 78 /usr/bin/zsh ppid=1 uid=1000
        when
          @0s start
          @1.234s fork 77 -> 412
          @1.3s exec 412 /usr/bin/curl argv=["curl","-s"]
          @1.4s exit 412 code=0
          @2.5s burst fork+exec+exit 78 x200 over=1ms
          @3s setuid 78 0
          @9s stop SIGTERM
        expect
          count process.fork pid=412 == 1
          always queue.depth <= 6
          accounts balanced
        """

    private func file(_ text: String, in folder: URL) throws -> String {
        let url = folder.appendingPathComponent("big.scn")
        try Data(text.utf8).write(to: url)
        return url.path
    }

    @Test func `files a small scenario that fails again when it is run`() throws {
        let folder = try SimulatorProcess.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = try file(Self.scenario, in: folder)
        let shrunk = try SimulatorProcess.run(
            ["shrink", path, "--bugs", folder.path, "--for", "300s", "--schedules", "20"])
        #expect(shrunk.exitCode == 0, "\(shrunk.errors)")
        let name = try #require(
            FileManager.default.contentsOfDirectory(atPath: folder.path).first {
                $0.hasPrefix("expectations-")
            })
        let small = folder.appendingPathComponent(name)
        let text = try String(contentsOf: small, encoding: .utf8)
        #expect(text.contains("schedules 20"))
        #expect(text.contains("always queue.depth <= 6"))
        #expect(text.split(separator: "\n").count < 16, "\(text)")
        // Without a seed, a filed bug is run under as many as it says.
        let again = try SimulatorProcess.run(["run", small.path, "--json"])
        #expect(again.exitCode == 13)
        #expect(again.output.split(separator: "\n").count == 20)
    }

    @Test func `says that nothing fails`() throws {
        let folder = try SimulatorProcess.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let text = Self.scenario.replacing("queue.depth <= 6", with: "queue.depth <= 10000")
        let result = try SimulatorProcess.run(["shrink", try file(text, in: folder), "--schedules", "3"])
        #expect(result.exitCode == 15)
        #expect(result.output.isEmpty)
    }

    @Test(arguments: [
        ["--for", "soon"], ["--for", "0s"], ["--oracle", "delphi"], ["--seed", "x"], ["--schedules", "0"],
    ])
    func `refuses wrong options`(_ options: [String]) throws {
        #expect(try SimulatorProcess.run(["shrink", "some.scn"] + options).exitCode == 64)
    }

    @Test func `names the place of a mistake in the file`() throws {
        let folder = try SimulatorProcess.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = try file("scenario x v1\nwhen\n  @1s dance\n", in: folder)
        let result = try SimulatorProcess.run(["shrink", path])
        #expect(result.exitCode == 16)
        #expect(result.errors.contains("big.scn:3:"))
    }
}
