import ArgumentParser

extension Simulator {
    struct Swarm: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "swarm",
            abstract: "Runs random scenarios of a profile until one fails or time is up.",
            discussion: """
                A profile says what the scenarios are made of; a number, the seed, decides the rest. Every seed is run twice, \
                in two processes that were started separately. First the bugs filed earlier are replayed, each under the \
                number of schedules that its file names. A new failure is shrunk to a small scenario and filed; failures \
                that look alike are counted, and shrunk once. Ctrl-C stops with the summary.

                Examples:
                  collector-sim swarm --minutes 10
                  collector-sim swarm Scenarios/swarm/nightly.swarm --seeds 1..100000 --json
                  collector-sim swarm --seed 4711                 run one seed
                  collector-sim swarm --print 4711 > seed.scn     write its scenario instead

                Exit codes: those of run; the worst failure decides. 15 when the profile requires a probe that no seed hit.
                """)

        @Argument(help: ArgumentHelp("The profile.", valueName: "profile"))
        var profile = "Scenarios/swarm/lite.swarm"

        @Option(help: "Begin no seed after this many minutes; 0.5 is half a minute.")
        var minutes: Double?

        @Option(
            help: ArgumentHelp(
                "Run all seeds of a range; with --minutes, the seeds to begin with.", valueName: "a..b"))
        var seeds: String?

        @Option(help: "Run this seed (decimal or 0x...).")
        var seed: String?

        @Option(
            help: ArgumentHelp(
                "Write the scenario of this seed to standard output, and run nothing.", valueName: "seed"))
        var print: String?

        @Option(help: ArgumentHelp("Pairs of workers; half of the CPUs unless given.", valueName: "count"))
        var jobs: Int?

        @Flag(help: "End with one JSON object on standard output.")
        var json = false

        @Flag(help: "Begin no further seed after a failure.")
        var failFast = false

        @Option(help: ArgumentHelp("Where bugs are filed and replayed from.", valueName: "folder"))
        var bugs: String?

        @Flag(help: "Neither shrink nor file failures.")
        var noShrink = false

        @Option(help: .hidden)
        var mutant: String?

        func validate() throws {
            guard [seed, seeds, print].count(where: { $0 != nil }) <= 1 else {
                throw ValidationError("expected one of --seed, --seeds, --print")
            }
            for text in [seed, print] {
                if let text, Seeds.number(text) == nil {
                    throw ValidationError("expected a number such as 7 or 0x51C2, not \"\(text)\"")
                }
            }
            if let seeds, Seeds.range(seeds) == nil {
                throw ValidationError("expected --seeds with a range such as 1..500, not \"\(seeds)\"")
            }
            if let minutes, !(minutes > 0 && minutes <= 100_000) {
                throw ValidationError("expected --minutes above 0 and at most 100000")
            }
            if let jobs, !(1...128).contains(jobs) { throw ValidationError("expected --jobs 1 to 128") }
        }

        func run() throws {
            let bytes = try ScenarioFiles.read(profile)
            if let print { return try printScenario(bytes, seed: Seeds.number(print) ?? 0) }
            let reporter = SwarmReporter(profile: profile, isJSON: json)
            let campaign: SwarmCampaign
            do {
                campaign = try SwarmCampaign(
                    parsing: bytes, path: profile, options: options, progress: reporter.show,
                    finding: reporter.show)
            } catch {
                Terminal.standardError.writeLine(error.description)
                throw ExitCode(Verdict.scenarioError.exitCode)
            }
            let summary = try campaign.run()
            Terminal.progress("")
            Terminal.standardOutput.writeLine(
                json ? summary.json : summary.text(hasColour: Terminal.standardOutput.hasColour))
            if summary.verdict != .pass { throw ExitCode(summary.verdict.exitCode) }
        }

        private var options: SwarmOptions {
            var options = SwarmOptions()
            if let seed = seed.flatMap({ Seeds.number($0) }) { options.seeds = seed...seed }
            if let range = seeds.flatMap({ Seeds.range($0) }) { options.seeds = range }
            options.timeLimitNanoseconds = minutes.map { Int64($0 * 60e9) }
            if seed == nil, seeds == nil, minutes == nil {
                // Without any limit: a minute.
                options.timeLimitNanoseconds = 60_000_000_000
            }
            options.jobCount = jobs ?? SwarmOptions.defaultJobCount
            options.stopsAtFirstFailure = failFast
            options.shrinks = !noShrink
            options.mutant = mutant
            // A planted bug is not one to file, unless somebody says where.
            options.bugFolder = bugs ?? (mutant == nil && seed == nil ? "Scenarios/bugs" : nil)
            return options
        }

        private func printScenario(_ bytes: [UInt8], seed: UInt64) throws {
            do {
                let text = try SwarmScenario.text(ofSeed: seed, profile: bytes, path: profile)
                // The text ends with a line break of its own.
                Terminal.standardOutput.writeLine(String(text.dropLast()))
            } catch {
                Terminal.standardError.writeLine(error.description)
                throw ExitCode(Verdict.scenarioError.exitCode)
            }
        }
    }
}

/// Shows how a swarm goes on.
private final class SwarmReporter {
    private let profile: String
    private let screen: Terminal
    private let begin = Terminal.realNanoseconds
    private var lastLine: Int64

    /// Between two lines on what is not a terminal.
    private static let lineInterval: Int64 = 10_000_000_000
    private static let refreshInterval: Int64 = 200_000_000

    init(profile: String, isJSON: Bool) {
        self.profile = profile
        screen = isJSON ? .standardError : .standardOutput
        lastLine = begin
    }

    func show(_ progress: SwarmProgress) {
        let now = Terminal.realNanoseconds
        let interval = Terminal.standardError.isTerminal ? Self.refreshInterval : Self.lineInterval
        guard now - lastLine >= interval else { return }
        lastLine = now
        if Terminal.standardError.isTerminal {
            Terminal.progress(progress.text)
        } else {
            Terminal.standardError.writeLine(progress.text)
        }
    }

    func show(_ finding: SwarmFinding) {
        Terminal.progress("")
        screen.writeLine(
            TextReport(hasColour: screen.hasColour, command: "collector-sim").finding(
                finding, profile: profile))
        screen.flush()
    }
}
