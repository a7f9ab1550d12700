import EventModel
import HostSources
import KernelFormats
import Testing

@Suite struct LifeTests {
    @Test func `fork makes a new incarnation that inherits, and says so`() throws {
        var bench = Bench()
        bench.adopt(10)
        let child = try bench.forkKnown(20, of: 10)
        let parent = try #require(bench.tracked(10)).event
        #expect(child.identity.birth == .fork(processor: 0, sequence: 101, timestamp: at(1_001)))
        #expect(child.ppid == pid(10))
        #expect(child.parent == parent.identity)
        #expect(child.name == "sh" && child.uid == UserID(1_000) && child.cgroup == "/user.slice")
        #expect(child.provenance.name == .inherited)
        #expect(child.provenance.uid == .inherited)
        #expect(child.provenance.ppid == .kernelMessage)
        #expect(child.cpid == nil, "the identifier of the parent is not the child's")
        #expect(child.memoryUsage == nil)
    }

    @Test func `a child of nobody known knows that it does not know`() throws {
        var bench = Bench()
        let child = try bench.forkKnown(20, of: 10)
        #expect(child.ppid == pid(10))
        #expect(child.parent == nil && child.name == nil && child.uid == nil)
        #expect(child.provenance.name == .unknown(.gap))
        #expect(child.provenance.uid == .unknown(.gap))
    }

    @Test func `ancestors are at most eight, the nearest first`() throws {
        var bench = Bench()
        bench.adopt(10)
        var identities: [ProcessIdentity] = [try #require(bench.tracked(10)).event.identity]
        for number in Int32(11)...25 {
            identities.append(try bench.forkKnown(number, of: number - 1).identity)
        }
        let last = try #require(bench.tracked(25)).event
        #expect(last.ancestors.count == Limits.ancestorCount)
        #expect(last.ancestors == Array(identities.dropLast().reversed().prefix(8)))
        #expect(last.parent == last.ancestors.first)
    }

    @Test func `exec with a verified reading replaces the image`() throws {
        var bench = Bench()
        bench.adopt(10)
        bench.fork(20, of: 10)
        let reading = bench.makeExecReading(20)
        let events = bench.feed(.exec(leader(20)), reading: reading)
        #expect(events.kinds == [.processExec])
        let process = try #require(events.first?.process)
        #expect(
            process.name == "cat" && process.executablePath == "/bin/cat"
                && process.commandLine == ["cat", "x"])
        #expect(process.provenance.exe == .verified && process.provenance.cmdline == .verified)
        #expect(process.executableExists == true)
        #expect(process.provenance.uid == .inherited)
        #expect(process.cpid == nil && process.provenance.cpid == .unknown(.notReadYet))
        var later = bench.makeReading(20, startMilliseconds: 1_001)
        later.stat?.ppid = pid(10)
        bench.tracker.settle(later, of: try #require(bench.tracked(20)), isProcHidden: false)
        #expect(bench.tracked(20)?.event.cpid != nil)
        #expect(bench.tracked(20)?.event.provenance.cpid == .verified)
    }

    @Test(arguments: [UnknownReason.vanished, .superseded, .reused, .denied])
    func `exec without a reading voids the old image and says why`(reason: UnknownReason) throws {
        var bench = Bench()
        bench.adopt(10)
        bench.fork(20, of: 10)
        let process = try #require(
            bench.feed(.exec(leader(20)), reading: bench.makeFailedReading(20, reason)).first?.process)
        #expect(process.name == nil && process.executablePath == nil && process.commandLine.isEmpty)
        #expect(process.provenance.exe == .unknown(reason))
        #expect(process.provenance.cmdline == .unknown(reason))
        #expect(process.uid == UserID(1_000), "exec alone changes no user")
        #expect(process.isAccessible == (reason != .denied))
    }

    @Test func `a reading of another incarnation is not believed`() throws {
        var bench = Bench()
        bench.adopt(10)
        bench.fork(20, of: 10)
        var reading = bench.makeExecReading(20)
        reading.stat?.startTicks += 2
        let process = try #require(bench.feed(.exec(leader(20)), reading: reading).first?.process)
        #expect(process.provenance.exe == .unknown(.reused))
        #expect(process.executablePath == nil && process.cpid == nil)
    }

    @Test func `the start time may lie in the next tick of the stamp`() throws {
        var bench = Bench()
        bench.fork(20, of: 10)
        var reading = bench.makeExecReading(20)
        reading.stat?.startTicks += 1
        let process = try #require(bench.feed(.exec(leader(20)), reading: reading).first?.process)
        #expect(process.executablePath == "/bin/cat")
    }

    @Test func `an exit carries its status`() throws {
        var bench = Bench()
        bench.fork(20)
        let events = bench.feed(.exit(leader(20), code: 3 << 8, signal: 17, parent: nil))
        #expect(events.kinds == [.processExit])
        #expect(
            events.first?.process?.exit
                == ProcessExit(status: 3, signal: nil, isCoreDumped: false, isInferred: false))
        #expect(bench.tracked(20) == nil)
    }

    @Test func `a coredump is told before the end by its signal`() throws {
        var bench = Bench()
        bench.fork(20)
        let events = bench.feed([
            .coredump(leader(20), parent: nil), .exit(leader(20), code: 0x80 | 11, signal: 17, parent: nil),
        ])
        #expect(events.kinds == [.processCoredump, .processExit])
        #expect(
            events.last?.process?.exit
                == ProcessExit(status: nil, signal: 11, isCoreDumped: true, isInferred: false))
    }

    @Test func `a recycled pid is another incarnation`() throws {
        var bench = Bench()
        let first = try bench.forkKnown(20).identity
        bench.feed(.exit(leader(20), code: 0, signal: 17, parent: nil))
        let second = try bench.forkKnown(20).identity
        #expect(first != second && first.pid == second.pid)
    }

    @Test func `a fork of a live pid means that its exit was lost`() throws {
        var bench = Bench()
        let first = try bench.forkKnown(20).identity
        let events = bench.feed(.fork(parent: leader(1), child: leader(20)))
        #expect(events.kinds == [.processExit, .processFork])
        #expect(events.map(\.origin) == [.resync, .emitted])
        #expect(events.first?.process?.identity == first)
        #expect(events.first?.process?.exit == .inferred)
    }

    @Test func `a message about an unknown process makes it known by that message`() throws {
        var bench = Bench()
        let events = bench.feed(.exit(leader(77), code: 0, signal: 17, parent: nil))
        #expect(events.kinds == [.processExit])
        #expect(
            events.first?.process?.identity.birth == .seen(processor: 0, sequence: 101, timestamp: at(1_001)))
        #expect(events.first?.process?.provenance.name == .unknown(.gap))
        bench.feed(.session(leader(78)))
        #expect(bench.tracked(78) != nil)
        #expect(bench.tracker.lateReads.count > 0, "it is looked at later")
    }

    @Test func `a scan that was faster than the fork message keeps its incarnation`() throws {
        var bench = Bench()
        bench.adopt(10)
        bench.adopt(20, ppid: 9) { $0.aliveAt = at(2_000) }
        let identity = try #require(bench.tracked(20)).event.identity
        let events = bench.feed(.fork(parent: leader(10), child: leader(20)))
        #expect(events.kinds == [.processFork])
        #expect(events.first?.process?.identity == identity)
        #expect(events.first?.process?.parent == bench.tracked(10)?.event.identity)
    }
}

@Suite struct ThreadTests {
    @Test func `threads make no events`() {
        var bench = Bench()
        bench.fork(20)
        let events = bench.feed([
            .fork(parent: leader(20), child: thread(21, of: 20)),
            .comm(thread(21, of: 20), name: TaskComm("worker".utf8)),
            .uid(thread(21, of: 20), real: UserID(0), effective: UserID(0)),
            .gid(thread(21, of: 20), real: GroupID(0), effective: GroupID(0)),
            .ptrace(thread(21, of: 20), tracer: leader(9)),
            .exit(thread(21, of: 20), code: 0, signal: -1, parent: nil),
        ])
        #expect(events.isEmpty)
        #expect(bench.tracker.filtered.tally["thread"] == 6)
        #expect(bench.tracked(20)?.event.uid == nil)
        #expect(bench.tracker.forkCount == 2)
    }

    @Test func `exec by a thread is no death`() {
        var bench = Bench()
        bench.fork(20)
        bench.feed(.fork(parent: leader(20), child: thread(21, of: 20)))
        let events = bench.feed([.exit(leader(20), code: 0, signal: 17, parent: nil), .exec(leader(20))])
        #expect(events.kinds == [.processExec])
        #expect(bench.tracked(20)?.otherThreadCount == 0)
        #expect(bench.feed(.exit(leader(20), code: 0, signal: 17, parent: nil)).kinds == [.processExit])
    }

    @Test func `exec by a thread is no death even when its fork was lost`() {
        var bench = Bench()
        bench.fork(20)
        let loss = ProcessorLoss(processor: 0, lost: 1, after: 101, before: 103)
        let events = bench.feed(
            [.exit(leader(20), code: 0, signal: 17, parent: nil), .exec(leader(20))], losing: loss)
        #expect(events.kinds == [.processExec])
        #expect(bench.gaps.map(\.lost) == [1])
    }

    @Test func `when the leader ends first, the last thread ends the process`() {
        var bench = Bench()
        bench.fork(20)
        bench.feed([
            .fork(parent: leader(20), child: thread(21, of: 20)),
            .fork(parent: leader(20), child: thread(22, of: 20)),
        ])
        #expect(bench.feed(.exit(leader(20), code: 0, signal: 17, parent: nil)).isEmpty)
        #expect(bench.feed(.exit(thread(21, of: 20), code: 0, signal: -1, parent: nil)).isEmpty)
        let events = bench.feed(.exit(thread(22, of: 20), code: 4 << 8, signal: -1, parent: nil))
        #expect(events.kinds == [.processExit])
        #expect(events.first?.process?.exit?.status == 4)
        #expect(bench.tracked(20) == nil)
    }

    @Test func `a process killed with all its threads ends once`() {
        var bench = Bench()
        bench.fork(20)
        bench.feed(.fork(parent: leader(20), child: thread(21, of: 20)))
        let events = bench.feed([
            .exit(thread(21, of: 20), code: 9, signal: -1, parent: nil),
            .exit(leader(20), code: 9, signal: 17, parent: nil),
        ])
        #expect(events.kinds == [.processExit])
        #expect(events.first?.process?.exit?.signal == 9)
    }

    @Test func `threads that a scan has counted are not counted again`() {
        var bench = Bench()
        bench.adopt(20) {
            $0.aliveAt = at(2_000)
            $0.stat?.threadCount = 2
        }
        bench.feed(.fork(parent: leader(20), child: thread(21, of: 20)))
        #expect(bench.tracked(20)?.otherThreadCount == 1)
    }
}

@Suite struct OwnAndRuleTests {
    @Test func `the collector's own messages are counted and make no events`() {
        var bench = Bench()
        let own = ownPID.rawValue
        let events = bench.feed([
            .comm(leader(own), name: TaskComm("x".utf8)),
            .fork(parent: leader(own), child: thread(901, of: own)),
            .comm(thread(901, of: own), name: TaskComm("x".utf8)),
            .exit(thread(901, of: own), code: 0, signal: -1, parent: nil),
            .uid(leader(own), real: UserID(0), effective: UserID(0)),
        ])
        #expect(events.isEmpty)
        #expect(bench.tracker.filtered.tally["self"] == 5)
    }

    @Test func `an excluded process makes no event and is counted`() {
        var bench = Bench { $0.rules.exclude = ["name:sh"].compactMap { ProcessRule($0) } }
        #expect(bench.adopt(10).isEmpty)
        #expect(bench.feed(.fork(parent: leader(10), child: leader(20))).isEmpty)
        #expect(bench.tracker.filtered.tally["exclude name:sh"] == 1)
        let reading = bench.makeExecReading(20)
        #expect(
            bench.feed(.exec(leader(20)), reading: reading).kinds == [.processExec],
            "it is another program now")
    }

    @Test func `acknowledgements and unknown kinds are counted`() {
        var bench = Bench()
        #expect(bench.feed([.acknowledgement(error: 0), .unknown(what: 0x1000)]).isEmpty)
        #expect(bench.tracker.filtered.tally["ack"] == 1)
        #expect(bench.tracker.filtered.tally["unknown_kind"] == 1)
    }

    @Test func `a full table still gives events and counts what it cannot track`() {
        var bench = Bench()
        var made = 0
        for number in 1...Int32(Limits.trackedProcessCount) {
            made += bench.feed(.fork(parent: leader(1), child: leader(1_000 + number))).count
        }
        #expect(bench.tracker.table.count == Limits.trackedProcessCount)
        #expect(bench.feed(.fork(parent: leader(1), child: leader(4_000_000))).kinds == [.processFork])
        #expect(bench.tracker.table.count == Limits.trackedProcessCount)
        #expect(bench.tracker.untrackedCount == 1)
        #expect(made == Limits.trackedProcessCount)
    }
}
