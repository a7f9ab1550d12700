import EventModel
import HostSources
import KernelFormats
import Testing

@Suite struct RoundTests {
    private func makeRound(_ events: [ConnectorEvent]) -> Round {
        var maker = MessageMaker()
        var round = Round()
        for event in events { round.append(maker.make(event), after: nil) }
        return round
    }

    private func exit(_ number: Int32) -> ConnectorEvent {
        .exit(leader(number), code: 0, signal: 17, parent: nil)
    }
    private func fork(_ number: Int32) -> ConnectorEvent { .fork(parent: leader(1), child: leader(number)) }

    @Test func `every exec is planned, in order`() {
        let plan = makeRound([.exec(leader(5)), fork(6), .exec(leader(6)), .exec(thread(8, of: 7))])
            .planReadings()
        #expect(plan.map(\.index) == [0, 2, 3])
        #expect(plan.map(\.pid) == [pid(5), pid(6), pid(7)])
        #expect(plan.allSatisfy { $0.obstacle == nil && !$0.isRenamedLater })
    }

    @Test func `a process that has exited or executed again is not looked at`() {
        let plan = makeRound([.exec(leader(5)), .exec(leader(5)), .exec(leader(6)), exit(6)]).planReadings()
        #expect(plan.map(\.obstacle) == [.superseded, nil, .vanished])
    }

    @Test func `the end of another thread is no obstacle`() {
        let events: [ConnectorEvent] = [
            .exec(leader(5)), .exit(thread(9, of: 5), code: 0, signal: -1, parent: nil),
        ]
        #expect(makeRound(events).planReadings().map(\.obstacle) == [nil])
    }

    @Test func `a later name is noted`() {
        let name = TaskComm("new".utf8)
        let plan = makeRound([.exec(leader(5)), .comm(leader(5), name: name)]).planReadings()
        #expect(plan.map(\.isRenamedLater) == [true])
        let early = makeRound([.comm(leader(5), name: name), .exec(leader(5))]).planReadings()
        #expect(early.map(\.isRenamedLater) == [false])
    }

    @Test func `the exit of a leader whose process then executes is no death`() {
        #expect(makeRound([exit(5), .exec(leader(5))]).exitsBeforeExec() == [0])
        #expect(makeRound([.exec(leader(5)), exit(5)]).exitsBeforeExec().isEmpty)
    }

    @Test func `an exit before a new process of that pid executes is a death`() {
        #expect(makeRound([exit(5), fork(5), .exec(leader(5))]).exitsBeforeExec().isEmpty)
        #expect(makeRound([exit(5), exit(5), .exec(leader(5))]).exitsBeforeExec() == [1])
    }

    @Test func `messages contradict earlier looks at their processes only`() {
        let found = makeRound([
            fork(5), .exec(leader(6)), exit(7), .comm(leader(8), name: TaskComm("x".utf8)),
            .uid(leader(9), real: UserID(0), effective: UserID(0)), .session(leader(10)),
            .fork(parent: leader(1), child: thread(12, of: 11)),
            .exit(thread(12, of: 11), code: 0, signal: -1, parent: nil),
        ]).contradictions()
        #expect(found[5] == .reborn)
        #expect(found[6] == .executed)
        #expect(found[7] == .ended)
        #expect(found[8] == .renamed)
        #expect(found[9] == .changed)
        #expect(found[10] == .changed)
        #expect(found[11] == .threadEnded)
        #expect(found[1] == nil, "having a child changes nothing")
    }

    @Test func `contradictions of one process add up`() {
        let found = makeRound([exit(5), fork(5), .exec(leader(5))]).contradictions()
        #expect(found[5] == [.ended, .reborn, .executed])
    }

    @Test func `a loss stands before the message that showed it`() {
        var maker = MessageMaker()
        var round = Round()
        round.append(maker.make(fork(5)), after: nil)
        round.append(maker.make(fork(6)), after: ProcessorLoss(processor: 0, lost: 3, after: 1, before: 5))
        #expect(round.losses.map(\.before) == [1])
        #expect(round.messages.count == 2)
    }
}

@Suite struct LateReadQueueTests {
    private func identity(_ number: Int32) -> ProcessIdentity {
        ProcessIdentity(pid: pid(number), birth: .scan(startTicks: 1, pidFDInode: 0))
    }

    @Test func `a look in the far future does not hold up an earlier one`() {
        var queue = LateReadQueue()
        queue.append(identity(1), due: at(5_000))
        queue.append(identity(2), due: at(100))
        queue.append(identity(3), due: at(100))
        #expect(queue.nextDue == at(100))
        #expect(queue.popDue(at: at(99)) == nil)
        #expect(queue.popDue(at: at(100)) == identity(2))
        #expect(queue.popDue(at: at(100)) == identity(3))
        #expect(queue.popDue(at: at(4_999)) == nil)
        #expect(queue.count == 1)
        #expect(queue.popDue(at: at(5_000)) == identity(1))
        #expect(queue.nextDue == nil)
    }
}
