import CollectorSimulation
import Foundation
import SimulatedBackends
import Testing

@Suite struct CallSweepTests {
    private func scenario(_ name: String) throws -> Scenario {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = folder.appending(path: "Scenarios/sweep/\(name).scn").path
        return try Scenario(parsing: Array(Data(contentsOf: URL(filePath: path))), path: path)
    }

    /// Everything that can go wrong, on the calls 1, 2, 3 and 5; `collector-sim run --fail-each-call` tries each call.
    @Test(arguments: ["startup", "steady", "shutdown", "files"])
    func `whichever call fails in whichever way, every oracle holds`(name: String) throws {
        let scenario = try scenario(name)
        var sweep = CallSweep(
            scenario, seed: scenario.seed, cases: SweepCase.all(), spacing: .fibonacci, callLimit: 5)
        try sweep.run(width: 1) { scenarios in
            scenarios.map { ScenarioRunner.run($0, seed: scenario.seed) }
        }
        for finding in sweep.summary.findings {
            Issue.record("\(name): \(finding.sweepCase.line(nth: finding.nth)): \(finding.failures)")
        }
        #expect(sweep.summary.runCount > 300)
        let struck = sweep.summary.calls.filter { $0.strikeCount > 0 }.map(\.call)
        var unused: Set<BackendOperation> = [.procfsStatus, .procfsThreads, .entropyWord]
        unused.formUnion([.imageOpen, .imageRead, .imageStatus])
        unused.formUnion([.transportListen, .transportAccept, .transportConnect])
        unused.formUnion([.transportReceive, .transportSend, .transportWait])
        if name != "files" {
            unused.formUnion([.watchOpen, .watchAdd, .watchRemove, .watchRead, .watchWait])
            unused.formUnion([.rootOpen, .rootStatus, .rootList, .rootRead])
        }
        let missed = Set(BackendOperation.allCases).subtracting(unused).subtracting(struck)
        #expect(missed.isEmpty)
    }

    private let plain = """
        scenario plain v1
        config converge=100ms

        when
          @0s    start
          @10ms  fork 1 -> 500
          @300ms stop SIGTERM

        fault
          procfs.list nth=1 -> EINTR

        """

    @Test func `a sweep goes on until a run is not touched`() throws {
        let scenario = try Scenario(parsing: Array(plain.utf8), path: "plain.scn")
        var sweep = CallSweep(scenario, seed: 1, cases: [SweepCase(.fileReplace, "EIO")])
        var struck: [Int] = []
        try sweep.run(width: 2) { scenarios in
            scenarios.map { scenario in
                let record = ScenarioRunner.run(scenario, seed: 1)
                struck.append(record.faultFirings[0])
                return record
            }
        }
        // The run counter and the cursor at the end; the third call does not come.
        #expect(struck == [1, 1, 0])
        #expect(sweep.summary.runCount == 3)
        let calls = try #require(sweep.summary.calls.first)
        #expect(calls.callCount == 2 && calls.unreadyCount == 1)
        #expect(sweep.summary.findings.isEmpty)
    }

    @Test func `only a collector that could not start is excused, and only for not working`() {
        var record = RunRecord(scenario: "x", seed: 1)
        let accounts = Failure(.accounts, .safety, "unbalanced")
        let failed = Failure(.progress, .liveness, "the collector could not run: no memory")
        let stuck = Failure(.progress, .liveness, "deadlock: nobody")
        let crash = Failure(.progress, .crash, "the run was killed by signal 4")
        record.failures = [accounts, failed, stuck, crash]
        #expect(SweepVerdict.failures(of: record) == record.failures)
        record.startProblem = "no memory"
        #expect(SweepVerdict.failures(of: record) == [accounts, stuck, crash])
    }

    @Test func `what was not taken well is found, once for each kind`() throws {
        let scenario = try Scenario(parsing: Array(plain.utf8), path: "plain.scn")
        var sweep = CallSweep(scenario, seed: 1, cases: [SweepCase(.procfsRead, "EIO")], callLimit: 5)
        try sweep.run(width: 1) { scenarios in
            scenarios.map { scenario in
                var record = RunRecord(scenario: scenario.name, seed: 1)
                record.faultFirings = [1]
                record.failures = [
                    Failure(.accounts, .safety, "lost is \(Int.random(in: 1...99)), in truth 0")
                ]
                return record
            }
        }
        #expect(sweep.summary.findingCount == 5)
        #expect(sweep.summary.findings.map(\.nth) == [1])
        #expect(sweep.summary.verdict == .safety)
    }

    @Test func `options that name nothing say what there is`() {
        #expect(throws: SweepOptionError.self) { try SweepCommand(operation: "disk", errno: nil) }
        #expect(throws: SweepOptionError.self) { try SweepCommand(operation: "procfs", errno: "ENOSPC") }
        #expect(throws: Never.self) { try SweepCommand(operation: "file", errno: "ENOSPC") }
    }
}
