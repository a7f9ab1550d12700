import EventModel
import TOMLKit

/// Settings as a TOML file (toml.io, version 1.0) gives them: tables for the words of a key, a value for each setting.
enum TOMLSettings {
    /// The assignments of a file, in the order of their keys.
    ///
    /// Text becomes text, and numbers numbers: a duration is `"30s"`, never 30.
    /// - Throws: A syntax error with line and column; text that is no UTF-8; a table below ``SettingsLimits/depth``.
    static func assignments(in file: SettingsFile) throws(SettingsError) -> [SettingsAssignment] {
        let document = try parse(file)
        var reader = Reader(path: file.path)
        reader.walk(document, below: "", depth: 1)
        guard reader.problems.isEmpty else { throw SettingsError(problems: reader.problems) }
        return reader.assignments
    }

    private static func parse(_ file: SettingsFile) throws(SettingsError) -> TOMLTable {
        func problem(_ message: String, _ place: String = "") -> SettingsError {
            SettingsError(problems: [
                SettingsProblem(place: TerminalText.escape(file.path) + place, message: message)
            ])
        }
        guard file.bytes.count <= SettingsLimits.fileByteCount else {
            throw problem("expected at most \(SettingsLimits.fileByteCount) bytes, not \(file.bytes.count)")
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            throw problem("expected UTF-8 text")
        }
        // The parser takes text that ends at a NUL, and gives strings that do.
        guard !file.bytes.contains(0), !text.contains("\\u0000"), !text.contains("\\U00000000") else {
            throw problem("expected text without NUL characters")
        }
        do {
            return try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let begin = error.source.begin
            throw problem(SettingsProblem.shortened(error.description), ":\(begin.line):\(begin.column)")
        } catch {
            throw problem("cannot be read as TOML")
        }
    }

    /// Walks tables in the order of their keys, whatever order they stand in.
    private struct Reader {
        let path: String
        var assignments: [SettingsAssignment] = []
        var problems: [SettingsProblem] = []

        mutating func walk(_ table: TOMLTable, below prefix: String, depth: Int) {
            for (key, value) in table {
                let isWord = Setting.isWord(key)
                // A quoted key may hold dots, which would make it look like another setting's.
                let name = prefix + (isWord ? key : SettingsProblem.quoted(key))
                guard let inner = value.table, isWord else {
                    assignments.append(
                        SettingsAssignment(key: name, value: content(of: value), place: place(name)))
                    continue
                }
                guard depth < SettingsLimits.depth else {
                    problems.append(
                        SettingsProblem(place: place(name), message: "tables are nested too deeply"))
                    continue
                }
                walk(inner, below: name + ".", depth: depth + 1)
            }
        }

        private func place(_ key: String) -> String { "\(TerminalText.escape(path)): \(key)" }

        private func content(of value: any TOMLValueConvertible) -> SettingsAssignment.Value {
            switch value.type {
            case .string: return .string(value.string ?? "")
            case .int: return .integer(value.int ?? 0)
            case .bool: return .boolean(value.bool ?? false)
            case .array: return strings(of: value) ?? .other("an array with something else than strings")
            case .table: return .other("a table")
            case .double: return .other("a number with a fraction")
            case .date, .time, .dateTime: return .other("a date or a time")
            }
        }

        private func strings(of value: any TOMLValueConvertible) -> SettingsAssignment.Value? {
            guard let array = value.array else { return nil }
            var texts: [String] = []
            for element in array {
                guard let text = element.string else { return nil }
                texts.append(text)
            }
            return .strings(texts)
        }
    }
}
