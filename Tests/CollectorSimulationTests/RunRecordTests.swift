import CollectorSimulation
import Foundation
import Testing

@Suite struct `run records` {
    static var record: RunRecord {
        var record = RunRecord(scenario: "a \"b\"\n", seed: .max)
        record.traceHash = .max
        record.stepCount = 5_000
        record.checkpoints = [1, 2, .max]
        record.virtualNanoseconds = 6_000_000_000
        record.wallNanoseconds = 12
        record.eventCount = 7
        record.skippedLineCount = 1
        record.failures = [
            Failure(.identity, .safety, at: -5, line: 3, "two\nlines \u{1b}[31m \"quoted\" \\ é"),
            Failure(.progress, .liveness, ""),
        ]
        record.waived = [.convergence]
        record.probes = ["resync"]
        record.recentSteps = ["#1 @0.1 pick 0 of 2", ""]
        record.outputs = [EventOutput(line: 9, lines: ["1.000 process.exec 4#1 exe=\"\\x00\"", ""])]
        return record
    }

    @Test func `a worker's answer reads back as the same record`() {
        #expect(RunRecord(decoding: Self.record.encoded.map { Array($0.utf8) }) == Self.record)
    }

    @Test func `an answer that is cut or garbled is no record`() {
        #expect(RunRecord(decoding: []) == nil)
        #expect(RunRecord(decoding: [Array("checkpoint 1".utf8)]) == nil)
        #expect(RunRecord(decoding: [Array("result seed=1".utf8)]) == nil)
        #expect(RunRecord(decoding: [Array("result scenario=a seed=1".utf8), Array("nonsense".utf8)]) == nil)
    }

    @Test func `the JSON of a run is one object with the fields that the documentation names`() throws {
        let line = JSONReport.line(Self.record)
        #expect(!line.contains("\n"))
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["scenario"] as? String == "a \"b\"\n")
        #expect(object["verdict"] as? String == "safety")
        #expect(object["trace_hash"] as? String == "ffffffffffffffff")
        #expect(object["events"] as? Int == 7)
        let oracles = try #require(object["oracles"] as? [String: String])
        #expect(oracles.count == OracleName.allCases.count)
        #expect(oracles["identity"] == "fail")
        #expect(oracles["accounts"] == "pass")
        #expect(oracles["convergence"] == "waived")
    }

    @Test func `the JUnit report is XML that counts failures`() throws {
        let results = [
            ScenarioResult(path: "a<&\".scn", records: [Self.record], problem: nil),
            ScenarioResult(path: "b.scn", records: [], problem: "b.scn:1:1: expected \u{1}"),
        ]
        let text = JUnitReport.document(results)
        let parser = XMLDocumentCheck()
        #expect(parser.isWellFormed(text))
        #expect(text.contains("tests=\"2\" failures=\"2\""))
    }

    @Test func `the verdict of several is the one with the lowest code that is no pass`() {
        #expect(Verdict.overall([.pass, .bounds, .safety]) == .safety)
        #expect(Verdict.overall([.pass]) == .pass)
        #expect(Verdict.overall([Verdict]()) == .pass)
    }

    @Test
    func
        `a failure screen names oracle, time, seed and the command to run it again, and nothing a terminal obeys`()
    {
        let text = TextReport(hasColour: false, command: "collector-sim").failure(Self.record, path: "x.scn")
        #expect(text.contains("identity @-0.000000005s x.scn:3: two"))
        #expect(text.contains("again: collector-sim run x.scn --seed 18446744073709551615"))
        #expect(!text.contains("\u{1b}"))
    }

    @Test func `rewriting replaces the output below events and nothing else`() throws {
        let text = """
            scenario a v1

            expect
              # a comment
              events kind=process.*
              | old
              | older
              shutdown within=5s

            """
        let scenario = try Scenario(parsing: Array(text.utf8), path: "x.scn")
        let new = scenario.rewritten(with: [EventOutput(line: 5, lines: ["new"])])
        #expect(new == text.replacing("  | old\n  | older\n", with: "  | new\n"))
    }
}

/// A well-formedness check that needs no XML library: tags nest, attributes are quoted, entities are known.
private struct XMLDocumentCheck {
    func isWellFormed(_ text: String) -> Bool {
        var open: [String] = []
        for part in text.split(separator: "<").dropFirst() {
            guard let end = part.firstIndex(of: ">") else { return false }
            let tag = part[..<end]
            if tag.hasPrefix("?") { continue }
            if tag.hasPrefix("/") {
                guard open.popLast() == String(tag.dropFirst()) else { return false }
            } else if !tag.hasSuffix("/") {
                open.append(String(tag.prefix { $0 != " " }))
            }
            guard tag.count(where: { $0 == "\"" }) % 2 == 0 else { return false }
        }
        return open.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" }
    }
}
