import EventModel

/// What an operator is told about one setting.
package struct SettingsExplanation: Hashable, Sendable {
    package var key: String
    package var type: String
    package var bounds: String?
    package var unit: String
    package var defaultText: String
    /// The present value and where it was set; both `nil` when it is the default.
    package var valueText: String?
    package var place: String?
    package var isReloadable: Bool
    package var documentation: String

    init(of setting: Setting, value: SettingValue, place: String?) {
        func shown(_ value: SettingValue) -> String {
            if setting.secrecy == .secret { return "(not shown)" }
            let text = value.description
            return text.isEmpty ? "(empty)" : text
        }
        key = setting.key
        type = setting.type.name
        bounds = setting.type.bounds
        unit = setting.unit
        defaultText = shown(setting.defaultValue)
        valueText = place == nil ? nil : shown(value)
        self.place = setting.secrecy == .secret ? place.map { _ in "(not shown)" } : place
        isReloadable = setting.reload == .whileRunning
        documentation = setting.documentation
    }

    /// The setting as a paragraph: key, what it means, then one fact a line.
    ///
    /// - Parameter width: Columns to wrap to, 40 or more.
    package func text(width: Int) -> String {
        var lines = [key]
        lines += Self.wrapped(documentation, width: max(width, 40) - 4).map { "    " + $0 }
        func add(_ label: String, _ text: String) {
            let padding = String(repeating: " ", count: 10 - label.utf8.count)
            lines.append("    " + label + padding + text)
        }
        add("type", type)
        if let bounds { add("range", bounds) }
        if !unit.isEmpty { add("unit", unit) }
        add("default", defaultText)
        if let valueText, let place { add("value", "\(TerminalText.escape(valueText)) (\(place))") }
        add("change", isReloadable ? "takes effect while running" : "takes effect at the next start")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}

extension SettingsValues {
    /// Explains one setting, or all below a dotted prefix (`sources.process`), or all for `nil`; in the order of keys.
    ///
    /// - Throws: When no setting has that key or prefix, with a suggestion.
    package func explanations(of key: String?) throws(SettingsError) -> [SettingsExplanation] {
        let chosen = table.settings.indices.filter { index in
            guard let key else { return true }
            let candidate = table.settings[index].key
            return candidate == key || candidate.hasPrefix(key + ".")
        }
        guard !chosen.isEmpty else {
            let problem = SettingsProblem(place: "config explain", message: table.complaint(about: key ?? ""))
            throw SettingsError(problems: [problem])
        }
        return chosen.map { index in
            let setting = table.settings[index]
            return SettingsExplanation(of: setting, value: value(at: index), place: place(of: setting.key))
        }
    }
}
