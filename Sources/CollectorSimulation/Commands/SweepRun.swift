import ArgumentParser

extension Simulator.Run {
    /// `--fail-each-call`.
    func sweep(_ files: [String]) throws {
        let sweep: SweepCommand
        do { sweep = try SweepCommand(operation: operation, errno: errno) } catch {
            throw ValidationError(error.message)
        }
        let workers = try WorkerPair()
        if let mutant { workers.plant(mutant: mutant) }
        let begin = Terminal.realNanoseconds
        var results: [SweepResult] = []
        for path in files {
            let result = try sweep.run(
                ScenarioFiles.read(path), path: path, seed: seed.flatMap { Seeds.number($0) },
                workers: workers
            ) { Terminal.progress($0) }
            Terminal.progress("")
            results.append(result)
            if let problem = result.problem { Terminal.standardError.writeLine(problem) }
            if json {
                Terminal.standardOutput.writeLine(result.json)
            } else if result.problem == nil {
                Terminal.standardOutput.writeLine(result.text(command: SimulatorCommand.program.name))
            }
            Terminal.standardOutput.flush()
        }
        let runs = results.reduce(0) { $0 + $1.runCount }
        let seconds = Double((Terminal.realNanoseconds - begin) / 100_000_000) / 10
        if !json { Terminal.standardOutput.writeLine("\(runs) runs in \(seconds) s") }
        let verdict = Verdict.overall(results.map(\.verdict))
        if verdict != .pass { throw ExitCode(verdict.exitCode) }
    }
}
