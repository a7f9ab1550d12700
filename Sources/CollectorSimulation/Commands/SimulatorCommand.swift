import ArgumentParser
public import CollectorCore
import LinuxBackends
import Synchronization

/// The command line of a simulator: `run`, `swarm`, `shrink` and the others, with whatever sources it has beside the
/// collector's own.
///
/// ```swift
/// @main
/// struct Main {
///     static func main() { SimulatorCommand.main(name: "spool-sim", sources: [.spool]) }
/// }
/// ```
public enum SimulatorCommand {
    struct Program: Sendable {
        var name = "collector-sim"
        var sources: [SourceDefinition] = []
    }

    private static let installed = Mutex(Program())

    /// That of this process; the parser makes commands by itself and cannot be given one.
    static var program: Program { installed.withLock { $0 } }

    /// Obeys the arguments of this process, and ends it with the code that `--help` tells.
    ///
    /// To be called before any other thread exists: the process forks. It starts itself again, as its own workers.
    ///
    /// - Parameters:
    ///   - name: How the program is called in messages and in the commands that they suggest.
    ///   - sources: Those that run beside the collector's own.
    public static func main(name: String = "collector-sim", sources: [SourceDefinition] = []) -> Never {
        installed.withLock { $0 = Program(name: name, sources: sources) }
        if let problem = HostProcess.argumentsProblem {
            Terminal.standardError.writeLine("\(name): \(problem)")
            Simulator.leave(70)
        }
        Simulator.main()
        Simulator.leave(0)
    }
}

struct Simulator: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: SimulatorCommand.program.name,
            abstract: "Runs the collector, unchanged, on a simulated kernel, clock and scheduler.",
            discussion: """
                A scenario file and a seed decide every event, every fault and every choice of the scheduler: the same two give \
                the same run, byte by byte. What the collector says is checked against what really happened.

                Exit codes: 0 pass, 10 crash, 11 safety, 12 liveness, 13 bounds, 14 non-determinism, 15 a demanded \
                situation did not arise, 16 a scenario file is wrong, 64 wrong usage, 66 no such file, 70 internal error.
                """,
            subcommands: [
                Run.self, Swarm.self, Shrink.self, Format.self, Conform.self, Cover.self, SoakRun.self,
                ServeAsWorker.self,
            ])
    }

    /// No error escapes: an error that leaves `main` would be a crash.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let code as ExitCode {
            leave(code.rawValue)
        } catch {
            let code = exitCode(for: error)
            if code == .success {
                Terminal.standardOutput.writeLine(fullMessage(for: error))
            } else {
                Terminal.standardError.writeLine(fullMessage(for: error))
            }
            leave(
                code == .success
                    ? 0 : (error as? FileError)?.exitCode ?? (code == .validationFailure ? 64 : 70))
        }
        leave(0)
    }

    static func leave(_ code: Int32) -> Never {
        Terminal.standardOutput.flush()
        Terminal.standardError.flush()
        Terminal.exit(code)
    }
}
