import CollectorSimulation
import Foundation
import Testing

/// What fuzzers start from and what they have found, kept beside them.
@Suite struct `hostile input` {
    /// One file that once broke something, or that a fuzzer starts from.
    struct Case: CustomTestStringConvertible {
        var input: HostileInput
        var file: URL
        var testDescription: String { "\(input.rawValue)/\(file.lastPathComponent)" }
    }

    private static func cases(in folder: String) -> [Case] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzz").appendingPathComponent(folder)
        return HostileInput.allCases.flatMap { input in
            let names =
                (try? FileManager.default.contentsOfDirectory(
                    at: root.appendingPathComponent(input.rawValue), includingPropertiesForKeys: nil)) ?? []
            return names.sorted { $0.path < $1.path }.map { Case(input: input, file: $0) }
        }
    }

    @Test(arguments: cases(in: "FailCases"))
    func `what fuzzers have found is dealt with`(_ found: Case) throws {
        #expect(found.input.violation(of: Array(try Data(contentsOf: found.file))) == nil)
    }

    @Test(arguments: cases(in: "Corpora"))
    func `what fuzzers start from is dealt with, cut anywhere`(_ start: Case) throws {
        let bytes = Array(try Data(contentsOf: start.file))
        #expect(start.input.violation(of: bytes) == nil)
        // Running every beginning of a scenario would take long, and says little more than parsing it.
        let input = start.input == .simulation ? .scenario : start.input
        for count in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 200)) {
            #expect(input.violation(of: Array(bytes.prefix(count))) == nil, "the first \(count) bytes")
        }
    }

    @Test func `there is something to start from for every kind of input`() {
        #expect(Set(Self.cases(in: "Corpora").map(\.input)) == Set(HostileInput.allCases))
    }

    @Test(arguments: [HostileInput.scenario, .swarm, .litmus])
    func `bytes that are no text are refused with a place`(_ input: HostileInput) {
        for bytes: [UInt8] in [
            [], [0], [0xff], [0x0a], Array("scenario".utf8), [0xef, 0xbb, 0xbf],
            Array(repeating: 0x20, count: 5_000),
            Array(repeating: 0x5b, count: 100_000), Array("scenario a v1\nwhen\n\t@0 start".utf8),
            Array(("swarm a v1\n" + String(repeating: "x", count: 70_000)).utf8),
            Array("litmus \u{202e} v1\r\n".utf8),
        ] {
            #expect(input.violation(of: bytes) == nil)
        }
    }
}
