public import CollectorCore
import Configuration
import EventModel

/// What is said of settings without a collector that runs.
extension CollectorHost {
    /// Which settings are asked for, and where they are read from.
    public struct SettingsQuery: Sendable {
        /// A key or the beginning of keys; `nil` for all.
        public var key: String?
        /// As ``HostOptions/configurationFile``.
        public var configurationFile: String?
        /// As ``HostOptions/assignments``.
        public var assignments: [String]
        /// As ``HostOptions/sources``.
        public var sources: [SourceDefinition]

        public init(
            key: String?, configurationFile: String?, assignments: [String], sources: [SourceDefinition] = []
        ) {
            self.sources = sources
            self.key = key
            self.configurationFile = configurationFile
            self.assignments = assignments
        }

        var reader: SettingsReader {
            SettingsReader(file: configurationFile, flags: assignments, sources: sources)
        }
    }

    /// A paragraph for each setting, with its value where that is not the default.
    ///
    /// While anything is wrong in any layer, settings are explained without their values: whoever mends a file needs that most.
    /// - Throws: ``HostError`` when there is no such setting.
    public static func explainSettings(_ query: SettingsQuery, width: Int) throws(HostError) -> String {
        try explanations(of: query.key, in: valuesOrDefaults(query)).map { $0.text(width: width) }.joined(
            separator: "\n")
    }

    /// What ``explainSettings(_:width:)`` tells, as one JSON object a line.
    static func explanationsJSON(_ query: SettingsQuery) throws(HostError) -> String {
        json(try explanations(of: query.key, in: valuesOrDefaults(query)))
    }

    /// One line for each setting: key, value, and with `origin` where it was set.
    public static func showSettings(_ query: SettingsQuery, origin: Bool) throws(HostError) -> String {
        try explanations(of: query.key, in: settings(query.reader)).map { setting in
            let value = TerminalText.escape(setting.valueText ?? setting.defaultText)
            return "\(setting.key) = \(value)" + (origin ? "  (\(setting.place ?? "default"))" : "")
        }.joined(separator: "\n")
    }

    /// The same as one JSON object a line.
    public static func settingsJSON(_ query: SettingsQuery) throws(HostError) -> String {
        json(try explanations(of: query.key, in: settings(query.reader)))
    }

    private static func json(_ settings: [SettingsExplanation]) -> String {
        var bytes: [UInt8] = []
        for setting in settings {
            if !bytes.isEmpty { bytes.append(0x0a) }
            JSONWriter.append(to: &bytes) { json in
                json.beginObject()
                json.member("record", "setting")
                json.member("key", setting.key)
                json.member("value", setting.valueText ?? setting.defaultText)
                json.member("origin", setting.place ?? "default")
                json.member("type", setting.type)
                if let bounds = setting.bounds { json.member("range", bounds) }
                json.member("unit", setting.unit)
                json.member("default", setting.defaultText)
                json.member("reloadable", setting.isReloadable)
                json.member("variable", SettingsLayers.variable(for: setting.key))
                json.member("documentation", setting.documentation)
                json.endObject()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads all layers, and says in one line what was found.
    ///
    /// - Throws: ``HostError`` with everything that is wrong, one line each.
    public static func checkSettings(_ query: SettingsQuery) throws(HostError) -> String {
        let reader = query.reader
        let values = try settings(reader)
        let setCount = values.explanations.count { $0.place != nil }
        return "\(setCount) of \(values.explanations.count) settings are set; read in this order: "
            + (reader.paths + ["environment \(SettingsLayers.variablePrefix)*", "--set"])
            .map { TerminalText.escape($0) }.joined(separator: ", ")
    }

    private static func valuesOrDefaults(_ query: SettingsQuery) -> SettingsValues {
        let reader = query.reader
        do throws(SettingsError) {
            return try reader.read()
        } catch {
            // `config check` is who tells what is wrong.
            return reader.table.defaults
        }
    }

    private static func explanations(
        of key: String?, in values: SettingsValues
    ) throws(HostError) -> [SettingsExplanation] {
        do throws(SettingsError) {
            return try values.explanations(of: key)
        } catch {
            throw HostError(.configuration, "\(error)")
        }
    }
}
