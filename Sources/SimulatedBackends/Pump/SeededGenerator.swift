/// xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018), seeded by SplitMix64.
///
/// The same seed gives the same numbers on every platform and in every build.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    /// What a stream of numbers is for: streams are independent, so that one more draw here moves nothing there.
    package enum Stream: UInt64, Sendable {
        case schedule = 1
        case callCost, world, connector, fault, entropy, disk, timer
    }

    private var a: UInt64
    private var b: UInt64
    private var c: UInt64
    private var d: UInt64

    package init(seed: UInt64, stream: Stream) {
        var splitMix = seed ^ (stream.rawValue &* 0xd1b5_4a32_d192_ed03)
        func word() -> UInt64 {
            splitMix &+= 0x9e37_79b9_7f4a_7c15
            var z = splitMix
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
        a = word()
        b = word()
        c = word()
        d = word()
    }

    @inline(__always)
    package mutating func next() -> UInt64 {
        let scrambled = b &* 5
        let result = ((scrambled << 7) | (scrambled >> 57)) &* 9
        let shifted = b << 17
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = (d << 45) | (d >> 19)
        return result
    }

    /// An unbiased number in `0 ..< bound` (Lemire, "Fast random integer generation in an interval", 2019).
    @inline(__always)
    package mutating func below(_ bound: UInt64) -> UInt64 {
        precondition(bound > 0, "a bound must be positive")
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return product.high
    }

    /// An unbiased number within `range`; draws nothing when the range holds one number.
    @inline(__always)
    package mutating func draw(_ range: ClosedRange<Int64>) -> Int64 {
        let width = UInt64(bitPattern: range.upperBound &- range.lowerBound)
        guard width > 0 else { return range.lowerBound }
        guard width < .max else { return Int64(bitPattern: next()) }
        return range.lowerBound &+ Int64(bitPattern: below(width + 1))
    }

    /// Whether an event of this probability happens; draws nothing for 0 and 1.
    package mutating func happens(_ probability: Double) -> Bool {
        guard probability > 0 else { return false }
        guard probability < 1 else { return true }
        return Double(next() >> 11) * 0x1p-53 < probability
    }
}
