/// One checked value for each setting of a table, and where it came from.
public struct SettingsValues: Sendable {
    package let table: SettingsTable
    private var values: [SettingValue]
    /// Parallel to ``values``; `nil` for a default.
    private var places: [String?]

    init(table: SettingsTable) {
        self.table = table
        values = table.settings.map(\.defaultValue)
        places = Array(repeating: nil, count: table.settings.count)
    }

    /// The value of a setting; one that the table does not hold is a programming error and traps.
    public subscript<Value>(setting: TypedSetting<Value>) -> Value {
        guard let index = table.index(of: setting.key), let value = setting.extract(values[index]) else {
            preconditionFailure("the setting must be in the table: \(setting.key)")
        }
        return value
    }

    /// Where the value was set; `nil` when it is the default or the key is not in the table.
    package func place(of key: String) -> String? {
        table.index(of: key).flatMap { places[$0] }
    }

    mutating func set(_ value: SettingValue, at index: Int, place: String) {
        precondition(table.settings[index].type.admits(value), "a value must be checked before it is set")
        values[index] = value
        places[index] = place
    }

    /// The value at a position of the table's settings, erased.
    func value(at index: Int) -> SettingValue { values[index] }
}

extension SettingsValues {
    /// What taking over `next` while running leads to.
    package struct Succession: Sendable {
        /// The values in force from now on: of `next` what may change while running, the rest as it was.
        package var values: SettingsValues
        /// Keys whose value has changed with it.
        package var changed: [String] = []
        /// Keys that have another value at the next start.
        package var pending: [String] = []
    }

    /// What taking over `next`, of the same table, leads to.
    ///
    /// - Throws: When what may change now breaks a constraint with what may not.
    package func succeeded(by next: SettingsValues) throws(SettingsError) -> Succession {
        var succession = Succession(values: self)
        for (index, setting) in table.settings.enumerated() {
            let isSame = values[index] == next.values[index]
            if setting.reload == .whileRunning {
                succession.values.values[index] = next.values[index]
                succession.values.places[index] = next.places[index]
                if !isSame { succession.changed.append(setting.key) }
            } else if !isSame {
                succession.pending.append(setting.key)
            }
        }
        let problems = table.violations(in: succession.values)
        guard problems.isEmpty else {
            throw SettingsError(
                problems: problems.map {
                    SettingsProblem(place: $0.place, message: "\($0.message); this takes a restart")
                })
        }
        return succession
    }
}

// MARK: - Written down

extension SettingsValues {
    /// All values as a file that gives them again.
    package var toml: String {
        table.settings.indices.map { "\(table.settings[$0].key) = \(values[$0].toml)\n" }.joined()
    }

    /// All values as arguments of `--set` that give them again.
    package var flags: [String] {
        table.settings.indices.map { "\(table.settings[$0].key)=\(values[$0])" }
    }
}

extension SettingValue {
    /// The value as TOML spells it.
    fileprivate var toml: String {
        switch self {
        case .integer, .boolean: description
        case .list(let texts): "[" + texts.map(Self.quoted).joined(separator: ", ") + "]"
        case .duration, .byteCount, .percentage, .string, .choice: Self.quoted(description)
        }
    }

    /// A basic string (toml.io, version 1.0).
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: quoted += "\\\""
            case 0x5c: quoted += "\\\\"
            case 0..<0x20, 0x7f:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
