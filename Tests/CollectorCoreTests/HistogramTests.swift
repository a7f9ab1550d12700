import CollectorCore
import Testing

@Suite struct HistogramTests {
    @Test func `an empty histogram has no quantile`() {
        let summary = Histogram().summary
        #expect(
            [summary.count, summary.median, summary.p90, summary.p99, summary.maximum] == [0, 0, 0, 0, 0])
    }

    @Test func `small values are exact`() {
        var histogram = Histogram()
        for value in UInt64(0)...31 { histogram.record(value) }
        for value in UInt64(0)...31 { #expect(histogram.quantile(Double(value + 1) / 32) == value) }
    }

    @Test func `a quantile is never too low and at most a sixteenth too high`() {
        var random = SplitMix64(7)
        for _ in 0..<200 {
            var histogram = Histogram()
            var values: [UInt64] = []
            for _ in 0..<200 {
                let value = random.next() >> (1 + random.next() % 63)
                values.append(value)
                histogram.record(value)
            }
            values.sort()
            for (share, index) in [(0.5, 99), (0.9, 179), (0.99, 197), (1, 199)] {
                let found = histogram.quantile(share)
                #expect(found >= values[index] && found - values[index] <= values[index] / 16)
            }
            #expect(histogram.maximum == values.last && histogram.count == 200)
        }
    }

    @Test func `the largest values are held`() {
        var histogram = Histogram()
        histogram.record(.max)
        histogram.record(UInt64(Int64.max))
        #expect(histogram.quantile(1) == UInt64(Int64.max))
        #expect(histogram.count == 2)
    }
}
