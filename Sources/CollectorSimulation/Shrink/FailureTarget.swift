/// What a smaller scenario must still show to count as the same failure.
///
/// The same oracle has to fail with the same verdict. Where that is too little to keep a different failure from
/// slipping in, more has to agree: of a crash its message, of an expectation the line and what it observed.
struct FailureTarget {
    let failure: Failure
    /// The line that expected something else, for the oracle `expectations`.
    let expectation: SceneLine?
    private let signature: String?
    /// Oracles that may fail as well, because they did in the original.
    private var tolerated: Set<OracleName>

    init(_ failure: Failure, in document: SceneDocument) {
        self.failure = failure
        tolerated = [failure.oracle]
        expectation = failure.line.flatMap { document.expectation(atLine: $0) }
        if failure.verdict == .crash {
            signature = failure.shape
        } else if failure.oracle == .expectations, Self.isExact(expectation) {
            signature = failure.message
        } else {
            signature = nil
        }
    }

    /// Expectations of a number or a text fail in as many ways as there are other numbers and texts.
    private static func isExact(_ line: SceneLine?) -> Bool {
        ["events", "count", "gap", "sometimes", "eventually"].contains(line?.verb ?? "")
    }

    mutating func tolerate(_ record: RunRecord) { tolerated.formUnion(record.failures.map(\.oracle)) }

    /// Whether the oracle fails at all, with whatever else.
    func holds(_ record: RunRecord) -> Bool {
        record.failures.contains { $0.oracle == failure.oracle && $0.verdict == failure.verdict }
    }

    /// The failure of a run that is the one looked for; `nil` when there is none, or others have joined it.
    func match(_ record: RunRecord, of document: SceneDocument) -> Failure? {
        guard record.failures.allSatisfy({ tolerated.contains($0.oracle) }) else { return nil }
        return record.failures.first { candidate in
            guard candidate.oracle == failure.oracle, candidate.verdict == failure.verdict else {
                return false
            }
            if failure.verdict == .crash { return candidate.shape == signature }
            if let expectation {
                guard candidate.line.flatMap({ document.expectation(atPrintedLine: $0) }) == expectation
                else {
                    return false
                }
            }
            return signature == nil || candidate.message == signature
        }
    }
}

extension Failure {
    /// The first line of the message without its numbers: equal for failures that differ only in pids and times.
    package var shape: String {
        var shape = ""
        for character in message.prefix(while: { $0 != "\n" }).unicodeScalars {
            let isDigit = ("0"..."9").contains(character)
            if isDigit, shape.unicodeScalars.last == "#" { continue }
            shape.unicodeScalars.append(isDigit ? "#" : character)
        }
        return shape
    }
}

extension SceneDocument {
    /// The line of `expect` with this number in the file that the document was read from, or else in its print.
    func expectation(atLine number: Int) -> SceneLine? {
        let lines = sections.first { $0.name == "expect" }?.lines ?? []
        return lines.first { $0.number == number && !$0.tokens.isEmpty } ?? expectation(atPrintedLine: number)
    }

    /// The line of `expect` with this number in ``print()``.
    func expectation(atPrintedLine number: Int) -> SceneLine? {
        var next = 2 + directives.count
        for section in sections {
            // A blank line and the section's name.
            next += 2
            let index = number - next
            if section.name == "expect", section.lines.indices.contains(index) { return section.lines[index] }
            next += section.lines.count
        }
        return nil
    }
}
