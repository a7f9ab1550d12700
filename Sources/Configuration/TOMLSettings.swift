import EventModel

/// Settings as a TOML file gives them: tables for the words of a key, a value for each setting.
enum TOMLSettings {
    /// The assignments of a file, in their order; a table that stands in brackets is one, too.
    ///
    /// Text becomes text, and numbers numbers: a duration is `"30s"`, never 30.
    /// - Throws: A syntax error with line and column; text that is too long, or no UTF-8.
    static func assignments(in file: SettingsFile) throws(SettingsError) -> [SettingsAssignment] {
        let path = TerminalText.escape(file.path)
        guard file.bytes.count <= SettingsLimits.fileByteCount else {
            let message = "expected at most \(SettingsLimits.fileByteCount) bytes, not \(file.bytes.count)"
            throw SettingsError(place: path, message: message)
        }
        guard String(validating: file.bytes, as: UTF8.self) != nil else {
            throw SettingsError(place: path, message: "expected UTF-8 text")
        }
        do throws(TOMLError) {
            return try TOMLReader.entries(of: file.bytes).map { entry in
                SettingsAssignment(key: entry.key, value: entry.value, place: "\(path): \(entry.key)")
            }
        } catch {
            let place = place(of: error.offset, in: file.bytes)
            throw SettingsError(place: "\(path):\(place.line):\(place.column)", message: error.message)
        }
    }

    /// Line and column, in characters, from 1.
    private static func place(of offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        let before = bytes[..<offset]
        let lineStart = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
        return (
            before.count { $0 == 0x0a } + 1, before[lineStart...].count { $0 & 0xc0 != 0x80 } + 1
        )
    }
}
