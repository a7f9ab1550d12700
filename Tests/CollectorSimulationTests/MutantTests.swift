#if MUTANTS
    import CollectorSimulation
    import Foundation
    import Testing

    /// Builds with the trait `Mutants` can plant a bug for the rest of a process's life; each run has a process of its own.
    @Suite struct `planted bugs` {
        @Test func `an uncounted drop breaks the accounts`() async {
            await #expect(processExitsWith: .exitCode(Verdict.safety.exitCode)) {
                exit(try firstVerdict("slow-subscriber.scn", "uncounted-drop", .accounts))
            }
        }

        @Test func `a lost wake-up ends progress`() async {
            await #expect(processExitsWith: .exitCode(Verdict.liveness.exitCode)) {
                exit(try firstVerdict("short-lived-processes.scn", "lost-wakeup", .shutdown))
            }
        }

        @Test func `pid-only identity mixes up incarnations`() async {
            await #expect(processExitsWith: .exitCode(Verdict.safety.exitCode)) {
                exit(try firstVerdict("pid-reuse-storm.scn", "pid-only-identity", .identity))
            }
        }
    }

    /// The exit code of the first seed among fifty that fails; 0 when none does, or not noticed by another oracle.
    private func firstVerdict(_ file: String, _ mutant: String, _ oracle: OracleName) throws -> Int32 {
        let scenario = try galleryScenario(file)
        for seed in 1...50 as ClosedRange<UInt64> {
            let record = ScenarioRunner.run(scenario, seed: seed, mutant: mutant)
            guard record.verdict != .pass else { continue }
            return record.failures.contains { $0.oracle == oracle } ? record.verdict.exitCode : 0
        }
        return 0
    }
#endif
