import Synchronization

/// Carries the outcome of one run from the thread of the case to the one that started it.
final class Delivery: Sendable {
    private let run = Mutex<LitmusRun?>(nil)

    func deliver(_ outcome: LitmusRun) { run.withLock { $0 = outcome } }

    /// `nil` until the run has ended.
    var delivered: LitmusRun? { run.withLock { $0 } }
}
