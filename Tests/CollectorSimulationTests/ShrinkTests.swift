import CollectorSimulation
import Testing

/// Fails when the scenario still has what the failure takes, and counts its runs.
private final class FakeRunner: ShrinkRunner {
    let width: Int
    private(set) var runCount = 0
    private let fails: (_ lines: [String], _ seed: UInt64) -> Failure?

    init(width: Int = 2, _ fails: @escaping (_ lines: [String], _ seed: UInt64) -> Failure?) {
        self.width = width
        self.fails = fails
    }

    func run(_ runs: [ShrinkRun]) throws(WorkerError) -> [RunRecord] {
        runCount += runs.count
        return runs.map { run in
            var record = RunRecord(scenario: run.scenario.name, seed: run.seed)
            let lines = run.text.split(separator: "\n").map {
                $0.split(separator: " ").joined(separator: " ")
            }
            if let failure = fails(lines, run.seed) { record.failures = [failure] }
            return record
        }
    }
}

@Suite struct `the shrinker` {
    private static let failure = Failure(.identity, .safety, "wrong")

    /// A scenario with many processes that do not matter.
    private func big(_ count: Int) throws -> SceneDocument {
        var text = """
            scenario big v1
            about "many things happen"
            seed 99
            host cpus=4 hz=250
            config rcvbuf=8KiB queue=100
            schedule pct:3
            given
              proc 77 /usr/bin/bash ppid=1 uid=1000
            when
              @0s start

            """
        for index in 0..<count {
            text += "  @\(index + 1).123s fork 77 -> \(400 + index)\n"
            text += "  @\(index + 1).5s exec \(400 + index) /usr/bin/program argv=[\"a\",\"b\"]\n"
            text += "  @\(index + 1).75s exit \(400 + index) code=\(index % 256)\n"
        }
        text += "  @500s stop SIGTERM\nfault\n  procfs.read p=0.5 -> EIO\nexpect\n  accounts balanced\n"
        return try document(text)
    }

    private func document(_ text: String) throws -> SceneDocument {
        try SceneDocument(parsing: Array(text.utf8), path: "test.scn", grammar: .scenario)
    }

    private func shrink(
        _ document: SceneDocument, _ runner: FakeRunner, failure: Failure = failure, seed: UInt64 = 1
    ) throws -> ShrinkResult {
        try Shrinker(runner: runner, options: ShrinkOptions()).shrink(
            document, path: "test.scn", seed: seed, failure: failure, progress: { _ in })
    }

    private func lines(_ result: ShrinkResult) -> [String] {
        result.document.print().split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
    }

    @Test func `leaves only the lines that it takes`() throws {
        let runner = FakeRunner { lines, _ in
            let takes = ["fork 77 -> 437", "exit 461"]
            return takes.allSatisfy { part in lines.contains { $0.contains(part) } } ? Self.failure : nil
        }
        let result = try shrink(try big(80), runner)
        #expect(
            lines(result) == [
                "scenario big v1", "schedule fifo", "when", "@0s fork 77 -> 437", "@1s exit 461",
            ])
        #expect(result.lineCount == 5)
        #expect(result.triedCount == runner.runCount)
        #expect(result.triedCount < 300)
    }

    @Test func `needs few runs for hundreds of lines of which six matter`() throws {
        let wanted = (0..<6).map { "exit \(400 + $0 * 19)" }
        let runner = FakeRunner { lines, _ in
            wanted.allSatisfy { part in lines.contains { $0.contains(part) } } ? Self.failure : nil
        }
        let result = try shrink(try big(120), runner)
        #expect(result.document.sections.map(\.lines.count) == [6])
        #expect(result.triedCount < 600)
    }

    @Test func `does the same with one run at a time`() throws {
        func fails(_ lines: [String], _ seed: UInt64) -> Failure? {
            lines.contains { $0.contains("exec 410") } ? Self.failure : nil
        }
        let document = try big(20)
        #expect(
            try shrink(document, FakeRunner(width: 1, fails)).document
                == shrink(document, FakeRunner(width: 2, fails)).document)
    }

    @Test func `makes counts, texts and times simple`() throws {
        let text = """
            scenario values v1
            given
              proc 77 /usr/bin/bash ppid=1 uid=1000
            when
              @0.123456s start
              @1.987654s burst fork+exit 77 x1000 over=123ms
              @2.5s exec 77 /usr/local/bin/program argv=["one","two","three"] comm="name"
            """
        let runner = FakeRunner { lines, _ in
            let burst = lines.first { $0.contains("burst") }
            let count = burst?.split(separator: " ").first { $0.hasPrefix("x") }.flatMap {
                Int($0.dropFirst())
            }
            return (count ?? 0) >= 37 && lines.contains { $0.contains("exec") } ? Self.failure : nil
        }
        #expect(
            lines(try shrink(try document(text), runner)) == [
                "scenario values v1", "schedule fifo", "when", "@0s burst fork+exit 77 x37", "@1s exec 77 /a",
            ])
    }

    @Test func `keeps another failure from taking the place of the one looked for`() throws {
        let runner = FakeRunner { lines, _ in
            if lines.contains(where: { $0.contains("exec 405") }) { return Self.failure }
            // Smaller scenarios fail too, in another way.
            return Failure(.order, .safety, "something else")
        }
        let result = try shrink(try big(10), runner)
        #expect(result.failure.oracle == .identity)
        #expect(lines(result).contains { $0.contains("exec 405") })
    }

    @Test func `keeps the line that expects something else`() throws {
        let text = """
            scenario expecting v1
            when
              @0s start
              @1s stop SIGTERM
            expect
              accounts balanced
              always queue.depth <= 5
              shutdown within=5s code=0
            """
        let runner = FakeRunner { lines, _ in
            // The number of a line is the one in the text that ran.
            let place = lines.firstIndex { $0.hasPrefix("always") }
            return place.map { Failure(.expectations, .bounds, line: $0 + 4, "observed 6") }
        }
        let document = try document(text)
        let failure = Failure(.expectations, .bounds, line: 7, "observed 6")
        let result = try shrink(document, runner, failure: failure)
        #expect(lines(result).contains("always queue.depth <= 5"))
    }

    @Test func `keeps what the scenario may break`() throws {
        let text = """
            scenario waiving v1
            when
              @0s start
              @1s stop SIGTERM
            expect
              waive gaps because="not the point"
            """
        let result = try shrink(try document(text), FakeRunner { _, _ in Self.failure })
        #expect(lines(result).contains { $0.hasPrefix("waive gaps") })
    }

    @Test func `finds a failure that only few schedules show`() throws {
        let runner = FakeRunner { lines, seed in
            seed % 5 == 4 && lines.contains { $0.contains("exec 403") } ? Self.failure : nil
        }
        let result = try shrink(try big(10), runner, seed: 9)
        #expect(lines(result).filter { $0.hasPrefix("@") }.count == 1)
        #expect(result.seed == 4)
    }

    @Test func `gives back what does not fail again`() throws {
        let document = try big(3)
        let result = try shrink(document, FakeRunner { _, _ in nil })
        #expect(!result.isReproduced)
        #expect(result.document == document)
    }

    @Test func `leaves a situation that did not arise alone`() throws {
        let document = try big(3)
        let failure = Failure(.expectations, .uncovered, line: 1, "resync did not arise")
        let runner = FakeRunner { _, _ in failure }
        #expect(try shrink(document, runner, failure: failure).document == document)
        #expect(runner.runCount == 0)
    }

    @Test func `takes crashes for the same only when they say the same`() {
        let one = Failure(.progress, .crash, "killed by signal 4: Fatal error: Index 12 out of range")
        let same = Failure(.progress, .crash, "killed by signal 4: Fatal error: Index 7 out of range\nmore")
        let other = Failure(.progress, .crash, "killed by signal 4: Fatal error: nil")
        #expect(one.shape == same.shape)
        #expect(one.shape != other.shape)
    }
}

@Suite struct `a filed bug` {
    private func result(seed: UInt64) throws -> ShrinkResult {
        let text = "scenario small v1\nabout \"old\"\nseed 3\nwhen\n  @0s start\n  @1s fork 1 -> 400\n"
        let document = try SceneDocument(parsing: Array(text.utf8), path: "a.scn", grammar: .scenario)
        return ShrinkResult(
            document: document,
            failure: Failure(.identity, .safety, at: 1_000_000_000, "\"quoted\" and \u{1b}[31m\nmore"),
            seed: seed, scheduleCount: 200, triedCount: 1, wallNanoseconds: 1, isReproduced: true)
    }

    @Test func `says what failed, and under how many schedules it must pass`() throws {
        let text = BugFile.document(of: try result(seed: 7)).print()
        #expect(text.contains("about \"identity @1s: \\\"quoted\\\" and \\x1b[31m\""))
        #expect(text.contains("# failed with seed 7"))
        #expect(text.contains("schedules 200"))
        #expect(!text.contains("\nseed"))
        let scenario = try Scenario(parsing: Array(text.utf8), path: "bug.scn")
        #expect(scenario.formatted == text)
    }

    @Test func `begins with its seed when no replay would come to it`() throws {
        #expect(BugFile.document(of: try result(seed: 4_711)).print().contains("\nseed 4711\nschedules 200"))
    }

    @Test func `has a name that tells its oracle and its text`() throws {
        let name = BugFile.document(of: try result(seed: 7)).name
        #expect(name.hasPrefix("identity-"))
        #expect(name == BugFile.document(of: try result(seed: 8)).name)
        var other = try result(seed: 7)
        other.document.sections[0].lines.removeLast()
        #expect(BugFile.document(of: other).name != name)
    }
}
