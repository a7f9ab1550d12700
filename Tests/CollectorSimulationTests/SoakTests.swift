import CollectorSimulation
import Testing

@Suite struct `a soak` {
    private func result(seed: UInt64) -> SoakResult {
        Soak.run(eventCount: 10_000, seed: seed, residentGrowthLimit: nil) { _ in }
    }

    @Test func `accounts balance, losses stand in gap records, and what is held stays within a band`() throws
    {
        let result = result(seed: 3)
        #expect(result.failures.filter { $0.oracle != .bounds } == [])
        #expect(result.eventCount >= 10_000)
        #expect(result.samples.count >= 5)
        for sample in result.samples.dropFirst() {
            #expect((130...170).contains(sample.memory.trackedCount))
            #expect(sample.memory.totalByteCount < 1 << 20)
        }
    }

    @Test func `the same seed gives the same soak`() {
        let (first, second) = (result(seed: 5), result(seed: 5))
        #expect(first.traceHash == second.traceHash)
        #expect(first.samples.map(\.memory) == second.samples.map(\.memory))
        #expect(first.traceHash != result(seed: 6).traceHash)
    }

    private func samples(_ size: (Int) -> (tracked: Int, resident: Int)) -> [SoakSample] {
        (1...100).map { number in
            var memory = MemoryAccount()
            memory.trackedByteCount = size(number).tracked
            return SoakSample(
                number: number, eventCount: number * 1_000, virtualNanoseconds: 0, memory: memory,
                residentByteCount: size(number).resident)
        }
    }

    @Test func `what grows with the events is a failure, what only varies or grew at the start is none`() {
        var leaking = SoakResult(samples: samples { (100_000 + $0 * 200, 50 << 20) })
        leaking.judgeMemory(residentGrowthLimit: 1 << 20)
        #expect(leaking.failures.map(\.message) == ["accounted memory grew by 16000 bytes"])
        var swelling = SoakResult(samples: samples { (100_000, 50 << 20 + $0 * 20_000) })
        swelling.judgeMemory(residentGrowthLimit: 1 << 20)
        #expect(swelling.verdict == .bounds)
        var steady = SoakResult(
            samples: samples { ($0 < 20 ? $0 * 5_000 : 100_000 + $0 % 7 * 3_000, 50 << 20) })
        steady.judgeMemory(residentGrowthLimit: 1 << 20)
        #expect(steady.verdict == .pass)
    }
}
