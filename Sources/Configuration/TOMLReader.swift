/// Where a text stops being TOML, and what was expected there.
struct TOMLError: Error {
    /// In bytes.
    var offset: Int
    var message: String
}

/// Reads TOML (toml.io, version 1.0) as far as settings need it, key by key.
///
/// Numbers with a fraction, dates and arrays of something else than strings are recognised and given as
/// ``SettingsAssignment/Value/other(_:)``; arrays of tables are refused. Of our own, because it has to survive whatever a
/// slip of the finger puts into a file while a daemon runs: the library that was tried first (toml++ 3.4.0) ends the
/// process at `[=` and at a date that is cut, as its fuzzer found within seconds.
struct TOMLReader {
    /// One key and its value, in the order of the text; a table has one of its own, too.
    struct Entry {
        /// Words joined by dots; a word that no setting can have is quoted.
        var key: String
        var value: SettingsAssignment.Value
    }

    private let bytes: [UInt8]
    private var position = 0
    private var entries: [Entry] = []
    /// What has a value, or stands in brackets.
    private var defined: Set<String> = []
    /// Tables that dotted keys have made: no brackets may open them again.
    private var dotted: Set<String> = []

    /// The entries of a text.
    ///
    /// - Parameter bytes: UTF-8.
    static func entries(of bytes: [UInt8]) throws(TOMLError) -> [Entry] {
        var reader = TOMLReader(bytes: bytes)
        try reader.readDocument()
        return reader.entries
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    // MARK: - Lines

    private mutating func readDocument() throws(TOMLError) {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
        var table = ""
        while true {
            skipBlanks()
            switch peek {
            case nil: return
            case 0x0a, 0x0d, 0x23: break
            case 0x5b: table = try readHeader()
            default: try readPair(below: table, depth: 1)
            }
            try finishLine()
        }
    }

    /// Blanks, a comment, and the line's end.
    private mutating func finishLine() throws(TOMLError) {
        skipBlanks()
        if peek == 0x23 { try skipComment() }
        guard let byte = peek else { return }
        if byte == 0x0d, position + 1 < bytes.count, bytes[position + 1] == 0x0a { position += 1 }
        guard peek == 0x0a else { throw error("expected the end of the line") }
        position += 1
    }

    private mutating func skipComment() throws(TOMLError) {
        while let byte = peek, byte != 0x0a {
            let isLineEnd = byte == 0x0d && position + 1 < bytes.count && bytes[position + 1] == 0x0a
            if isLineEnd { return }
            guard byte >= 0x20 && byte != 0x7f || byte == 0x09 else {
                throw error("a comment must not have control characters")
            }
            position += 1
        }
    }

    /// `[a.b]`; gives the beginning of the keys below.
    private mutating func readHeader() throws(TOMLError) -> String {
        position += 1
        guard peek != 0x5b else { throw error("no setting is an array of tables") }
        let begin = position
        let key = try readKey().joined(separator: ".")
        skipBlanks()
        guard take(0x5d) else { throw error("expected \"]\"") }
        guard defined.insert(key).inserted, !dotted.contains(key) else {
            throw TOMLError(
                offset: begin, message: "the table \(SettingsProblem.shortened(key)) is there already")
        }
        entries.append(Entry(key: key, value: .table))
        return key + "."
    }

    /// `a.b = value`
    private mutating func readPair(below table: String, depth: Int) throws(TOMLError) {
        let begin = position
        let words = try readKey()
        let key = table + words.joined(separator: ".")
        guard !dotted.contains(key), defined.insert(key).inserted else {
            throw TOMLError(offset: begin, message: "\(SettingsProblem.shortened(key)) is set already")
        }
        for count in 1..<words.count { dotted.insert(table + words[..<count].joined(separator: ".")) }
        skipBlanks()
        guard take(0x3d) else { throw error("expected \"=\"") }
        skipBlanks()
        if peek == 0x7b { return try readInlineTable(key, depth: depth) }
        entries.append(Entry(key: key, value: try readValue(depth: depth)))
    }

    private mutating func readInlineTable(_ key: String, depth: Int) throws(TOMLError) {
        try checkDepth(depth)
        entries.append(Entry(key: key, value: .table))
        position += 1
        skipBlanks()
        if take(0x7d) { return }
        while true {
            skipBlanks()
            try readPair(below: key + ".", depth: depth + 1)
            skipBlanks()
            if take(0x7d) { return }
            guard take(0x2c) else { throw error("expected \",\" or \"}\"") }
        }
    }

    // MARK: - Keys

    private mutating func readKey() throws(TOMLError) -> [String] {
        var words: [String] = []
        repeat {
            skipBlanks()
            words.append(try readWord())
            guard words.count <= SettingsLimits.depth else { throw error("keys are nested too deeply") }
            skipBlanks()
        } while take(0x2e)
        return words
    }

    private mutating func readWord() throws(TOMLError) -> String {
        if peek == 0x22 || peek == 0x27 {
            let text = try readText(isKey: true)
            // It may hold dots, which would make it look like another setting's.
            return Setting.isWord(text) ? text : SettingsProblem.quoted(text)
        }
        let begin = position
        while let byte = peek, Self.isBareByte(byte) { position += 1 }
        guard position > begin else { throw error("expected a key") }
        let text = String(decoding: bytes[begin..<position], as: UTF8.self)
        return Setting.isWord(text) ? text : SettingsProblem.quoted(text)
    }

    private static func isBareByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f: true
        default: false
        }
    }

    // MARK: - Values

    private mutating func readValue(depth: Int) throws(TOMLError) -> SettingsAssignment.Value {
        switch peek {
        case 0x22, 0x27: return .string(try readText(isKey: false))
        case 0x5b: return try readArray(depth: depth)
        default: return try readBareValue()
        }
    }

    private mutating func readArray(depth: Int) throws(TOMLError) -> SettingsAssignment.Value {
        try checkDepth(depth)
        position += 1
        var texts: [String] = []
        var isOfStrings = true
        while true {
            try skipLines()
            if take(0x5d) { break }
            if peek == 0x7b { throw error("no setting is an array of tables") }
            if case .string(let text) = try readValue(depth: depth + 1) {
                texts.append(text)
            } else {
                isOfStrings = false
            }
            try skipLines()
            if take(0x5d) { break }
            guard take(0x2c) else { throw error("expected \",\" or \"]\"") }
        }
        return isOfStrings ? .strings(texts) : .other("an array with something else than strings")
    }

    /// Blanks, comments and the ends of lines, as they may stand in an array.
    private mutating func skipLines() throws(TOMLError) {
        while true {
            skipBlanks()
            switch peek {
            case 0x0a, 0x0d, 0x23: try finishLine()
            default: return
            }
        }
    }

    /// A number, a truth value, a date.
    private mutating func readBareValue() throws(TOMLError) -> SettingsAssignment.Value {
        let begin = position
        while let byte = peek, Self.isBareByte(byte) || byte == 0x2b || byte == 0x2e || byte == 0x3a {
            position += 1
        }
        let text = String(decoding: bytes[begin..<position], as: UTF8.self)
        guard let value = TOMLNumber.value(of: text) else {
            let message =
                text.isEmpty
                ? "expected a value"
                : "expected a value, not \(SettingsProblem.shortened(text)); "
                    + (TOMLNumber.isTooLarge(text) ? "no number is that large" : "text stands in quotes")
            throw TOMLError(offset: begin, message: message)
        }
        return value
    }

    private mutating func readText(isKey: Bool) throws(TOMLError) -> String {
        var reader = TOMLText(bytes: bytes, position: position)
        let text = try reader.read(isKey: isKey)
        position = reader.position
        return text
    }

    // MARK: - Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while peek == 0x20 || peek == 0x09 { position += 1 }
    }

    private func checkDepth(_ depth: Int) throws(TOMLError) {
        guard depth < SettingsLimits.depth else { throw error("values are nested too deeply") }
    }

    private func error(_ message: String) -> TOMLError { TOMLError(offset: position, message: message) }
}
