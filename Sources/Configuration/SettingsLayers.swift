import EventModel

/// A file with settings, as it was read.
package struct SettingsFile: Hashable, Sendable {
    package var path: String
    package var bytes: [UInt8]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// Everything that says what the settings shall be, besides their defaults.
///
/// Later wins over earlier, setting by setting, and a list replaces a list: files in their order, then the environment,
/// then flags.
package struct SettingsLayers: Hashable, Sendable {
    package var files: [SettingsFile] = []
    /// Names with the prefix ``variablePrefix``, and values.
    package var environment: [Variable] = []
    /// Arguments of `--set`: `KEY=VALUE`.
    package var flags: [String] = []

    package struct Variable: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package init() {}

    /// What every variable begins with.
    package static let variablePrefix = "COLLECTORD_"

    /// The variable for a setting: `sources.process.exclude` is `COLLECTORD_SOURCES__PROCESS__EXCLUDE`.
    package static func variable(for key: String) -> String {
        variablePrefix + key.uppercased().split(separator: ".").joined(separator: "__")
    }

    /// The values that result, each with the place that gave it.
    ///
    /// - Throws: Everything that is wrong in any layer, a file that cannot be parsed, and what the values break together.
    package func values(in table: SettingsTable) throws(SettingsError) -> SettingsValues {
        var assignments: [SettingsAssignment] = []
        var problems: [SettingsProblem] = []
        func add(_ read: () throws(SettingsError) -> [SettingsAssignment]) {
            do throws(SettingsError) {
                assignments += try read()
            } catch {
                problems += error.problems
            }
        }
        for file in files { add { () throws(SettingsError) in try TOMLSettings.assignments(in: file) } }
        for variable in environment.sorted(by: { $0.name < $1.name }) {
            if let assignment = Self.assignment(of: variable) {
                assignments.append(assignment)
            } else if let problem = Self.problem(with: variable, in: table) {
                problems.append(problem)
            }
        }
        for flag in flags {
            add { () throws(SettingsError) in [try SettingsAssignment(flag, option: "--set")] }
        }
        do throws(SettingsError) {
            let values = try table.values(applying: assignments)
            guard !problems.isEmpty else { return values }
        } catch {
            problems += error.problems
        }
        throw SettingsError(problems: problems)
    }

    /// A variable without `__` that can only have been meant for a setting: its words are those of one.
    private static func problem(with variable: Variable, in table: SettingsTable) -> SettingsProblem? {
        guard variable.name.hasPrefix(variablePrefix) else { return nil }
        let words = variable.name.utf8.dropFirst(variablePrefix.utf8.count).filter { $0 != 0x5f }
        let meant = table.settings.first { setting in
            setting.key.utf8.filter { $0 != 0x5f && $0 != 0x2e }.elementsEqual(words.map { $0 | 0x20 })
        }
        guard let meant else { return nil }
        return SettingsProblem(
            place: "environment \(SettingsProblem.shortened(variable.name))",
            message: "is no setting; did you mean \(Self.variable(for: meant.key))?")
    }

    /// - Returns: `nil` for a variable that is none of a setting: every setting's has `__` in it, and whoever starts programs
    ///   puts variables such as `COLLECTORD_SERVICE_HOST` there.
    private static func assignment(of variable: Variable) -> SettingsAssignment? {
        let name = variable.name.dropFirst(variablePrefix.count)
        var words: [String] = []
        var rest = name[...]
        while let end = rest.firstRange(of: "__") {
            words.append(rest[..<end.lowerBound].lowercased())
            rest = rest[end.upperBound...]
        }
        guard variable.name.hasPrefix(variablePrefix), !words.isEmpty else { return nil }
        words.append(rest.lowercased())
        return SettingsAssignment(
            key: words.joined(separator: "."), text: variable.value,
            place: "environment \(SettingsProblem.shortened(variable.name))")
    }
}
