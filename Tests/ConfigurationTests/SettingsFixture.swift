import Configuration

/// A small schema with one setting of each type.
enum Fixture {
    enum Mode: String, CaseIterable, Sendable {
        case log, kill, off
    }

    static let queue = TypedSetting.integer(
        "collector.queue", default: 1_000, range: 1...1_000_000, unit: "events", reload: .atRestart,
        "Most events that wait.")
    static let batch = TypedSetting.integer(
        "collector.batch", default: 100, range: 1...1_000_000, unit: "events", reload: .atRestart,
        "Most events in a batch.")
    static let wait = TypedSetting.duration(
        "collector.wait", default: .milliseconds(500), range: .milliseconds(1) ... .seconds(60),
        reload: .whileRunning, "Longest wait.")
    static let buffer = TypedSetting.byteCount(
        "sources.process.receive_buffer", default: .mebibytes(8), range: .kibibytes(4) ... .gibibytes(1),
        reload: .atRestart, "Receive buffer.")
    static let baseline = TypedSetting.boolean(
        "sources.process.baseline", default: true, reload: .atRestart, "Whether to look at what is there.")
    static let threshold = TypedSetting.percentage(
        "collector.threshold", default: Percentage(80), range: Percentage(1)...Percentage(100),
        reload: .atRestart, "When the source is told.")
    static let directory = TypedSetting.string(
        "state.directory", default: "/var/lib/x", rule: .absolutePath, secrecy: .open, reload: .atRestart,
        "Where state lives.")
    static let token = TypedSetting.string(
        "state.token", default: "none", rule: .nonEmpty, secrecy: .secret, reload: .atRestart, "A token.")
    static let words = TypedSetting.list(
        "state.words", default: ["a"], rule: .oneOf(["a", "b", "c"]), reload: .atRestart, "Words.")
    static let mode = TypedSetting<Mode>.choice(
        "hardening.mode", default: .log, reload: .atRestart, "What a forbidden call does.")

    static let table = SettingsTable(
        [
            [queue.setting, batch.setting, wait.setting, threshold.setting],
            [buffer.setting, baseline.setting],
            [directory.setting, token.setting, words.setting, mode.setting],
        ],
        constraints: [
            SettingsConstraint(keys: [batch.key, queue.key]) {
                $0[batch] <= $0[queue]
            } message: {
                "expected collector.batch (\($0[batch])) to be at most collector.queue (\($0[queue]))"
            }
        ])

    /// What `--set` with each of these arguments gives.
    static func values(_ arguments: String...) throws(SettingsError) -> SettingsValues {
        var assignments: [SettingsAssignment] = []
        for argument in arguments { assignments.append(try SettingsAssignment(argument, option: "--set")) }
        return try table.values(applying: assignments)
    }

    /// The error of `--set` with each of these arguments, or a note that there was none.
    static func complaint(_ arguments: [String]) -> String {
        do throws(SettingsError) {
            var assignments: [SettingsAssignment] = []
            for argument in arguments {
                assignments.append(try SettingsAssignment(argument, option: "--set"))
            }
            _ = try table.values(applying: assignments)
            return "no error"
        } catch {
            return error.description
        }
    }
}
