import Backends
import CollectorCore
import EventModel
import LinuxBackends

/// What the service manager is told while the daemon runs.
extension HostSession {
    /// How often it is looked whether all sources are ready.
    private static let startPause = Duration.milliseconds(20)
    private static let statusInterval = Duration.seconds(30)

    /// Says when all sources are ready or have ended, then how they are, and that there is progress, until cancelled.
    ///
    /// Progress means that the main thread runs, and that the loop of every source that runs has made up its account when
    /// it was asked to: when one has not in time, the watchdog is not fed. A source that has failed for good is no reason to
    /// start all anew.
    func report(to manager: LinuxServiceManager) async {
        let clock = host.main.clock
        func pause(_ duration: Duration) async -> Bool {
            (try? await clock.sleep(until: clock.monotonic.advanced(by: duration))) != nil
        }
        while collector.telemetry().sources.contains(where: { $0.state == .starting }) {
            guard await pause(Self.startPause) else { return }
        }
        manager.tell(.ready)
        let interval =
            manager.watchdogInterval.map { min($0 / 2, Self.statusInterval) } ?? Self.statusInterval
        while !Task.isCancelled {
            let asked = clock.monotonic
            _ = await collector.closeAccounts()
            let isStuck = asked.duration(to: clock.monotonic) >= Collector.answerTimeout
            if !isStuck, manager.watchdogInterval != nil { manager.tell(.alive) }
            let report = await collector.healthReport()
            let emitted = collector.telemetry().sources.reduce(0) { $0 + $1.emittedCount }
            manager.tell(.status("\(report.health); \(emitted) events"))
            guard await pause(interval) else { return }
        }
    }
}
