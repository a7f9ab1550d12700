import Backends
import CollectorCore
import EventModel
import Presentation

/// A report in which every part has something.
enum MetricsFixture {
    static func report() -> MetricsReport {
        var report = MetricsReport()
        report.version = "1.2.3"
        report.health = health
        report.telemetry = telemetry
        var process = SourceAccount(source: "process")
        process.kernel = 120
        process.emitted = 90
        process.filtered.add(10, to: "self")
        process.coalesced = 10
        process.dropped.add(3, to: "buffer/full")
        process.lost = 7
        process.syntheticDropped = 4
        var files = SourceAccount(source: "filesystem")
        files.lost = nil
        files.lostBounds = LostBounds(atLeast: 2, atMost: nil)
        files.overflows = 1
        report.sources = [process, files]
        var stream = StreamAccount(subscriber: "stdout")
        stream.offered = 90
        stream.emitted = 80
        stream.baseline = 10
        stream.delivered = 70
        stream.filtered.add(15, to: "filter")
        stream.dropped.add(5, to: "queue")
        report.streams = [stream]
        report.listeners = [listener]
        return report
    }

    static var listener: ListenerReport {
        var listener = ListenerReport(path: "/run/collector/control.sock")
        listener.connectionCount = 2
        listener.acceptedCount = 12
        listener.requestCount = 500
        listener.ended.add(9, to: "closed")
        listener.ended.add(1, to: "wrong_checksum")
        listener.receivedByteCount = 4_096
        listener.sentByteCount = 100 << 20
        return listener
    }

    static let now = Instant(nanoseconds: 100_000_000_000_000)

    static var health: HealthReport {
        HealthReport(
            component: "collector-core", health: .degraded(reason: "a folder is not watched"),
            sources: [
                SourceHealth(
                    source: "process", state: .ready, health: .healthy,
                    since: now.advanced(by: .seconds(-65)),
                    restartCount: 0),
                SourceHealth(
                    source: "filesystem", state: .restarting,
                    health: .degraded(reason: "a folder\n is not watched"),
                    since: now.advanced(by: .milliseconds(-1_500)), restartCount: 3),
            ], time: TableFixture.time, monotonic: now)
    }

    static var telemetry: Telemetry {
        let latency = HistogramSummary(
            count: 40, median: 1_000_000, p90: 2_000_000, p99: 5_000_000, maximum: 9_000_000)
        let size = HistogramSummary(count: 40, median: 3, p90: 10, p99: 100, maximum: 100)
        return Telemetry(
            component: "collector-core", uptime: .milliseconds(90_061_500),
            resources: ResourceUsage(
                userTime: .seconds(2), systemTime: .milliseconds(1_500), residentByteCount: 20 << 20,
                descriptorCount: 30, threadCount: 4),
            cpuPercent: 2.54, failedMeasurementCount: 1, forgottenAccountCount: 0,
            sources: [
                SourceTelemetry(
                    source: "process", state: .ready, restartCount: 0, queuedCount: 5, emittedCount: 95,
                    droppedCount: 3)
            ],
            subscribers: [
                SubscriberTelemetry(
                    subscriber: "stdout", queuedCount: 6, queuedByteCount: 6_000, peakCount: 60,
                    deliveredCount: 70, droppedCount: 5, droppedRecordCount: 2, latency: latency,
                    batchSize: size)
            ], time: TableFixture.time, monotonic: now)
    }
}
