import ArgumentParser

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Find out what this kernel and these privileges allow, by trying it.",
        discussion: """
            For each source: what works, what is not seen, and the command or setting that changes that. The process source \
            is started for a moment; nothing is changed but that the folder for state is made. With the settings that \
            "collectord run" would start with.

            Exit codes: 0 everything asked for works, 1 something is limited, 69 something is missing without which \
            collectord does not start or does not see.

            Examples:
              sudo collectord doctor
              collectord doctor --json | jq -r 'select(.fix) | .fix'
            """)

    @OptionGroup var settings: SettingsOptions

    @Flag(name: .customLong("json"), help: "One JSON object a line.")
    var isJSON = false

    func run() throws {
        let report = CollectorHost.examine(settings.query(nil))
        print(isJSON ? report.json : report.text)
        throw ExitCode(report.exitCode)
    }
}
