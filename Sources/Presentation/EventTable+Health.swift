package import CollectorCore
import EventModel

extension EventTable {
    /// What has become of a source, if somebody who watches should know; the reason is not cut.
    package func line(for status: SourceStatus) -> String? {
        switch status.state {
        case .starting, .ready, .stopped: return nil
        case .stopping, .restarting, .failed, .abandoned: break
        }
        var line = Self.clockTime(status.time) + " " + paint(Self.padded("SOURCE", to: 10), .alarm) + " "
        line += "\(status.source): \(status.state.rawValue)"
        if let delay = status.retryDelay { line += " in \(Self.rounded(delay))" }
        if status.attempt > 1 { line += ", run \(status.attempt)" }
        if let reason = status.reason { line += ": \(TerminalText.escape(reason))" }
        return line
    }

    /// The health of the whole, then of each source.
    package func lines(for report: HealthReport) -> [String] {
        var lines = [
            paint("health", .bold) + " \(TerminalText.escape(report.component)): \(Self.text(report.health))"
        ]
        for source in report.sources {
            let restarts = source.restartCount == 0 ? "" : ", restarted \(source.restartCount) times"
            let age = Self.rounded(source.since.duration(to: report.monotonic))
            lines.append(
                "        \(source.source): \(source.state.rawValue) for \(age)\(restarts), \(Self.text(source.health))"
            )
        }
        return lines
    }

    /// Resources, then each source's and each subscriber's queue.
    package func lines(for telemetry: Telemetry) -> [String] {
        var head = paint("telemetry", .bold) + " up \(Self.rounded(telemetry.uptime))"
        if let resources = telemetry.resources {
            head += ", CPU \(Self.rounded(resources.cpuTime))"
            if let percent = telemetry.cpuPercent { head += " (now \((percent * 10).rounded() / 10) %)" }
            head += ", \(resources.residentByteCount >> 10) KiB resident"
            head += ", \(resources.descriptorCount) descriptors, \(resources.threadCount) threads"
        }
        var lines = [head]
        for source in telemetry.sources {
            lines.append(
                "        \(source.source): emitted \(source.emittedCount), dropped \(source.droppedCount), "
                    + "queued \(source.queuedCount)")
        }
        for subscriber in telemetry.subscribers {
            let latency = subscriber.latency
            lines.append(
                "        \(TerminalText.escape(subscriber.subscriber)): delivered \(subscriber.deliveredCount), "
                    + "dropped \(subscriber.droppedCount), queued \(subscriber.queuedCount) "
                    + "(\(subscriber.queuedByteCount >> 10) KiB), latency p50 \(Self.fine(latency.median)), "
                    + "p99 \(Self.fine(latency.p99)), events per batch p50 \(subscriber.batchSize.median)")
        }
        return lines
    }

    private static func text(_ health: Health) -> String {
        switch health {
        case .healthy: "healthy"
        case .degraded(let reason): "degraded: \(TerminalText.escape(reason))"
        case .failed(let reason): "failed: \(TerminalText.escape(reason))"
        }
    }

    /// Nanoseconds with the unit that suits them.
    private static func fine(_ nanoseconds: UInt64) -> String {
        nanoseconds < 10_000_000 ? "\(nanoseconds / 1_000)us" : "\(nanoseconds / 1_000_000)ms"
    }
}
