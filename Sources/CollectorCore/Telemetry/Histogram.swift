/// Counts of values in buckets whose width grows with the value: 0 ... 31 exactly, then 16 buckets for each power of two.
///
/// Of fixed size (7 680 bytes), so that it can be kept for ever; recording allocates nothing. A quantile is the upper end
/// of its bucket: never too low, and at most 1/16 (6.25 %) too high. The layout is that of HdrHistogram.
package struct Histogram: Sendable {
    private static let subBucketCount = 16
    /// Values up to 2^63 - 1.
    private static let bucketCount = 60 * subBucketCount

    private var buckets = [UInt64](repeating: 0, count: Self.bucketCount)
    package private(set) var count: UInt64 = 0
    package private(set) var maximum: UInt64 = 0

    package init() {}

    /// - Parameter value: Values above 2^63 - 1 count as that.
    @inline(__always)
    package mutating func record(_ value: UInt64) {
        let value = min(value, UInt64(Int64.max))
        buckets[Self.index(of: value)] += 1
        count += 1
        if value > maximum { maximum = value }
    }

    /// The value that `share` of all values do not exceed; 0 when there are none.
    ///
    /// - Parameter share: 0 ... 1.
    package func quantile(_ share: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let rank = max(1, UInt64((min(max(share, 0), 1) * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, bucket) in buckets.enumerated() {
            seen += bucket
            if seen >= rank { return min(Self.upperEnd(of: index), maximum) }
        }
        return maximum
    }

    /// The usual quantiles, without a copy of the buckets.
    package var summary: HistogramSummary {
        HistogramSummary(
            count: count, median: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), maximum: maximum)
    }

    private static func index(of value: UInt64) -> Int {
        guard value >= 2 * UInt64(subBucketCount) else { return Int(value) }
        let shift = 59 - value.leadingZeroBitCount
        return subBucketCount * shift + Int(value >> UInt64(shift))
    }

    private static func upperEnd(of index: Int) -> UInt64 {
        guard index >= 2 * subBucketCount else { return UInt64(index) }
        let shift = index / subBucketCount - 1
        return (UInt64(index - subBucketCount * shift) + 1) << UInt64(shift) - 1
    }
}

/// What is shown of a histogram; quantiles are at most 1/16 too high, never too low.
public struct HistogramSummary: Hashable, Sendable {
    public var count: UInt64
    public var median: UInt64
    public var p90: UInt64
    public var p99: UInt64
    /// Exact.
    public var maximum: UInt64

    package init(
        count: UInt64, median: UInt64, p90: UInt64, p99: UInt64, maximum: UInt64
    ) {
        self.count = count
        self.median = median
        self.p90 = p90
        self.p99 = p99
        self.maximum = maximum
    }
}
