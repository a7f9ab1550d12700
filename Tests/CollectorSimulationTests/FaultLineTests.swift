import CollectorSimulation
import SimulatedBackends
import Testing

@Suite struct FaultLineTests {
    private func parse(_ line: String) throws -> FaultLine {
        let text = "scenario x v1\n\nfault\n  \(line)\n"
        return try #require(try Scenario(parsing: Array(text.utf8), path: "x.scn").faults.first)
    }

    private func message(_ line: String) -> String {
        do {
            _ = try parse(line)
            return "none"
        } catch {
            return "\(error)"
        }
    }

    @Test func `every error and behaviour of the catalogue can be written`() throws {
        for sweepCase in SweepCase.all() {
            let line = try parse(sweepCase.line(nth: 3))
            #expect(line.call == sweepCase.call && line.nth == 3)
        }
    }

    @Test(arguments: [
        ("procfs.read -> ENOSPC", "procfs.read cannot go wrong so; expected one of EPERM"),
        ("procfs.read -> ESRCH", "dies-before-read"),
        ("netlink.send -> short=1", "netlink.send cannot go wrong so; expected one of EPERM"),
        ("netlink.wait -> EIO", "expected one of stall=DURATION, late=DURATION, spurious"),
        ("netlink.recv -> corrupt", "stall=DURATION, late=DURATION, short=N, duplicate, reorder"),
        ("file.read -> crash", "eof, corrupt"),
        ("procfs.read -> EWHAT", "unknown behaviour \"EWHAT\"; expected one of EPERM"),
        ("netlink.recv pid=4 -> ENOMEM", "netlink.recv is about no process"),
        ("procfs.list file=stat -> EIO", "procfs.list is about no file"),
        ("procfs.readlink file=stat -> EIO", "expected file=one of exe, cwd, root, ns/pid, ns/net"),
    ])
    func `what no host can do is refused with what it can`(line: String, expected: String) {
        #expect(message(line).contains(expected), "\(message(line))")
        #expect(message(line).hasPrefix("x.scn:4:"))
    }

    @Test func `late means stall, for and times are read`() throws {
        #expect(try parse("clock.timer nth=2 -> late=5ms").behaviour == .stall(5_000_000))
        let line = try parse("file.replace nth=2 -> ENOSPC for=500ms")
        #expect(line.lasting == 500_000_000 && line.times == nil)
        #expect(try parse("procfs.list times=4 -> EMFILE").times == 4)
    }
}
