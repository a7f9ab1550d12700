/// What happens when a source ends though nobody asked it to.
public enum RestartPolicy: String, Hashable, Sendable, CaseIterable {
    /// Observing never ends by itself: returning is a failure like throwing, and the source runs again.
    case always
    /// Returning means that the work is done; after an error the source runs again.
    case onFailure = "on-failure"
    /// The source runs once.
    case never
}

/// Who tells subscribers that something is missing between two runs of a source.
public enum RestartGap: String, Hashable, Sendable, CaseIterable {
    /// The runtime puts a `Gap` of unknown size before the first event of the next run.
    case byRuntime = "by-runtime"
    /// The source reports a better one itself; ``SourceContext/interruption`` says since when.
    case bySource = "by-source"
}

/// An error that may know that running the source again is of no use, such as a refused privilege.
public protocol SourceError: Error {
    /// Whether the same run could succeed later. An error of any other type is assumed to pass.
    var mayPass: Bool { get }
}

/// A stretch of time in which a source did not run, though it should have.
public struct Interruption: Hashable, Sendable {
    /// When the run before had ended.
    public var since: Instant
    /// Why it had ended.
    public var reason: String

    public init(since: Instant, reason: String) {
        self.since = since
        self.reason = reason
    }
}

/// How often and how fast a source that fails is run again.
///
/// The delay is `first * 2^n`, at most `longest`, where `n` is how many restarts lie within the window: a source that
/// has behaved for a whole window starts afresh. As in systemd (`StartLimitBurst=`, `RestartSteps=`) and Erlang/OTP
/// (`intensity`, `period`) the budget is a number within a sliding window, so that a source which fails now and then
/// lives for ever and one which cannot work is given up soon. There is no jitter: it protects a server from many
/// clients that come back together, and a source has nobody else to collide with.
package struct RestartSchedule: Hashable, Sendable {
    /// Before the first restart.
    package var firstDelay: Duration
    package var longestDelay: Duration
    /// Most restarts within ``window``; 0 gives up at once.
    package var limit: Int
    package var window: Duration

    package init(firstDelay: Duration, longestDelay: Duration, limit: Int, window: Duration) {
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
        self.limit = limit
        self.window = window
    }

    /// - Parameter restartCount: Restarts that lie within the window already.
    package func delay(after restartCount: Int) -> Duration {
        var delay = firstDelay
        var remaining = restartCount
        while remaining > 0, delay < longestDelay {
            delay *= 2
            remaining -= 1
        }
        return min(delay, longestDelay)
    }
}
