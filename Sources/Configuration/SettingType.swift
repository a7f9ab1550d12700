/// What values a setting takes, and within which bounds.
package enum SettingType: Sendable {
    case integer(ClosedRange<Int>)
    /// Text such as `30s`: a number and one unit of ``DurationText``.
    case duration(ClosedRange<Duration>)
    /// Text such as `8 MiB`.
    case byteCount(ClosedRange<ByteCount>)
    /// Text such as `80%`.
    case percentage(ClosedRange<Percentage>)
    case boolean
    case string(TextRule)
    /// Strings that each keep the rule; as text, separated by commas (see ``ListText``).
    case list(TextRule)
    /// One of these words.
    case choice([String])
}

/// A value of a setting.
package enum SettingValue: Hashable, Sendable {
    case integer(Int)
    case duration(Duration)
    case byteCount(ByteCount)
    case percentage(Percentage)
    case boolean(Bool)
    case string(String)
    case list([String])
    case choice(String)
}

/// What a string of a setting must look like.
public struct TextRule: Sendable {
    /// Completes "expected ...", such as `an absolute path`.
    public let expected: String
    let holds: @Sendable (String) -> Bool

    /// A rule of your own.
    public init(expected: String, holds: @escaping @Sendable (String) -> Bool) {
        self.expected = expected
        self.holds = holds
    }

    /// Text of 1 to 4 096 bytes.
    public static let nonEmpty = TextRule(expected: "text that is not empty") { !$0.isEmpty }

    /// A path that starts with `/` and has neither `..` nor a NUL in it.
    public static let absolutePath = TextRule(expected: "an absolute path without \"..\"") { path in
        path.hasPrefix("/") && !path.utf8.contains(0)
            && !path.utf8.split(separator: 0x2f).contains { $0.elementsEqual("..".utf8) }
    }

    /// One of a closed set of words.
    public static func oneOf(_ words: [String]) -> TextRule {
        TextRule(expected: "one of " + words.joined(separator: ", ")) { words.contains($0) }
    }
}

/// Bounds on what the outside can put into settings.
package enum SettingsLimits {
    /// Longest string, and longest element of a list, in bytes: as long as the longest path (`PATH_MAX`).
    package static let textByteCount = 4_096
    /// Most elements of a list: each is compared with every process, so long lists cost CPU time.
    package static let listCount = 256
    /// Most settings that may be set in one place: ten times what the schema holds.
    package static let assignmentCount = 1_024
    /// Longest file of settings, in bytes: a hundred times what all of them take.
    package static let fileByteCount = 1 << 20
    /// Most files of a folder such as `conf.d`.
    package static let fileCount = 64
    /// Deepest nesting of tables in a file: one more than the longest key has words.
    package static let depth = 8
    /// Longest mistyped key for which a suggestion is sought: the search takes quadratic time.
    package static let suggestionByteCount = 96
    /// Most bytes of a wrong value that an error repeats.
    package static let quotedByteCount = 80
}

extension SettingType {
    /// Name of the type for the operator.
    package var name: String {
        switch self {
        case .integer: "integer"
        case .duration: "duration"
        case .byteCount: "byte count"
        case .percentage: "percentage"
        case .boolean: "boolean"
        case .string: "string"
        case .list: "list of strings"
        case .choice: "choice"
        }
    }

    /// The bounds for the operator; `nil` for a boolean, whose name says all.
    package var bounds: String? {
        switch self {
        case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .duration(let range):
            "\(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
        case .byteCount(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .percentage(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .boolean: nil
        case .string(let rule): rule.expected
        case .list(let rule): "up to \(SettingsLimits.listCount) elements, each \(rule.expected)"
        case .choice(let words): words.joined(separator: ", ")
        }
    }

    /// Completes "expected ..." in an error.
    package var expectation: String {
        switch self {
        case .integer(let range):
            "an integer between \(range.lowerBound) and \(range.upperBound)"
        case .duration(let range):
            "a duration such as \"30s\" between \(DurationText.format(range.lowerBound)) "
                + "and \(DurationText.format(range.upperBound))"
        case .byteCount(let range):
            "a byte count such as \"8 MiB\" between \(range.lowerBound) and \(range.upperBound)"
        case .percentage(let range):
            "a percentage such as \"80%\" between \(range.lowerBound) and \(range.upperBound)"
        case .boolean: "true or false"
        case .string(let rule): rule.expected
        case .list(let rule):
            "at most \(SettingsLimits.listCount) elements separated by commas, each \(rule.expected)"
        case .choice(let words): "one of \(words.joined(separator: ", "))"
        }
    }

    /// Whether the value has this type and lies within its bounds.
    func admits(_ value: SettingValue) -> Bool {
        switch (self, value) {
        case (.integer(let range), .integer(let value)): range.contains(value)
        case (.duration(let range), .duration(let value)): range.contains(value)
        case (.byteCount(let range), .byteCount(let value)): range.contains(value)
        case (.percentage(let range), .percentage(let value)): range.contains(value)
        case (.boolean, .boolean): true
        case (.string(let rule), .string(let text)): Self.isAcceptable(text, rule)
        case (.list(let rule), .list(let texts)):
            texts.count <= SettingsLimits.listCount && texts.allSatisfy { Self.isAcceptable($0, rule) }
        case (.choice(let words), .choice(let word)): words.contains(word)
        default: false
        }
    }

    /// The value that is meant; `nil` when it is not one, has another type, or lies outside the bounds.
    package func value(of value: SettingsAssignment.Value) -> SettingValue? {
        switch (self, value) {
        case (_, .text(let text)): self.value(of: text)
        case (.integer, .integer(let value)): checked(.integer(value))
        case (.boolean, .boolean(let value)): checked(.boolean(value))
        case (.list, .strings(let texts)): checked(.list(texts))
        case (.integer, _), (.boolean, _), (.list, _): nil
        case (_, .string(let text)): self.value(of: text)
        default: nil
        }
    }

    private func checked(_ value: SettingValue) -> SettingValue? { admits(value) ? value : nil }

    /// The value that `text` stands for; `nil` when it is not one, or lies outside the bounds.
    package func value(of text: String) -> SettingValue? {
        let candidate: SettingValue? =
            switch self {
            case .integer: IntegerText.parse(text).map(SettingValue.integer)
            case .duration: DurationText.parse(text).map(SettingValue.duration)
            case .byteCount: ByteCount(text).map(SettingValue.byteCount)
            case .percentage: Percentage(text).map(SettingValue.percentage)
            case .boolean: text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : nil
            case .string: .string(text)
            case .list: ListText.parse(text).map(SettingValue.list)
            case .choice: .choice(text)
            }
        return candidate.flatMap { checked($0) }
    }

    static func isAcceptable(_ text: String, _ rule: TextRule) -> Bool {
        // The kernel ends every text that it is given at a NUL.
        text.utf8.count <= SettingsLimits.textByteCount && !text.utf8.contains(0) && rule.holds(text)
    }
}

extension SettingValue: CustomStringConvertible {
    /// Text that the setting's type reads back as this value.
    package var description: String {
        switch self {
        case .integer(let value): String(value)
        case .duration(let value): DurationText.format(value)
        case .byteCount(let value): value.description
        case .percentage(let value): value.description
        case .boolean(let value): value ? "true" : "false"
        case .string(let text), .choice(let text): text
        case .list(let texts): ListText.format(texts)
        }
    }
}
