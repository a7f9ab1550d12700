import Backends
import EventModel
import LinuxBackends
import Testing

struct TimerHeapTests {
    private static func at(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }

    @Test func `timers come in the order of their deadlines`() {
        var heap = TimerHeap<Int64>()
        var seed: UInt64 = 1
        var deadlines: [Int64] = []
        for _ in 0..<500 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            deadlines.append(Int64(seed >> 40))
            _ = heap.schedule(at: Self.at(Int64(seed >> 40)), Int64(seed >> 40))
        }
        var taken: [Int64] = []
        while let next = heap.takeFirst(dueAt: Self.at(.max), scheduledBefore: .max) { taken.append(next) }
        #expect(taken == deadlines.sorted())
        let isEmpty = heap.isEmpty
        #expect(isEmpty)
    }

    @Test func `equal deadlines come in the order of scheduling`() {
        var heap = TimerHeap<Int>()
        for number in 0..<100 { _ = heap.schedule(at: Self.at(7), number) }
        var taken: [Int] = []
        while let next = heap.takeFirst(dueAt: Self.at(7), scheduledBefore: .max) { taken.append(next) }
        #expect(taken == Array(0..<100))
    }

    @Test func `a timer is not due before its deadline`() {
        var heap = TimerHeap<Int>()
        _ = heap.schedule(at: Self.at(10), 1)
        let result1 = heap.takeFirst(dueAt: Self.at(9), scheduledBefore: .max)
        #expect(result1 == nil)
        let result2 = heap.takeFirst(dueAt: Self.at(10), scheduledBefore: .max)
        #expect(result2 == 1)
    }

    @Test func `a timer scheduled after the limit waits for the next turn`() {
        var heap = TimerHeap<Int>()
        _ = heap.schedule(at: Self.at(2), 1)
        let limit = heap.scheduledCount
        _ = heap.schedule(at: Self.at(3), 2)
        let result3 = heap.takeFirst(dueAt: Self.at(5), scheduledBefore: limit)
        #expect(result3 == 1)
        let result4 = heap.takeFirst(dueAt: Self.at(5), scheduledBefore: limit)
        #expect(result4 == nil)
    }

    @Test func `any timer can be cancelled, and the rest keep their order`() {
        var heap = TimerHeap<Int64>()
        let deadlines = (0..<200).map { Int64($0 * 37 % 200) }
        var tokens: [TimerToken] = []
        for deadline in deadlines { tokens.append(heap.schedule(at: Self.at(deadline), deadline)) }
        for index in stride(from: 0, to: 200, by: 3) {
            let cancelled = heap.cancel(tokens[index])
            #expect(cancelled == deadlines[index])
        }
        let keptIndices = (0..<200).filter { $0 % 3 != 0 }
        let kept = keptIndices.map { deadlines[$0] }.sorted()
        var taken: [Int64] = []
        while let next = heap.takeFirst(dueAt: Self.at(.max), scheduledBefore: .max) { taken.append(next) }
        #expect(taken == kept)
    }

    @Test func `a stale token cancels nothing, even when its slot is used again`() {
        var heap = TimerHeap<Int>()
        let first = heap.schedule(at: Self.at(1), 1)
        let result5 = heap.cancel(first)
        #expect(result5 == 1)
        let second = heap.schedule(at: Self.at(1), 2)
        #expect(first != second)
        let result6 = heap.cancel(first)
        #expect(result6 == nil)
        let result7 = heap.cancel(second)
        #expect(result7 == 2)
    }
}
