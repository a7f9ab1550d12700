import ArgumentParser

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Watch until a signal, and say what became of everything.",
        discussion: """
            Events go to standard output: as a live table, as JSON lines (one object a line, see "record"), as \
            OCSF 1.8.0 events (one object a line, see "class_uid"), or not at all. At the end, and on SIGUSR1, two accounts are written: of the kernel's messages, and of the events \
            given to standard output. Both must balance. SIGUSR1 also gives health and telemetry. SIGTERM and SIGINT \
            stop and drain; the second one stops at once, with the accounts on standard error and exit code 75. A \
            closed pipe stops the run. SIGHUP reads the settings anew: all of them come into force, or, if anything is \
            wrong, none. How settings are given is told by "collectord config --help".

            Examples:
              collectord run --events table
              collectord run --events json --for 20s | jq -c 'select(.kind == "process.exec").process.cmdline'
              collectord run --events ocsf | jq -c 'select(.class_uid == 1007 and .severity_id > 2)'
              collectord run --set sources.process.receive_buffer=32MiB --set sources.process.exclude=uid:1000
            """)

    @Option(
        help: ArgumentHelp(
            "How events are shown: table, json, ocsf or none (default: table on a terminal, else none).",
            valueName: "format"),
        completion: .list(HostOptions.Format.allCases.map(\.rawValue)), transform: Self.format)
    var events: HostOptions.Format?

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("Stop after this time, such as 20s or 5m.", valueName: "duration"))
    var duration: DurationArgument?

    @OptionGroup var settings: SettingsOptions

    @Flag(name: .customLong("json"), help: "Short for --events json.")
    var isJSON = false

    private static func format(_ text: String) throws -> HostOptions.Format {
        guard let format = HostOptions.Format(rawValue: text) else {
            throw ValidationError("expected table, json, ocsf or none, not \"\(text)\"")
        }
        return format
    }

    func validate() throws {
        if isJSON, let events, events != .json {
            throw ValidationError("--json and --events \(events.rawValue) contradict each other")
        }
    }

    func run() throws {
        let options = HostOptions(
            format: isJSON ? .json : events, duration: duration?.value, assignments: settings.assignments,
            configurationFile: settings.file,
            isColourDisabled: HostEnvironment.isColourDisabled, sources: DaemonCommand.program.sources)
        let code: Int32
        do {
            code = try CollectorHost.run(options)
        } catch {
            for line in error.message.split(separator: "\n") {
                DaemonCommand.complain(String(line))
            }
            code = error.code.exitCode
        }
        throw ExitCode(code)
    }
}

/// A duration such as `20s`, as settings spell it.
struct DurationArgument: ExpressibleByArgument {
    var value: Duration

    init?(argument: String) {
        guard let value = HostOptions.duration(argument), value > .zero else { return nil }
        self.value = value
    }
}
