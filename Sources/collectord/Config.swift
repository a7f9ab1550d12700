import ArgumentParser
import CollectorHost

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explain the settings.", subcommands: [Explain.self])

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show each setting with its type, default, range and meaning.")

        @Argument(help: "A key, or the beginning of keys such as \"sources.process\".")
        var key: String?

        @Flag(name: .customLong("json"), help: "One JSON object a line.")
        var isJSON = false

        func run() throws {
            do {
                print(
                    isJSON
                        ? try CollectorHost.settingsJSON(key)
                        : try CollectorHost.explainSettings(key, width: HostEnvironment.terminalWidth))
            } catch {
                HostEnvironment.complain("collectord: \(error)")
                throw ExitCode(error.code.exitCode)
            }
        }
    }
}
