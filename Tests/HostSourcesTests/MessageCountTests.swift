import EventModel
import HostSources
import KernelFormats
import SimulatedBackends
import Testing

@Suite struct MessageCountTests {
    private func task(_ generator: inout SeededGenerator) -> ConnectorTask {
        let tgid = Int32(generator.draw(1...12)) + (generator.below(12) == 0 ? 888 : 0)
        return generator.below(4) == 0 ? thread(tgid + 100, of: tgid) : leader(tgid)
    }

    private func event(_ generator: inout SeededGenerator) -> ConnectorEvent {
        let task = task(&generator)
        switch generator.draw(0...12) {
        case 0, 1, 2: return .fork(parent: self.task(&generator), child: task)
        case 3, 4: return .exec(task)
        case 5, 6, 7: return .exit(task, code: UInt32(generator.below(65_536)), signal: 17, parent: nil)
        case 8:
            let uid = UserID(UInt32(generator.below(3)))
            return .uid(task, real: uid, effective: uid)
        case 9: return .gid(task, real: GroupID(1), effective: GroupID(2))
        case 10:
            return generator.below(2) == 0 ? .session(task) : .ptrace(task, tracer: self.task(&generator))
        case 11:
            return .comm(
                task, name: TaskComm([UInt8(generator.draw(1...255)), UInt8(generator.draw(0...255))]))
        default: return generator.below(2) == 0 ? .coredump(task, parent: nil) : .unknown(what: 0x8000)
        }
    }

    private func reading(_ number: Int32, _ bench: Bench, _ generator: inout SeededGenerator)
        -> ProcessReading
    {
        if generator.below(3) == 0 { return bench.makeFailedReading(number, .vanished) }
        let exe = ["/bin/sh", "/tmp/x", "/memfd:x (deleted)"][Int(generator.below(3))]
        var reading = bench.makeReading(number, exe: exe, startMilliseconds: generator.draw(0...3_000))
        if generator.below(2) == 0 { reading.executableLinkCount = generator.below(2) }
        reading.stat?.threadCount = generator.draw(1...3)
        if generator.below(5) == 0 { reading.stat?.state = .zombie }
        return reading
    }

    @Test func `in any stream every message is counted exactly once`() {
        for seed in 1...UInt64(300) {
            var generator = SeededGenerator(seed: seed, stream: .world)
            let exclude = ["name:sh", "uid:0", "parent:/tmp/x"].compactMap { ProcessRule($0) }
            var bench = Bench { if seed % 3 == 0 { $0.rules.exclude = exclude } }
            var messageCount: UInt64 = 0
            for _ in 0..<40 {
                var round = Round()
                var readings: [Int: ProcessReading] = [:]
                for index in 0..<Int(generator.draw(1...12)) {
                    let message = bench.maker.make(event(&generator))
                    let loss = ProcessorLoss(
                        processor: 0, lost: 1, after: message.sequence &- 2, before: message.sequence)
                    round.append(message, after: generator.below(20) == 0 ? loss : nil)
                    if case .exec(let task) = message.event {
                        readings[index] = reading(task.tgid.rawValue, bench, &generator)
                    }
                    messageCount += 1
                }
                bench.setClock(to: bench.maker.milliseconds)
                bench.tracker.process(round, readings: readings)
                disturb(&bench, &generator)
                bench.collect()
                let emitted = UInt64(bench.events.count { $0.origin == .emitted })
                #expect(emitted + bench.tracker.filtered.tally.total == messageCount, "seed \(seed)")
            }
            checkEvents(of: bench, seed: seed)
        }
    }

    /// Scans and later looks between the messages: what they give is synthetic.
    private func disturb(_ bench: inout Bench, _ generator: inout SeededGenerator) {
        let number = Int32(generator.draw(1...12))
        switch generator.below(6) {
        case 0: bench.tracker.reconcile(reading(number, bench, &generator))
        case 1:
            if let process = bench.tracked(number) {
                bench.tracker.settle(reading(number, bench, &generator), of: process, isProcHidden: false)
            }
        case 2: bench.tracker.isUncertain = false
        default: break
        }
    }

    private func checkEvents(of bench: Bench, seed: UInt64) {
        #expect(bench.events.allSatisfy { $0.process?.pid != ownPID }, "seed \(seed)")
        let exits = bench.events.filter { $0.kind == .processExit }.compactMap { $0.process?.identity }
        #expect(Set(exits).count == exits.count, "seed \(seed): an incarnation ends once")
        for event in bench.events {
            guard let process = event.process else { continue }
            #expect(process.ancestors.count <= Limits.ancestorCount)
            #expect((process.exit != nil) == (event.kind == .processExit))
            #expect((process.suspicion != nil) == (event.kind == .processSuspicious))
        }
    }
}
