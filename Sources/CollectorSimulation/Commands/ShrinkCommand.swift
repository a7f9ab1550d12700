import ArgumentParser

extension Simulator {
    struct Shrink: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "shrink",
            abstract: "Makes a failing scenario as small as it gets while it still fails in the same way.",
            discussion: """
                Removes lines, processes, faults and settings, then makes counts, times and texts simpler. A smaller scenario \
                counts when the same oracle fails with the same verdict under one of a few schedules. The smallest one so far \
                is valid at every moment: more time only makes it smaller.

                Without --seed, seeds are tried from the scenario's own on until one fails. The small scenario goes to \
                standard output, to --output, or as ORACLE-HASH.scn into the folder --bugs, which every swarm replays first.

                Examples:
                  collector-sim shrink storm.scn --seed 0x51C2
                  collector-sim shrink storm.scn --oracle identity --for 10s --output small.scn
                  collector-sim shrink storm.scn --bugs Scenarios/bugs

                Exit codes: 0 shrunk, 15 no failure arose, 16 the file is wrong, 64 wrong usage, 66 no such file.
                """)

        @Argument(help: ArgumentHelp("A scenario that fails.", valueName: "file"))
        var path: String

        @Option(help: "The seed with which it fails (decimal or 0x...).")
        var seed: String?

        @Option(
            help: ArgumentHelp(
                "Keep the failure of this oracle, when there are several.", valueName: "name"),
            transform: { text in
                guard let name = OracleName(rawValue: text) else {
                    let known = OracleName.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ValidationError("expected --oracle with one of \(known), not \"\(text)\"")
                }
                return name
            })
        var oracle: OracleName?

        @Option(
            name: .customLong("for"), help: ArgumentHelp("How long to try, such as 10s.", valueName: "time"))
        var time = "60s"

        @Option(
            help: ArgumentHelp("Seeds under which the filed scenario has to pass.", valueName: "count"))
        var schedules: UInt64 = 200

        @Option(help: ArgumentHelp("Write the small scenario to this file.", valueName: "file"))
        var output: String?

        @Option(help: ArgumentHelp("File the small scenario in this folder.", valueName: "folder"))
        var bugs: String?

        @Flag(help: "One JSON object on standard output, instead of the scenario.")
        var json = false

        @Option(help: .hidden)
        var mutant: String?

        func validate() throws {
            if let seed, Seeds.number(seed) == nil {
                throw ValidationError("expected --seed with a number such as 7 or 0x51C2, not \"\(seed)\"")
            }
            guard (1...86_400).contains(timeLimitSeconds) else {
                throw ValidationError("expected --for with a time from 1s to 24h, not \"\(time)\"")
            }
            guard (1...100_000).contains(schedules) else {
                throw ValidationError("expected --schedules between 1 and 100000, not \(schedules)")
            }
            guard output == nil || bugs == nil else {
                throw ValidationError("expected --output or --bugs, not both")
            }
        }

        /// 0 when the text is no time.
        private var timeLimitSeconds: Int {
            Int(clamping: (Quantity.nanoseconds(time) ?? 0) / 1_000_000_000)
        }

        func run() throws {
            let scenario: Scenario
            do { scenario = try Scenario(parsing: ScenarioFiles.read(path), path: path) } catch let error
                as ScenarioError
            {
                Terminal.standardError.writeLine(error.description)
                throw ExitCode(Verdict.scenarioError.exitCode)
            }
            let workers = try WorkerPair()
            if let mutant { workers.plant(mutant: mutant) }
            guard let record = try failingRecord(of: scenario, workers: workers),
                let failure = record.failures.first(where: { oracle == nil || $0.oracle == oracle })
            else {
                Terminal.progress("")
                let what = oracle.map { "the oracle \($0.rawValue)" } ?? "every oracle"
                Terminal.standardError.writeLine("\(path): \(what) passes under the seeds that were tried")
                throw ExitCode(Verdict.uncovered.exitCode)
            }
            var options = ShrinkOptions()
            options.timeLimitSeconds = timeLimitSeconds
            options.scheduleCount = schedules
            let result = try Shrinker(workers: workers, options: options).shrink(
                scenario.document, path: path, seed: record.seed, failure: failure
            ) { Terminal.progress(ShrinkReport.progress($0)) }
            Terminal.progress("")
            try publish(result, of: scenario)
        }

        /// The run to shrink: that of the given seed, or the first that fails.
        private func failingRecord(of scenario: Scenario, workers: WorkerPair) throws -> RunRecord? {
            workers.load(Array(scenario.formatted.utf8), path: path)
            let given = seed.flatMap { Seeds.number($0) }
            let first = given ?? SeedChoice.fromScenario.first(of: scenario)
            let count = given == nil ? max(schedules, 1) : 1
            for offset in 0..<count {
                let record = try workers.run(scenario, seed: first &+ offset)
                Terminal.progress("\(path): looking for a seed that fails, \(offset + 1) of \(count)")
                if record.failures.contains(where: { oracle == nil || $0.oracle == oracle }) { return record }
            }
            return nil
        }

        private func publish(_ result: ShrinkResult, of scenario: Scenario) throws {
            let text = BugFile.document(of: result).print()
            var file = output
            if let output { try ScenarioFiles.write(text, to: output) }
            if let bugs { file = try BugFile.write(result, into: bugs) }
            if json {
                Terminal.standardOutput.writeLine(
                    ShrinkReport.json(result, of: scenario, file: file))
                return
            }
            if file == nil { Terminal.standardOutput.writeLine(text) }
            // Standard output is the scenario when there is no file to hold it.
            let screen = file == nil ? Terminal.standardError : Terminal.standardOutput
            screen.writeLine(
                ShrinkReport(hasColour: screen.hasColour, command: "collector-sim").text(
                    result, of: scenario, file: file))
        }
    }
}
