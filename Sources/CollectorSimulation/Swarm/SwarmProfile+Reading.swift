extension SwarmProfile {
    /// Gives the lines of a document their meaning.
    package init(_ document: SceneDocument, path: String) throws(ScenarioError) {
        self.path = path
        self.document = document
        name = document.name
        for line in document.directives where !line.tokens.isEmpty {
            var reader = LineReader(line, path: path)
            try reader.refuseTime()
            try read(&reader)
            try reader.finish()
        }
        guard !features.isEmpty else {
            throw ScenarioError(path: path, position: nil, message: "expected at least one feature line")
        }
    }

    private static let directives = [
        "about", "length", "omit", "schedule", "buggify", "phase", "host", "limit", "knob", "feature",
        "fault",
        "require",
    ]

    private mutating func read(_ reader: inout LineReader) throws(ScenarioError) {
        switch try reader.verb(of: Self.directives) {
        case "about": _ = try reader.bytes("a text in quotes")
        case "length": try length.read(&reader)
        case "omit": try omission.read(&reader)
        case "schedule": try schedule.read(&reader)
        case "buggify": try faultRule.read(&reader)
        case "phase": try phase.read(&reader)
        case "host": try readSettings(of: "host", &reader)
        case "limit": try readSettings(of: "limit", &reader)
        case "knob": try readSettings(of: "config", &reader)
        case "feature": features.append(try Feature(&reader, known: features.map(\.feature)))
        case "fault": faults.append(try Fault(&reader))
        default: try required.read(&reader)
        }
    }

    /// Takes every key of the line, and has scenarios' own reader judge what can be drawn.
    private mutating func readSettings(of directive: String, _ reader: inout LineReader) throws(ScenarioError)
    {
        let entries = reader.takeKeys()
        guard !entries.isEmpty else { throw reader.error("expected at least one key=") }
        for entry in entries {
            guard !settings.contains(where: { $0.directive == directive && $0.key == entry.key }) else {
                throw reader.error("key \"\(entry.key)\" is given twice", column: entry.column)
            }
            let value = try reader.distribution(entry)
            for text in value.representatives where text != Self.standard {
                try check(directive, entry, text, line: reader.line)
            }
            settings.append(Setting(directive: directive, key: entry.key, value: value))
        }
    }

    /// Alternative of a setting that leaves it out.
    package static let standard = "default"

    private func check(_ directive: String, _ entry: LineReader.Entry, _ text: String, line: Int)
        throws(ScenarioError)
    {
        let token = SceneToken(.keyed(entry.key, .bare(text)), column: entry.column)
        var reader = LineReader(SceneLine(.tokens([token]), number: line), path: path)
        switch directive {
        case "host":
            var host = HostDescription()
            try host.read(&reader)
        case "limit":
            var limits = WorldLimits()
            try limits.read(&reader)
        default:
            var settings = CollectorSettings()
            try settings.read(&reader)
        }
        try reader.finish()
    }
}

// MARK: - Directives

extension SwarmProfile.Length {
    fileprivate mutating func read(_ reader: inout LineReader) throws(ScenarioError) {
        let hour: Int64 = 3_600_000_000_000
        if let value = try reader.numbers("sim", .duration, in: 1_000_000...(24 * hour)) { simulated = value }
        if let value = try reader.numbers("steps", .integer, in: 0...10_000) { steps = value }
        if let value = try reader.numbers("processes", .integer, in: 0...10_000) { processes = value }
        if let value = try reader.numbers("forks", .rate, in: 0...1_000_000_000) { forks = value }
        if let value = try reader.numbers("clump", .fraction, in: 0...1_000_000) { clump = value }
    }
}

extension SwarmProfile.Omission {
    fileprivate mutating func read(_ reader: inout LineReader) throws(ScenarioError) {
        if let value = try reader.numbers("p", .fraction, in: 0...1_000_000) { share = value }
        if let value = try reader.integer(key: "at-least", in: 1...1_000) { minimum = Int(value) }
    }
}

extension SwarmProfile.Schedule {
    fileprivate mutating func read(_ reader: inout LineReader) throws(ScenarioError) {
        for (index, name) in ["fifo", "random", "pct"].enumerated() {
            weights[index] = try reader.integer(key: name, in: 0...1_000_000) ?? 0
        }
        guard weights.contains(where: { $0 > 0 }) else {
            throw reader.error("expected a weight for at least one of fifo=, random=, pct=")
        }
        if let value = try reader.numbers("depth", .integer, in: 1...64) { depth = value }
    }
}

extension SwarmProfile.FaultRule {
    fileprivate mutating func read(_ reader: inout LineReader) throws(ScenarioError) {
        let share = "a fraction between 0 and 1"
        run =
            try reader.parsed("run", share) { text in
                guard let (value, unit) = Distribution.number(text) else { return nil }
                if unit == .integer, value <= 1 { return value * 1_000_000 }
                return unit == .fraction ? value : nil
            } ?? 1_000_000
        if let value = try reader.numbers("activate", .fraction, in: 0...1_000_000) { activate = value }
    }
}

extension SwarmProfile.Phase {
    fileprivate mutating func read(_ reader: inout LineReader) throws(ScenarioError) {
        weights[0] = try reader.integer(key: "safety", in: 0...1_000_000) ?? 0
        weights[1] = try reader.integer(key: "heal-then-liveness", in: 0...1_000_000) ?? 0
        guard weights.contains(where: { $0 > 0 }) else {
            throw reader.error("expected a weight for at least one of safety=, heal-then-liveness=")
        }
        if let value = try reader.numbers("rest", .duration, in: 0...3_600_000_000_000) { rest = value }
    }
}

extension SwarmProfile.Requirement {
    fileprivate mutating func read(_ reader: inout LineReader) throws(ScenarioError) {
        let names = try reader.word("the names of probes, with commas between them")
        for name in names.split(separator: ",", omittingEmptySubsequences: false) {
            guard ExpectLine.probes.contains(String(name)) else {
                let known = ExpectLine.probes.joined(separator: ", ")
                throw reader.error("unknown probe \"\(name)\"; expected one of \(known)")
            }
            probes.append(String(name))
        }
        if let value = try reader.integer(key: "within", in: 1...1_000_000_000) { seedCount = Int(value) }
    }
}

extension SwarmProfile.Feature {
    fileprivate init(_ reader: inout LineReader, known: [SwarmFeature]) throws(ScenarioError) {
        let column = reader.position.column
        let name = try reader.word(of: SwarmFeature.allCases.map(\.rawValue))
        feature = SwarmFeature(rawValue: name) ?? .life
        guard !known.contains(feature) else {
            throw reader.error("expected each feature once; \"\(name)\" was already there", column: column)
        }
        parameters = SwarmFeature.Parameter.allCases.map(\.standard)
        for parameter in [.weight, .most] + feature.parameters {
            if let value = try reader.numbers(parameter.rawValue, parameter.unit, in: parameter.limits) {
                parameters[parameter.index] = value
            }
        }
    }
}

extension SwarmProfile.Fault {
    fileprivate init(_ reader: inout LineReader) throws(ScenarioError) {
        let path = reader.path
        let line = reader.line
        let column = reader.position.column
        operation = try reader.word("the name of a call such as procfs.read")
        var entries = reader.takeKeys()
        try reader.arrow()
        let arrow = reader.position.column
        // What stands behind the arrow is the last key, or a word.
        if !reader.isAtEnd {
            let word = try reader.word("what happens, such as EIO")
            guard let value = Distribution(word) else {
                throw reader.error("expected what happens, such as EIO or EIO|EINTR", column: arrow)
            }
            behaviour = SwarmProfile.Setting(directive: "", key: "", value: value)
        } else {
            guard let last = entries.popLast() else {
                throw reader.error("expected what happens after the arrow", column: arrow)
            }
            behaviour = SwarmProfile.Setting(
                directive: "", key: last.key, value: try reader.distribution(last))
        }
        keys = []
        for entry in entries {
            keys.append(
                SwarmProfile.Setting(
                    directive: "", key: entry.key, value: try reader.distribution(entry)))
        }
        try check(path: path, line: line, column: column)
    }

    /// Has scenarios' own reader judge each alternative, the others at their first.
    private func check(path: String, line: Int, column: Int) throws(ScenarioError) {
        let first = tokens(column: column) { $0.representatives[0] }
        let position = 1 + keys.count
        for (index, setting) in (keys + [behaviour]).enumerated() {
            for text in setting.value.representatives where text != SwarmProfile.standard {
                var tokens = first
                // The arrow stands between the keys and the behaviour.
                let place = index < keys.count ? 1 + index : position + 1
                tokens[place] = Self.token(setting.key, text, column: column)
                var reader = LineReader(SceneLine(.tokens(tokens), number: line), path: path)
                _ = try FaultLine(&reader)
            }
        }
    }

    /// The tokens of a fault line, with what `text` makes of each distribution.
    func tokens(column: Int = 0, _ text: (Distribution) -> String) -> [SceneToken] {
        var tokens = [SceneToken(.value(.bare(operation)), column: column)]
        for key in keys { tokens.append(Self.token(key.key, text(key.value), column: column)) }
        tokens.append(SceneToken(.arrow, column: column))
        tokens.append(Self.token(behaviour.key, text(behaviour.value), column: column))
        return tokens
    }

    private static func token(_ key: String, _ text: String, column: Int) -> SceneToken {
        SceneToken(key.isEmpty ? .value(.bare(text)) : .keyed(key, .bare(text)), column: column)
    }
}

// MARK: - Values

extension LineReader {
    /// A key of the line with its value, as written.
    struct Entry {
        var key: String
        var value: SceneValue
        var column: Int
    }

    /// All keys of the line that nobody has taken, in their order.
    mutating func takeKeys() -> [Entry] {
        var entries: [Entry] = []
        while let key = firstKey, let (value, column) = value(key) {
            entries.append(Entry(key: key, value: value, column: column))
        }
        return entries
    }

    /// Keys whose value in a scenario is a range, so that one in a profile is not drawn from.
    private static let rangeKeys = ["call", "during"]

    func distribution(_ entry: Entry) throws(ScenarioError) -> Distribution {
        let parsed: (String) -> Distribution? = { text in
            Self.rangeKeys.contains(entry.key) ? Distribution(literals: text) : Distribution(text)
        }
        guard case .bare(let text) = entry.value, let value = parsed(text), !value.alternatives.isEmpty else {
            throw error(
                "expected \(entry.key)= with A|B, 1..8, log(1..8) or exp(8), not \(Printer.value(entry.value))",
                column: entry.column)
        }
        return value
    }

    /// The numbers that a key's value can be, each within `limits`.
    mutating func numbers(_ key: String, _ unit: Distribution.Unit, in limits: ClosedRange<Int64>)
        throws(ScenarioError) -> NumberDistribution?
    {
        guard let (value, column) = value(key) else { return nil }
        let drawn = try distribution(Entry(key: key, value: value, column: column))
        guard let numbers = drawn.numbers(in: unit), numbers.lies(in: limits) else {
            let low = Distribution.text(limits.lowerBound, unit)
            let high = Distribution.text(limits.upperBound, unit)
            throw error(
                "expected \(key)= with \(unit.rawValue) within \(low)..\(high), not \(Printer.value(value))",
                column: column)
        }
        return numbers
    }
}
