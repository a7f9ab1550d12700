import CollectorSimulation
import Testing

@Suite struct CoverageTests {
    @Test func `names of probes are unique and can be demanded`() throws {
        #expect(Set(Probes.names).count == Probes.names.count)
        let text = "scenario x v1\n\nexpect\n  sometimes \(Probes.names.joined(separator: ","))\n"
        #expect(try Scenario(parsing: Array(text.utf8), path: "x.scn").expectations.count == 1)
    }

    @Test func `coverage keeps the first seed, counts runs, and names what is missing`() {
        var coverage = Coverage()
        for (seed, probes) in [(UInt64(4), ["pid-reuse"]), (5, ["pid-reuse", "resync"])] {
            var record = RunRecord(scenario: "x", seed: seed)
            record.probes = probes
            coverage.note(record, path: "x.scn")
        }
        let reuse = coverage.entries.first { $0.name == "pid-reuse" }
        #expect(reuse?.runCount == 2 && reuse?.first?.seed == 4)
        #expect(coverage.runCount == 2 && coverage.verdict == .uncovered)
        #expect(coverage.missing.contains("suspended") && !coverage.missing.contains("resync"))
        #expect(coverage.text(hasColour: false).contains("first by x.scn --seed 4"))
        #expect(coverage.json.contains("\"missing\":["))
    }

    #if PROBES
        @Test func `a run tells what the product's code has met`() throws {
            let scenario = try galleryScenario("overflow-and-resync.scn")
            let record = ScenarioRunner.run(scenario, seed: 3)
            #expect(record.probes.contains("receive-overflow"))
            #expect(record.probes.contains("resync-completed"))
            // Nothing of one run is left for the next.
            let idle = ScenarioRunner.run(try galleryScenario("exec-by-thread.scn"), seed: 1)
            #expect(!idle.probes.contains("receive-overflow"))
        }
    #else
        @Test func `a build without probes demands none of the product's`() throws {
            let text = """
                scenario x v1

                when
                  @0s    start
                  @300ms stop SIGTERM

                expect
                  sometimes tracker-full

                """
            let scenario = try Scenario(parsing: Array(text.utf8), path: "x.scn")
            #expect(ScenarioRunner.run(scenario, seed: 1).verdict == .pass)
            #expect(!Coverage.isAvailable)
        }
    #endif
}
