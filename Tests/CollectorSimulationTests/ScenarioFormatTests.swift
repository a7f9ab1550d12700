import CollectorSimulation
import Testing

private func parse(_ text: String) throws(ScenarioError) -> Scenario {
    try Scenario(parsing: Array(text.utf8), path: "x.scn")
}

private func message(_ text: String) -> String? {
    do {
        _ = try parse(text)
        return nil
    } catch {
        return error.description
    }
}

@Suite struct `scenario files` {
    static let example = """
        scenario storm v1
        about "a pid is recycled"
        seed 0x51C2
        schedules 200
        host kernel=6.8 cpus=4 hz=250 pid_max=420 boot=2026-03-01T00:00:00Z uid=997 caps=net_admin
        config rcvbuf=4KiB queue=256 shutdown=5s

        given
          proc 1 /sbin/init
          proc 77 /usr/bin/bash ppid=1 uid=1000
          kthread 2 kworker/0:1

        when
          @0s     start
          @1s     fork 77 -> 412
          @1s     exec 412 /usr/bin/curl argv=["curl","-s"] comm="c) R 1\\n("
          @1.004s exit 412 code=3
          @1.006s fork 77 -> 412 reuse start=same-tick
          @1.2s   burst fork+exit 77 x300 over=20ms
          @3s     clock realtime step=-5s
          @3.5s   clock suspend 8h
          @6s     stop SIGTERM

        fault
          procfs.read pid=412 file=stat nth=1 -> dies-before-read
          netlink.recv during=@1.2s..@1.3s p=0.2 -> EINTR

        expect
          events kind=process.* pid=412#2
          | 1.006 process.fork 412#2
          count process.exec pid=412 == 2
          gap netlink lost=any attributed=all
          shutdown within=5s code=0
        """

    @Test func `every part of a scenario is understood`() throws {
        let scenario = try parse(Self.example)
        #expect(scenario.name == "storm")
        #expect(scenario.seed == 0x51C2)
        #expect(scenario.scheduleCount == 200)
        #expect(scenario.host.kernelMinor == 8)
        #expect(scenario.host.processorCount == 4)
        #expect(scenario.host.capabilities == ["net_admin"])
        #expect(scenario.settings.receiveBuffer == 4_096)
        #expect(scenario.settings.shutdownTimeout == 5_000_000_000)
        #expect(scenario.given.count == 3)
        #expect(scenario.when.count == 9)
        let process = ProcessReference(pid: 412, incarnation: nil)
        #expect(
            scenario.when[4].action
                == .fork(
                    parent: ProcessReference(pid: 77, incarnation: nil), child: 412, isReuse: true,
                    keepsStartTick: true))
        guard case .exec(process, let execution) = scenario.when[2].action else {
            Issue.record("the third line executes")
            return
        }
        #expect(execution.arguments == [Array("curl".utf8), Array("-s".utf8)])
        #expect(execution.name == Array("c) R 1\n(".utf8))
        #expect(scenario.when[6].action == .stepRealtime(nanoseconds: -5_000_000_000))
        #expect(scenario.faults[1].millionths == 200_000)
        #expect(scenario.faults[1].during == 1_200_000_000...1_300_000_000)
        #expect(scenario.faults[0].behaviour == .diesBeforeRead)
        guard case .events(_, let output) = scenario.expectations[0].expectation else {
            Issue.record("the first expectation is about events")
            return
        }
        #expect(output.map(\.text) == ["1.006 process.fork 412#2"])
        #expect(output.map(\.number) == [30])
    }

    @Test func `the default wall clock is the first of March 2026`() throws {
        let explicit = try parse("scenario a v1\nhost boot=2026-03-01T00:00:00Z\n")
        #expect(try explicit.host.wallNanoseconds == parse("scenario a v1\n").host.wallNanoseconds)
    }

    @Test func `lines keep their number`() throws {
        #expect(try parse(Self.example).when.map(\.number) == Array(14...22))
    }

    @Test func `lines are ordered by time and otherwise as they stand`() throws {
        let scenario = try parse("scenario a v1\nwhen\n  @2s stop SIGTERM\n  @1s reap 5\n  @1s reap 4\n")
        #expect(scenario.when.map(\.number) == [4, 5, 3])
    }

    @Test func `the canonical text of the example is the example`() throws {
        #expect(try parse(Self.example).formatted == Self.example + "\n")
    }

    @Test(arguments: [
        ("scenari a v1", "x.scn:1:1: expected \"scenario NAME v1\""),
        ("scenario a v2", "x.scn:1:12: expected format version v1, not \"v2\""),
        (
            "scenario a v1\nsed 1",
            "x.scn:2:1: unknown verb \"sed\"; expected one of about, seed, schedules, "
                + "schedule, host, limit, config"
        ),
        ("scenario a v1\nseed x", "x.scn:2:6: expected a number, not \"x\""),
        (
            "scenario a v1\nhost cpu=2",
            "x.scn:2:6: unknown key \"cpu\"; expected one of kernel, cpus, hz, pid_max, "
                + "boot, uptime, hidepid, connector, uid, pid, caps, call"
        ),
        ("scenario a v1\nhost cpus=0", "x.scn:2:6: expected cpus=a number between 1 and 256, not 0"),
        ("scenario a v1\ngiven\n  proc 1", "x.scn:3:9: expected the path of an executable"),
        (
            "scenario a v1\nwhen\n  @1s  fork x -> 4",
            "x.scn:3:13: expected a process such as 412 or 412#2, not \"x\""
        ),
        ("scenario a v1\nwhen\n  fork 1 -> 4", "x.scn:3:8: expected a time such as @1.5s before the verb"),
        (
            "scenario a v1\nwhen\n  @1s fork 1 -> 4 again",
            "x.scn:3:19: expected the end of the line or one of reuse, not \"again\""
        ),
        (
            "scenario a v1\nwhen\n  @1x reap 1",
            "x.scn:3:3: expected a time such as @1.5s or @20ms, not \"@1x\""
        ),
        ("scenario a v1\nwhen\n  @1s comm 1 \"a", "x.scn:3:14: expected a closing quote for this string"),
        ("scenario a v1\nwhen\n  @1s comm 1 \"é\\q\"", "x.scn:3:16: expected one of \\n \\t \\\\ \\\" \\xNN"),
        (
            "scenario a v1\n  proc 1 /x",
            "x.scn:2:3: expected one of the sections given, when, fault, expect before an "
                + "indented line"
        ),
        ("scenario a v1\ngiven\ngiven", "x.scn:3:1: expected each section once; \"given\" was already there"),
        (
            "scenario a v1\ngiven\nabout \"x\"",
            "x.scn:3:1: expected an indented line or one of the sections given, when, fault, expect"
        ),
        ("scenario a v1\nwhen\n  | text", "x.scn:3:3: expected output lines only below \"events\" in expect"),
        (
            "scenario a v1\nexpect\n  sometimes luck",
            "x.scn:3:13: unknown probe \"luck\"; expected one of "
                + ExpectLine.probes.joined(separator: ", ")
        ),
        ("", "x.scn:1:1: expected \"scenario NAME v1\""),
        ("scenario a v1\n\tgiven", "x.scn:2:1: expected no control character (0x09)"),
    ])
    func `a mistake names its place and what was expected`(_ text: String, _ expected: String) {
        #expect(message(text) == expected)
    }

    @Test func `an unknown verb lists the verbs`() throws {
        let text = try #require(message("scenario a v1\nwhen\n  @1s frok 1"))
        #expect(text.hasPrefix("x.scn:3:7: unknown verb \"frok\"; expected one of start, stop, "))
    }

    @Test func `bytes that are not UTF-8 are refused with their place`() {
        let bytes = Array("scenario a v1\nabout \"é".utf8) + [0xff]
        #expect(throws: ScenarioError.self) { try Scenario(parsing: bytes, path: "x.scn") }
        do { _ = try Scenario(parsing: bytes, path: "x.scn") } catch {
            #expect(error.description == "x.scn:2:9: expected UTF-8; write other bytes as \\xNN in quotes")
        }
    }
}
