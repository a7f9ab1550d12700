import ArgumentParser

extension Simulator {
    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run",
            abstract: "Runs scenario files and checks what the collector says against the truth.",
            discussion: """
                Every seed is run twice, in two processes that were started separately; a difference is an error and names the \
                first part of the run that differs. A folder stands for the .scn files in it.

                Examples:
                  collector-sim run Scenarios/gallery
                  collector-sim run Scenarios/gallery/pid-reuse-storm.scn --seeds 1..500
                  collector-sim run storm.scn --seed 0x51C2 --json
                  collector-sim run Scenarios/sweep --fail-each-call
                  collector-sim run storm.scn --fail-each-call --operation netlink --errno ENOMEM
                """)

        @Argument(help: ArgumentHelp("Scenario files or folders.", valueName: "file|folder"))
        var paths: [String]

        @Option(help: "Run this seed instead of the scenario's own (decimal or 0x...).")
        var seed: String?

        @Option(help: ArgumentHelp("Run all seeds of a range.", valueName: "a..b"))
        var seeds: String?

        @Flag(
            help:
                "Replace the output lines below \"events\" by what was observed, and write the files canonically."
        )
        var rewrite = false

        @Flag(help: "One JSON object for each run on standard output.")
        var json = false

        @Option(help: ArgumentHelp("Also write a JUnit report.", valueName: "file"))
        var junit: String?

        @Option(
            help: ArgumentHelp(
                "Also write a page about the run of one seed: time line, queues, gaps, verdicts.",
                valueName: "file.html"))
        var report: String?

        @Flag(
            help: """
                Instead, fail the first, second, third ... call of every kind in every way, one call a run, until a run \
                goes by untouched; what is not taken well is listed.
                """)
        var failEachCall = false

        @Option(
            help: ArgumentHelp(
                "With --fail-each-call: only these calls.", valueName: "procfs.read|netlink|..."))
        var operation: String?

        @Option(help: ArgumentHelp("With --fail-each-call: only this error.", valueName: "EIO|ENOMEM|..."))
        var errno: String?

        @Option(help: .hidden)
        var mutant: String?

        func validate() throws {
            _ = try choice
            guard failEachCall || (operation == nil && errno == nil) else {
                throw ValidationError("expected --operation and --errno together with --fail-each-call")
            }
            guard !failEachCall || (seeds == nil && !rewrite && junit == nil && report == nil) else {
                throw ValidationError("expected --fail-each-call with no other option but --seed and --json")
            }
        }

        private var choice: SeedChoice {
            get throws {
                guard seed == nil || seeds == nil else {
                    throw ValidationError("expected --seed or --seeds, not both")
                }
                if let seed {
                    guard let number = Seeds.number(seed) else {
                        throw ValidationError(
                            "expected --seed with a number such as 7 or 0x51C2, not \"\(seed)\"")
                    }
                    return .range(number...number)
                }
                guard let seeds else { return .fromScenario }
                guard let range = Seeds.range(seeds) else {
                    throw ValidationError("expected --seeds with a range such as 1..500, not \"\(seeds)\"")
                }
                return .range(range)
            }
        }

        func run() throws {
            let files = try ScenarioFiles.expand(paths)
            guard !files.isEmpty else {
                throw FileError(path: paths.joined(separator: " "), reason: "holds no .scn file")
            }
            guard report == nil || files.count == 1 else {
                throw ValidationError("expected one scenario file with --report")
            }
            if failEachCall { return try sweep(files) }
            let choice = try choice
            let begin = Terminal.realNanoseconds
            let workers = try WorkerPair()
            if let mutant { workers.plant(mutant: mutant) }
            let text = TextReport(
                hasColour: Terminal.standardOutput.hasColour, command: SimulatorCommand.program.name)
            var results: [ScenarioResult] = []
            for (index, path) in files.enumerated() {
                let bytes = try rewrite ? rewritten(path, with: workers) : ScenarioFiles.read(path)
                var done = 0
                let result = try workers.run(bytes, path: path, seeds: choice) { record in
                    done += 1
                    if json { Terminal.standardOutput.writeLine(JSONReport.line(record)) }
                    Terminal.progress("\(index + 1)/\(files.count) \(path): \(done) seeds")
                }
                Terminal.progress("")
                results.append(result)
                show(result, text: text)
                if let report { try writeReport(of: result, from: bytes, to: report) }
            }
            if !json {
                let total = text.total(results, wallNanoseconds: Terminal.realNanoseconds - begin)
                Terminal.standardOutput.writeLine(total)
            }
            if let junit { try ScenarioFiles.write(JUnitReport.document(results), to: junit) }
            let verdict = Verdict.overall(results.map(\.verdict))
            if verdict != .pass { throw ExitCode(verdict.exitCode) }
        }

        /// Takes the output of one run as the expected one, and gives the file's new bytes.
        private func rewritten(_ path: String, with workers: WorkerPair) throws -> [UInt8] {
            let bytes = try ScenarioFiles.read(path)
            // A file that cannot be read as a scenario is reported by the run that follows.
            guard let scenario = try? Scenario(parsing: bytes, path: path) else { return bytes }
            workers.load(bytes, path: path)
            let record = try workers.run(scenario, seed: choice.first(of: scenario))
            let new = Array(scenario.rewritten(with: record.outputs).utf8)
            if new != bytes { try ScenarioFiles.write(String(decoding: new, as: UTF8.self), to: path) }
            return new
        }

        /// The page of the first seed that failed, else of the first.
        private func writeReport(of result: ScenarioResult, from bytes: [UInt8], to path: String) throws {
            // A file that is no scenario has been reported, and has no record.
            guard let scenario = try? Scenario(parsing: bytes, path: result.path),
                let record = result.records.first(where: { $0.verdict != .pass }) ?? result.records.first
            else { return }
            let page = HTMLReport.page(
                of: scenario, from: bytes, record: record, mutant: mutant,
                sources: SimulatorCommand.program.sources)
            try ScenarioFiles.write(page, to: path)
        }

        private func show(_ result: ScenarioResult, text: TextReport) {
            if let problem = result.problem {
                Terminal.standardError.writeLine(problem)
                return
            }
            if !json { Terminal.standardOutput.writeLine(text.summary(result)) }
            let failed = result.records.filter { $0.verdict != .pass }
            let screen = json ? Terminal.standardError : Terminal.standardOutput
            // One screen a failure, for the first few: a broken scenario fails for every seed.
            for record in failed.prefix(3) { screen.writeLine(text.failure(record, path: result.path)) }
            if failed.count > 3 {
                let seeds = failed.dropFirst(3).prefix(20).map { String($0.seed) }.joined(separator: " ")
                screen.writeLine("  and \(failed.count - 3) more seeds: \(seeds)")
            }
            Terminal.standardOutput.flush()
        }
    }
}

/// Seeds as the command line writes them.
enum Seeds {
    static func number(_ text: some StringProtocol) -> UInt64? {
        text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    }

    static func range(_ text: String) -> ClosedRange<UInt64>? {
        guard let separator = text.firstRange(of: "..") else { return nil }
        guard let low = number(text[..<separator.lowerBound]),
            let high = number(text[separator.upperBound...]),
            low <= high
        else { return nil }
        return low...high
    }
}
