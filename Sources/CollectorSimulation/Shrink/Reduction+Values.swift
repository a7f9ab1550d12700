// Simpler lines: fewer words, smaller numbers, plainer texts.

extension Reduction {
    /// Simplifies every word of every line, the last lines first.
    func simplifyValues() throws(WorkerError) {
        for place in best.places.reversed() {
            guard !isOver else { return }
            var index = (best.line(at: place)?.tokens.count ?? 0) - 1
            // The first word says what the line is; a time has a pass of its own.
            while index >= 1, !isOver {
                if try !removeToken(index, at: place) { try simplifyToken(index, at: place) }
                index -= 1
            }
        }
    }

    private func removeToken(_ index: Int, at place: ScenePlace) throws(WorkerError) -> Bool {
        guard let line = best.line(at: place), line != trial.target.expectation, index < line.tokens.count
        else {
            return false
        }
        var tokens = line.tokens
        tokens.remove(at: index)
        if try accept(best.replacing(tokens, at: place)) { return true }
        // `-> 412` is two words that go together.
        guard index > 1, line.tokens[index - 1].kind == .arrow else { return false }
        tokens.remove(at: index - 1)
        return try accept(best.replacing(tokens, at: place))
    }

    /// Replaces one word by simpler ones until none of them fails any more.
    private func simplifyToken(_ index: Int, at place: ScenePlace) throws(WorkerError) {
        for _ in 0..<Self.roundLimit {
            guard let line = best.line(at: place), line != trial.target.expectation,
                index < line.tokens.count, !isOver
            else { return }
            let candidates = SimplerToken.candidates(for: line.tokens[index].kind).map { kind in
                var tokens = line.tokens
                tokens[index].kind = kind
                return best.replacing(tokens, at: place)
            }
            guard try acceptFirst(of: candidates) else { return }
        }
    }

    /// Most replacements of one word: numbers halve, so that 64 reach the end of any.
    private static let roundLimit = 64
}

/// What a word can be replaced by to be simpler, the simplest first; each is simpler, so that replacing ends.
enum SimplerToken {
    static func candidates(for kind: SceneToken.Kind) -> [SceneToken.Kind] {
        switch kind {
        case .arrow, .time: []
        case .value(let value): values(value).map { .value($0) }
        case .keyed(let key, let value):
            // Names of processes are no quantities.
            ["pid", "ppid", "port", "start"].contains(key)
                ? [] : keyedValues(value).map { .keyed(key, $0) }
        }
    }

    private static func values(_ value: SceneValue) -> [SceneValue] {
        switch value {
        case .bare(let word):
            if word.hasPrefix("x"), let count = Quantity.integer(word.dropFirst()) {
                return smaller(count, than: 1).map { .bare("x\($0)") }
            }
            return word.hasPrefix("/") ? paths(word) : durations(word)
        case .string(let bytes): return strings(bytes)
        case .list(let values): return lists(values)
        }
    }

    private static func keyedValues(_ value: SceneValue) -> [SceneValue] {
        switch value {
        case .bare(let word):
            if let number = Quantity.integer(word) {
                return smaller(number, than: 0).map { .bare(String($0)) }
            }
            if word.hasPrefix("/") { return paths(word) }
            return durations(word) + sizes(word) + probabilities(word)
        case .string(let bytes): return strings(bytes)
        case .list(let values): return lists(values)
        }
    }

    /// Numbers down to a bound: the bound, then by halves, then the next smaller one.
    private static func smaller(_ number: UInt64, than bound: UInt64) -> [UInt64] {
        guard number > bound else { return [] }
        return [bound, number / 2, number - number / 4, number - 1].filter { $0 < number && $0 >= bound }
    }

    private static func durations(_ word: String) -> [SceneValue] {
        guard let nanoseconds = Quantity.nanoseconds(word), nanoseconds > 0 else { return [] }
        let units: [Int64] = [1_000_000_000, 1_000_000, 1_000]
        let shorter = units + [nanoseconds / 2, nanoseconds].map(\.leadingDigit)
        return shorter.filter { $0 < nanoseconds && $0 > 0 }.map {
            .bare(Quantity.duration(nanoseconds: $0))
        }
    }

    private static func sizes(_ word: String) -> [SceneValue] {
        guard word.hasSuffix("B"), let count = Quantity.byteCount(word) else { return [] }
        let kibibytes = (count - 1) / 1_024
        return [1, 4, 16, 64, 256, 1_024].filter { $0 <= kibibytes }.map {
            .bare("\($0)KiB")
        }
    }

    /// Of a probability only certainty is simpler.
    private static func probabilities(_ word: String) -> [SceneValue] {
        word.hasPrefix("0.") ? [.bare("1")] : []
    }

    private static func paths(_ word: String) -> [SceneValue] {
        ["/a", "/b"].filter { $0.utf8.count < word.utf8.count }.map { .bare($0) }
    }

    private static func strings(_ bytes: [UInt8]) -> [SceneValue] {
        guard bytes.count > 1 else { return [] }
        let half = bytes.count / 2
        let shorter: [[UInt8]] = [
            Array("a".utf8), Array(bytes[..<half]), Array(bytes[half...]), Array(bytes.dropLast()),
            Array(bytes.dropFirst()),
        ]
        return shorter.map { .string($0) }
    }

    private static func lists(_ values: [SceneValue]) -> [SceneValue] {
        guard !values.isEmpty else { return [] }
        var shorter: [SceneValue] = [.list([])]
        if values.count > 1 {
            shorter.append(.list(Array(values[..<(values.count / 2)])))
            shorter.append(.list(Array(values[(values.count / 2)...])))
        }
        let isPlain = values.allSatisfy { $0 == .bare("a") }
        if !isPlain { shorter.append(.list(values.map { _ in .bare("a") })) }
        return shorter
    }
}

/// Where a line stands.
enum ScenePlace: Hashable {
    case directive(Int)
    case line(section: Int, index: Int)
}

extension SceneDocument {
    /// The lines whose words may be simplified: not what is expected.
    var places: [ScenePlace] {
        var places = directives.indices.map { ScenePlace.directive($0) }
        for (section, content) in sections.enumerated() where content.name != "expect" {
            places += content.lines.indices.map { .line(section: section, index: $0) }
        }
        return places
    }

    func line(at place: ScenePlace) -> SceneLine? {
        switch place {
        case .directive(let index): directives.indices.contains(index) ? directives[index] : nil
        case .line(let section, let index):
            sections.indices.contains(section) && sections[section].lines.indices.contains(index)
                ? sections[section].lines[index] : nil
        }
    }

    func replacing(_ tokens: [SceneToken], at place: ScenePlace) -> SceneDocument {
        var document = self
        switch place {
        case .directive(let index): document.directives[index].content = .tokens(tokens)
        case .line(let section, let index): document.sections[section].lines[index].content = .tokens(tokens)
        }
        return document
    }
}
