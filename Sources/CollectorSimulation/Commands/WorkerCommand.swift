import ArgumentParser

extension Simulator {
    /// What `run` starts twice: serves runs over standard input and output.
    struct ServeAsWorker: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "worker", shouldDisplay: false)

        func run() throws { throw ExitCode(Worker.serve(sources: SimulatorCommand.program.sources)) }
    }
}
