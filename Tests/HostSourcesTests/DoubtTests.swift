import EventModel
import HostSources
import KernelFormats
import Testing

/// Who may be somebody else after a loss of messages.
@Suite struct DoubtTests {
    /// A host whose pids begin again after `lap` turns.
    private func makeBench(lap: UInt32) -> Bench {
        var bench = Bench()
        bench.tracker.turns.setMaximum(300 + lap)
        return bench
    }

    private func loss(of count: UInt64, _ bench: inout Bench) -> ProcessorLoss {
        let after = bench.maker.sequence
        bench.maker.sequence &+= UInt32(count)
        return ProcessorLoss(
            processor: 0, lost: count, after: after, before: bench.maker.sequence &+ 1)
    }

    /// 500 processes; the pid given out last is 1 200.
    private func makeHost(lap: UInt32 = 4_194_004) -> Bench {
        var bench = makeBench(lap: lap)
        bench.tracker.watchedSince = at(1_000)
        for number in 300..<800 { bench.adopt(Int32(number)) }
        bench.fork(1_200, of: 300)
        return bench
    }

    @Test func `on a host with many pids a loss of 1 000 messages leaves all beyond doubt`() {
        var bench = makeHost()
        let loss = loss(of: 1_000, &bench)
        let messages = (Array(300..<800) + [1_200]).map { ConnectorEvent.session(leader($0)) }
        let events = bench.feed(messages, losing: loss)
        #expect(events.count == 501)
        #expect(events.allSatisfy { $0.process?.isAmbiguous == false })
    }

    @Test func `pids whose turn has come within a loss are in doubt, the others are not`() {
        var bench = makeHost()
        bench.adopt(1_500)
        bench.adopt(90_000)
        let loss = loss(of: 1_000, &bench)
        let events = bench.feed(
            [
                .session(leader(700)), .session(leader(1_200)), .session(leader(1_500)),
                .session(leader(90_000)),
            ],
            losing: loss)
        #expect(events.map { $0.process?.isAmbiguous } == [false, false, true, false])
    }

    @Test func `where all pids may have had their turn, everybody is in doubt`() {
        var bench = makeHost(lap: 1_000)
        let loss = loss(of: 900, &bench)
        let events = bench.feed(
            [.session(leader(400)), .exit(leader(1_200), code: 0, signal: 17, parent: nil)], losing: loss)
        #expect(events.map { $0.process?.isAmbiguous } == [true, true])
    }

    @Test func `whoever is in doubt can be looked at before messages about him are handled`() {
        var bench = makeHost()
        bench.adopt(1_500)
        let loss = loss(of: 1_000, &bench)
        var round = Round()
        round.append(bench.maker.make(.session(leader(1_500))), after: loss)
        bench.tracker.noteLoss(in: round, forksSinceBoot: 2_000)
        #expect(bench.tracker.doubtfulSubjects(of: round).map(\.event.pid) == [pid(1_500)])
    }

    @Test func `once somebody has chosen a pid, everybody is in doubt after a loss`() {
        var bench = makeHost()
        bench.fork(500_000, of: 300)
        let loss = loss(of: 2, &bench)
        let events = bench.feed([.session(leader(400))], losing: loss)
        #expect(events.map { $0.process?.isAmbiguous } == [true])
    }

    @Test func `when nobody can tell how many forks there were, everybody is in doubt`() {
        var bench = makeHost()
        var round = Round()
        round.append(bench.maker.make(.session(leader(400))), after: loss(of: 1, &bench))
        bench.tracker.noteLoss(in: round, forksSinceBoot: nil)
        bench.tracker.process(round, readings: [:])
        #expect(bench.collect().map { $0.process?.isAmbiguous } == [true])
    }

    @Test func `a look that shows the same start ends the doubt`() throws {
        var bench = makeHost()
        bench.adopt(1_500)
        bench.feed([.session(leader(300))], losing: loss(of: 1_000, &bench))
        let process = try #require(bench.tracked(1_500))
        #expect(bench.tracker.isInDoubt(process))
        bench.tracker.settleDoubt(
            about: process, by: bench.makeReading(1_500, startMilliseconds: 115, depth: .probe))
        #expect(!bench.tracker.isInDoubt(process))
        #expect(bench.feed(.session(leader(1_500))).map { $0.process?.isAmbiguous } == [false])
    }

    @Test func `a look that shows another start leaves the doubt, whatever the pid`() throws {
        var bench = makeHost()
        bench.adopt(1_500)
        bench.feed([.session(leader(300))], losing: loss(of: 1_000, &bench))
        let process = try #require(bench.tracked(1_500))
        bench.tracker.settleDoubt(
            about: process, by: bench.makeReading(1_500, startMilliseconds: 1_900, depth: .probe))
        bench.tracker.becomeCertain()
        #expect(bench.feed(.session(leader(1_500))).map { $0.process?.isAmbiguous } == [true])
    }

    @Test func `a resync ends the doubt about those whom it has seen, and only about those`() {
        var bench = makeHost()
        bench.adopt(1_500)
        bench.adopt(1_600)
        bench.feed([.session(leader(300))], losing: loss(of: 1_000, &bench))
        bench.tracker.reconcile(bench.makeReading(1_500, startMilliseconds: 115))
        bench.tracker.becomeCertain()
        bench.collect()
        let events = bench.feed([.session(leader(1_500)), .session(leader(1_600))])
        #expect(events.map { $0.process?.isAmbiguous } == [false, true])
    }

    @Test func `a child has nothing from a parent who may be another by now`() throws {
        var bench = makeHost()
        bench.adopt(1_500)
        let events = bench.feed(
            [.fork(parent: leader(1_500), child: leader(2_300))], losing: loss(of: 1_000, &bench))
        let child = try #require(events.first?.process)
        #expect(child.ppid == pid(1_500) && child.parent == nil && child.ancestors.isEmpty)
        #expect(child.name == nil && child.provenance.name == .unknown(.gap))
        #expect(!child.isAmbiguous)
    }

    // MARK: - Starts that tie

    /// Process 302 is born at 1 001 ms on a host with three pids, then two messages are lost; a scan finds the pid with the
    /// same start tick.
    private func lossAfterBirth(inode: UInt64 = 0) -> Bench {
        var bench = makeBench(lap: 3)
        bench.fork(302, of: 1)
        bench.tracked(302)?.pidFDInode = inode
        bench.feed([.session(leader(1))], losing: loss(of: 2, &bench))
        bench.maker.milliseconds = 1_800
        var reading = bench.makeReading(302, startMilliseconds: 1_001, aliveAt: 2_500)
        reading.pidFDInode = inode
        bench.tracker.reconcile(reading)
        bench.tracker.becomeCertain()
        return bench
    }

    @Test func `where a recycled pid could hide behind the loss, the process is marked ambiguous`() {
        #expect(lossAfterBirth().tracked(302)?.event.isAmbiguous == true)
    }

    @Test func `an inode leaves no doubt`() throws {
        let bench = lossAfterBirth(inode: 9)
        let process = try #require(bench.tracked(302))
        #expect(!process.event.isAmbiguous && !bench.tracker.isInDoubt(process))
    }

    @Test func `a process born long before the loss is not ambiguous`() throws {
        var bench = makeBench(lap: 3)
        bench.tracker.watchedSince = at(1_000)
        bench.adopt(300)
        bench.feed([.session(leader(1))], losing: loss(of: 2, &bench))
        let process = try #require(bench.tracked(300))
        #expect(bench.tracker.isInDoubt(process))
        bench.tracker.reconcile(bench.makeReading(300, startMilliseconds: 103))
        #expect(!process.event.isAmbiguous && !bench.tracker.isInDoubt(process))
    }

    @Test func `a process born after the loss is not in doubt`() throws {
        var bench = makeBench(lap: 3)
        bench.feed([.session(leader(1))], losing: loss(of: 2, &bench))
        bench.fork(301, of: 1)
        let process = try #require(bench.tracked(301))
        #expect(!bench.tracker.isInDoubt(process))
    }
}

/// How many threads a process has when messages about them were lost, or overtaken by a look.
@Suite struct ThreadDoubtTests {
    private func exit(_ task: ConnectorTask, code: UInt32 = 0) -> ConnectorEvent {
        .exit(task, code: code, signal: 17, parent: nil)
    }

    /// Process 400, and a loss after which its first thread ends.
    private func makeLoss(_ bench: inout Bench, then events: [ConnectorEvent]) -> Round {
        bench.adopt(400)
        var round = Round()
        for (index, event) in events.enumerated() {
            let loss = ProcessorLoss(processor: 0, lost: 2, after: 100, before: 103)
            round.append(bench.maker.make(event), after: index == 0 ? loss : nil)
        }
        bench.tracker.noteLoss(in: round, forksSinceBoot: 2)
        return round
    }

    @Test func `without a loss nobody has to look at an end`() {
        var bench = Bench()
        bench.adopt(400)
        var round = Round()
        round.append(bench.maker.make(exit(leader(400))), after: nil)
        #expect(bench.tracker.doubtfulEnds(in: round).isEmpty)
    }

    @Test func `a first thread that ends behind a loss may leave others, and a look finds them`() throws {
        var bench = Bench()
        let round = makeLoss(&bench, then: [exit(leader(400))])
        let process = try #require(bench.tracker.doubtfulEnds(in: round).first?.process)
        var reading = bench.makeReading(400, startMilliseconds: 104, depth: .probe)
        reading.stat?.state = .zombie
        reading.stat?.threadCount = 2
        bench.tracker.settleThreads(of: process, by: reading, laterThreadExitCount: 0)
        bench.tracker.process(round, readings: [:])
        #expect(bench.collect().isEmpty)
        let events = bench.feed(exit(thread(401, of: 400), code: 256))
        #expect(events.kinds == [.processExit])
        #expect(events.first?.process?.exit == ProcessExit(code: 256))
    }

    @Test func `whoever is gone by then has ended with the last of its threads`() throws {
        var bench = Bench()
        let round = makeLoss(&bench, then: [exit(leader(400)), exit(thread(401, of: 400), code: 512)])
        let end = try #require(bench.tracker.doubtfulEnds(in: round).first)
        #expect(end.laterThreadExitCount == 1)
        bench.tracker.settleThreads(
            of: end.process, by: bench.makeFailedReading(400), laterThreadExitCount: 1)
        bench.tracker.process(round, readings: [:])
        let events = bench.collect()
        #expect(events.kinds == [.processExit])
        #expect(events.first?.process?.exit == ProcessExit(code: 512))
    }

    @Test func `an end that cannot be looked at is found out later`() throws {
        var bench = Bench()
        let round = makeLoss(&bench, then: [exit(leader(400))])
        let process = try #require(bench.tracker.doubtfulEnds(in: round).first?.process)
        bench.tracker.settleThreads(
            of: process, by: bench.makeFailedReading(400, .failed), laterThreadExitCount: 0)
        bench.tracker.process(round, readings: [:])
        #expect(bench.collect().isEmpty)
        bench.tracker.settle(bench.makeFailedReading(400), of: process, isProcHidden: false)
        let events = bench.collect()
        #expect(events.kinds == [.processExit] && events.map(\.origin) == [.derived])
    }

    @Test func `an exec that a scan has overtaken ends no thread that the scan has counted`() {
        var bench = Bench()
        let exec = bench.maker.make(.exec(leader(400)))
        bench.maker.milliseconds += 1
        bench.adopt(400) { $0.stat?.threadCount = 2 }
        var round = Round()
        round.append(exec, after: nil)
        bench.tracker.process(round, readings: [:])
        #expect(bench.tracked(400)?.otherThreadCount == 1)
    }

    @Test func `an end that a scan has overtaken is not that of the process it has seen`() {
        var bench = Bench()
        let end = bench.maker.make(exit(leader(400)))
        bench.maker.milliseconds += 1
        bench.adopt(400)
        var round = Round()
        round.append(end, after: nil)
        bench.tracker.process(round, readings: [:])
        #expect(bench.collect().isEmpty && bench.tracked(400) != nil)
    }

    @Test func `behind a loss it is that of a predecessor, when the process was born later`() throws {
        var bench = Bench()
        bench.setClock(to: 1_000)
        let end = bench.maker.make(exit(leader(400), code: 256))
        bench.maker.milliseconds += 50
        var reading = bench.makeReading(400, startMilliseconds: 1_040)
        reading.aliveAt = at(bench.maker.milliseconds)
        bench.tracker.adopt(reading, origin: .resync)
        let successor = try #require(bench.collect().first?.process)
        var round = Round()
        round.append(end, after: ProcessorLoss(processor: 0, lost: 2, after: 98, before: 101))
        bench.tracker.noteLoss(in: round, forksSinceBoot: 2)
        bench.tracker.process(round, readings: [:])
        let events = bench.collect()
        #expect(events.kinds == [.processExit])
        #expect(events.first?.process?.identity != successor.identity)
        #expect(events.first?.process?.isAmbiguous == false)
        #expect(bench.tracked(400)?.event.identity == successor.identity)
    }
}

@Suite struct PIDTurnsTests {
    private func makeTurns(maximum: UInt32?, last: Int32) -> PIDTurns {
        var turns = PIDTurns()
        turns.setMaximum(maximum)
        turns.note(pid(last), usedCount: 0)
        return turns
    }

    @Test func `pids are expected in ascending order, and again from 300`() {
        var turns = makeTurns(maximum: 32_768, last: 32_700)
        for number in [32_701, 32_703, 32_702, 32_767, 300, 301] {
            turns.note(pid(Int32(number)), usedCount: 0)
        }
        #expect(!turns.isBroken)
    }

    @Test(arguments: [20_000, 299, 9_000, 40_000])
    func `a pid out of turn is noticed`(_ number: Int) {
        var turns = makeTurns(maximum: 32_768, last: 10_000)
        turns.note(pid(Int32(number)), usedCount: 0)
        #expect(turns.isBroken)
    }

    @Test func `pids in use are passed over`() {
        var turns = makeTurns(maximum: 32_768, last: 10_000)
        turns.note(pid(13_000), usedCount: 3_000)
        #expect(!turns.isBroken)
    }

    @Test func `behind a loss a jump is no news`() {
        var turns = makeTurns(maximum: 32_768, last: 10_000)
        turns.beginDoubt()
        turns.extendDoubt(to: 10_000, usedCount: 0)
        turns.note(pid(20_000), usedCount: 0)
        #expect(!turns.isBroken)
        turns.note(pid(5_000), usedCount: 0)
        #expect(turns.isBroken)
    }

    @Test func `the first pid after a doubt may be as far off as forks went unseen`() {
        var turns = makeTurns(maximum: 32_768, last: 10_000)
        turns.beginDoubt()
        turns.extendDoubt(to: 10_000, usedCount: 0)
        turns.endDoubt()
        turns.note(pid(20_000), usedCount: 0)
        #expect(!turns.isBroken)
        turns.note(pid(30_000), usedCount: 0)
        #expect(turns.isBroken)
    }

    @Test func `what may have changed hands lies behind the last pid, around the end too`() {
        var turns = makeTurns(maximum: 32_768, last: 32_000)
        turns.beginDoubt()
        turns.extendDoubt(to: 1_000, usedCount: 0)
        for number in [32_001, 32_767, 300, 500] { #expect(turns.mayHaveChanged(pid(Int32(number)))) }
        for number in [1, 299, 5_000, 31_000] { #expect(!turns.mayHaveChanged(pid(Int32(number)))) }
        turns.endDoubt()
        #expect(!turns.mayHaveChanged(pid(32_001)))
    }

    @Test func `nobody is beyond doubt when the maximum is not known`() {
        var turns = makeTurns(maximum: nil, last: 1_000)
        turns.beginDoubt()
        turns.extendDoubt(to: 1, usedCount: 0)
        #expect(turns.mayHaveChanged(pid(900)) && turns.mayHaveLapped(since: 0))
    }

    @Test func `a pid given out lately comes again only after all the others`() {
        var turns = makeTurns(maximum: 2_300, last: 1_000)
        turns.beginDoubt()
        turns.extendDoubt(to: 500, usedCount: 0)
        #expect(!turns.mayHaveLapped(since: 100))
        #expect(turns.mayHaveLapped(since: 1_500))
        turns.extendDoubt(to: 1_800, usedCount: 0)
        #expect(turns.mayHaveLapped(since: 0))
    }
}
