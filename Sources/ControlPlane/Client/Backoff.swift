package import Backends

/// How long to wait before the next try: twice as long each time, less a random part, so that many clients do not come at
/// the same moment.
package struct Backoff: Sendable {
    private let first: Duration
    private let longest: Duration
    private var next: Duration

    package init(first: Duration = .milliseconds(100), longest: Duration = .seconds(30)) {
        self.first = first
        self.longest = longest
        next = first
    }

    /// The pause before the next try: between a half and the whole of what it has grown to.
    package mutating func pause(_ entropy: some Entropy) -> Duration {
        let whole = next
        next = min(next * 2, longest)
        let half = whole / 2
        let share = Double(entropy.nextWord() >> 11) / Double(1 << 53)
        return half + half * share
    }

    /// Begins anew, after a success.
    package mutating func reset() { next = first }
}
