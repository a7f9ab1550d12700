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
        var facts = [("type", type)]
        if let bounds { facts.append(("range", bounds)) }
        if !unit.isEmpty { facts.append(("unit", unit)) }
        facts.append(("default", defaultText))
        if let valueText, let place {
            facts.append(("value", "\(TerminalText.escape(valueText)) (\(place))"))
        }
        facts.append(
            ("change", isReloadable ? "takes effect while running" : "takes effect at the next start"))
        facts.append(("variable", SettingsLayers.variable(for: key)))
        return ParagraphText.entry(key, documentation, facts: facts, width: width)
    }
}

extension SettingsValues {
    /// Explains all settings, in the order of keys.
    package var explanations: [SettingsExplanation] { table.settings.indices.map(explanation) }

    private func explanation(at index: Int) -> SettingsExplanation {
        let setting = table.settings[index]
        return SettingsExplanation(of: setting, value: value(at: index), place: place(of: setting.key))
    }

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
        return chosen.map(explanation)
    }
}
