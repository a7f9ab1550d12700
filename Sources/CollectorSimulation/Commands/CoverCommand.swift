import ArgumentParser

extension Simulator {
    struct Cover: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cover",
            abstract: "Shows which rare situations runs have met, and which never.",
            discussion: """
                The product's code marks the situations that are easy to forget: a fence that is not heard, a pid recycled \
                while it is read, a stop in the middle of a loss. Each run tells which it met. All must be met but those marked \
                as rare, with the reason. Builds look for them only with: swift build --traits Probes

                A folder stands for the .scn files in it; a .swarm profile for the scenarios that it makes of its seeds. Exit \
                codes: 0, 15 when a situation was not met, 16 when a file is wrong, 64 when the build does not look.
                """)

        @Argument(
            help: ArgumentHelp(
                "Scenario files, folders or .swarm profiles.", valueName: "file|folder|profile"))
        var paths = ["Scenarios/gallery", "Scenarios/sweep", "Scenarios/bugs", "Scenarios/swarm/lite.swarm"]

        @Option(help: ArgumentHelp("Run these seeds of each file.", valueName: "a..b"))
        var seeds: String?

        @Flag(help: "One JSON object.")
        var json = false

        func validate() throws {
            if let seeds, Seeds.range(seeds) == nil {
                throw ValidationError("expected --seeds with a range such as 1..500, not \"\(seeds)\"")
            }
        }

        func run() throws {
            guard Coverage.isAvailable else {
                Terminal.standardError.writeLine(
                    "this build does not look for rare situations; build with: "
                        + "swift build -c release --traits Probes --product collector-sim")
                throw ExitCode(64)
            }
            let files = try ScenarioFiles.expand(paths)
            guard !files.isEmpty else {
                throw FileError(path: paths.joined(separator: " "), reason: "holds no .scn file")
            }
            let workers = try WorkerPair()
            var coverage = Coverage()
            var isWrongFile = false
            for (index, path) in files.enumerated() {
                let problem = try workers.cover(
                    ScenarioFiles.read(path), path: path, seeds: seeds.flatMap { Seeds.range($0) },
                    into: &coverage
                ) { coverage in
                    guard coverage.runCount.isMultiple(of: 8) else { return }
                    Terminal.progress(
                        "\(index + 1)/\(files.count) \(path): \(coverage.runCount) runs, \(coverage.missing.count) not met"
                    )
                }
                Terminal.progress("")
                guard let problem else { continue }
                Terminal.standardError.writeLine(problem)
                isWrongFile = true
            }
            Terminal.standardOutput.writeLine(
                json ? coverage.json : coverage.text(hasColour: Terminal.standardOutput.hasColour))
            if isWrongFile { throw ExitCode(Verdict.scenarioError.exitCode) }
            if coverage.verdict != .pass { throw ExitCode(coverage.verdict.exitCode) }
        }
    }
}
