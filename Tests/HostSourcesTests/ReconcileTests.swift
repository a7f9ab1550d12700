import EventModel
import HostSources
import KernelFormats
import Testing

@Suite struct BaselineTests {
    @Test func `a scan gives a baseline with everything that was read`() throws {
        var bench = Bench()
        let event = try #require(bench.adopt(10) { $0.pidFDInode = 77 }.first)
        let process = try #require(event.process)
        #expect(event.kind == .processBaseline && event.origin == .baseline)
        #expect(process.identity.birth == .scan(startTicks: 10, pidFDInode: 77))
        #expect(
            process.uid == UserID(1_000) && process.gid == GroupID(1_000) && process.cgroup == "/user.slice")
        #expect(process.memoryUsage == 3 * 4_096)
        #expect(process.provenance.uid == .verified && process.provenance.cgroup == .verified)
        #expect(process.startTime == WallTime(nanoseconds: 1_700_000_000_100_000_000))
        #expect(process.cpid != nil)
    }

    @Test func `parents that were found before are linked`() throws {
        var bench = Bench()
        bench.adopt(10)
        bench.adopt(11, ppid: 10)
        bench.adopt(12, ppid: 11)
        let process = try #require(bench.tracked(12)).event
        #expect(process.parent == bench.tracked(11)?.event.identity)
        #expect(process.ancestors.map(\.pid) == [pid(11), pid(10)])
    }

    @Test func `a kernel thread has no executable, and that is known`() throws {
        var bench = Bench()
        let process = try #require(
            bench.adopt(10) {
                $0.stat?.flags = ProcessStat.kernelThreadFlag
                $0.stat?.vsize = 0
                $0.exe = .unknown(.vanished)
                $0.commandLine = .value(CommandLineFile(arguments: []))
            }.first?.process)
        #expect(process.isKernelThread)
        #expect(process.executablePath == nil && process.provenance.exe == .verified)
        #expect(process.commandLine.isEmpty && process.provenance.cmdline == .verified)
    }

    @Test func `a zombie is marked, and what it no longer shows is unknown`() throws {
        var bench = Bench()
        let process = try #require(
            bench.adopt(10) {
                $0.stat?.state = .zombie
                $0.stat?.vsize = 0
                $0.exe = .unknown(.vanished)
                $0.commandLine = .value(CommandLineFile(arguments: []))
            }.first?.process)
        #expect(process.isZombie)
        #expect(
            process.provenance.exe == .unknown(.vanished) && process.provenance.cmdline == .unknown(.vanished)
        )
    }

    @Test func `what is denied is marked, what vanished is no process`() throws {
        var bench = Bench()
        let process = try #require(
            bench.adopt(10) {
                $0.exe = .unknown(.denied)
                $0.pidNamespace = .unknown(.denied)
            }.first?.process)
        #expect(!process.isAccessible)
        #expect(process.cpid == nil && process.provenance.cpid == .unknown(.denied))
        #expect(bench.adopt(11) { $0.failure = .vanished }.isEmpty)
        #expect(bench.tracked(11) == nil)
    }

    @Test func `in a container the common process id is made of the inner pid, or absent`() throws {
        var bench = Bench()
        let unknown = try #require(bench.adopt(10) { $0.pidNamespace = .value(4_026_533_000) }.first?.process)
        #expect(unknown.pidNamespace == 4_026_533_000)
        #expect(unknown.cpid == nil && unknown.provenance.cpid == .absent)
        let known = try #require(
            bench.adopt(11) {
                $0.pidNamespace = .value(4_026_533_000)
                var status = ProcessStatus()
                status.namespaceTgids = [pid(11), pid(2)]
                $0.status = .value(status)
            }.first?.process)
        #expect(known.cpid != nil && known.provenance.cpid == .verified)
    }

    @Test func `a start in the future or before the parent's is suspicious`() {
        var bench = Bench()
        bench.adopt(10)
        #expect(bench.adopt(11) { $0.stat?.startTicks = 5_000 }.suspicions == [.startsInFuture])
        #expect(bench.adopt(12, ppid: 10) { $0.stat?.startTicks = 2 }.suspicions == [.startsTooEarly])
    }
}

@Suite struct ResyncTests {
    private let loss = ProcessorLoss(processor: 0, lost: 2, after: 101, before: 104)

    @Test func `an unchanged process gives nothing`() {
        var bench = Bench()
        bench.adopt(10)
        bench.tracker.reconcile(bench.makeReading(10, startMilliseconds: 100))
        #expect(bench.collect().isEmpty)
    }

    @Test func `what has changed is named`() throws {
        var bench = Bench()
        bench.adopt(10)
        var reading = bench.makeReading(
            10, ppid: 7, name: "cat", exe: "/bin/cat", arguments: ["cat"], startMilliseconds: 100)
        var status = ProcessStatus()
        status.uid = .init(UserID(5))
        status.gid = .init(GroupID(6))
        reading.status = .value(status)
        reading.cgroup = .value(CgroupFile(unifiedPath: Array("/new".utf8)))
        reading.stat?.session = pid(10)
        bench.tracker.reconcile(reading)
        let event = try #require(bench.collect().first)
        #expect(event.kind == .processModified && event.origin == .resync)
        #expect(
            event.process?.modifiedFields == [.name, .exe, .cmdline, .uid, .gid, .session, .ppid, .cgroup])
        #expect(event.process?.uid == UserID(5))
    }

    @Test func `a process that nobody announced is adopted`() {
        var bench = Bench()
        bench.tracker.reconcile(bench.makeReading(30, startMilliseconds: 990))
        let events = bench.collect()
        #expect(events.kinds == [.processBaseline])
        #expect(events.map(\.origin) == [.resync])
    }

    @Test func `another incarnation ends the one that was known`() throws {
        var bench = Bench()
        bench.adopt(10)
        let first = try #require(bench.tracked(10)).event.identity
        bench.tracker.reconcile(bench.makeReading(10, startMilliseconds: 900))
        let events = bench.collect()
        #expect(events.kinds == [.processExit, .processBaseline])
        #expect(events.first?.process?.identity == first)
        #expect(events.first?.process?.exit == .inferred)
        #expect(events.last?.process?.identity != first)
    }

    @Test func `with an inode per process, reuse within one tick is seen`() throws {
        var bench = Bench()
        bench.adopt(10) { $0.pidFDInode = 5 }
        var reading = bench.makeReading(10, startMilliseconds: 100)
        reading.pidFDInode = 6
        bench.tracker.reconcile(reading)
        #expect(bench.collect().kinds == [.processExit, .processBaseline])
        #expect(bench.tracked(10)?.event.isAmbiguous == false)
    }

    @Test func `a gap begins with the last message of the processor that lost some`() throws {
        var bench = Bench()
        bench.tracker.watchedSince = at(900)
        bench.fork(20, of: 1)
        bench.maker.processor = 1
        bench.maker.milliseconds = 1_500
        bench.fork(21, of: 1)
        bench.maker.processor = 0
        bench.maker.milliseconds = 1_600
        bench.feed([.session(leader(20))], losing: loss)
        let gap = try #require(bench.gaps.first)
        #expect(gap.from == at(1_001) && gap.until == at(1_601))
        #expect(gap.processors == [loss] && gap.lost == 2 && gap.cause == .kernelOverflow)
        bench.maker.processor = 5
        bench.feed([.session(leader(20))], losing: ProcessorLoss(processor: 5, lost: 1, after: 1, before: 3))
        #expect(bench.gaps.last?.from == at(900), "nothing was heard of it since the account began")
    }

    @Test func `a gap stands before the events that come after it`() {
        var bench = Bench()
        var round = Round()
        round.append(bench.maker.make(.fork(parent: leader(1), child: leader(20))), after: nil)
        round.append(bench.maker.make(.fork(parent: leader(1), child: leader(21))), after: loss)
        bench.tracker.process(round, readings: [:])
        let shape = bench.tracker.output.takeAll().map { item in
            if case .events(let events) = item { events.count } else { -1 }
        }
        #expect(shape == [1, -1, 1])
    }
}

@Suite struct LaterLookTests {
    private let loss = ProcessorLoss(processor: 0, lost: 2, after: 101, before: 104)

    @Test func `a look in vain means nothing while nothing was lost`() throws {
        var bench = Bench()
        bench.fork(20)
        for _ in 0..<20 {
            let process = try #require(bench.tracked(20))
            bench.tracker.settle(bench.makeFailedReading(20), of: process, isProcHidden: false)
        }
        #expect(bench.collect().isEmpty)
        #expect(bench.tracked(20) != nil, "its EXIT message will come")
        #expect(bench.tracker.lateReads.count <= 9, "it is not looked for for ever")
    }

    @Test func `after a loss the second look in vain ends a process`() throws {
        var bench = Bench()
        bench.fork(20)
        bench.feed([.session(leader(1))], losing: loss)
        let process = try #require(bench.tracked(20))
        bench.tracker.settle(bench.makeFailedReading(20), of: process, isProcHidden: false)
        #expect(bench.collect().isEmpty)
        bench.tracker.settle(bench.makeFailedReading(20), of: process, isProcHidden: false)
        let events = bench.collect()
        #expect(events.kinds == [.processExit])
        #expect(events.first?.process?.exit == .inferred && events.first?.origin == .resync)
        #expect(bench.tracked(20) == nil)
    }

    @Test func `with hidepid absence means nothing, even after a loss`() throws {
        var bench = Bench()
        bench.fork(20)
        bench.feed([.session(leader(1))], losing: loss)
        let process = try #require(bench.tracked(20))
        for _ in 0..<5 { bench.tracker.settle(bench.makeFailedReading(20), of: process, isProcHidden: true) }
        #expect(bench.collect().isEmpty)
    }

    @Test func `what is denied or unreadable is not gone`() throws {
        var bench = Bench()
        bench.fork(20)
        bench.feed([.session(leader(1))], losing: loss)
        let process = try #require(bench.tracked(20))
        for reason in [UnknownReason.denied, .failed, .malformed] {
            for _ in 0..<3 {
                bench.tracker.settle(bench.makeFailedReading(20, reason), of: process, isProcHidden: false)
            }
        }
        #expect(bench.collect().isEmpty)
        #expect(process.missedLookCount == 0)
    }

    @Test func `a look that finds the process forgets those in vain`() throws {
        var bench = Bench()
        bench.fork(20)
        let reading = bench.makeReading(20, startMilliseconds: bench.maker.milliseconds)
        let process = try #require(bench.tracked(20))
        bench.tracker.settle(bench.makeFailedReading(20), of: process, isProcHidden: false)
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        #expect(process.missedLookCount == 0)
    }

    @Test func `a later look corrects what was inherited and says what differs`() throws {
        var bench = Bench()
        bench.adopt(10)
        bench.fork(20, of: 10)
        var reading = bench.makeReading(20, ppid: 10, startMilliseconds: bench.maker.milliseconds)
        reading.cgroup = .value(CgroupFile(unifiedPath: Array("/other".utf8)))
        let process = try #require(bench.tracked(20))
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        let events = bench.collect()
        #expect(events.kinds == [.processModified])
        #expect(events.first?.process?.modifiedFields == [.cgroup])
        #expect(process.event.provenance.uid == .verified)
    }

    @Test func `a later look that fails in part voids nothing`() throws {
        var bench = Bench()
        bench.adopt(10)
        var reading = bench.makeReading(10, startMilliseconds: 100)
        reading.exe = .unknown(.denied)
        reading.status = .unknown(.vanished)
        reading.cgroup = .unknown(.failed)
        let process = try #require(bench.tracked(10))
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        #expect(bench.collect().isEmpty)
        #expect(process.event.executablePath == "/bin/sh" && process.event.uid == UserID(1_000))
    }

    @Test func `a dying process shows nothing, and what it was stays known`() throws {
        var bench = Bench()
        bench.adopt(10)
        var reading = bench.makeReading(10, name: "", exe: "", arguments: [], startMilliseconds: 100)
        reading.stat?.state = .zombie
        reading.stat?.vsize = 0
        let process = try #require(bench.tracked(10))
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        #expect(bench.collect().isEmpty)
        #expect(process.event.name == "sh" && process.event.isZombie)
    }

    @Test func `a process that renames its arguments to a kernel thread's is suspicious once`() throws {
        var bench = Bench()
        bench.adopt(10)
        let process = try #require(bench.tracked(10))
        let reading = bench.makeReading(10, arguments: ["[kworker/0:0]"], startMilliseconds: 100)
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        let events = bench.collect()
        #expect(events.kinds == [.processModified, .processSuspicious])
        #expect(events.suspicions == [.masqueradesAsKernelThread])
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        #expect(bench.collect().isEmpty)
    }

    @Test
    func `a process whose leader ended is looked at until it is gone, then ends with the leader's code`()
        throws
    {
        var bench = Bench()
        bench.fork(20)
        bench.feed(.fork(parent: leader(20), child: thread(21, of: 20)))
        bench.feed(.exit(leader(20), code: 7 << 8, signal: 17, parent: nil))
        let process = try #require(bench.tracked(20))
        var alive = bench.makeReading(20, startMilliseconds: 1_001)
        alive.stat?.state = .zombie
        alive.stat?.threadCount = 2
        bench.tracker.settle(alive, of: process, isProcHidden: false)
        #expect(bench.collect().isEmpty)
        bench.tracker.settle(bench.makeFailedReading(20), of: process, isProcHidden: false)
        let events = bench.collect()
        #expect(events.kinds == [.processExit])
        #expect(events.map(\.origin) == [.derived], "no kernel message stands behind it")
        #expect(events.first?.process?.exit?.status == 7)
    }

    @Test func `the processor time between two looks is the use of one CPU in percent`() throws {
        var bench = Bench()
        bench.adopt(10) { $0.stat?.utime = 100 }
        var reading = bench.makeReading(10, startMilliseconds: 100, aliveAt: 2_000)
        reading.stat?.utime = 130
        reading.stat?.stime = 20
        let process = try #require(bench.tracked(10))
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        #expect(process.event.cpuUsage == 50)
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        #expect(process.event.cpuUsage == 50, "a quotient of no time is none")
    }
}
