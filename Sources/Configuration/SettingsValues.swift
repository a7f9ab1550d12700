/// One checked value for each setting of a table, and where it came from.
package struct SettingsValues: Sendable {
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
    package subscript<Value>(setting: TypedSetting<Value>) -> Value {
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
