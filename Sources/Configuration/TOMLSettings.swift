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
        if let place = placeOfHeaderWithoutKey(in: file.bytes) {
            throw problem("expected the name of a table behind \"[\"", ":\(place.line):\(place.column)")
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

    /// The first line that begins with a bracket behind which no key can begin.
    ///
    /// The parser (toml++ 3.4.0) aborts the process there instead of complaining: found by `fuzz-settings`. Arrays of arrays
    /// are refused with it, which no setting is.
    private static func placeOfHeaderWithoutKey(in bytes: [UInt8]) -> (line: Int, column: Int)? {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var rest = bytes[...]
        // A byte order mark.
        if rest.starts(with: [0xef, 0xbb, 0xbf]) { rest = rest.dropFirst(3) }
        for (index, line) in rest.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            var tail = line.drop(while: isBlank)
            guard tail.first == 0x5b else { continue }
            tail = tail.dropFirst().drop(while: isBlank)
            if tail.first == 0x5b { tail = tail.dropFirst().drop(while: isBlank) }
            if let byte = tail.first, isKeyBeginning(byte) { continue }
            return (index + 1, tail.startIndex - line.startIndex + 1)
        }
        return nil
    }

    /// Of a bare key, of a quoted one, or the end of a table without a name, which the parser complains about.
    private static func isKeyBeginning(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2d, 0x22, 0x27, 0x5d: true
        default: false
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
