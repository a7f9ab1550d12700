/// One scenario: a host, what happens on it, what goes wrong, and what must come out.
public struct Scenario: Hashable, Sendable {
    /// The file's name as the caller gave it.
    public var path: String
    /// The name in the first line.
    public var name: String
    /// The text as lines: what `fmt` prints.
    package var document: SceneDocument
    package var about: [UInt8]
    /// The seed when none is given on the command line.
    package var seed: UInt64
    /// How many seeds, from ``seed`` on, a run without a seed tries.
    package var scheduleCount: UInt64
    package var schedule: ScheduleChoice
    package var host: HostDescription
    package var limits: WorldLimits
    package var settings: CollectorSettings
    package var given: [GivenLine]
    /// Ordered by time; lines of equal times keep their order.
    package var when: [WhenLine]
    package var faults: [FaultLine]
    package var expectations: [ExpectLine]

    /// Parses a scenario file.
    ///
    /// Total: any bytes give a scenario or an error with its place.
    ///
    /// - Parameters:
    ///   - bytes: The file's text, at most 4 MiB of UTF-8.
    ///   - path: The file's name for messages.
    /// - Throws: ``ScenarioError`` for the first thing that is wrong.
    public init(parsing bytes: [UInt8], path: String) throws(ScenarioError) {
        let document = try SceneDocument(parsing: bytes, path: path, grammar: .scenario)
        try self.init(document, path: path)
    }

    /// The canonical text.
    package var formatted: String { document.print() }
}

extension Scenario {
    /// Gives the lines of a document their meaning.
    package init(_ document: SceneDocument, path: String) throws(ScenarioError) {
        self.path = path
        self.document = document
        name = document.name
        about = []
        seed = 1
        scheduleCount = 1
        schedule = .random
        host = HostDescription()
        limits = WorldLimits()
        settings = CollectorSettings()
        given = []
        when = []
        faults = []
        expectations = []
        try readDirectives()
        for section in document.sections { try read(section) }
        when = when.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
            \.element)
    }

    private static let directives = ["about", "seed", "schedules", "schedule", "host", "limit", "config"]

    private mutating func readDirectives() throws(ScenarioError) {
        for line in document.directives where !line.tokens.isEmpty {
            var reader = LineReader(line, path: path)
            switch try reader.verb(of: Self.directives) {
            case "about": about = try reader.bytes("a text in quotes")
            case "seed": seed = try reader.parsed("a number") { Quantity.integer($0) }
            case "schedules":
                scheduleCount = try reader.parsed("a number between 1 and 100000") { text in
                    Quantity.integer(text).flatMap { (1...100_000).contains($0) ? $0 : nil }
                }
            case "schedule": schedule = try reader.parsed("fifo, random or pct:DEPTH", Self.schedule)
            case "host": try host.read(&reader)
            case "limit": try limits.read(&reader)
            default: try settings.read(&reader)
            }
            try reader.finish()
        }
    }

    private static func schedule(_ text: String) -> ScheduleChoice? {
        switch text {
        case "fifo": return .fifo
        case "random": return .random
        default:
            guard text.hasPrefix("pct:"), let depth = Quantity.integer(text.dropFirst(4)),
                (1...64).contains(depth)
            else { return nil }
            return .priority(depth: Int(depth))
        }
    }

    private mutating func read(_ section: SceneSection) throws(ScenarioError) {
        var index = 0
        while index < section.lines.count {
            let line = section.lines[index]
            index += 1
            if case .output = line.content {
                let place = SourcePosition(line: line.number, column: line.column)
                throw ScenarioError(
                    path: path, position: place,
                    message: "expected output lines only below \"events\" in expect")
            }
            guard !line.tokens.isEmpty else { continue }
            var reader = LineReader(line, path: path)
            switch section.name {
            case "given": given.append(try GivenLine(&reader))
            case "when": when.append(try WhenLine(&reader))
            case "fault": faults.append(try FaultLine(&reader))
            default:
                let output = outputLines(of: section, from: &index, isWanted: line.verb == "events")
                expectations.append(try ExpectLine(&reader, output: output))
            }
        }
    }

    /// The `| ` lines that follow directly.
    private func outputLines(of section: SceneSection, from index: inout Int, isWanted: Bool) -> [OutputLine]
    {
        var lines: [OutputLine] = []
        while isWanted, index < section.lines.count, case .output(let text) = section.lines[index].content {
            lines.append(OutputLine(text: text, number: section.lines[index].number))
            index += 1
        }
        return lines
    }
}

extension SceneLine {
    /// The first bare word.
    var verb: String? {
        guard case .value(.bare(let word))? = tokens.first?.kind else { return nil }
        return word
    }
}
