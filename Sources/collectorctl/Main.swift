import ArgumentParser
import LinuxBackends

/// Asks a running collector, and follows its events.
@main
struct CollectorCtl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collectorctl",
        abstract: "Asks a running collectord, and follows its events.",
        discussion: """
            Everything goes through the collector's control socket (its setting ipc.socket). Who may connect is decided by \
            the socket's owner and group. Every command takes --json: one JSON object a line, the same as collectord writes. \
            --socket, --timeout and --json may stand before the command as well.

            Exit codes: 0 done, 1 what was asked about is not as it should be, 64 usage, 65 the collector sent nonsense, \
            69 the collector cannot be reached or cannot do that, 70 internal, 74 output cannot be written, 75 it is too busy \
            or took too long, 77 a missing right.

            Examples:
              collectorctl status
              collectorctl watch --topic 'events.process.exec' --uid 0
              collectorctl watch --json --count 100 | jq -c .process.cmdline
              collectorctl task processes --name sshd
              collectorctl metrics > /var/lib/node_exporter/collector.prom
            """,
        version: HostProcess.version,
        subcommands: [
            Status.self, Sources.self, HealthCheck.self, Capabilities.self, AccountsReport.self, Metrics.self,
            Watch.self, TaskCommand.self, Config.self, Reload.self, Completion.self,
        ])

    /// No error escapes: an error that leaves `main` would be a crash.
    static func main() {
        // A descriptor that the shell has closed must not become the number of our socket.
        HostProcess.fillStandardDescriptors()
        HostProcess.ignoreBrokenPipes()
        if let problem = HostProcess.argumentsProblem {
            Console.complain("collectorctl: \(problem)")
            HostProcess.exitNow(70)
        }
        do {
            var command = try parseAsRoot(
                CommonOptions.behindCommand(Array(CommandLine.arguments.dropFirst())))
            try command.run()
        } catch let error as CommandFailure {
            Console.complain("collectorctl: \(error)")
            HostProcess.exitNow(error.exitCode)
        } catch let code as ExitCode {
            HostProcess.exitNow(code.rawValue)
        } catch {
            let code = exitCode(for: error)
            // Help and versions are errors to the parser, and answers to the user.
            guard code == .success else {
                Console.tell(fullMessage(for: error))
                HostProcess.exitNow(64)
            }
            Console.say(fullMessage(for: error))
            HostProcess.exitNow(0)
        }
    }
}

/// Writes the completions of a shell.
struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the completions for a shell.",
        discussion: """
            For bash: collectorctl completion bash > /etc/bash_completion.d/collectorctl
            """)

    @Argument(help: "bash, zsh or fish.")
    var shell: String

    func run() throws {
        guard let shell = CompletionShell(rawValue: shell) else {
            throw ValidationError(
                "expected one of \(CompletionShell.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        Console.say(CollectorCtl.completionScript(for: shell))
    }
}
