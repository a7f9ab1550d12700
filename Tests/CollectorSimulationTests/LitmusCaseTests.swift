import CollectorSimulation
import EventModel
import SimulatedBackends
import Synchronization
import Testing

@Suite struct `Litmus cases as text` {
    private static let head = """
        litmus a-case v1
        about "Something holds."
        row P1
        source "proc(5)"


        """

    private func parse(_ body: String) throws -> LitmusCase {
        try LitmusCase(parsing: Array((Self.head + body).utf8), path: "a.scn")
    }

    private func message(_ body: String) -> String {
        do {
            _ = try parse(body)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test func `a case has its directives, steps and questions`() throws {
        let test = try parse(
            """
            given
              proc A
              open A/stat as f
            when
              @0s exit A code=3
              @1s reap A
            observe
              | read f -> ESRCH
              | open A as d -> {ENOENT|ESRCH sometimes}

            """)
        #expect(test.name == "a-case")
        #expect(test.rows == ["P1"])
        #expect(test.steps.count == 6)
        #expect(test.questions.map(\.text) == ["read f", "open A as d"])
        #expect(test.questions[0].expected.isExact)
        #expect(test.questions[1].expected.alternatives.map(\.text) == ["ENOENT", "ESRCH"])
        #expect(test.questions[1].expected.alternatives.map(\.mustOccur) == [false, true])
    }

    @Test(arguments: [
        ("given\n  frok A -> B\n", "a.scn:7:3: unknown verb \"frok\""),
        ("given\n  exit A\n", "a.scn:7:8: expected a process or thread that an earlier line makes"),
        (
            "given\n  proc a\n",
            "a.scn:7:8: expected a new name of letters and digits that begins with a capital"
        ),
        ("given\n  proc A\n  exit A code=300\n", "a.scn:8:10: expected a number up to 255 after \"code=\""),
        ("given\n  proc A\n  exit A colour=red\n", "a.scn:8:10: unexpected \"colour=\""),
        ("given\n  proc A\nobserve\n  | read A/nothing -> ok\n", "a.scn:9"),
        ("given\n  proc A\nobserve\n  | read A/stat\n", "a.scn:9:3: expected \"| WHAT -> ANSWER\""),
        ("given\n  proc A\n", "a.scn: expected at least one line"),
        (
            "observe\n  | recv c -> nothing\n",
            "a.scn:7:10: expected a socket that an earlier \"listen\" opens"
        ),
        ("given\n  burst R x999999\n", "a.scn:7:11: expected a number such as x300, at most x20000"),
        (
            "given\n  proc A\nobserve\n  | compare a b -> equal\n",
            "a.scn:9:13: expected a value that an earlier line keeps"
        ),
        ("given\n  chmod a 0888\n", "a.scn:7:11: expected permissions such as 0644"),
        ("given\n  create a mode=9\n", "a.scn:7:12: expected permissions such as mode=0644"),
        ("given\n  rename a b mode=twice\n", "a.scn:7:14: expected mode=exchange or mode=no-replace"),
        ("given\n  mknod a pipe\n", "a.scn:7:11: expected fifo, socket or device"),
        ("given\n  put F \"x\"\n", "a.scn:7:7: expected a file that an earlier \"hold\" keeps open"),
        ("given\n  watch w . mask=create,made\n", "a.scn:7:13: expected mask= with some of access,modify"),
        ("observe\n  | events w -> nothing\n", "a.scn:7:12: expected an instance that an earlier \"watch\""),
        ("observe\n  | beneath a file -> ok\n", "a.scn:7:15: expected path, folder or contents"),
        ("observe\n  | stat a colour -> ok\n", "a.scn:7:12: expected some of type, mode"),
        ("observe\n  | try fly a -> ok\n", "a.scn:7:9: expected one of bind"),
        ("given\n  storm d x99999\n", "a.scn:7:11: expected a number such as x300, at most x20000"),
    ])
    func `an error names its place and what was expected`(_ body: String, _ expected: String) {
        #expect(message(body).hasPrefix(expected), "\(message(body))")
    }

    @Test func `what begins with an open handle is a name in it, everything else a path`() throws {
        let test = try parse(
            """
            observe
              | content H/a -> "x"
              | beneath d folder as H -> directory
              | content H/a/b -> EINVAL
              | content H -> EISDIR
              | stat h/a size as v -> ok

            """)
        let targets = test.steps.compactMap { step -> LitmusFileObservation.Target? in
            switch step.kind {
            case .observation(.files(.content(let target, offset: 0, count: nil)), expected: _): target
            case .observation(.files(.status(let target, fields: ["size"], label: "v")), expected: _): target
            default: nil
            }
        }
        #expect(
            targets == [
                .path(Array("H/a".utf8)), .name(Array("a/b".utf8), in: "H"), .handle("H"),
                .path(Array("h/a".utf8)),
            ])
    }

    @Test func `a waiver without a reason is refused`() {
        let text = Self.head.replacing("source", with: "waive real\nsource") + "observe\n  | list -> []\n"
        do {
            _ = try LitmusCase(parsing: Array(text.utf8), path: "a.scn")
            Issue.record("expected an error")
        } catch {
            #expect("\(error)".contains("expected because="))
        }
    }

    @Test func `a bar within quotes separates no answers`() throws {
        let expectation = try #require(LitmusExpectation(parsing: "{\"a|b\\\"|\"|ESRCH}"))
        #expect(expectation.alternatives.map(\.text) == ["\"a|b\\\"|\"", "ESRCH"])
    }

    @Test func `any bytes give a case or an error`() {
        var generator = SeededGenerator(seed: 7, stream: .world)
        let words =
            Array(Self.head.utf8)
            + Array("given\n  proc A\n  | read A/stat -> {a|b}\n  exec A x argv=[\"\\xff\"]\n".utf8)
        for _ in 0..<2_000 {
            var bytes = words
            for _ in 0..<(1 + generator.next() % 8) {
                bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(
                    truncatingIfNeeded: generator.next())
            }
            _ = try? LitmusCase(parsing: bytes, path: "a.scn")
        }
    }
}

@Suite struct `Litmus verdicts` {
    /// An arm that gives prepared answers, one list for each try.
    private struct FixedArm: LitmusArm {
        var name: LitmusArmName
        var answers: [[String]]

        func run(_ test: LitmusCase, attempt: Int) -> LitmusRun {
            LitmusRun(answers: answers[min(attempt, answers.count - 1)])
        }
    }

    private func report(
        _ expected: String, real: [String], simulated: [String], directives: String = ""
    ) throws -> LitmusReport {
        let text = """
            litmus a-case v1
            about "Something holds."
            row P1
            source "proc(5)"
            tries 2
            \(directives)
            observe
              | list -> \(expected)

            """
        let test = try LitmusCase(parsing: Array(text.utf8), path: "a.scn")
        let arms: [any LitmusArm] = [
            FixedArm(name: .real, answers: real.map { [$0] }),
            FixedArm(name: .simulated, answers: simulated.map { [$0] }),
        ]
        return LitmusSuite(arms: arms, kernel: KernelVersion(major: 6, minor: 8)).run(test)
    }

    @Test func `equal right answers agree`() throws {
        #expect(try report("[A]", real: ["[A]"], simulated: ["[A]"]).verdict == .agreed)
    }

    @Test func `a wrong answer of either kernel differs`() throws {
        #expect(try report("[A]", real: ["[B]"], simulated: ["[A]"]).verdict == .differs)
        #expect(try report("[A]", real: ["[A]"], simulated: ["[A]", "[B]"]).verdict == .differs)
    }

    @Test func `the simulated kernel must be able to do what the real one did`() throws {
        #expect(
            try report("{[A]|[B]}", real: ["[A]", "[B]"], simulated: ["[B]", "[A]"]).verdict == .envelope)
        #expect(try report("{[A]|[B]}", real: ["[A]", "[B]"], simulated: ["[A]"]).verdict == .differs)
        #expect(try report("{[A]|[B]}", real: ["[A]"], simulated: ["[A]", "[B]"]).verdict == .envelope)
    }

    @Test func `an answer that must occur sometimes is missed`() throws {
        #expect(
            try report("{[A] sometimes|[B]}", real: ["[B]"], simulated: ["[A]", "[B]"]).verdict == .differs)
    }

    @Test func `a waived kernel is not asked or may differ, until the waiver is no longer needed`() throws {
        let real = "waive real because=\"proc(5)\""
        #expect(try report("[A]", real: ["[B]"], simulated: ["[A]"], directives: real).verdict == .waived)
        #expect(try report("[A]", real: ["[A]"], simulated: ["[B]"], directives: real).verdict == .differs)
        let simulated = "waive sim because=\"proc(5)\""
        #expect(
            try report("[A]", real: ["[A]"], simulated: ["[B]"], directives: simulated).verdict == .waived)
        #expect(
            try report("[A]", real: ["[A]"], simulated: ["[A]"], directives: simulated).verdict == .differs)
    }

    @Test func `a kernel that is too old is not asked`() throws {
        #expect(
            try report("[A]", real: ["[B]"], simulated: ["[B]"], directives: "since 6.9").verdict == .skipped)
    }

    @Test func `a disturbed try on the real kernel is repeated and counted`() throws {
        let text = """
            litmus a-case v1
            about "Something holds."
            row P1
            source "proc(5)"
            retry 3 because="noise"
            observe
              | list -> [A]

            """
        let test = try LitmusCase(parsing: Array(text.utf8), path: "a.scn")
        let arm = FlakyArm()
        let report = LitmusSuite(arms: [arm], kernel: KernelVersion(major: 6, minor: 8)).run(test)
        #expect(report.verdict == .oneSided)
        #expect(report.results.first?.retryCount == 2)
    }

    /// Wrong twice, then right.
    private final class FlakyArm: LitmusArm {
        let name = LitmusArmName.real
        private let count = Mutex(0)

        func run(_ test: LitmusCase, attempt: Int) -> LitmusRun {
            let number = count.withLock { count in
                count += 1
                return count
            }
            return LitmusRun(answers: [number > 2 ? "[A]" : "[]"])
        }
    }
}

@Suite struct `Litmus answers` {
    @Test func `fields of stat are found behind the last parenthesis and pids get names`() {
        var names = ProcessNames()
        names.add("A", id: ProcessID(42))
        names.add("B", id: ProcessID(7))
        let text = Array("42 (a) R 1 (b) S 7 0 99 0 -1 0\n".utf8)
        #expect(ProcFormat.stat.field("comm", in: text, names: names) == "\"a) R 1 (b\"")
        #expect(ProcFormat.stat.field("pid", in: text, names: names) == "A")
        #expect(ProcFormat.stat.field("ppid", in: text, names: names) == "B")
        #expect(ProcFormat.stat.field("pgrp", in: text, names: names) == "0")
        #expect(ProcFormat.stat.field("session", in: text, names: names) == "?")
        #expect(ProcFormat.stat.field("starttime", in: text, names: names) == nil)
    }

    @Test func `fields of status are lines`() {
        let text = Array("Name:\ta\\nb\nUid:\t0\t1\t2\t3\nNSpid:\t42\t1\n".utf8)
        var names = ProcessNames()
        names.add("A", id: ProcessID(42))
        #expect(ProcFormat.lines.field("Name", in: text, names: names) == "\"a\\\\nb\"")
        #expect(ProcFormat.lines.field("Uid", in: text, names: names) == "0,1,2,3")
        #expect(ProcFormat.lines.field("NSpid", in: text, names: names) == "A,1")
        #expect(ProcFormat.lines.field("Gid", in: text, names: names) == nil)
    }
}
