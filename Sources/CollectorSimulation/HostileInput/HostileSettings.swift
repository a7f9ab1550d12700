import CollectorCore
import Configuration
import EventModel
import HostSources

/// What must hold of settings, whatever somebody writes into a file, a variable or a flag.
enum HostileSettings {
    private enum Mode: String, CaseIterable, Sendable { case log, kill, off }

    /// One setting of each type.
    private static let table = SettingsTable(
        [
            [
                TypedSetting.integer(
                    "a.integer", default: 8, range: -9...99, unit: "events", reload: .atRestart, "A number."
                ).setting,
                TypedSetting.duration(
                    "a.duration", default: .seconds(1), range: .nanoseconds(1) ... .seconds(86_400),
                    reload: .whileRunning, "A time."
                ).setting,
                TypedSetting.byteCount(
                    "a.bytes", default: .mebibytes(8), range: .kibibytes(1) ... .gibibytes(64),
                    reload: .atRestart, "A size."
                ).setting,
                TypedSetting.percentage(
                    "a.share", default: Percentage(80), range: Percentage(1)...Percentage(100),
                    reload: .whileRunning, "A share."
                ).setting,
                TypedSetting.boolean("b.c.flag", default: true, reload: .whileRunning, "A choice of two.")
                    .setting,
                TypedSetting.string(
                    "b.c.text", default: "x", rule: .nonEmpty, secrecy: .open, reload: .atRestart, "A text."
                ).setting,
                TypedSetting.list("b.list", default: ["a"], rule: .nonEmpty, reload: .atRestart, "Texts.")
                    .setting,
                TypedSetting<Mode>.choice("b.mode", default: .log, reload: .atRestart, "One of three.")
                    .setting,
            ], source.settings,
        ], constraints: [])

    /// What somebody may add, with rules of its own for texts.
    static let source = SourceDefinition(
        "spool",
        settings: [
            TypedSetting.string(
                "sources.spool.path", default: "", rule: optionalPath, secrecy: .open, reload: .atRestart,
                "A folder, or nothing."
            ).setting,
            TypedSetting.string(
                "sources.spool.password", default: "", rule: optionalPath, secrecy: .secret,
                reload: .atRestart,
                "The path of a file with a secret, which is one."
            ).setting,
            TypedSetting.list(
                "sources.spool.processes", default: [],
                rule: TextRule(expected: "a rule about processes") { ProcessRule($0) != nil },
                reload: .atRestart, "Rules about processes."
            ).setting,
            TypedSetting.list(
                "sources.spool.files", default: [],
                rule: TextRule(expected: "a rule about files") { FileRules.isRule($0) },
                reload: .atRestart, "Rules about files."
            ).setting,
        ]
    ) { _ in nil }

    private static let optionalPath = TextRule(expected: "an absolute path, or nothing") {
        $0.isEmpty || $0.utf8.first == 0x2f
    }

    /// The bytes are a file, then behind each 0xff, which no text has, a flag or a variable of the environment.
    static func violation(of bytes: [UInt8]) -> String? {
        let parts = bytes.split(separator: 0xff, omittingEmptySubsequences: false).map { Array($0) }
        var layers = SettingsLayers()
        layers.files = [SettingsFile(path: "input", bytes: parts.first ?? [])]
        for part in parts.dropFirst() {
            let text = String(decoding: part, as: UTF8.self)
            let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if text.hasPrefix(SettingsLayers.variablePrefix), halves.count == 2 {
                layers.environment.append(.init(name: String(halves[0]), value: String(halves[1])))
            } else {
                layers.flags.append(text)
            }
        }
        do throws(SettingsError) {
            let values = try layers.values(in: table)
            return roundTripViolation(of: values) ?? explanationViolation(of: values)
                ?? reloadViolation(of: values)
        } catch {
            return complaintViolation(of: error)
        }
    }

    /// What is wrong fits a terminal, line by line.
    private static func complaintViolation(of error: SettingsError) -> String? {
        if error.problems.isEmpty { return "an error without a problem" }
        for problem in error.problems {
            let text = problem.description
            if problem.message.isEmpty { return "a problem without a message" }
            if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
                return "a control character in \(problem)"
            }
            if problem.message.utf8.count > 2_000 {
                return "a message of \(problem.message.utf8.count) bytes"
            }
        }
        return nil
    }

    /// What is explained fits a terminal, too.
    private static func explanationViolation(of values: SettingsValues) -> String? {
        for explanation in values.explanations {
            let text = explanation.text(width: 80)
            if text.unicodeScalars.contains(where: { $0 != "\n" && $0.isHazardousOnTerminals }) {
                return "an explanation with a character that a terminal obeys: \(text)"
            }
        }
        return nil
    }

    /// What is taken over while running is what is then in force; the rest stays as it was, and is named.
    private static func reloadViolation(of values: SettingsValues) -> String? {
        do throws(SettingsError) {
            let succession = try table.defaults.succeeded(by: values)
            let again = try succession.values.succeeded(by: values)
            guard again.changed.isEmpty, again.pending == succession.pending else {
                return "the same settings change something a second time: \(again.changed)"
            }
            return nil
        } catch {
            return complaintViolation(of: error)
        }
    }

    /// Values survive being written to a file, and being given as flags.
    private static func roundTripViolation(of values: SettingsValues) -> String? {
        let texts = values.explanations.map { $0.valueText ?? $0.defaultText }
        var file = SettingsLayers()
        file.files = [SettingsFile(path: "again", bytes: Array(values.toml.utf8))]
        var flags = SettingsLayers()
        flags.flags = values.flags
        for layers in [file, flags] {
            do throws(SettingsError) {
                let again = try layers.values(in: table).explanations.map { $0.valueText ?? $0.defaultText }
                if again != texts {
                    return "written and read again, the settings are others: \(texts), \(again)"
                }
            } catch {
                return "written and read again, the settings are refused: \(error)"
            }
        }
        return nil
    }
}
