import CollectorCore
import EventModel
import Testing

@Suite struct GapTests {
    @Test func `merged gaps add up and span both`() throws {
        let first = makeGap(3, from: 10, until: 20)
        let second = makeGap(4, from: 5, until: 50)
        let merged = try #require(first.merged(with: second))
        #expect(merged.lost == 7)
        #expect(merged.lostBounds == .exactly(7))
        #expect(merged.from == Instant(nanoseconds: 5))
        #expect(merged.until == Instant(nanoseconds: 50))
        #expect(merged.time == WallTime(nanoseconds: 50))
    }

    @Test func `what is unknown in one stays unknown in both`() throws {
        var open = makeGap(nil)
        open.lostBounds = LostBounds(atLeast: 2, atMost: nil)
        let merged = try #require(makeGap(3).merged(with: open))
        #expect(merged.lost == nil)
        #expect(merged.lostBounds == LostBounds(atLeast: 5, atMost: nil))
    }

    @Test func `losses of one processor become one, processors ascend`() throws {
        let first = makeGap(1, processors: [ProcessorLoss(processor: 3, lost: 1, after: 7, before: 9)])
        let second = makeGap(
            5,
            processors: [
                ProcessorLoss(processor: 1, lost: 2, after: 1, before: 4),
                ProcessorLoss(processor: 3, lost: 3, after: 12, before: 16),
            ])
        let merged = try #require(first.merged(with: second))
        #expect(
            merged.processors == [
                ProcessorLoss(processor: 1, lost: 2, after: 1, before: 4),
                ProcessorLoss(processor: 3, lost: 4, after: 7, before: 16),
            ])
    }

    @Test func `gaps of another source, cause or subscriber do not merge`() {
        let gap = makeGap(1)
        #expect(gap.merged(with: makeGap(1, source: "other")) == nil)
        #expect(gap.merged(with: makeGap(1, cause: .notRunning)) == nil)
        #expect(gap.merged(with: makeGap(1, subscriber: "x")) == nil)
    }
}
