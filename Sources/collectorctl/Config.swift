import ArgumentParser
import ControlPlane
import EventModel
import LinuxBackends
import Presentation
import WireMessages

/// Which settings are meant.
struct SettingSelection: ParsableArguments {
    @Argument(help: "A key, or the beginning of keys such as \"sources.process\".")
    var key: String?

    @Flag(name: .customLong("changed"), help: "Only those that are not as they are by default.")
    var isChangedOnly = false
}

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show, explain and check the settings of the running collector.",
        discussion: """
            Examples:
              collectorctl config show --changed
              collectorctl config explain sources.process.exclude
              collectorctl config check && collectorctl reload
            """,
        subcommands: [Show.self, Explain.self, Check.self])

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show each setting, its value, and where it was set.",
            discussion: """
                A value that is in the files already, and takes effect at the next start only, is shown beside the present \
                one. If the last reload was refused, standard error says why.
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var selection: SettingSelection
        /// For who is used to `collectord config show --origin`; here it is always shown.
        @Flag(help: .hidden) var origin = false

        func run() throws {
            let selection = selection
            try Console.run(common) { console throws(CommandFailure) in
                let (settings, message) = try await console.settings(selection)
                if console.options.isJSON {
                    for setting in settings { try console.writeJSON { setting.appendJSON(to: &$0) } }
                } else {
                    try console.write(settings.map(\.line))
                }
                try console.flush()
                guard message.hasRefusal else { return }
                for problem in message.refusal.problems {
                    Console.complain("collectorctl: the last reload was refused: \(problem)")
                }
            }
        }
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what each setting means, its type, range, default and value.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var selection: SettingSelection

        func run() throws {
            let selection = selection
            try Console.run(common) { console throws(CommandFailure) in
                let (settings, _) = try await console.settings(selection)
                if console.options.isJSON {
                    for setting in settings { try console.writeJSON { setting.appendJSON(to: &$0) } }
                } else {
                    let width = console.output.terminalSize?.columns ?? 80
                    try console.write(settings.map { $0.explanation(width: width) })
                }
            }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read the configuration anew, and only say what a reload would do.",
            discussion:
                "Exits with 1 when it would be refused. \"collectord config check\" does it without a collector."
        )

        @OptionGroup var common: CommonOptions

        func run() throws {
            try Console.run(common) { console throws(CommandFailure) in
                try await console.reload(isCheck: true)
            }
        }
    }
}

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the collector read its configuration anew.",
        discussion: """
            All of it comes into force, or nothing: when anything is wrong, the present configuration stays, what is wrong \
            is told, and the exit code is 1. Settings that cannot change while the collector runs are named; they take effect \
            at its next start. SIGHUP does the same.
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        try Console.run(common) { console throws(CommandFailure) in try await console.reload(isCheck: false) }
    }
}

extension Console {
    /// The settings that are meant, and all that was told of them.
    fileprivate func settings(_ selection: SettingSelection) async throws(CommandFailure)
        -> ([WireSettings.Setting], WireSettings)
    {
        let message = try await ask(try await connect(), .settings(WireSettingsRequest())).settings
        let settings = message.settings.filter { setting in
            (selection.key.map { setting.key == $0 || setting.key.hasPrefix($0 + ".") } ?? true)
                && (!selection.isChangedOnly || setting.origin != "default" || setting.hasPending)
        }
        guard !settings.isEmpty || selection.isChangedOnly else {
            throw CommandFailure(1, "there is no setting \(selection.key ?? "")")
        }
        return (settings, message)
    }

    fileprivate func reload(isCheck: Bool) async throws(CommandFailure) {
        var request = WireReload()
        request.checkOnly = isCheck
        let reloaded = try await ask(try await connect(), .reload(request)).reloaded
        if options.isJSON {
            try writeJSON { reloaded.appendJSON(to: &$0) }
        } else {
            try write(reloaded.lines(isCheck: isCheck).map { TerminalText.escape($0) })
        }
        try flush()
        guard reloaded.problems.isEmpty else {
            let count = reloaded.problems.count
            throw CommandFailure(1, "nothing has changed: \(count) problem\(count == 1 ? "" : "s")")
        }
    }
}

extension WireReloaded {
    /// What has become of it, for people.
    func lines(isCheck: Bool) -> [String] {
        guard problems.isEmpty else { return problems }
        let verb = isCheck ? "would change" : "changed"
        var lines = changed.map { "\(verb): \($0)" }
        lines += pending.map { "takes effect at the next start: \($0)" }
        if lines.isEmpty { lines = [isCheck ? "nothing would change" : "nothing has changed"] }
        return lines + (isCheck ? [] : ["configuration \(generation) is in force"])
    }

    func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "status")
            json.member("kind", "collector.configuration")
            json.member("generation", generation)
            for (name, values) in [("changed", changed), ("pending", pending), ("problems", problems)] {
                json.beginArray(name)
                for value in values { json.value(value) }
                json.endArray()
            }
            json.endObject()
        }
    }
}

extension WireSettings.Setting {
    fileprivate var line: String {
        let next = hasPending ? "; from the next start \(pending)" : ""
        return TerminalText.escape("\(key) = \(value)  (\(origin)\(next))")
    }

    fileprivate func explanation(width: Int) -> String {
        var facts = [("type", type)]
        if hasRange { facts.append(("range", range)) }
        if !unit.isEmpty { facts.append(("unit", unit)) }
        facts.append(("default", defaultValue))
        if origin != "default" { facts.append(("value", "\(value) (\(origin))")) }
        if hasPending { facts.append(("pending", pending)) }
        facts.append(("change", reloadable ? "takes effect while running" : "takes effect at the next start"))
        let escaped = facts.map { (label: $0.0, text: TerminalText.escape($0.1)) }
        return ParagraphText.entry(
            TerminalText.escape(key), TerminalText.escape(documentation), facts: escaped, width: width)
    }

    fileprivate func appendJSON(to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("record", "setting")
            json.member("key", key)
            json.member("value", value)
            json.member("origin", origin)
            if hasPending { json.member("pending", pending) }
            json.member("type", type)
            if hasRange { json.member("range", range) }
            json.member("unit", unit)
            json.member("default", defaultValue)
            json.member("reloadable", reloadable)
            json.member("documentation", documentation)
            json.endObject()
        }
    }
}
