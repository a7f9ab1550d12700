import CollectorSimulation
import Foundation
import Testing

/// Parses a scenario that a test writes down; a mistake in it is the test's own.
func scenario(_ text: String) throws -> Scenario { try Scenario(parsing: Array(text.utf8), path: "test.scn") }

/// Reads a scenario of the gallery.
func galleryScenario(_ file: String) throws -> Scenario {
    let bytes = try Array(Data(contentsOf: `the gallery`.folder.appendingPathComponent(file)))
    return try Scenario(parsing: bytes, path: file)
}

@Suite struct `the runner` {
    static let short = """
        scenario short v1
        given
          proc 77 /usr/bin/bash ppid=1 uid=1000
        when
          @0s start
          @1s fork 77 -> 412
          @1.001s exec 412 /usr/bin/curl argv=["curl","-s"]
          @1.1s exit 412 code=3
          @1.2s reap 412
          @3s stop SIGTERM
        """

    @Test(arguments: `the gallery`.files) func `every scenario of the gallery holds`(_ file: String) throws {
        let scenario = try galleryScenario(file)
        let record = ScenarioRunner.run(scenario, seed: scenario.seed)
        #expect(record.failures == [])
        #expect(record.skippedLineCount == 0)
    }

    @Test func `the same seed gives the same run, other seeds give others`() throws {
        let scenario = try scenario(Self.short)
        let runs = [7, 7, 8, 9].map { ScenarioRunner.run(scenario, seed: $0) }
        #expect(runs[0] == runs[1])
        #expect(Set(runs.map(\.traceHash)).count == 3)
    }

    @Test func `events are shown with their incarnation and what was learnt`() throws {
        let scenario = try scenario(
            Self.short + "\nexpect\n  events kind=process.* pid=412\n  events kind=process.exit\n")
        let record = ScenarioRunner.run(scenario, seed: 1)
        let lines = try #require(record.outputs.first?.lines)
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("1.000 process.fork 412#1 ppid=77#1 name=bash"))
        #expect(lines[1] == "1.001 process.exec 412#1 name=curl exe=/usr/bin/curl argv=[curl,-s] uid=1000")
        #expect(lines[2] == "1.100 process.exit 412#1 code=3")
        #expect(record.verdict == .safety)
        let rewritten = try Scenario(
            parsing: Array(scenario.rewritten(with: record.outputs).utf8), path: "test.scn")
        #expect(ScenarioRunner.run(rewritten, seed: 1).failures == [])
    }

    @Test func `lines about what does not exist are skipped and counted`() throws {
        let scenario = try scenario(
            """
            scenario skipping v1
            given
              proc 80 /bin/a ppid=79
              proc 81 /bin/b ppid=1
            when
              @0s stop SIGTERM
              @0s account
              @0s start
              @0s start
              @1s fork 900 -> 901
              @1s exit 81#2
              @1s thread leader-exits 81
              @1s unlink /no/such/file
              @1s exit 81
              @1s setuid 81 5
              @2s stop SIGTERM
              @3s stop SIGTERM
            """)
        let record = ScenarioRunner.run(scenario, seed: 1)
        #expect(record.failures == [])
        #expect(record.skippedLineCount == 10)
    }

    @Test func `a collector that no line stops is stopped after the last line`() throws {
        let scenario = try scenario("scenario endless v1\nwhen\n  @0s start\n  @1s fork 1 -> 50\n")
        let record = ScenarioRunner.run(scenario, seed: 1)
        #expect(record.failures == [])
        #expect(record.virtualNanoseconds > 3_000_000_000)
    }

    @Test func `a scenario without a collector is a run without events`() throws {
        let record = ScenarioRunner.run(try scenario("scenario nothing v1\nwhen\n  @1s fork 1\n"), seed: 1)
        #expect(record.failures == [])
        #expect(record.eventCount == 0)
    }

    @Test func `an expectation that fails names its line`() throws {
        let scenario = try scenario(
            Self.short + "\nexpect\n  count process.exec == 2\n  sometimes pid-reuse\n")
        let failures = ScenarioRunner.run(scenario, seed: 1).failures
        #expect(failures.map(\.line) == [12, 13])
        #expect(failures.map(\.verdict) == [.safety, .uncovered])
    }

    @Test func `a waived oracle says so and does not fail the run`() throws {
        let scenario = try scenario(
            Self.short + "\nexpect\n  count process.exec == 2\n  waive expectations because=\"a test\"\n")
        let record = ScenarioRunner.run(scenario, seed: 1)
        #expect(record.verdict == .pass)
        #expect(record.oracles.first { $0.name == .expectations }?.verdict == "waived")
    }

    @Test func `a mutant that the build does not have is an error of usage, not a pass`() throws {
        let run = ScenarioRunner.runAndRecord(try scenario(Self.short), seed: 1, mutant: "no-such-mutant")
        #expect(run.record.verdict == .scenarioError)
    }
}
