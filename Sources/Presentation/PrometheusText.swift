import CollectorCore
import EventModel

/// Metrics in the text exposition format of Prometheus, version 0.0.4.
///
/// Metrics of components follow what Vector and OpenTelemetry collectors call them: a component (a source, or a
/// subscriber) receives events and sends them on; what it drops is counted by reason, `intentional` when a filter wanted
/// it so. Seconds and bytes are the only units; counters end in `_total` and only grow while the collector runs.
package enum PrometheusText {
    /// What an HTTP server would call the format.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The metrics of a report, in a fixed order; ends in a line break.
    package static func render(_ report: MetricsReport) -> String {
        var text = ""
        for family in general(report) { family.append(to: &text) }
        if let health = report.health {
            for family in states(of: health) { family.append(to: &text) }
        }
        for family in components(report) { family.append(to: &text) }
        for family in kernel(report.sources) { family.append(to: &text) }
        for family in latencies(report.telemetry) { family.append(to: &text) }
        for family in sockets(report.listeners) { family.append(to: &text) }
        return text
    }

    // MARK: - The collector

    private static func general(_ report: MetricsReport) -> [MetricFamily] {
        var build = MetricFamily("build_info", .gauge, "The collector's version; always 1.")
        if let version = report.version { build.add(1, ["version": version]) }
        var uptime = MetricFamily("uptime_seconds", .gauge, "Time since the run began.")
        var cpu = MetricFamily(
            process: "cpu_seconds_total", .counter, "CPU time in user mode and in the kernel.")
        var memory = MetricFamily(process: "resident_memory_bytes", .gauge, "Resident memory.")
        var descriptors = MetricFamily(process: "open_fds", .gauge, "Open descriptors.")
        var threads = MetricFamily(process: "threads", .gauge, "Threads.")
        var generation = MetricFamily(
            "config_generation", .gauge,
            "How many configurations have been in force, the present one included.")
        var refused = MetricFamily(
            "config_refused_total", .counter, "New configurations that were wrong, and changed nothing.")
        if let telemetry = report.telemetry {
            if telemetry.configurationGeneration > 0 {
                generation.add(telemetry.configurationGeneration)
                refused.add(telemetry.refusedConfigurationCount)
            }
            uptime.add(real: seconds(telemetry.uptime))
            if let resources = telemetry.resources {
                cpu.add(real: seconds(resources.cpuTime))
                memory.add(UInt64(clamping: resources.residentByteCount))
                descriptors.add(UInt64(clamping: resources.descriptorCount))
                threads.add(UInt64(clamping: resources.threadCount))
            }
        }
        return [build, generation, refused, uptime, cpu, memory, descriptors, threads]
    }

    private static func states(of report: HealthReport) -> [MetricFamily] {
        var overall = MetricFamily(
            "health", .gauge, "Health of the whole: 1 for the state that holds, 0 for the others.")
        for state in Health.labels { overall.add(report.health.label == state ? 1 : 0, ["state": state]) }
        var health = MetricFamily(
            "source_health", .gauge, "Health of a source: 1 for the state that holds, 0 for the others.")
        var life = MetricFamily(
            "source_state", .gauge, "Life of a source: 1 for the state that holds, 0 for the others.")
        var restarts = MetricFamily("source_restarts_total", .counter, "Runs of a source after a failure.")
        for source in report.sources {
            let name = source.source.rawValue
            for state in Health.labels {
                health.add(source.health.label == state ? 1 : 0, ["source": name, "state": state])
            }
            for state in SourceLifeState.allCases {
                life.add(source.state == state ? 1 : 0, ["source": name, "state": state.rawValue])
            }
            restarts.add(UInt64(clamping: source.restartCount), ["source": name])
        }
        return [overall, health, life, restarts]
    }

    // MARK: - Sources

    private static func kernel(_ accounts: [SourceAccount]) -> [MetricFamily] {
        var kernel = MetricFamily(
            "source_kernel_events_total", .counter,
            "Messages that the kernel made: emitted, filtered, coalesced, dropped and lost ones.")
        var emitted = MetricFamily(
            "source_emitted_events_total", .counter, "Messages of the kernel that became one event each.")
        var coalesced = MetricFamily(
            "source_coalesced_events_total", .counter,
            "Messages of the kernel that the event of another one stands for.")
        var lost = MetricFamily(
            "source_lost_events_total", .counter,
            "Messages of the kernel that never arrived; at least so many where the kernel keeps no count.")
        var overflows = MetricFamily(
            "source_overflows_total", .counter, "How often the kernel said that it had dropped something.")
        var coverage = MetricFamily(
            "coverage_ratio", .gauge,
            "Share of the kernel's messages that was neither lost nor dropped, where the kernel counts them.")
        var balance = MetricFamily(
            "source_account_balanced", .gauge,
            "1 if kernel = emitted + filtered + coalesced + dropped + lost, else 0.")
        for account in accounts {
            let source = account.source.rawValue
            kernel.add(account.kernel, ["source": source])
            emitted.add(account.emitted, ["source": source])
            coalesced.add(account.coalesced, ["source": source])
            lost.add(account.lost ?? account.lostBounds.atLeast, ["source": source, "kind": "kernel"])
            overflows.add(account.overflows, ["source": source])
            balance.add(account.isBalanced ? 1 : 0, ["source": source])
            if let lost = account.lost, account.kernel > 0 {
                let missing = Double(lost) + Double(account.dropped.total)
                coverage.add(real: max(0, 1 - missing / Double(account.kernel)), ["domain": source])
            }
        }
        return [kernel, emitted, coalesced, lost, overflows, coverage, balance]
    }

    // MARK: - Sockets

    private static func sockets(_ listeners: [ListenerReport]) -> [MetricFamily] {
        var open = MetricFamily("ipc_connections", .gauge, "Clients that are connected.")
        var accepted = MetricFamily("ipc_accepted_connections_total", .counter, "Clients that were accepted.")
        var requests = MetricFamily("ipc_requests_total", .counter, "Requests of clients.")
        var ended = MetricFamily(
            "ipc_ended_connections_total", .counter, "Connections that were refused or ended, by reason.")
        var received = MetricFamily("ipc_received_bytes_total", .counter, "Bytes that clients sent.")
        var sent = MetricFamily("ipc_sent_bytes_total", .counter, "Bytes that were sent to clients.")
        for listener in listeners {
            open.add(listener.connectionCount, ["path": listener.path])
            accepted.add(listener.acceptedCount, ["path": listener.path])
            requests.add(listener.requestCount, ["path": listener.path])
            for entry in listener.ended.entries {
                ended.add(entry.count, ["path": listener.path, "reason": entry.reason])
            }
            received.add(listener.receivedByteCount, ["path": listener.path])
            sent.add(listener.sentByteCount, ["path": listener.path])
        }
        return [open, accepted, requests, ended, received, sent]
    }

    static func seconds(_ duration: Duration) -> Double { Double(duration.wholeNanoseconds) / 1e9 }
}

extension Health {
    /// The names of the states, best first.
    static let labels = ["healthy", "degraded", "failed"]

    /// The name of the state.
    var label: String {
        switch self {
        case .healthy: "healthy"
        case .degraded: "degraded"
        case .failed: "failed"
        }
    }
}
