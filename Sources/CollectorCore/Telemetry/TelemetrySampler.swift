import Backends
import EventModel

/// Turns samples of the process's resources into rates: pure state.
struct TelemetrySampler: Sendable {
    private var last: (cpuTime: Duration, at: Instant)?
    private(set) var failureCount: UInt64 = 0

    /// - Parameter usage: `nil` when it could not be measured.
    /// - Returns: Percent of one CPU since the last sample.
    mutating func note(_ usage: ResourceUsage?, at now: Instant) -> Double? {
        guard let usage else {
            failureCount += 1
            return nil
        }
        defer { last = (usage.cpuTime, now) }
        guard let last, last.at < now else { return nil }
        let used = usage.cpuTime - last.cpuTime
        return max(0, used / last.at.duration(to: now) * 100)
    }
}
