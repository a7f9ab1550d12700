import EventModel
import HostSources
import SimulatedBackends
import Testing

@Suite struct SequenceLedgerTests {
    @Test func `what comes before the opening fence is not counted`() {
        var ledger = SequenceLedger()
        #expect(ledger.observe(processor: 0, sequence: 7, opensUnfenced: false) == .beforeInterval)
        ledger.open(processor: 0, at: 8)
        #expect(ledger.observe(processor: 0, sequence: 9, opensUnfenced: false) == .next)
        #expect(ledger.kernel == 1)
        #expect(ledger.lost == 0)
    }

    @Test func `a hole is so many lost messages and says between which`() {
        var ledger = SequenceLedger()
        ledger.open(processor: 2, at: 10)
        #expect(ledger.observe(processor: 2, sequence: 15, opensUnfenced: false) == .missing(4, after: 10))
        #expect(ledger.kernel == 5)
        #expect(ledger.lost == 4)
    }

    @Test func `the count goes on over 2^32`() {
        var ledger = SequenceLedger()
        ledger.open(processor: 0, at: .max - 1)
        #expect(ledger.observe(processor: 0, sequence: .max, opensUnfenced: false) == .next)
        #expect(ledger.observe(processor: 0, sequence: 0, opensUnfenced: false) == .next)
        #expect(ledger.observe(processor: 0, sequence: 3, opensUnfenced: false) == .missing(2, after: 0))
        #expect(ledger.kernel == 5)
    }

    @Test func `a sequence that was passed already is not believed`() {
        var ledger = SequenceLedger()
        ledger.open(processor: 0, at: 10)
        #expect(ledger.observe(processor: 0, sequence: 10, opensUnfenced: false) == .repeated)
        #expect(ledger.observe(processor: 0, sequence: 9, opensUnfenced: false) == .repeated)
        #expect(ledger.kernel == 0)
        #expect(ledger.observe(processor: 0, sequence: 11, opensUnfenced: false) == .next)
    }

    @Test func `a processor that cannot be fenced opens with its first message and says so`() {
        var ledger = SequenceLedger()
        ledger.open(processor: 0, at: 5)
        #expect(ledger.observe(processor: 3, sequence: 77, opensUnfenced: true) == .next)
        ledger.markFenced(processor: 3, false)
        ledger.markFenced(processor: 0, true)
        ledger.markFenced(processor: 1, true)
        #expect(
            ledger.accounts == [
                ProcessorAccount(processor: 0, isFenced: true, kernel: 0, lost: 0),
                ProcessorAccount(processor: 3, isFenced: false, kernel: 1, lost: 0),
            ])
        #expect(!ledger.isOpen(processor: 1))
        #expect(!ledger.isOpen(processor: 99))
    }

    @Test func `a second opening changes nothing`() {
        var ledger = SequenceLedger()
        ledger.open(processor: 0, at: 5)
        _ = ledger.observe(processor: 0, sequence: 6, opensUnfenced: false)
        ledger.open(processor: 0, at: 50)
        #expect(ledger.observe(processor: 0, sequence: 7, opensUnfenced: false) == .next)
        #expect(ledger.kernel == 2)
    }

    @Test func `a processor number beyond the limit is not believed and takes no memory`() {
        var ledger = SequenceLedger()
        #expect(ledger.observe(processor: .max - 1, sequence: 1, opensUnfenced: true) == .repeated)
        ledger.open(processor: UInt32(Limits.processorCount), at: 1)
        #expect(ledger.accounts.isEmpty)
    }

    @Test func `the cursor is the last sequence of each open processor`() {
        var ledger = SequenceLedger()
        ledger.open(processor: 4, at: 9)
        _ = ledger.observe(processor: 4, sequence: 20, opensUnfenced: false)
        ledger.open(processor: 1, at: .max)
        #expect(
            ledger.cursor == [
                ConnectorCursor.Position(processor: 1, sequence: .max),
                ConnectorCursor.Position(processor: 4, sequence: 20),
            ])
    }

    @Test func `for any loss, what the kernel made is what came and what is missing`() {
        for seed in 1...UInt64(300) {
            var generator = SeededGenerator(seed: seed, stream: .world)
            var ledger = SequenceLedger()
            let processorCount = UInt32(generator.draw(1...6))
            var next = (0..<processorCount).map { _ in UInt32(truncatingIfNeeded: generator.next()) }
            for processor in 0..<processorCount {
                ledger.open(processor: processor, at: next[Int(processor)])
            }
            var made: UInt64 = 0
            var received: UInt64 = 0
            var lossRun = 0
            var named: UInt64 = 0
            for _ in 0..<2_000 {
                let processor = UInt32(generator.below(UInt64(processorCount)))
                next[Int(processor)] &+= 1
                made += 1
                if lossRun > 0 {
                    lossRun -= 1
                } else if generator.below(50) == 0 {
                    lossRun = Int(generator.draw(1...40))
                }
                guard lossRun == 0 else { continue }
                received += 1
                switch ledger.observe(
                    processor: processor, sequence: next[Int(processor)], opensUnfenced: false)
                {
                case .next: break
                case .missing(let count, _): named += count
                case .beforeInterval, .repeated: Issue.record("seed \(seed): a message was not believed")
                }
                #expect(ledger.kernel == received + ledger.lost)
            }
            // The closing fence brings out what was lost at the end.
            for processor in 0..<processorCount {
                made += 1
                received += 1
                next[Int(processor)] &+= 1
                if case .missing(let count, _) = ledger.observe(
                    processor: processor, sequence: next[Int(processor)], opensUnfenced: false)
                {
                    named += count
                }
            }
            #expect(ledger.kernel == made, "seed \(seed)")
            #expect(ledger.lost == made - received, "seed \(seed)")
            #expect(named == ledger.lost, "seed \(seed)")
        }
    }
}
