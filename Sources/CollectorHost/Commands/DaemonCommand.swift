import ArgumentParser
public import CollectorCore
import LinuxBackends
import Synchronization

/// The command line of a daemon: `run`, `doctor`, `config` and `sandbox`, with whatever sources it has beside the collector's own.
///
/// ```swift
/// @main
/// struct Main {
///     static func main() { DaemonCommand.main(name: "spoold", sources: [.spool]) }
/// }
/// ```
public enum DaemonCommand {
    struct Program: Sendable {
        var name = "collectord"
        var sources: [SourceDefinition] = []
    }

    private static let installed = Mutex(Program())

    /// That of this process; the parser makes commands by itself and cannot be given one.
    static var program: Program { installed.withLock { $0 } }

    /// Obeys the arguments of this process, and ends it with the code that `--help` tells.
    ///
    /// To be called on the process's first thread, before any other exists.
    ///
    /// - Parameters:
    ///   - name: How the program is called in messages.
    ///   - sources: Those beside the collector's own, whose settings become part of the program's.
    public static func main(name: String = "collectord", sources: [SourceDefinition] = []) -> Never {
        installed.withLock { $0 = Program(name: name, sources: sources) }
        if let problem = HostProcess.argumentsProblem {
            complain(problem)
            HostProcess.exitNow(HostError.Code.unavailable.exitCode)
        }
        Root.main()
        // The parser leaves by itself unless a command returns.
        Root.exit()
    }

    static func complain(_ message: String) { HostEnvironment.complain("\(program.name): \(message)") }
}

struct Root: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: DaemonCommand.program.name,
            abstract: "Watches this host's processes and files, and accounts for every kernel message.",
            discussion: """
                Exit codes: 0 stopped as asked, 64 usage, 69 something needed is not there, 70 internal, \
                75 stopped at once by a second signal, 77 a missing privilege, 78 a setting.
                """,
            version: HostProcess.version,
            subcommands: [RunCommand.self, DoctorCommand.self, ConfigCommand.self, SandboxCommand.self])
    }
}
