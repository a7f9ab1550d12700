import CollectorSimulation
import Testing

@Suite struct `two runs of one seed` {
    private func record(_ change: (inout RunRecord) -> Void = { _ in }) -> RunRecord {
        var record = RunRecord(scenario: "a", seed: 1)
        record.traceHash = 9
        record.stepCount = 3_000
        record.checkpoints = [1, 2]
        change(&record)
        return record
    }

    @Test func `are equal whatever time they took`() {
        #expect(RunDifference(record(), record { $0.wallNanoseconds = 5 }) == nil)
    }

    @Test func `differ first in the interval of the first checkpoint that differs`() {
        let difference = RunDifference(
            record(),
            record {
                $0.checkpoints = [1, 3]
                $0.traceHash = 8
            })
        #expect(difference?.steps == 1_024..<2_048)
    }

    @Test func `differ behind the last checkpoint when all of them agree`() {
        #expect(RunDifference(record(), record { $0.traceHash = 8 })?.steps == 2_048..<3_072)
        #expect(RunDifference(record(), record { $0.stepCount = 3_001 })?.steps == 2_048..<3_072)
    }

    @Test func `differ when their reports do, although their traces agree`() {
        let difference = RunDifference(record(), record { $0.eventCount = 1 })
        #expect(difference?.steps == nil)
        #expect(difference?.message.contains("reports differ") == true)
    }

    @Test func `differ when only one of them crashed`() {
        let crash = [Failure(.progress, .crash, "killed")]
        #expect(RunDifference(record(), record { $0.failures = crash })?.message.contains("crashed") == true)
        #expect(RunDifference(record { $0.failures = crash }, record { $0.failures = crash }) == nil)
    }

    @Test func `are shown with the first step in which they differ`() throws {
        var difference = try #require(RunDifference(record(), record { $0.traceHash = 8 }))
        difference.describeSteps(["#1 a", "#2 b", "#3 c"], ["#1 a", "#2 x", "#3 c"])
        #expect(difference.message.hasSuffix("\none: #2 b\nother: #2 x"))
        var shorter = try #require(RunDifference(record(), record { $0.traceHash = 8 }))
        shorter.describeSteps(["#1 a"], [])
        #expect(shorter.message.hasSuffix("\none: #1 a\nother: the end"))
    }

    @Test func `keep the steps that were asked for`() throws {
        let scenario = try scenario(`the runner`.short)
        let record = ScenarioRunner.runAndRecord(scenario, seed: 3, capturing: 10..<20).record
        #expect(record.capturedSteps.count == 10)
        #expect(record.capturedSteps[0].hasPrefix("#10 "))
        #expect(record.traceHash == ScenarioRunner.run(scenario, seed: 3).traceHash)
        #expect(RunRecord(decoding: record.encoded.map { Array($0.utf8) }) == record)
    }
}
