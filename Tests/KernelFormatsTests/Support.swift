import EventModel
import KernelFormats

/// SplitMix64: the same values on every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

extension SeededGenerator {
    /// An integer from the whole range of its type, with the ends and small values made likely.
    mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) -> Value {
        switch next() % 6 {
        case 0: .min
        case 1: .max
        case 2: Value(truncatingIfNeeded: next() % 10)
        case 3: Value(truncatingIfNeeded: next() % 100_000)
        default: Value(truncatingIfNeeded: next())
        }
    }

    mutating func pid() -> ProcessID { ProcessID(integer(Int32.self) & .max) }

    /// Bytes that are not in `excluded`, with those that formats give a meaning made likely.
    mutating func bytes(atMost count: Int, excluding excluded: [UInt8] = []) -> [UInt8] {
        let meaningful = Array(" ()\n\\:/,[].\t0-n".utf8)
        return (0..<Int(next() % UInt64(count + 1))).compactMap { _ in
            let byte =
                next() % 2 == 0 ? meaningful[Int(next() % UInt64(meaningful.count))] : integer(UInt8.self)
            return excluded.contains(byte) ? nil : byte
        }
    }

    /// Mostly a value, at times none.
    mutating func maybe<Value>(_ value: (inout Self) -> Value) -> Value? {
        next() % 4 == 0 ? nil : value(&self)
    }

    mutating func element<Value>(of values: [Value]) -> Value { values[Int(next() % UInt64(values.count))] }
}

/// The bytes that pairs of hexadecimal digits stand for; blanks and newlines are skipped.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

extension [UInt8] {
    /// The bytes of a text.
    init(text: String) { self = Array(text.utf8) }
}
