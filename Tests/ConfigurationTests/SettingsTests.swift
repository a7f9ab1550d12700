import Configuration
import Testing

struct SettingsTests {
    @Test func `without assignments every setting has its default`() {
        let values = Fixture.table.defaults
        #expect(values[Fixture.queue] == 1_000)
        #expect(values[Fixture.wait] == .milliseconds(500))
        #expect(values[Fixture.buffer] == .mebibytes(8))
        #expect(values[Fixture.baseline])
        #expect(values[Fixture.threshold] == Percentage(80))
        #expect(values[Fixture.directory] == "/var/lib/x")
        #expect(values[Fixture.words] == ["a"])
        #expect(values[Fixture.mode] == .log)
        #expect(values.place(of: "collector.queue") == nil)
    }

    @Test func `assignments change the values they name and are remembered by place`() throws {
        let values = try Fixture.values(
            "collector.queue=2000", "collector.wait=2s", "sources.process.receive_buffer=8 KiB",
            "sources.process.baseline=false", "state.words=a,c", "hardening.mode=kill", "state.directory=/x=y"
        )
        #expect(values[Fixture.queue] == 2_000)
        #expect(values[Fixture.wait] == .seconds(2))
        #expect(values[Fixture.buffer] == .kibibytes(8))
        #expect(!values[Fixture.baseline])
        #expect(values[Fixture.words] == ["a", "c"])
        #expect(values[Fixture.mode] == .kill)
        #expect(values[Fixture.directory] == "/x=y")
        #expect(values[Fixture.batch] == 100)
        #expect(values.place(of: "collector.queue") == "--set collector.queue=2000")
    }

    @Test func `the last assignment of a key wins`() throws {
        #expect(try Fixture.values("collector.queue=200", "collector.queue=300")[Fixture.queue] == 300)
    }

    @Test(arguments: [
        (
            "sources.proces.baseline=maybe",
            #"--set sources.proces.baseline=maybe: unknown setting "sources.proces.baseline"; "#
                + #"did you mean "sources.process.baseline"?"#
        ),
        (
            "sources.process.receive_buffer=lots",
            "--set sources.process.receive_buffer=lots: "
                + #"expected a byte count such as "8 MiB" between 4 KiB and 1 GiB, not "lots""#
        ),
        (
            "sources.process.receive_buffer=1 KiB",
            "--set sources.process.receive_buffer=1 KiB: "
                + #"expected a byte count such as "8 MiB" between 4 KiB and 1 GiB, not "1 KiB""#
        ),
        (
            "collector.queue=0",
            #"--set collector.queue=0: expected an integer between 1 and 1000000, not "0""#
        ),
        (
            "collector.wait=5",
            #"--set collector.wait=5: expected a duration such as "30s" between 1ms and 1m, not "5""#
        ),
        (
            "collector.threshold=0.8",
            #"--set collector.threshold=0.8: expected a percentage such as "80%" between 1% and 100%, not "0.8""#
        ),
        (
            "sources.process.baseline=maybe",
            #"--set sources.process.baseline=maybe: expected true or false, not "maybe""#
        ),
        (
            "state.directory=tmp/../x",
            #"--set state.directory=tmp/../x: expected an absolute path without "..", not "tmp/../x""#
        ),
        ("hardening.mode=on", #"--set hardening.mode=on: expected one of log, kill, off, not "on""#),
        (
            "state.words=a,d",
            #"--set state.words=a,d: expected each element to be one of a, b, c, not "d""#
        ),
        (
            "state.words=a,,b",
            "--set state.words=a,,b: expected at most 256 elements separated by commas, each one of a, b, c, "
                + #"not "a,,b""#
        ),
        ("collector.queue", "--set collector.queue: expected KEY=VALUE"),
        ("=1", "--set =1: expected KEY=VALUE"),
        (
            "zebra.crossing=1",
            #"--set zebra.crossing=1: unknown setting "zebra.crossing"; "#
                + "`config explain` lists all settings"
        ),
        (
            "receive_buffer=8KiB",
            #"--set receive_buffer=8KiB: unknown setting "receive_buffer"; "#
                + #"did you mean "sources.process.receive_buffer"?"#
        ),
        (
            "colelctor.queue=1",
            #"--set colelctor.queue=1: unknown setting "colelctor.queue"; "#
                + #"did you mean "collector.queue"?"#
        ),
    ])
    func `an error names the place and what was expected`(argument: String, message: String) {
        #expect(Fixture.complaint([argument]) == message)
    }

    @Test func `all problems are reported at once, in order`() {
        let lines = Fixture.complaint(["collector.queue=x", "hardening.mode=y"]).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("--set collector.queue=x:") == true)
    }

    @Test func `settings that contradict each other are refused together`() {
        #expect(
            Fixture.complaint(["collector.queue=50"])
                == "--set collector.queue=50: expected collector.batch (100) to be at most collector.queue (50)"
        )
        #expect(Fixture.complaint(["collector.queue=50", "collector.batch=50"]) == "no error")
    }

    @Test func `hostile text in an error is harmless on a terminal and short`() {
        let message = Fixture.complaint(["collector.queue=\u{1b}[2J" + String(repeating: "x", count: 100_000)]
        )
        #expect(!message.unicodeScalars.contains { $0.value < 0x20 })
        #expect(message.utf8.count < 400)
    }

    @Test func `the value of a secret never appears`() throws {
        let complaint = Fixture.complaint(["state.token="])
        #expect(complaint == "state.token: expected text that is not empty")
        let values = try Fixture.values("state.token=hunter2")
        let text = try values.explanations(of: nil).map { $0.text(width: 80) }.joined()
        #expect(values[Fixture.token] == "hunter2")
        #expect(!text.contains("hunter2"))
        #expect(!text.contains("none"))
    }

    @Test func `a list longer than its bound is refused`() {
        let long = Array(repeating: "a", count: SettingsLimits.listCount + 1).joined(separator: ",")
        #expect(Fixture.complaint(["state.words=" + long]).contains("expected at most 256 elements"))
        #expect(Fixture.complaint(["state.words=" + long.dropLast(2)]) == "no error")
    }

    @Test func `a long path is refused`() {
        let path = "/" + String(repeating: "x", count: SettingsLimits.textByteCount)
        #expect(Fixture.complaint(["state.directory=" + path]).contains("expected an absolute path"))
    }

    @Test func `declaring a key twice traps`() async {
        await #expect(processExitsWith: .failure) {
            _ = SettingsTable([[Fixture.queue.setting], [Fixture.queue.setting]], constraints: [])
        }
    }
}
