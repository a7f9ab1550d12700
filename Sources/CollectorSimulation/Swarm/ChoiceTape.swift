import SimulatedBackends

/// Every choice that a generator makes: drawn from a seed, or read from a record of earlier choices.
///
/// A choice is a number below a bound, and 0 is always the simplest one. Choices for different purposes come from
/// different streams, so that one more draw in a stream moves nothing in the others. What was recorded can be cut, have
/// its numbers lowered, and be replayed: any tape whatever gives some document, so a generated scenario can be made
/// simpler by making its tape simpler (as Hypothesis does).
package struct ChoiceTape: Sendable {
    /// What a choice is for.
    package enum Purpose: String, Hashable, Sendable, CaseIterable {
        /// Which features there are at all, and how often each occurs.
        case plan
        /// The host, its processes, and what happens on it.
        case world
        case fault
        /// In which order jobs run.
        case sched = "schedule"
        /// Settings of the collector.
        case knob
        /// Secrets that are planted in arguments.
        case secret

        fileprivate var index: Int {
            switch self {
            case .plan: 0
            case .world: 1
            case .fault: 2
            case .sched: 3
            case .knob: 4
            case .secret: 5
            }
        }
    }

    /// One choice: what for, and which of how many.
    package struct Choice: Hashable, Sendable {
        package var purpose: Purpose
        /// What the generator calls it; for people, never compared.
        package var label: String
        package var bound: UInt64
        package var value: UInt64

        package init(_ purpose: Purpose, _ label: String, below bound: UInt64, value: UInt64) {
            self.purpose = purpose
            self.label = label
            self.bound = bound
            self.value = value
        }
    }

    /// One for each purpose; empty when earlier choices are replayed.
    private var generators: [SeededGenerator] = []
    /// One queue for each purpose, and how far it has been read.
    private var queues: [[UInt64]] = []
    private var positions: [Int] = []
    /// Whether choices are written down: costs memory for each.
    private let isRecording: Bool
    /// The choices so far, in order, when they are recorded.
    package private(set) var choices: [Choice] = []

    /// Choices drawn from a seed.
    package init(seed: UInt64, recording: Bool) {
        generators = Purpose.allCases.map { purpose in
            // Streams of the simulation's own are told apart by a constant; a second one keeps these apart from them.
            SeededGenerator(
                seed: seed ^ (UInt64(purpose.index + 1) &* 0x9fb2_1c65_1e98_df25), stream: .entropy)
        }
        isRecording = recording
    }

    /// Choices made before; where there are none left, or one is out of bounds, the nearest possible one is taken.
    package init(replaying choices: [Choice]) {
        queues = Array(repeating: [], count: Purpose.allCases.count)
        positions = Array(repeating: 0, count: queues.count)
        isRecording = true
        for choice in choices { queues[choice.purpose.index].append(choice.value) }
    }

    /// A number in `0 ..< bound`.
    package mutating func draw(_ label: StaticString, below bound: UInt64, for purpose: Purpose) -> UInt64 {
        precondition(bound > 0, "a choice has at least one outcome")
        // Where there is one outcome there is no choice to write down.
        guard bound > 1 else { return 0 }
        let value = next(below: bound, for: purpose.index)
        if isRecording {
            choices.append(Choice(purpose, String(describing: label), below: bound, value: value))
        }
        return value
    }

    private mutating func next(below bound: UInt64, for index: Int) -> UInt64 {
        guard generators.isEmpty else { return generators[index].below(bound) }
        guard positions[index] < queues[index].count else { return 0 }
        defer { positions[index] += 1 }
        return min(queues[index][positions[index]], bound - 1)
    }
}

// MARK: - What generators ask for

extension ChoiceTape {
    /// An index of a collection of `count` elements.
    package mutating func index(_ label: StaticString, of count: Int, for purpose: Purpose) -> Int {
        Int(draw(label, below: UInt64(max(count, 1)), for: purpose))
    }

    /// A number of the range, each equally likely.
    package mutating func uniform(_ label: StaticString, in range: ClosedRange<Int64>, for purpose: Purpose)
        -> Int64
    {
        let width = UInt64(bitPattern: range.upperBound &- range.lowerBound)
        guard width < .max else { return Int64(bitPattern: draw(label, below: .max, for: purpose)) }
        return range.lowerBound &+ Int64(bitPattern: draw(label, below: width + 1, for: purpose))
    }

    /// A number of the range, each power of two equally likely (in whole numbers, so that no platform rounds differently).
    package mutating func logarithmic(
        _ label: StaticString, in range: ClosedRange<Int64>, for purpose: Purpose
    ) -> Int64 {
        let low = max(range.lowerBound, 0)
        let lowBits = 64 - low.leadingZeroBitCount
        let highBits = 64 - max(range.upperBound, 0).leadingZeroBitCount
        guard lowBits < highBits else { return uniform(label, in: range, for: purpose) }
        let bits = lowBits + index(label, of: highBits - lowBits + 1, for: purpose)
        let smallest: Int64 = bits == 0 ? 0 : 1 << Int64(bits - 1)
        let largest: Int64 = bits == 0 ? 0 : smallest + (smallest - 1)
        return uniform(
            label, in: max(low, smallest)...min(range.upperBound, largest), for: purpose)
    }

    /// An exponentially distributed number with this mean, at most 23 times it.
    package mutating func exponential(_ label: StaticString, mean: Int64, for purpose: Purpose) -> Int64 {
        // -log2(u) in whole numbers: the leading zeros of u, and a straight line between the powers of two.
        let inverse = draw(label, below: 1 << 32, for: purpose)
        let u = (1 << 32) - inverse
        let zeros = Int64(u.leadingZeroBitCount) - 31
        let mantissa = (u << UInt64(zeros)) & 0xffff_ffff
        let log2 = zeros << 16 - Int64(mantissa >> 16)
        // ln 2 is 45 426 / 65 536.
        let product = Int64(clamping: mean).multipliedFullWidth(by: max(log2, 0) * 45_426)
        return Int64(truncatingIfNeeded: (product.high << 32) | Int64(product.low >> 32))
    }

    /// Whether something with this probability happens; "no" is the simple choice.
    package mutating func happens(_ label: StaticString, millionths: Int64, for purpose: Purpose) -> Bool {
        guard millionths > 0 else { return false }
        guard millionths < 1_000_000 else { return true }
        return draw(label, below: 1_000_000, for: purpose) >= UInt64(1_000_000 - millionths)
    }

    /// An index, each as likely as its weight says; 0 when all weights are 0.
    package mutating func weighted(_ label: StaticString, _ weights: [UInt64], for purpose: Purpose) -> Int {
        let total = weights.reduce(0, +)
        guard total > 0 else { return 0 }
        var rest = draw(label, below: total, for: purpose)
        for (index, weight) in weights.enumerated() {
            if rest < weight { return index }
            rest -= weight
        }
        return weights.count - 1
    }
}
