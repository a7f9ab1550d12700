import ArgumentParser
import CMimalloc
import CollectorHost

@main
struct Collectord: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collectord",
        abstract: "Watches this host's processes and accounts for every kernel message.",
        discussion: """
            Exit codes: 0 stopped as asked, 64 usage, 69 something needed is not there, 70 internal, \
            75 stopped at once by a second signal, 77 a missing privilege, 78 a setting.
            """,
        version: "0.1.0",
        subcommands: [Run.self, Doctor.self, Config.self, Sandbox.self])
}
