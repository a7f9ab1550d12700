package import EventModel

/// Says when `/proc` is to be scanned for what lost messages would have told.
///
/// A scan costs as much as there are processes, and while losses go on it is out of date before it ends. So a loss after a
/// calm is made good at once; but while each scan is followed by another loss, the next one waits until losses have paused
/// for ``interval``, at most for a time that doubles with each scan, up to 2^``doublingLimit`` intervals.
package struct ResyncPace {
    /// A scan waits for at most 16 intervals: by then a pid may be another's, and ends have gone untold for long enough.
    package static let doublingLimit = 4

    /// Least time between two scans.
    private let interval: Duration
    private var lastBegan: Instant?
    /// Scans in a row, at most ``doublingLimit``, that were followed by another loss before long.
    private var doublingCount = 0

    /// When the next scan is due; `nil` when none is asked for.
    package private(set) var due: Instant?
    /// How often a scan was put off because losses went on.
    package private(set) var postponedCount: UInt64 = 0

    package init(interval: Duration) { self.interval = interval }

    /// Most time from one scan to the next, as things are.
    private var longest: Duration { interval * (1 << doublingCount) }

    /// When the next scan may begin at the earliest.
    private func earliest(at now: Instant) -> Instant {
        lastBegan.map { max($0.advanced(by: interval), now) } ?? now
    }

    /// Messages were lost.
    package mutating func noteLoss(at now: Instant) {
        guard let lastBegan else { return due = due ?? now }
        if due == nil {
            guard isStormy(at: now) else {
                doublingCount = 0
                return due = earliest(at: now)
            }
            doublingCount = min(doublingCount + 1, Self.doublingLimit)
        } else if doublingCount == 0 {
            // A loss while a single one waits to be made good is made good with it.
            return
        }
        let calm = max(earliest(at: now), now.advanced(by: interval))
        let next = max(due ?? now, min(calm, lastBegan.advanced(by: longest)))
        if let due, next > due { postponedCount += 1 }
        due = next
    }

    /// Whether the last scan is so recent that a loss now belongs to the same storm as the one that it was for.
    private func isStormy(at now: Instant) -> Bool {
        guard let lastBegan else { return false }
        return now < lastBegan.advanced(by: longest + interval)
    }

    /// A scan could not be made, or could not judge everybody: it is repeated.
    package mutating func retry(at now: Instant) {
        if due == nil { due = earliest(at: now) }
    }

    /// A scan is to be made at once.
    package mutating func demand(at now: Instant) { due = now }

    /// A scan begins.
    package mutating func begin(at now: Instant) {
        lastBegan = now
        due = nil
    }

    /// The time between scans, when it has grown well beyond what was asked for: losses go on and on.
    package func stretchedInterval(at now: Instant) -> Duration? {
        doublingCount > 1 && isStormy(at: now) ? longest : nil
    }

    /// Whether a scan must wait that is asked for now.
    package func isTooEarly(at now: Instant) -> Bool { earliest(at: now) > now }
}
