package import EventModel

/// What one step of a simulation was.
package enum TraceKind: UInt8, Sendable, CaseIterable {
    /// The scheduler chose: number of ready jobs, index chosen.
    case pick = 1
    /// Virtual time went on while nothing was ready: nanoseconds.
    case jump
    /// A backend was called: operation, digest of the arguments, digest of the result.
    case call
    /// Something happened in the world: a number for the kind, its subject.
    case world
    /// A fault was injected: index of the rule, number of its firing.
    case fault
    /// The caller folded a word of its own, such as a digest of what was emitted.
    case output
}

/// One step of a simulation, as it entered the trace hash.
package struct TraceRecord: Hashable, Sendable, CustomStringConvertible {
    /// Position in the run, starting with 0.
    package var step: Int
    /// `CLOCK_MONOTONIC` of the simulated host.
    package var time: Instant
    package var kind: TraceKind
    package var first: UInt64
    package var second: UInt64
    package var third: UInt64

    /// One line for people: `#17 @0.000123456 procfs.read args=… result=…`.
    package var description: String {
        let place = "#\(step) @\(Self.seconds(time.nanoseconds))"
        switch kind {
        case .pick: return "\(place) pick \(second) of \(first)"
        case .jump: return "\(place) idle \(Self.seconds(Int64(bitPattern: first)))"
        case .call:
            let operation = BackendOperation(index: first)?.rawValue ?? "call \(first)"
            return "\(place) \(operation) args=\(Self.hex(second)) result=\(Self.hex(third))"
        case .world: return "\(place) world \(first) subject=\(second)"
        case .fault: return "\(place) fault rule=\(first) firing=\(second)"
        case .output: return "\(place) output \(Self.hex(first))"
        }
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        let (whole, fraction) = nanoseconds.flooredDivision(by: 1_000_000_000)
        let digits = String(fraction)
        return "\(whole).\(String(repeating: "0", count: 9 - digits.utf8.count))\(digits)"
    }

    private static func hex(_ word: UInt64) -> String { String(word, radix: 16) }
}

/// A rolling hash over everything that happens in a simulation, with checkpoints.
///
/// Two runs are the same run if and only if their checkpoints and hashes agree; the first checkpoint that differs bounds
/// the first step that differs, and a second run with ``captured`` around it shows the step itself.
package struct Trace: Sendable {
    /// Steps from one checkpoint to the next.
    package static let checkpointInterval = 1_024
    /// How many of the latest steps are kept for reports.
    package static let recentStepLimit = 64

    /// The hash over all steps so far.
    package private(set) var hash: UInt64 = 0x51c2_a90e_77d1_0b34
    /// Steps so far.
    package private(set) var stepCount = 0
    /// The hash after every ``checkpointInterval`` steps, in order.
    package private(set) var checkpoints: [UInt64] = []
    /// The steps that ``init(capturing:)`` asked for.
    package private(set) var captured: [TraceRecord] = []

    private let captureRange: Range<Int>
    private var recentRing: [TraceRecord]

    /// - Parameter captureRange: Steps to keep whole, for finding the first step that differs.
    package init(capturing captureRange: Range<Int> = 0..<0) {
        self.captureRange = captureRange
        let blank = TraceRecord(
            step: 0, time: Instant(nanoseconds: 0), kind: .pick, first: 0, second: 0, third: 0)
        recentRing = Array(repeating: blank, count: Self.recentStepLimit)
    }

    /// The latest steps, oldest first, at most ``recentStepLimit``.
    package var recent: [TraceRecord] {
        guard stepCount > Self.recentStepLimit else { return Array(recentRing.prefix(stepCount)) }
        let oldest = stepCount % Self.recentStepLimit
        return Array(recentRing[oldest...] + recentRing[..<oldest])
    }

    package mutating func record(
        _ kind: TraceKind, at time: Instant, _ first: UInt64, _ second: UInt64 = 0, _ third: UInt64 = 0
    ) {
        var digest = Digest(seed: hash)
        digest.fold(UInt64(kind.rawValue))
        digest.fold(UInt64(bitPattern: time.nanoseconds))
        digest.fold(first)
        digest.fold(second)
        digest.fold(third)
        hash = digest.value
        let record = TraceRecord(
            step: stepCount, time: time, kind: kind, first: first, second: second, third: third)
        recentRing[stepCount % Self.recentStepLimit] = record
        if stepCount >= captureRange.lowerBound, stepCount < captureRange.upperBound {
            captured.append(record)
        }
        stepCount += 1
        if stepCount % Self.checkpointInterval == 0 { checkpoints.append(hash) }
    }
}

/// A 64-bit digest of arguments and results: fast and well mixed, not secure against an adversary.
package struct Digest: Sendable {
    package private(set) var value: UInt64

    package init(seed: UInt64 = 0xcbf2_9ce4_8422_2325) { value = seed }

    @inline(__always)
    package mutating func fold(_ word: UInt64) {
        value = (value ^ word) &* 0x9e37_79b9_7f4a_7c15
        value ^= value >> 32
    }

    /// Folds bytes and their number, eight at a time.
    package mutating func fold(_ bytes: Span<UInt8>) {
        var index = 0
        while index &+ 8 <= bytes.count {
            fold(Self.word(bytes.extracting(index..<index &+ 8)))
            index &+= 8
        }
        var rest: UInt64 = 0
        while index < bytes.count {
            rest = rest << 8 | UInt64(bytes[index])
            index &+= 1
        }
        fold(rest)
        fold(UInt64(bytes.count))
    }

    package mutating func fold(_ bytes: [UInt8]) { fold(bytes.span) }

    package mutating func fold(_ bytes: ArraySlice<UInt8>) { fold(bytes.span) }

    /// Folds the UTF-8 bytes of a text.
    package mutating func fold(_ text: String) { fold(text.utf8.span) }

    /// Eight bytes as one load: the span is known to hold exactly these.
    @inline(__always)
    private static func word(_ bytes: Span<UInt8>) -> UInt64 {
        let low =
            UInt64(bytes[0]) | UInt64(bytes[1]) << 8 | UInt64(bytes[2]) << 16 | UInt64(bytes[3]) << 24
        let high =
            UInt64(bytes[4]) | UInt64(bytes[5]) << 8 | UInt64(bytes[6]) << 16 | UInt64(bytes[7]) << 24
        return low | high << 32
    }
}
