/// Takes the words of one line one after the other and says what was expected when they do not fit.
///
/// Whatever nobody took is an error at ``finish()``: no word is ignored silently.
struct LineReader {
    let path: String
    let line: Int
    private let endColumn: Int
    private var positional: [SceneToken] = []
    private var keyed: [(key: String, value: SceneValue, column: Int)] = []
    private var knownKeys: [String] = []
    private var knownFlags: [String] = []
    /// The scenario's time, when the line began with one.
    private(set) var time: Int64?
    private var timeColumn = 1

    init(_ line: SceneLine, path: String) {
        self.path = path
        self.line = line.number
        let tokens = line.tokens
        endColumn = (tokens.last?.column ?? line.column) + 1
        for (index, token) in tokens.enumerated() {
            switch token.kind {
            case .time(let nanoseconds) where index == 0:
                time = nanoseconds
                timeColumn = token.column
            case .keyed(let key, let value): keyed.append((key, value, token.column))
            case .arrow, .value, .time: positional.append(token)
            }
        }
    }

    var position: SourcePosition { SourcePosition(line: line, column: positional.first?.column ?? endColumn) }

    func error(_ message: String, column: Int? = nil) -> ScenarioError {
        let place = SourcePosition(line: line, column: column ?? position.column)
        return ScenarioError(path: path, position: place, message: message)
    }

    // MARK: - Words in order

    /// The first word, which says what the line is.
    mutating func verb(of known: [String]) throws(ScenarioError) -> String {
        let column = position.column
        guard let token = positional.first, case .value(.bare(let word)) = token.kind else {
            throw error("expected one of \(known.joined(separator: ", "))", column: column)
        }
        guard known.contains(word) else {
            throw error(
                "unknown verb \"\(word)\"; expected one of \(known.joined(separator: ", "))", column: column)
        }
        positional.removeFirst()
        return word
    }

    /// The next word without its quotes, as bytes.
    mutating func bytes(_ expected: String) throws(ScenarioError) -> [UInt8] {
        guard let token = positional.first, case .value(let value) = token.kind, let bytes = value.bytes
        else {
            throw error("expected \(expected)")
        }
        positional.removeFirst()
        return bytes
    }

    /// The next bare word.
    mutating func word(_ expected: String) throws(ScenarioError) -> String {
        guard let token = positional.first, case .value(.bare(let word)) = token.kind else {
            throw error("expected \(expected)")
        }
        positional.removeFirst()
        return word
    }

    /// The next word if it is one of these.
    mutating func word(of known: [String]) throws(ScenarioError) -> String {
        guard let token = positional.first, case .value(.bare(let word)) = token.kind, known.contains(word)
        else {
            throw error("expected one of \(known.joined(separator: ", "))")
        }
        positional.removeFirst()
        return word
    }

    mutating func optionalWord(where accepts: (String) -> Bool) -> String? {
        guard let token = positional.first, case .value(.bare(let word)) = token.kind, accepts(word) else {
            return nil
        }
        positional.removeFirst()
        return word
    }

    /// Whether an arrow comes next; it is taken.
    mutating func takesArrow() -> Bool {
        guard positional.first?.kind == .arrow else { return false }
        positional.removeFirst()
        return true
    }

    mutating func arrow() throws(ScenarioError) {
        guard takesArrow() else { throw error("expected \"->\"") }
    }

    /// Whether a bare word stands anywhere among the rest; it is taken.
    mutating func flag(_ name: String) -> Bool {
        knownFlags.append(name)
        guard let index = positional.firstIndex(where: { $0.kind == .value(.bare(name)) }) else {
            return false
        }
        positional.remove(at: index)
        return true
    }

    mutating func parsed<T>(_ expected: String, _ parse: (String) -> T?) throws(ScenarioError) -> T {
        let column = position.column
        let text = try word(expected)
        guard let value = parse(text) else {
            throw error("expected \(expected), not \"\(text)\"", column: column)
        }
        return value
    }

    mutating func process() throws(ScenarioError) -> ProcessReference {
        try parsed("a process such as 412 or 412#2") { ProcessReference($0) }
    }

    mutating func pid() throws(ScenarioError) -> Int32 {
        try parsed("a pid between 1 and 4194304") { Self.pid($0) }
    }

    mutating func duration() throws(ScenarioError) -> Int64 {
        try parsed("a duration such as 20ms") { Quantity.nanoseconds($0) }
    }

    var isAtEnd: Bool { positional.isEmpty }

    // MARK: - Keys

    /// The first key that nobody has taken.
    var firstKey: String? { keyed.first?.key }

    /// Where a key stands that nobody has taken yet.
    func column(ofKey key: String) -> Int? { keyed.first { $0.key == key }?.column }

    mutating func value(_ key: String) -> (value: SceneValue, column: Int)? {
        knownKeys.append(key)
        guard let index = keyed.firstIndex(where: { $0.key == key }) else { return nil }
        let entry = keyed.remove(at: index)
        return (entry.value, entry.column)
    }

    mutating func parsed<T>(_ key: String, _ expected: String, _ parse: (String) -> T?) throws(ScenarioError)
        -> T?
    {
        guard let (value, column) = self.value(key) else { return nil }
        guard case .bare(let text) = value, let result = parse(text) else {
            throw error("expected \(key)=\(expected), not \(Printer.value(value))", column: column)
        }
        return result
    }

    mutating func bytes(key: String) throws(ScenarioError) -> [UInt8]? {
        guard let (value, column) = self.value(key) else { return nil }
        guard let bytes = value.bytes else {
            throw error("expected \(key)= with a word or a string", column: column)
        }
        return bytes
    }

    mutating func list(key: String) throws(ScenarioError) -> [[UInt8]]? {
        guard let (value, column) = self.value(key) else { return nil }
        guard case .list(let values) = value else {
            throw error("expected \(key)= with a list such as [\"a\",\"b\"]", column: column)
        }
        return values.compactMap(\.bytes)
    }

    /// All that have such a key, whatever follows it, in their order.
    mutating func texts(keyPrefix: String) throws(ScenarioError) -> [(key: String, text: String)] {
        knownKeys.append(keyPrefix + "NAME.KEY")
        var texts: [(key: String, text: String)] = []
        for (key, value, column) in keyed where key.hasPrefix(keyPrefix) {
            guard let bytes = value.bytes else {
                throw error(
                    "expected \(key)=a word or a string, not \(Printer.value(value))", column: column)
            }
            texts.append((key, String(decoding: bytes, as: UTF8.self)))
        }
        keyed.removeAll { $0.key.hasPrefix(keyPrefix) }
        return texts
    }

    mutating func duration(key: String) throws(ScenarioError) -> Int64? {
        try parsed(key, "a duration such as 20ms") { Quantity.nanoseconds($0).flatMap { $0 >= 0 ? $0 : nil } }
    }

    mutating func byteCount(key: String) throws(ScenarioError) -> Int? {
        try parsed(key, "a byte count such as 4KiB") { Quantity.byteCount($0) }
    }

    mutating func integer(key: String, in range: ClosedRange<UInt64>) throws(ScenarioError) -> UInt64? {
        try parsed(key, "a number between \(range.lowerBound) and \(range.upperBound)") { text in
            Quantity.integer(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    mutating func choice(key: String, of known: [String]) throws(ScenarioError) -> String? {
        try parsed(key, known.joined(separator: "|")) { known.contains($0) ? $0 : nil }
    }

    mutating func pid(key: String) throws(ScenarioError) -> Int32? {
        try parsed(key, "a pid between 1 and 4194304") { Self.pid($0) }
    }

    // MARK: - The end

    /// The time the line must have.
    func requiredTime() throws(ScenarioError) -> Int64 {
        guard let time else { throw error("expected a time such as @1.5s before the verb") }
        return time
    }

    /// Refuses what is left over.
    func finish() throws(ScenarioError) {
        if let rest = keyed.min(by: { $0.column < $1.column }) {
            let expected =
                knownKeys.isEmpty ? "expected none" : "expected one of " + knownKeys.joined(separator: ", ")
            let isDouble = knownKeys.contains(rest.key)
            let message =
                isDouble ? "key \"\(rest.key)\" is given twice" : "unknown key \"\(rest.key)\"; \(expected)"
            throw error(message, column: rest.column)
        }
        if let rest = positional.first {
            let flags = knownFlags.isEmpty ? "" : " or one of \(knownFlags.joined(separator: ", "))"
            throw error(
                "expected the end of the line\(flags), not \"\(Printer.token(rest.kind))\"",
                column: rest.column)
        }
    }

    func refuseTime() throws(ScenarioError) {
        if time != nil { throw error("expected no time in this section", column: timeColumn) }
    }

    private static func pid(_ text: String) -> Int32? {
        guard let value = Quantity.integer(text), (1...4_194_304).contains(value) else { return nil }
        return Int32(value)
    }
}

/// A process as a scenario names it: a pid, and which of its incarnations in the order of their births.
package struct ProcessReference: Hashable, Sendable, CustomStringConvertible {
    package var pid: Int32
    /// From 1; `nil` is the incarnation that has the pid when the line runs.
    package var incarnation: Int?

    package init(pid: Int32, incarnation: Int?) {
        self.pid = pid
        self.incarnation = incarnation
    }

    /// Reads `412` or `412#2`.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        guard let number = Quantity.integer(parts[0]), (1...4_194_304).contains(number) else { return nil }
        pid = Int32(number)
        incarnation = nil
        if parts.count == 2 {
            guard let value = Quantity.integer(parts[1]), (1...1_000_000).contains(value) else { return nil }
            incarnation = Int(value)
        }
    }

    package var description: String { incarnation.map { "\(pid)#\($0)" } ?? String(pid) }
}
