import EventModel
import HostSources
import KernelFormats
import Testing

/// Small rounds are searched and large ones have tables: what they say must be the same.
@Suite struct LargeRoundTests {
    private static let name = TaskComm("new".utf8)

    /// Six pids, so that processes are spoken of several times, in every mixture.
    private static let events: [ConnectorEvent] = (0..<240).map { number in
        let (pid, kind) = (Int32(5 + number % 6), number * 7 % 41 % 8)
        return switch kind {
        case 0: .fork(parent: leader(1), child: leader(pid))
        case 1, 2: .exec(leader(pid))
        case 3: .exit(leader(pid), code: 0, signal: 17, parent: nil)
        case 4: .comm(leader(pid), name: name)
        case 5: .exit(thread(pid + 100, of: pid), code: 0, signal: -1, parent: nil)
        case 6: .uid(leader(pid), real: UserID(0), effective: UserID(0))
        default: .session(leader(pid))
        }
    }

    /// Those of four messages, from everywhere.
    private static let smallRounds = (0..<(events.count - 4)).map { Array(events[$0..<($0 + 4)]) }

    private func makeRound(_ events: [ConnectorEvent]) -> Round {
        var maker = MessageMaker()
        var round = Round()
        for event in events { round.append(maker.make(event), after: nil) }
        return round
    }

    @Test func `many executions are planned as few are`() {
        let others: [ConnectorEvent] = (0..<5).map { .exec(leader(50 + $0)) }
        for events in Self.smallRounds {
            let few = makeRound(events).planReadings()
            let many = makeRound(events + others).planReadings().dropLast(others.count)
            #expect(few.map(\.index) == many.map(\.index))
            #expect(few.map(\.pid) == many.map(\.pid))
            #expect(few.map(\.obstacle) == many.map(\.obstacle))
            #expect(few.map(\.isRenamedLater) == many.map(\.isRenamedLater))
        }
    }

    @Test func `many messages contradict as few do`() {
        let others: [ConnectorEvent] = (0..<9).map { .fork(parent: leader(1), child: leader(50 + $0)) }
        for events in Self.smallRounds {
            let few = makeRound(events).contradictions()
            let many = makeRound(events + others).contradictions()
            for pid in Int32(1)..<120 where pid < 50 || pid > 58 { #expect(few[pid] == many[pid]) }
            #expect(many[50] == .reborn && few[50] == nil)
        }
    }

    @Test func `a parent that becomes known late is an ancestor of later children`() throws {
        var bench = Bench()
        // Process 20 and its child are known before the parent of 20 is.
        bench.feed([.fork(parent: leader(19), child: leader(20))])
        bench.feed([.fork(parent: leader(20), child: leader(21))])
        let before = try #require(bench.tracker.table[21]?.event.ancestors)
        #expect(before.map(\.pid) == [pid(20)])
        let orphan = try #require(bench.tracker.table[20])
        bench.feed([.fork(parent: leader(1), child: leader(19))])
        orphan.adopt(by: try #require(bench.tracker.table[19]))
        bench.feed([.fork(parent: leader(20), child: leader(22))])
        let after = try #require(bench.tracker.table[22]?.event.ancestors)
        #expect(after.map(\.pid) == [pid(20), pid(19)])
    }
}
