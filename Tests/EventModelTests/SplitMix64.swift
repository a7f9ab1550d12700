/// A small random number generator with a fixed seed, so that a failing case comes back.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }

    /// Bytes of which half come from `favourites`, where the interesting cases are.
    mutating func bytes(count: Int, favouring favourites: [UInt8]) -> [UInt8] {
        (0..<count).map { _ in
            let word = next()
            return word & 1 == 0
                ? UInt8(truncatingIfNeeded: word >> 8) : favourites[Int(word >> 8) % favourites.count]
        }
    }
}
