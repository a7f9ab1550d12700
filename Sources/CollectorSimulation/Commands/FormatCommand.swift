import ArgumentParser

extension Simulator {
    struct Format: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "fmt",
            abstract: "Writes scenario files and swarm profiles in their canonical form.",
            discussion: "Comments stay. A folder stands for the .scn and .swarm files in it.")

        @Argument(help: ArgumentHelp("Scenario files or folders.", valueName: "file|folder"))
        var paths: [String]

        @Flag(
            help: "Change nothing; name the files that are not canonical and exit with 16 if there are any.")
        var check = false

        func run() throws {
            var hasProblem = false
            for path in try ScenarioFiles.expand(paths, endings: [".scn", ".swarm"]) {
                let bytes = try ScenarioFiles.read(path)
                let text: String
                do { text = try canonical(bytes, path: path) } catch {
                    Terminal.standardError.writeLine(error.description)
                    hasProblem = true
                    continue
                }
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

        private func canonical(_ bytes: [UInt8], path: String) throws(ScenarioError) -> String {
            guard path.hasSuffix(".swarm") else {
                return try Scenario(parsing: bytes, path: path).formatted
            }
            return try SwarmProfileFile.formatted(bytes, path: path)
        }
    }
}
