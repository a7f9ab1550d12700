/// Takes the words of one line apart, in order, and says what was expected where something is missing.
struct LitmusLineReader {
    private var positional: [(value: SceneValue, column: Int)] = []
    private var keyed: [(key: String, value: SceneValue, column: Int)] = []
    private let endColumn: Int
    private let path: String
    let line: Int

    /// - Parameter offset: Added to each column, for lines whose words begin further right in the file.
    init(_ tokens: [SceneToken], path: String, line: Int, offset: Int = 0) {
        self.path = path
        self.line = line
        endColumn = (tokens.last?.column ?? 1) + offset
        for token in tokens {
            let column = token.column + offset
            switch token.kind {
            // A time only orders the lines, and the lines are in order already.
            case .time: continue
            case .arrow: positional.append((.bare("->"), column))
            case .value(let value): positional.append((value, column))
            case .keyed(let key, let value): keyed.append((key, value, column))
            }
        }
    }

    var isAtEnd: Bool { positional.isEmpty }

    func error(_ message: String, column: Int? = nil) -> ScenarioError {
        let column = column ?? positional.first?.column ?? endColumn
        return ScenarioError(
            path: path, position: SourcePosition(line: line, column: column), message: message)
    }

    mutating func bytes(_ expected: String) throws(ScenarioError) -> [UInt8] {
        guard let bytes = positional.first?.value.bytes else { throw error("expected \(expected)") }
        positional.removeFirst()
        return bytes
    }

    mutating func word(_ expected: String) throws(ScenarioError) -> String {
        guard case .bare(let word)? = positional.first?.value else { throw error("expected \(expected)") }
        positional.removeFirst()
        return word
    }

    mutating func arrow() throws(ScenarioError) {
        guard case .bare("->")? = positional.first?.value else { throw error("expected \"->\"") }
        positional.removeFirst()
    }

    /// Takes `word` if it comes next.
    mutating func skip(_ word: String) -> Bool {
        guard case .bare(word)? = positional.first?.value else { return false }
        positional.removeFirst()
        return true
    }

    mutating func duration() throws(ScenarioError) -> Duration {
        let column = positional.first?.column
        let text = try word("a duration such as 20ms")
        return try Self.duration(text, orThrow: error("expected a duration such as 20ms", column: column))
    }

    mutating func key(_ name: String) -> (value: SceneValue, column: Int)? {
        guard let index = keyed.firstIndex(where: { $0.key == name }) else { return nil }
        let found = keyed.remove(at: index)
        return (found.value, found.column)
    }

    mutating func integer(_ name: String, limit: UInt64) throws(ScenarioError) -> Int? {
        guard let (value, column) = key(name) else { return nil }
        guard case .bare(let word) = value, let number = Quantity.integer(word), number <= limit else {
            throw error("expected a number up to \(limit) after \"\(name)=\"", column: column)
        }
        return Int(number)
    }

    mutating func byteCount(_ name: String) throws(ScenarioError) -> Int? {
        guard let (value, column) = key(name) else { return nil }
        guard case .bare(let word) = value, let count = Quantity.byteCount(word) else {
            throw error("expected a size such as 8KiB after \"\(name)=\"", column: column)
        }
        return count
    }

    mutating func bytes(forKey name: String) throws(ScenarioError) -> [UInt8]? {
        guard let (value, column) = key(name) else { return nil }
        guard let bytes = value.bytes else {
            throw error("expected a word or a string after \"\(name)=\"", column: column)
        }
        return bytes
    }

    mutating func duration(forKey name: String) throws(ScenarioError) -> Duration? {
        guard let (value, column) = key(name) else { return nil }
        let problem = error("expected a duration such as -5s after \"\(name)=\"", column: column)
        guard case .bare(let word) = value else { throw problem }
        return try Self.duration(word.hasPrefix("+") ? String(word.dropFirst()) : word, orThrow: problem)
    }

    mutating func list(_ name: String, limit: Int) throws(ScenarioError) -> [[UInt8]]? {
        guard let (value, column) = key(name) else { return nil }
        guard case .list(let values) = value, values.count <= limit else {
            throw error("expected a list of at most \(limit) strings after \"\(name)=\"", column: column)
        }
        return values.compactMap(\.bytes)
    }

    /// Throws if anything is left over.
    func finish() throws(ScenarioError) {
        if let extra = keyed.first {
            throw error("unexpected \"\(extra.key)=\"", column: extra.column)
        }
        if let extra = positional.first {
            throw error("expected the end of the line", column: extra.column)
        }
    }

    private static func duration(_ text: String, orThrow problem: ScenarioError) throws(ScenarioError)
        -> Duration
    {
        guard let nanoseconds = Quantity.nanoseconds(text) else { throw problem }
        return .nanoseconds(nanoseconds)
    }
}
