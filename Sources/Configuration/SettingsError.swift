import EventModel

/// Everything that is wrong with the settings of a program, each with its place.
package struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// Not empty.
    package let problems: [SettingsProblem]

    package init(problems: [SettingsProblem]) {
        precondition(!problems.isEmpty, "an error must say what is wrong")
        self.problems = problems
    }

    package init(place: String, message: String) {
        self.init(problems: [SettingsProblem(place: place, message: message)])
    }

    /// One line a problem, safe for a terminal.
    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

/// One thing that is wrong, where it stands, and what was expected.
package struct SettingsProblem: Hashable, Sendable, CustomStringConvertible {
    package let place: String
    package let message: String

    package init(place: String, message: String) {
        self.place = place
        self.message = message
    }

    /// `PLACE: MESSAGE`, as compilers do.
    package var description: String { "\(place): \(message)" }

    static func wrongValue(of assignment: SettingsAssignment, for setting: Setting) -> SettingsProblem {
        guard setting.secrecy == .open else {
            return SettingsProblem(place: setting.key, message: "expected \(setting.type.expectation)")
        }
        let message =
            listMessage(assignment.value, setting.type)
            ?? "expected \(setting.type.expectation), not \(shown(assignment.value))"
        return SettingsProblem(place: assignment.place, message: message)
    }

    /// Names the element that is wrong: a list may have many.
    private static func listMessage(_ value: SettingsAssignment.Value, _ type: SettingType) -> String? {
        guard case .list(let rule) = type else { return nil }
        let elements: [String]
        switch value {
        case .strings(let texts): elements = texts
        case .text(let text):
            guard let texts = ListText.parse(text) else { return nil }
            elements = texts
        case .string(let text):
            return "expected a list, as in [\(quoted(text))], each element \(rule.expected)"
        default: return nil
        }
        guard elements.count <= SettingsLimits.listCount else {
            return "expected at most \(SettingsLimits.listCount) elements, not \(elements.count)"
        }
        guard let wrong = elements.first(where: { !SettingType.isAcceptable($0, rule) }) else { return nil }
        return "expected each element to be \(rule.expected), not \(quoted(wrong))"
    }

    private static func shown(_ value: SettingsAssignment.Value) -> String {
        switch value {
        case .text(let text), .string(let text): quoted(text)
        case .integer(let value): "the number \(value)"
        case .boolean(let value): value ? "true" : "false"
        case .strings(let texts): "[" + shortened(texts.map(quoted).joined(separator: ", ")) + "]"
        case .table: "a table"
        case .other(let words): words
        }
    }

    static func quoted(_ text: String) -> String { "\"\(shortened(text))\"" }

    /// Foreign text without control characters and of bounded length.
    static func shortened(_ text: String) -> String {
        guard text.utf8.count > SettingsLimits.quotedByteCount else { return TerminalText.escape(text) }
        return TerminalText.escape(String(text.unicodeScalars.prefix(SettingsLimits.quotedByteCount))) + "..."
    }
}
