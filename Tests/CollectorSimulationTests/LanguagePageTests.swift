import CollectorSimulation
import Foundation
import Testing

/// `Documentation/scenarios.md` as tables and fenced examples.
private struct LanguagePage {
    static let page: LanguagePage = {
        let root = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("Documentation/scenarios.md")
        // A page that is not there has no rows, which every test below notices.
        return LanguagePage((try? String(contentsOf: file, encoding: .utf8)) ?? "")
    }()

    /// The cells of each table row, by the heading above it.
    private(set) var rows: [String: [[String]]] = [:]
    /// Each fenced block and the word behind its fence.
    private(set) var examples: [(language: String, text: String)] = []

    init(_ text: String) {
        var heading = ""
        var block: [String]?
        var language = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("```") {
                if let lines = block {
                    examples.append((language, lines.joined(separator: "\n") + "\n"))
                    block = nil
                } else {
                    language = String(line.dropFirst(3))
                    block = []
                }
            } else if block != nil {
                block?.append(line)
            } else if line.hasPrefix("#") {
                let title = line.drop { $0 == "#" || $0 == " " }
                heading = String(title.split(separator: ":")[0]).replacing("`", with: "")
            } else if line.hasPrefix("| ") {
                rows[heading, default: []].append(Self.cells(line))
            }
        }
    }

    /// A bar within a cell is written `\|`.
    private static func cells(_ line: String) -> [String] {
        line.replacing("\\|", with: "\u{1}").split(separator: "|", omittingEmptySubsequences: false)
            .dropFirst().map { $0.replacing("\u{1}", with: "|").trimmingCharacters(in: .whitespaces) }
    }

    /// The first cells below these headings that begin with the word, as written between backquotes.
    func entries(_ word: String, below headings: [String]) -> [String] {
        headings.flatMap { rows[$0] ?? [] }.compactMap { cells in
            let code = cells[0].split(separator: "`", omittingEmptySubsequences: false)
            guard code.count > 1 else { return nil }
            let entry = String(code[1])
            return entry == word || entry.hasPrefix(word + " ") || entry.hasPrefix(word + "=") ? entry : nil
        }
    }

    func row(_ word: String, below heading: String) -> [String]? {
        rows[heading]?.first { $0[0].hasPrefix("`\(word)`") }
    }

    var scenarios: [String] { examples.filter { $0.language == "scenario" }.map(\.text) }
}

/// What a parser says about a text; empty when it takes it.
private func complaint(_ text: String) -> String {
    do {
        _ = try Scenario(parsing: Array(text.utf8), path: "x")
        return ""
    } catch { return error.description }
}

private func complaint(aboutProfile text: String) -> String {
    do {
        _ = try SwarmProfile(parsing: Array(text.utf8), path: "x")
        return ""
    } catch { return error.description }
}

private func complaint(aboutCase text: String) -> String {
    do {
        _ = try LitmusCase(parsing: Array(text.utf8), path: "x")
        return ""
    } catch { return error.description }
}

/// The words that a message lists behind `marker`.
private func words(of message: String, after marker: String) -> [String] {
    guard let range = message.firstRange(of: marker) else { return [] }
    let rest = message[range.upperBound...]
    let end = rest.firstRange(of: ", not \"")?.lowerBound ?? rest.endIndex
    return rest[..<end].split(separator: ", ").map(String.init)
}

/// The page is complete, and nothing on it is untrue: both sides are read from what the parsers themselves say.
@Suite struct `the page of the scenario language` {
    private static let whenHeadings = ["The collector", "Processes", "Kernel and clocks", "Files"]
    private static let sections: [(name: String, headings: [String])] = [
        ("given", ["given"]), ("when", whenHeadings), ("expect", ["expect"]),
    ]

    /// A scenario with one line in a section.
    private static func line(_ text: String, in section: String) -> String {
        "scenario x v1\n\n\(section)\n  \(text)\n"
    }

    /// The lines of the examples that stand in a section, without what is no line of the language.
    private static func exampleLines(in section: String) -> [String] {
        LanguagePage.page.scenarios.flatMap { text -> [String] in
            var isInside = false
            return text.split(separator: "\n").compactMap { line in
                guard line.hasPrefix(" ") else {
                    isInside = line == section
                    return nil
                }
                let line = line.trimmingCharacters(in: .whitespaces)
                return isInside && !line.hasPrefix("|") && !line.hasPrefix("#") ? line : nil
            }
        }
    }

    private static func verb(of line: String) -> String {
        let words = line.split(separator: " ").map(String.init)
        return words[0].hasPrefix("@") ? words[1] : words[0]
    }

    @Test(arguments: LanguagePage.page.scenarios)
    func `each example runs, skips nothing and passes`(_ text: String) throws {
        let scenario = try Scenario(parsing: Array(text.utf8), path: "scenarios.md")
        let record = ScenarioRunner.run(scenario, seed: scenario.seed)
        #expect(record.failures == [])
        #expect(record.skippedLineCount == 0)
        #expect(scenario.formatted == text, "in canonical form")
    }

    @Test(arguments: sections) func `each verb has a row and an example`(
        _ section: String, _ headings: [String]
    ) {
        let time = section == "when" ? "@1s " : ""
        let known = words(
            of: complaint(Self.line("\(time)no-such-verb", in: section)), after: "expected one of ")
        #expect(known.count > 5)
        let shown = Set(Self.exampleLines(in: section).map(Self.verb))
        for verb in known {
            #expect(!LanguagePage.page.entries(verb, below: headings).isEmpty, "\(verb) has a row")
            #expect(shown.contains(verb), "\(verb) has an example")
        }
        for entry in headings.flatMap({ LanguagePage.page.rows[$0] ?? [] }) where entry[0].hasPrefix("`") {
            let verb = Self.verb(of: entry[0].replacing("`", with: ""))
            #expect(known.contains(verb) || verb.hasPrefix("OPERATION"), "\(verb) is a verb")
        }
    }

    @Test(arguments: sections) func `each key and flag of a verb is in its row, and no other`(
        _ section: String, _ headings: [String]
    ) {
        for line in Self.exampleLines(in: section) {
            let verb = Self.verb(of: line)
            let entries = LanguagePage.page.entries(verb, below: headings).joined(separator: " ")
            let keys = words(
                of: complaint(Self.line(line + " no-such-key=1", in: section)), after: "expected one of ")
            for key in keys { #expect(entries.contains("\(key)="), "\(verb) takes \(key)=") }
            let flags = words(
                of: complaint(Self.line(line + " no-such-flag", in: section)), after: "line or one of ")
            for flag in flags { #expect(entries.contains("[\(flag)]"), "\(verb) takes \(flag)") }
        }
        for entry in headings.flatMap({ LanguagePage.page.rows[$0] ?? [] }) where entry[0].hasPrefix("`") {
            checkWords(of: entry[0].replacing("`", with: ""), in: section)
        }
    }

    /// Each `key=` of a row is one that the parser knows from an example of its verb.
    private func checkWords(of entry: String, in section: String) {
        let verb = Self.verb(of: entry)
        let lines = Self.exampleLines(in: section).filter { Self.verb(of: $0) == verb }
        // Of `size=`, `text=` and `hole=` the first that is there ends the search for the others.
        let bare = lines.map { line in
            line.split(separator: " ").filter { word in
                !["size=", "text=", "hole="].contains { word.hasPrefix($0) }
            }.joined(separator: " ")
        }
        let known = (lines + bare).flatMap { line in
            words(of: complaint(Self.line(line + " no-such-key=1", in: section)), after: "expected one of ")
        }
        for word in entry.split(whereSeparator: { " []".contains($0) }) where !word.hasPrefix("=") {
            guard let equals = word.firstIndex(of: "="), word[equals...].dropFirst().first != "=" else {
                continue
            }
            let key = String(word[..<equals])
            guard !["<", ">"].contains(key), !word.contains("|") || word.contains("exec") else { continue }
            #expect(known.contains(key), "\(verb) has no \(key)=")
        }
    }

    @Test(arguments: ["host", "limit", "config"])
    func `each key of a directive has a row with its range`(_ directive: String) throws {
        let known = words(
            of: complaint("scenario x v1\n\(directive) no-such-key=1\n"), after: "expected one of ")
        #expect(known.count > 3)
        let page = LanguagePage.page
        #expect(page.rows[directive]?.filter { $0[0].hasPrefix("`") }.count == known.count)
        for key in known {
            guard let row = page.row(key + "=", below: directive) else {
                Issue.record("\(directive) \(key)= has no row")
                continue
            }
            // No key of these takes a list.
            let message = complaint("scenario x v1\n\(directive) \(key)=[]\n")
            let value = words(of: message, after: "expected \(key)=").joined(separator: ", ")
            let expected = String(value.dropLast(", not []".count))
            try #require(row.count > 1)
            #expect(row[1].replacing("`", with: "") == Self.written(expected), "\(directive) \(key)=")
        }
    }

    /// How the page writes what a message expects.
    private static func written(_ expected: String) -> String {
        if expected.hasPrefix("a number between ") {
            let range = String(expected.dropFirst("a number between ".count))
            return range.replacing(" and ", with: " to ")
        }
        if expected.hasPrefix("a duration") { return "a duration" }
        if expected.hasPrefix("a byte count") { return "a size" }
        if expected.hasPrefix("a time such as") { return expected }
        let choices = expected.split(separator: "|").map(String.init)
        guard choices.count > 1, let last = choices.last else { return expected }
        return choices.dropLast().joined(separator: ", ") + " or " + last
    }

    @Test func `each directive of a scenario has a row`() {
        let known = words(of: complaint("scenario x v1\nnonsense\n"), after: "expected one of ")
        #expect(known.count > 5)
        for directive in known {
            #expect(
                !LanguagePage.page.entries(directive, below: ["Directives"]).isEmpty,
                "\(directive) has a row")
        }
    }

    @Test(arguments: FaultLine.operations)
    func `each call has a row with all that can become of it`(_ operation: String) throws {
        let row = try #require(LanguagePage.page.row(operation, below: "fault"))
        let behaviours = words(
            of: complaint(Self.line("\(operation) -> nonsense", in: "fault")), after: "expected one of "
        ).filter { !$0.hasPrefix("late=") }
        try #require(row.count > 2)
        #expect(row[2] == behaviours.map { "`\($0)`" }.joined(separator: ", "))
        let names = words(
            of: complaint(Self.line("\(operation) file=% -> stall=1s", in: "fault")),
            after: "file=one of ")
        for name in names where name != "not %" { #expect(row[1].contains("`\(name)`")) }
    }

    @Test func `each condition of a fault has a row`() {
        let message = complaint(Self.line("procfs.read no-such-key=1 -> EIO", in: "fault"))
        let known = words(of: message, after: "expected one of ")
        #expect(known.count > 5)
        for key in known where !["short", "stall", "late"].contains(key) {
            #expect(LanguagePage.page.row(key + "=", below: "fault") != nil, "\(key)= has a row")
        }
    }

    @Test func `each oracle has a row, and each probe that any build sees is named`() {
        for oracle in OracleName.allCases {
            #expect(LanguagePage.page.row(oracle.rawValue, below: "Oracles") != nil, "\(oracle.rawValue)")
        }
        #expect(LanguagePage.page.rows["Oracles"]?.contains { $0[0] == "`accounts`" } == true)
    }

    @Test func `each directive, feature and parameter of a profile has a row`() throws {
        let page = LanguagePage.page
        let headings = ["Swarm profiles"]
        let known = words(of: complaint(aboutProfile: "swarm x v1\nnonsense\n"), after: "expected one of ")
        #expect(known.count > 8)
        for directive in known {
            let entries = page.entries(directive, below: headings)
            #expect(!entries.isEmpty, "\(directive) has a row")
            guard ["length", "omit", "schedule", "phase", "buggify"].contains(directive) else { continue }
            let line = ["schedule": "schedule fifo=1", "phase": "phase safety=1"][directive] ?? directive
            let message = complaint(aboutProfile: "swarm x v1\n\(line) no-such-key=1\n")
            for key in words(of: message, after: "expected one of ") {
                #expect(entries.contains { $0.contains("[\(key)=") }, "\(directive) \(key)=")
            }
        }
        for feature in SwarmFeature.allCases {
            let row = try #require(page.row(feature.rawValue, below: headings[0]), "\(feature.rawValue)")
            try #require(row.count > 2)
            #expect(row[2] == feature.parameters.map { "`\($0.rawValue)`" }.joined(separator: ", "))
        }
        for parameter in SwarmFeature.Parameter.allCases {
            #expect(page.row(parameter.rawValue, below: headings[0]) != nil, "\(parameter.rawValue)")
        }
        for example in page.examples where example.language == "swarm" {
            let profile = try SwarmProfile(parsing: Array(example.text.utf8), path: "scenarios.md")
            #expect(profile.formatted == example.text)
        }
    }

    @Test func `each directive, verb and question of a litmus case has a row`() {
        let directives = words(of: complaint(aboutCase: "litmus x v1\nnonsense\n"), after: "one of ")
        let head = "litmus x v1\nabout \"a\"\nrow P1\nsource \"s\"\n\nwhen\n  nonsense\n"
        let message = complaint(aboutCase: head).replacing("or something to look at: ", with: "")
        let verbs = words(of: message, after: "expected one of ")
        #expect(directives.count > 5 && verbs.count > 50)
        for word in directives + verbs {
            #expect(
                !LanguagePage.page.entries(word, below: ["Litmus cases"]).isEmpty, "\(word) has a row")
        }
    }
}
