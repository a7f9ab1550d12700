/// All settings of a program, in the order of their keys, and what must hold between them.
package struct SettingsTable: Sendable {
    package let settings: [Setting]
    let constraints: [SettingsConstraint]

    /// Joins the settings that several targets declare; the same key twice is a programming error and traps.
    package init(_ groups: [[Setting]], constraints: [SettingsConstraint]) {
        settings = groups.flatMap { $0 }.sorted { $0.key < $1.key }
        for (setting, next) in zip(settings, settings.dropFirst()) {
            precondition(setting.key != next.key, "a setting must be declared once: \(setting.key)")
        }
        self.constraints = constraints
    }

    /// The position of a key in ``settings``, by bisection.
    func index(of key: String) -> Int? {
        var (low, high) = (0, settings.count)
        while low < high {
            let middle = low + (high - low) / 2
            if settings[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low < settings.count && settings[low].key == key ? low : nil
    }

    /// Every setting at its default.
    ///
    /// Defaults that break a constraint are a programming error and trap.
    package var defaults: SettingsValues {
        let values = SettingsValues(table: self)
        precondition(
            violations(in: values).isEmpty, "the defaults of all settings must agree with each other")
        return values
    }

    /// The values that result when `assignments` are applied in order to the defaults; the last one of a key wins.
    ///
    /// - Throws: Everything that is wrong, not only the first: unknown keys, values outside their bounds, and
    ///   constraints that the values break together.
    package func values(applying assignments: [SettingsAssignment]) throws(SettingsError) -> SettingsValues {
        var values = defaults
        var problems: [SettingsProblem] = []
        if assignments.count > SettingsLimits.assignmentCount {
            let message =
                "expected at most \(SettingsLimits.assignmentCount) assignments, not \(assignments.count)"
            throw SettingsError(problems: [SettingsProblem(place: "settings", message: message)])
        }
        for assignment in assignments {
            if assignment.value == .table, isTold(assignment, by: assignments) { continue }
            guard let index = index(of: assignment.key) else {
                problems.append(
                    SettingsProblem(place: assignment.place, message: complaint(about: assignment.key)))
                continue
            }
            let setting = settings[index]
            guard let value = setting.type.value(of: assignment.value) else {
                problems.append(.wrongValue(of: assignment, for: setting))
                continue
            }
            values.set(value, at: index, place: assignment.place)
        }
        if problems.isEmpty { problems = violations(in: values) }
        guard problems.isEmpty else { throw SettingsError(problems: problems) }
        return values
    }

    /// Whether a table holds settings, or something that is wrong and told by itself.
    private func isTold(_ table: SettingsAssignment, by assignments: [SettingsAssignment]) -> Bool {
        let prefix = table.key + "."
        return settings.contains { $0.key.hasPrefix(prefix) }
            || index(of: table.key) == nil
                && assignments.contains { $0.key.hasPrefix(prefix) && $0.place.hasPrefix(table.place + ".") }
    }

    func violations(in values: SettingsValues) -> [SettingsProblem] {
        constraints.compactMap { constraint in
            guard !constraint.holds(values) else { return nil }
            let place = constraint.keys.lazy.compactMap { values.place(of: $0) }.first
            return SettingsProblem(place: place ?? "defaults", message: constraint.message(values))
        }
    }

    /// `unknown setting "..."`, with the key that was probably meant.
    func complaint(about key: String) -> String {
        let name = "unknown setting \(SettingsProblem.quoted(key))"
        guard let suggestion = suggestion(for: key) else {
            let below = settings.first { $0.key.hasPrefix(key + ".") }
            if let below { return name + "; it is a table of settings such as \"\(below.key)\"" }
            return name + "; `config explain` lists all settings"
        }
        return name + "; did you mean \"\(suggestion)\"?"
    }

    /// The declared key nearest to a mistyped one: the whole key, or its last words when they name only one setting.
    func suggestion(for key: String) -> String? {
        guard !key.isEmpty, key.utf8.count <= SettingsLimits.suggestionByteCount else { return nil }
        let ending = settings.filter { $0.key.hasSuffix("." + key) }
        if ending.count == 1 { return ending[0].key }
        let bound = max(2, key.utf8.count / 4)
        let ranked = settings.map { (distance: EditDistance.between(key, $0.key), key: $0.key) }
        let best = ranked.min { ($0.distance, $0.key) < ($1.distance, $1.key) }
        return best.flatMap { $0.distance <= bound ? $0.key : nil }
    }
}

/// What must hold between several settings.
package struct SettingsConstraint: Sendable {
    /// The settings concerned; an error names the place that set the first of these that was set.
    let keys: [String]
    let holds: @Sendable (SettingsValues) -> Bool
    /// Says what was expected, with the values.
    let message: @Sendable (SettingsValues) -> String

    package init(
        keys: [String], holds: @escaping @Sendable (SettingsValues) -> Bool,
        message: @escaping @Sendable (SettingsValues) -> String
    ) {
        self.keys = keys
        self.holds = holds
        self.message = message
    }
}

/// One value given to one key at one place, not yet checked.
package struct SettingsAssignment: Hashable, Sendable {
    package var key: String
    package var value: Value
    /// Where it stands, as errors begin: `--set KEY=VALUE`, or a file with line and column.
    package var place: String

    /// A value before its setting has looked at it.
    package enum Value: Hashable, Sendable {
        /// In the notation of flags and variables: the setting says what it stands for.
        case text(String)
        /// With the type that a file gives it.
        case string(String)
        case integer(Int)
        case boolean(Bool)
        case strings([String])
        /// Nothing by itself: settings stand below it.
        case table
        /// A type that no setting has, in words.
        case other(String)
    }

    package init(key: String, value: Value, place: String) {
        self.key = key
        self.value = value
        self.place = place
    }

    package init(key: String, text: String, place: String) {
        self.init(key: key, value: .text(text), place: place)
    }

    /// Reads `KEY=VALUE` as given to `option`, such as `--set`; the value may hold further equals signs.
    ///
    /// - Throws: When there is no key or no equals sign.
    package init(_ argument: String, option: String) throws(SettingsError) {
        let place = "\(option) \(SettingsProblem.shortened(argument))"
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw SettingsError(problems: [SettingsProblem(place: place, message: "expected KEY=VALUE")])
        }
        self.init(key: String(parts[0]), text: String(parts[1]), place: place)
    }
}
