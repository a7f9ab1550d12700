/// One row of the schema of all settings: what may be configured, within which bounds, and what it means.
///
/// The rows drive parsing, checking and `config explain`; a program reads values through a ``TypedSetting``.
public struct Setting: Sendable {
    /// Dotted path of lower-case words, such as `sources.process.receive_buffer`.
    public let key: String
    package let type: SettingType
    package let defaultValue: SettingValue
    /// What is counted, for integers; empty where the type says it.
    package let unit: String
    /// Whether the value must not appear in output.
    package let secrecy: Secrecy
    /// When a new value takes effect.
    package let reload: Reload
    /// Full sentences for the operator.
    package let documentation: String

    /// Whether a value may be shown.
    public enum Secrecy: Hashable, Sendable {
        case open, secret
    }

    /// When a changed value takes effect.
    public enum Reload: Hashable, Sendable {
        case whileRunning, atRestart
    }

    /// A row; a malformed key or a default outside the type's bounds is a programming error and traps.
    package init(
        key: String, type: SettingType, defaultValue: SettingValue, unit: String, secrecy: Secrecy,
        reload: Reload, documentation: String
    ) {
        precondition(Self.isKey(key), "a setting's key must be dotted lower-case words: \(key)")
        precondition(type.admits(defaultValue), "the default of \(key) must lie within its own bounds")
        self.key = key
        self.type = type
        self.defaultValue = defaultValue
        self.unit = unit
        self.secrecy = secrecy
        self.reload = reload
        self.documentation = documentation
    }

    /// Two words or more of `[a-z0-9_]`, joined by dots.
    static func isKey(_ text: String) -> Bool {
        let words = text.split(separator: ".", omittingEmptySubsequences: false)
        return words.count >= 2 && words.allSatisfy { isWord($0) }
    }

    /// One byte or more of `[a-z0-9_]`.
    static func isWord(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f
            }
    }
}

/// A setting whose values have the Swift type `Value`: the name under which a program reads it.
///
/// A wrong key or a wrong type is thereby a compile-time error instead of a failure on somebody's host.
public struct TypedSetting<Value: Sendable>: Sendable {
    /// The row for a table of settings, without the type of its values.
    public let setting: Setting
    let extract: @Sendable (SettingValue) -> Value?

    /// Dotted path of lower-case words, such as `sources.process.receive_buffer`.
    public var key: String { setting.key }

    init(setting: Setting, extract: @escaping @Sendable (SettingValue) -> Value?) {
        precondition(extract(setting.defaultValue) != nil, "the default of \(setting.key) must have its type")
        self.setting = setting
        self.extract = extract
    }
}

extension TypedSetting where Value == Int {
    /// An integer, in `unit`, within `range`; a default outside of it traps, as with all of these.
    public static func integer(
        _ key: String, default value: Int, range: ClosedRange<Int>, unit: String,
        reload: Setting.Reload, _ documentation: String
    ) -> Self {
        Self(
            setting: Setting(
                key: key, type: .integer(range), defaultValue: .integer(value), unit: unit, secrecy: .open,
                reload: reload, documentation: documentation)
        ) { if case .integer(let value) = $0 { value } else { nil } }
    }
}

extension TypedSetting where Value == Duration {
    /// Time, written as `30s`.
    public static func duration(
        _ key: String, default value: Duration, range: ClosedRange<Duration>, reload: Setting.Reload,
        _ documentation: String
    ) -> Self {
        Self(
            setting: Setting(
                key: key, type: .duration(range), defaultValue: .duration(value), unit: "", secrecy: .open,
                reload: reload, documentation: documentation)
        ) { if case .duration(let value) = $0 { value } else { nil } }
    }
}

extension TypedSetting where Value == ByteCount {
    /// A number of bytes, written as `8 MiB`.
    public static func byteCount(
        _ key: String, default value: ByteCount, range: ClosedRange<ByteCount>, reload: Setting.Reload,
        _ documentation: String
    ) -> Self {
        Self(
            setting: Setting(
                key: key, type: .byteCount(range), defaultValue: .byteCount(value), unit: "", secrecy: .open,
                reload: reload, documentation: documentation)
        ) { if case .byteCount(let value) = $0 { value } else { nil } }
    }
}

extension TypedSetting where Value == Percentage {
    /// A share, written as `80%`.
    public static func percentage(
        _ key: String, default value: Percentage, range: ClosedRange<Percentage>, reload: Setting.Reload,
        _ documentation: String
    ) -> Self {
        Self(
            setting: Setting(
                key: key, type: .percentage(range), defaultValue: .percentage(value), unit: "",
                secrecy: .open,
                reload: reload, documentation: documentation)
        ) { if case .percentage(let value) = $0 { value } else { nil } }
    }
}

extension TypedSetting where Value == Bool {
    /// `true` or `false`.
    public static func boolean(
        _ key: String, default value: Bool, reload: Setting.Reload, _ documentation: String
    ) -> Self {
        Self(
            setting: Setting(
                key: key, type: .boolean, defaultValue: .boolean(value), unit: "", secrecy: .open,
                reload: reload, documentation: documentation)
        ) { if case .boolean(let value) = $0 { value } else { nil } }
    }
}

extension TypedSetting where Value == String {
    /// Text that keeps a rule.
    public static func string(
        _ key: String, default value: String, rule: TextRule, secrecy: Setting.Secrecy,
        reload: Setting.Reload, _ documentation: String
    ) -> Self {
        Self(
            setting: Setting(
                key: key, type: .string(rule), defaultValue: .string(value), unit: "", secrecy: secrecy,
                reload: reload, documentation: documentation)
        ) { if case .string(let value) = $0 { value } else { nil } }
    }
}

extension TypedSetting where Value == [String] {
    /// Texts that each keep a rule.
    public static func list(
        _ key: String, default value: [String], rule: TextRule, reload: Setting.Reload,
        _ documentation: String
    ) -> Self {
        Self(
            setting: Setting(
                key: key, type: .list(rule), defaultValue: .list(value), unit: "", secrecy: .open,
                reload: reload, documentation: documentation)
        ) { if case .list(let value) = $0 { value } else { nil } }
    }
}

extension TypedSetting where Value: RawRepresentable<String> & CaseIterable {
    /// One of the cases of an enumeration, by raw value.
    public static func choice(
        _ key: String, default value: Value, reload: Setting.Reload, _ documentation: String
    ) -> Self {
        Self(
            setting: Setting(
                key: key, type: .choice(Value.allCases.map(\.rawValue)),
                defaultValue: .choice(value.rawValue),
                unit: "", secrecy: .open, reload: reload, documentation: documentation)
        ) { if case .choice(let name) = $0 { Value(rawValue: name) } else { nil } }
    }
}
