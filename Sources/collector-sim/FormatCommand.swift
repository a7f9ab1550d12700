import ArgumentParser
import CollectorSimulation

extension CollectorSim {
    struct Format: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "fmt",
            abstract: "Writes scenario files in their canonical form.",
            discussion: "Comments stay. A folder stands for the .scn files in it.")

        @Argument(help: ArgumentHelp("Scenario files or folders.", valueName: "file|folder"))
        var paths: [String]

        @Flag(
            help: "Change nothing; name the files that are not canonical and exit with 16 if there are any.")
        var check = false

        func run() throws {
            var hasProblem = false
            for path in try ScenarioFiles.expand(paths) {
                let bytes = try ScenarioFiles.read(path)
                let scenario: Scenario
                do { scenario = try Scenario(parsing: bytes, path: path) } catch {
                    Terminal.standardError.writeLine(error.description)
                    hasProblem = true
                    continue
                }
                let text = scenario.formatted
                guard Array(text.utf8) != bytes else { continue }
                if check {
                    Terminal.standardOutput.writeLine("\(path): not in canonical form")
                    hasProblem = true
                } else {
                    try ScenarioFiles.write(text, to: path)
                    Terminal.standardOutput.writeLine("\(path): rewritten")
                }
            }
            if hasProblem { throw ExitCode(Verdict.scenarioError.exitCode) }
        }
    }
}
