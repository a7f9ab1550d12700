import ArgumentParser

/// Where settings come from.
struct SettingsOptions: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "Read this file of settings instead of the usual ones; /dev/null for none.", valueName: "path"))
    var file: String?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "Set a setting; see \"collectord config explain\". Repeatable.", valueName: "key=value"))
    var assignments: [String] = []
}

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check, show and explain the settings.",
        discussion: """
            Settings come from these layers; the later wins, setting by setting, and a list replaces a list: their defaults, \
            /etc/collector-core/config.toml, ~/.config/collector-core/config.toml, /etc/collector-core/conf.d/*.toml by \
            name, variables such as COLLECTORD_SOURCES__PROCESS__EXCLUDE, and --set. Files are TOML; whatever is \
            misspelt, has another type or is out of range is an error. They must not be changeable by others than root and \
            the collector's user. With --config PATH, or the variable COLLECTORD_CONFIG, that file alone is read.

            Example of a file:
              [sources.process]
              exclude = ["uid:1000", "exe:/usr/bin/ls"]
              sample_interval = "1m"
            """,
        subcommands: [Check.self, Show.self, Explain.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read the settings, and say everything that is wrong with them.",
            discussion:
                "Exits with 78 when anything is. A running collector is asked with \"collectorctl config check\"."
        )

        @OptionGroup var settings: SettingsOptions

        func run() throws {
            try answer { () throws(HostError) in try CollectorHost.checkSettings(settings.query(nil)) }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the value of each setting, as collectord would start with.")

        @Argument(help: "A key, or the beginning of keys such as \"sources.process\".")
        var key: String?

        @Flag(help: "Show where each was set, too.")
        var origin = false

        @Flag(name: .customLong("json"), help: "One JSON object a line.")
        var isJSON = false

        @OptionGroup var settings: SettingsOptions

        func run() throws {
            try answer { () throws(HostError) in
                isJSON
                    ? try CollectorHost.settingsJSON(settings.query(key))
                    : try CollectorHost.showSettings(settings.query(key), origin: origin)
            }
        }
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show each setting with its type, default, range and meaning.")

        @Argument(help: "A key, or the beginning of keys such as \"sources.process\".")
        var key: String?

        @Flag(name: .customLong("json"), help: "One JSON object a line.")
        var isJSON = false

        @OptionGroup var settings: SettingsOptions

        func run() throws {
            try answer { () throws(HostError) in
                isJSON
                    ? try CollectorHost.explanationsJSON(settings.query(key))
                    : try CollectorHost.explainSettings(
                        settings.query(key), width: HostEnvironment.terminalWidth)
            }
        }
    }
}

extension SettingsOptions {
    func query(_ key: String?) -> CollectorHost.SettingsQuery {
        CollectorHost.SettingsQuery(
            key: key, configurationFile: file, assignments: assignments,
            sources: DaemonCommand.program.sources)
    }
}

/// Prints what is asked for, or everything that is wrong.
private func answer(_ question: () throws(HostError) -> String) throws {
    do throws(HostError) {
        print(try question())
    } catch {
        for line in error.message.split(separator: "\n") { DaemonCommand.complain(String(line)) }
        throw ExitCode(error.code.exitCode)
    }
}
