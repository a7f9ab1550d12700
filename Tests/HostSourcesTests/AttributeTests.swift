import EventModel
import HostSources
import KernelFormats
import Testing

@Suite struct AttributeTests {
    @Test func `credentials, session and name follow the kernel's messages`() throws {
        var bench = Bench()
        bench.adopt(10)
        bench.fork(20, of: 10)
        let events = bench.feed([
            .uid(leader(20), real: UserID(5), effective: UserID(6)),
            .gid(leader(20), real: GroupID(7), effective: GroupID(8)),
            .session(leader(20)), .comm(leader(20), name: TaskComm("new name".utf8)),
        ])
        #expect(events.kinds == [.processSetID, .processSetID, .processSession, .processComm])
        let process = try #require(bench.tracked(20)).event
        #expect(process.uid == UserID(6) && process.realUID == UserID(5) && process.gid == GroupID(8))
        #expect(process.session == pid(20) && process.name == "new name")
        let provenance = process.provenance
        #expect(
            [provenance.uid, provenance.gid, provenance.session, provenance.name].allSatisfy {
                $0 == .kernelMessage
            })
    }

    @Test func `attaching and detaching a tracer are told apart`() {
        var bench = Bench()
        bench.fork(20)
        let none = ConnectorTask(tid: ProcessID(0), tgid: ProcessID(0))
        let events = bench.feed([.ptrace(leader(20), tracer: leader(9)), .ptrace(leader(20), tracer: none)])
        #expect(events.kinds == [.processPtrace, .processPtrace])
        #expect(events.map { $0.process?.tracer } == [pid(9), nil])
    }

    @Test func `becoming root is suspicious, being root is not`() {
        var bench = Bench()
        bench.adopt(10)
        bench.fork(20, of: 10)
        let events = bench.feed(.uid(leader(20), real: UserID(1_000), effective: UserID(0)))
        #expect(events.kinds == [.processSetID, .processSuspicious])
        #expect(events.suspicions == [.becameRoot])
        #expect(events.last?.origin == .derived)
        #expect(bench.feed(.uid(leader(20), real: UserID(0), effective: UserID(0))).kinds == [.processSetID])
        bench.fork(21, of: 99)
        #expect(
            bench.feed(.uid(leader(21), real: UserID(0), effective: UserID(0))).kinds == [.processSetID],
            "unknown before")
    }

    @Test func `a suspicious exec gives its event and the suspicion beside it`() {
        var bench = Bench()
        bench.fork(20)
        let reading = bench.makeExecReading(20, exe: "/tmp/x")
        let events = bench.feed(.exec(leader(20)), reading: reading)
        #expect(events.kinds == [.processExec, .processSuspicious])
        #expect(events.suspicions == [.executedFromWorldWritable])
        #expect(events.first?.process?.suspicion == nil)
    }

    @Test func `a deleted program is told by its link count, not by its name`() throws {
        var bench = Bench()
        bench.fork(20)
        var reading = bench.makeExecReading(20, exe: "/opt/x (deleted)")
        reading.executableLinkCount = 1
        var process = try #require(bench.feed(.exec(leader(20)), reading: reading).first?.process)
        #expect(process.executablePath == "/opt/x (deleted)" && process.executableExists == true)
        bench.fork(21)
        reading = bench.makeExecReading(21, exe: "/opt/x (deleted)")
        reading.executableLinkCount = 0
        process = try #require(bench.feed(.exec(leader(21)), reading: reading).first?.process)
        #expect(process.executablePath == "/opt/x" && process.executableExists == false)
        bench.fork(22)
        reading = bench.makeExecReading(22, exe: "/opt/x (deleted)")
        process = try #require(bench.feed(.exec(leader(22)), reading: reading).first?.process)
        #expect(
            process.executablePath == "/opt/x (deleted)" && process.executableExists == nil,
            "absent rather than wrong")
    }

    @Test func `hostile bytes arrive escaped and named`() throws {
        var bench = Bench()
        bench.fork(20)
        var reading = bench.makeExecReading(20)
        reading.stat?.comm = [0x61, 0xff, 0x5c]
        reading.exe = .value(ExecutableLink(target: Array("/bin/".utf8) + [0xc3]))
        reading.commandLine = .value(
            CommandLineFile(arguments: [Array("ok\n\u{1b}[2J".utf8), [0x80], Array("\\x80".utf8)]))
        let event = try #require(bench.feed(.exec(leader(20)), reading: reading).first)
        let process = try #require(event.process)
        #expect(process.name == "a\\xff\\\\")
        #expect(process.executablePath == "/bin/\\xc3")
        #expect(process.commandLine == ["ok\n\u{1b}[2J", "\\x80", "\\x80"])
        #expect(Set(event.escaped) == ["name", "exe", "cmdline[1]"])
        let comm = try #require(bench.feed(.comm(leader(20), name: TaskComm([0xfe]))).first)
        #expect(comm.process?.name == "\\xfe" && comm.escaped.contains("name"))
        let plain = try #require(bench.feed(.comm(leader(20), name: TaskComm("ok".utf8))).first)
        #expect(!plain.escaped.contains("name"))
    }

    @Test func `an escaped field that is void is not named, one that stays is`() throws {
        var bench = Bench()
        bench.adopt(10) {
            $0.stat?.comm = [0xff]
            $0.cgroup = .value(CgroupFile(unifiedPath: [0x2f, 0xff]))
        }
        bench.fork(20, of: 10)
        let event = try #require(bench.feed(.exec(leader(20)), reading: bench.makeFailedReading(20)).first)
        #expect(event.process?.cgroup == "/\\xff")
        #expect(event.escaped == ["cgroup"])
    }

    @Test func `long arguments are whole in their event and short in later ones`() throws {
        var bench = Bench()
        bench.fork(20)
        let arguments = (0..<50).map { _ in String(repeating: "a", count: 1_000) }
        var reading = bench.makeExecReading(20, arguments: arguments)
        reading.commandLine = .value(
            CommandLineFile(arguments: arguments.map { Array($0.utf8) } + [[0xff]]))
        let exec = try #require(bench.feed(.exec(leader(20)), reading: reading).first)
        #expect(exec.process?.commandLine.count == 51)
        #expect(exec.process?.isCommandLineTruncated == false)
        #expect(exec.escaped == ["cmdline[50]"])
        let later = try #require(bench.feed(.session(leader(20))).first)
        #expect(later.process?.commandLine.count == 4)
        #expect(later.process?.isCommandLineTruncated == true)
        #expect(later.escaped.isEmpty, "what is not there cannot be escaped")
    }

    @Test func `numbers of any size do not trap`() {
        var bench = Bench()
        bench.adopt(20) {
            $0.stat?.rssPageCount = .max
            $0.stat?.startTicks = .max
            $0.stat?.utime = .max
            $0.stat?.stime = .max
        }
        #expect(bench.tracked(20)?.event.memoryUsage == .max)
        var round = Round()
        round.append(
            ConnectorMessage(
                processor: 0, sequence: 1, timestamp: Instant(nanoseconds: .max),
                event: .fork(parent: leader(1), child: leader(30))), after: nil)
        bench.tracker.clocks.boot = BootTime(nanoseconds: .max)
        bench.tracker.process(round, readings: [:])
        #expect(bench.tracked(30) != nil)
        bench.feed(.session(leader(40)))
        var reading = bench.makeReading(40, startMilliseconds: 0)
        reading.stat?.startTicks = .max
        bench.tracker.reconcile(reading)
    }
}
