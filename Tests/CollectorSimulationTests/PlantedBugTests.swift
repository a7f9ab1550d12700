#if MUTANTS
    import CollectorCore
    import CollectorSimulation
    import Foundation
    import Testing

    /// Builds with the trait `Mutants` can plant a bug in every run; for each there is a scenario that shows it.
    @Suite struct `planted bugs` {
        struct Catch: CustomTestStringConvertible {
            var mutation: Mutation
            /// A scenario of the gallery.
            var file: String
            /// Who has to notice, whoever else does.
            var oracle: OracleName

            init(_ mutation: Mutation, _ file: String, _ oracle: OracleName) {
                self.mutation = mutation
                self.file = file
                self.oracle = oracle
            }

            var testDescription: String { mutation.rawValue }
        }

        static let catches: [Catch] = [
            Catch(.uncountedDrop, "slow-subscriber", .accounts),
            Catch(.dropCountedTwice, "slow-subscriber", .accounts),
            Catch(.threadUncounted, "exec-by-thread", .accounts),
            Catch(.fenceOffByOne, "restart-cursor", .accounts),
            Catch(.tailForgotten, "blocked-subscriber", .convergence),
            Catch(.forgottenGap, "overflow-and-resync", .gaps),
            Catch(.lossOffByOne, "overflow-and-resync", .gaps),
            Catch(.gapTooShort, "overflow-and-resync", .gaps),
            Catch(.mergedLossForgotten, "overflow-and-resync", .gaps),
            Catch(.unseenForgotten, "polling-short-lived", .accounts),
            Catch(.cursorTooEarly, "restart-cursor", .gaps),
            Catch(.pidOnlyIdentity, "short-lived-processes", .identity),
            Catch(.staleReadBelieved, "image-replaced", .identity),
            Catch(.supersededReadBelieved, "image-replaced", .identity),
            Catch(.startTimeIgnored, "loss-hides-ends", .identity),
            Catch(.parentOfParent, "faulty-proc", .identity),
            Catch(.userNotInherited, "hostile-names", .identity),
            Catch(.escapeUnmarked, "hostile-names", .identity),
            Catch(.runIDNotKept, "restart-cursor", .order),
            Catch(.repeatedSequence, "repeated-datagrams", .noInvention),
            Catch(.forgedSenderBelieved, "forged-sender", .noInvention),
            Catch(.leaderExitIsDeath, "exec-by-thread", .noInvention),
            Catch(.absenceIsDeath, "hidepid", .noInvention),
            Catch(.ownEvents, "restart-cursor", .noInvention),
            Catch(.execDeferred, "calico-burst", .order),
            Catch(.resyncForgotten, "blocked-subscriber", .convergence),
            Catch(.absentForgotten, "loss-hides-ends", .convergence),
            Catch(.zombieReadopted, "loss-hides-ends", .order),
            Catch(.lastThreadForgotten, "zombie-leader", .expectations),
            Catch(.threadsSurviveExec, "exec-by-thread", .expectations),
            Catch(.batchSizeIgnored, "slow-subscriber", .bounds),
            Catch(.oneBatchDropped, "slow-subscriber", .bounds),
            Catch(.drainUnannounced, "blocked-subscriber", .shutdown),
            Catch(.lostWakeup, "short-lived-processes", .convergence),
            Catch(.overflowIsFatal, "blocked-subscriber", .progress),
            Catch(.unorderedSample, "suspend", .determinism),
            Catch(.fileResyncForgotten, "files-queue-overflow", .fileIndex),
            Catch(.fileCreationUntold, "files-editor-save", .fileOrder),
            Catch(.secretsTold, "secret-arguments", .redaction),
            Catch(.specialFileOpened, "files-symlink-escape", .containment),
        ]

        @Test(arguments: catches)
        func `is caught by its oracle`(_ planted: Catch) throws {
            let begin = ContinuousClock.now
            // Few seeds first: most bugs show at once.
            for seeds in [1...1, 2...5, 6...20, 21...60] as [ClosedRange<Int>] {
                let records = try SimulatorProcess.records(
                    of: planted.file, seeds: seeds, mutant: planted.mutation.rawValue)
                let seed = records.firstIndex { record in
                    (record.oracles[planted.oracle.rawValue] ?? "") == "fail"
                }
                guard let seed else { continue }
                let taken = ContinuousClock.now - begin
                print(row(planted, seeds: seeds.lowerBound + seed, taken: taken))
                return
            }
            Issue.record("\(planted.mutation.rawValue): \(planted.oracle.rawValue) never noticed")
        }

        private func row(_ planted: Catch, seeds: Int, taken: Duration) -> String {
            func column(_ text: String, _ width: Int) -> String {
                text.padding(toLength: width, withPad: " ", startingAt: 0)
            }
            return "caught: " + column(planted.mutation.rawValue, 26) + column(planted.oracle.rawValue, 14)
                + column(planted.file, 24) + column("\(seeds) seeds", 10)
                + taken.formatted(.units(allowed: [.milliseconds]))
        }

        @Test func `are known in full`() {
            #expect(Set(Self.catches.map(\.mutation)) == Set(Mutation.allCases))
            #expect(Self.catches.count >= 20)
        }

        @Test func `leave no oracle untried`() {
            #expect(Set(Self.catches.map(\.oracle)) == Set(OracleName.allCases))
        }

        @Test func `do nothing unless they are planted`() throws {
            for planted in Self.catches {
                let records = try SimulatorProcess.records(of: planted.file, seeds: 1...1, mutant: nil)
                #expect(records.map(\.verdict) == ["pass"], "\(planted.file)")
            }
        }

        @Test func `that are unknown are refused`() throws {
            let records = try SimulatorProcess.records(of: "clock-step", seeds: 1...1, mutant: "nothing")
            #expect(records.map(\.verdict) == ["scenario-error"])
        }
    }
#endif
