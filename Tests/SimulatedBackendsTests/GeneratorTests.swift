import EventModel
import SimulatedBackends
import Testing

@Suite struct GeneratorTests {
    /// Computed independently from the published algorithms.
    @Test func `the numbers are those of xoshiro256 starstar, seeded by SplitMix64`() {
        var generator = SeededGenerator(seed: 42, stream: .schedule)
        let words = (0..<5).map { _ in generator.next() }
        #expect(
            words == [
                0x0030_425e_2a3d_c334, 0x057e_19f0_156c_8a6b, 0x8c5c_18f3_7d24_dfd8, 0x0878_8a1a_2c75_e2c4,
                0x32b4_6b76_5a14_da30,
            ])
    }

    @Test func `bounded numbers reach every value and stay below the bound`() {
        var generator = SeededGenerator(seed: 1, stream: .world)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[Int(generator.below(7))] += 1 }
        #expect(counts.allSatisfy { (9_500...10_500).contains($0) })
        #expect((0..<100).allSatisfy { _ in (-3...3).contains(generator.draw(-3...3)) })
        #expect(generator.draw(5...5) == 5)
        _ = generator.draw(.min ... .max)
    }

    @Test func `a probability of nothing or everything draws nothing`() {
        var generator = SeededGenerator(seed: 1, stream: .world)
        var twin = generator
        #expect(!generator.happens(0) && generator.happens(1))
        #expect(generator.next() == twin.next())
    }

    @Test func `streams of one seed are independent`() {
        var schedule = SeededGenerator(seed: 9, stream: .schedule)
        var world = SeededGenerator(seed: 9, stream: .world)
        #expect(schedule.next() != world.next())
    }

    @Test func `a timer heap gives the earliest first and keeps the order of equals`() {
        var heap = TimerHeap<Int>()
        var generator = SeededGenerator(seed: 2, stream: .world)
        var expected: [(deadline: Int64, value: Int)] = []
        for value in 0..<500 {
            let deadline = generator.draw(0...50)
            heap.insert(value, at: Instant(nanoseconds: deadline))
            expected.append((deadline, value))
        }
        heap.removeAll { $0 % 3 == 0 }
        expected.removeAll { $0.value % 3 == 0 }
        expected.sort { ($0.deadline, $0.value) < ($1.deadline, $1.value) }
        var popped: [Int] = []
        while let entry = heap.popEarliest() { popped.append(entry.payload) }
        #expect(popped == expected.map(\.value))
    }

    @Test func `kernel releases are read and compared as numbers`() {
        #expect(KernelVersion("6.18.44-fc") == KernelVersion(major: 6, minor: 18))
        #expect(KernelVersion(major: 6, minor: 8) < KernelVersion(major: 6, minor: 18))
        for text in ["", "6", "6.", "x.y", "6.x", "-6.1", "6.99999"] { #expect(KernelVersion(text) == nil) }
    }
}
