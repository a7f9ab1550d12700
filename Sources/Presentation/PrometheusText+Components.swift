import CollectorCore
import EventModel

extension PrometheusText {
    /// What sources and subscribers receive, send, drop and keep.
    static func components(_ report: MetricsReport) -> [MetricFamily] {
        var families = ComponentFamilies()
        for source in report.telemetry?.sources ?? [] { families.add(source) }
        for account in report.sources { families.add(account) }
        for account in report.streams { families.add(account) }
        for subscriber in report.telemetry?.subscribers ?? [] { families.add(subscriber) }
        if let telemetry = report.telemetry {
            families.errors.add(
                telemetry.failedMeasurementCount,
                [
                    "component_id": telemetry.component, "component_kind": "collector",
                    "error_type": "measurement_failed", "stage": "telemetry",
                ])
            families.errors.add(
                telemetry.forgottenAccountCount,
                [
                    "component_id": telemetry.component, "component_kind": "collector",
                    "error_type": "account_forgotten", "stage": "accounting",
                ])
        }
        return families.all
    }

    /// How long events take to their subscribers, and how many come at a time.
    static func latencies(_ telemetry: Telemetry?) -> [MetricFamily] {
        var latency = MetricFamily(
            "subscriber_latency_seconds", .summary,
            "From the emission of a batch's first event to its delivery; at most 1/16 too high.")
        var size = MetricFamily(
            "subscriber_batch_events", .summary, "Events per delivered batch, after the filter.")
        for subscriber in telemetry?.subscribers ?? [] {
            let name = subscriber.subscriber
            latency.add(
                quantiles(of: subscriber.latency, unit: 1e-9), count: subscriber.latency.count,
                ["subscriber": name])
            size.add(
                quantiles(of: subscriber.batchSize, unit: 1), count: subscriber.batchSize.count,
                ["subscriber": name])
        }
        return [latency, size]
    }

    private static func quantiles(
        of summary: HistogramSummary, unit: Double
    ) -> [(share: String, value: Double)] {
        [
            ("0.5", Double(summary.median) * unit), ("0.9", Double(summary.p90) * unit),
            ("0.99", Double(summary.p99) * unit), ("1", Double(summary.maximum) * unit),
        ]
    }
}

/// The metrics that all components have.
private struct ComponentFamilies {
    var received = MetricFamily(
        "component_received_events_total", .counter,
        "Events that a component took in: a source from the kernel or by itself, a subscriber from the sources."
    )
    var sent = MetricFamily(
        "component_sent_events_total", .counter,
        "Events that left a component: a source for the subscribers, a subscriber for its reader.")
    var dropped = MetricFamily(
        "component_dropped_events_total", .counter,
        "Events, for sources kernel messages, that ended in a component, by reason; intentional: not wanted.")
    var errors = MetricFamily("component_errors_total", .counter, "Errors, by type and stage.")
    var queued = MetricFamily("component_buffer_size_events", .gauge, "Events that wait in a component.")
    var queuedBytes = MetricFamily(
        "component_buffer_size_bytes", .gauge, "Bytes that waiting events keep alive, estimated.")
    var peak = MetricFamily(
        "component_buffer_peak_events", .gauge, "The most events that ever waited in a component.")
    var synthetic = MetricFamily(
        "subscriber_synthetic_events_total", .counter,
        "Events offered to a subscriber that stand for no kernel message, by origin.")
    var balance = MetricFamily(
        "subscriber_account_balanced", .gauge,
        "1 if offered = delivered + filtered + dropped + in flight, else 0.")

    var all: [MetricFamily] {
        [received, sent, dropped, errors, queued, queuedBytes, peak, synthetic, balance]
    }

    mutating func add(_ source: SourceTelemetry) {
        let name = source.source.rawValue
        let accepted = source.emittedCount.addingReportingOverflow(source.droppedCount).partialValue
        received.add(accepted, ["component_id": name, "component_kind": "source"])
        sent.add(source.emittedCount, ["component_id": name, "component_kind": "source"])
        queued.add(UInt64(clamping: source.queuedCount), ["component_id": name, "component_kind": "source"])
        errors.add(
            UInt64(clamping: source.restartCount),
            [
                "component_id": name, "component_kind": "source", "error_type": "run_failed",
                "stage": "observing",
            ])
    }

    mutating func add(_ account: SourceAccount) {
        drop(account.dropped, account.filtered, of: account.source.rawValue, kind: "source")
        if account.syntheticDropped > 0 {
            dropped.add(
                account.syntheticDropped,
                [
                    "component_id": account.source.rawValue, "component_kind": "source",
                    "reason": "synthetic",
                    "intentional": "false",
                ])
        }
    }

    mutating func add(_ account: StreamAccount) {
        let name = account.subscriber
        received.add(account.offered, ["component_id": name, "component_kind": "subscriber"])
        sent.add(account.delivered, ["component_id": name, "component_kind": "subscriber"])
        drop(account.dropped, account.filtered, of: name, kind: "subscriber")
        queued.add(account.inFlight, ["component_id": name, "component_kind": "subscriber"])
        for (origin, count) in [
            ("baseline", account.baseline), ("resync", account.resync), ("derived", account.derived),
        ] {
            synthetic.add(count, ["subscriber": name, "origin": origin])
        }
        balance.add(account.isBalanced ? 1 : 0, ["subscriber": name])
    }

    mutating func add(_ subscriber: SubscriberTelemetry) {
        let name = subscriber.subscriber
        queued.add(
            UInt64(clamping: subscriber.queuedCount), ["component_id": name, "component_kind": "subscriber"])
        queuedBytes.add(
            UInt64(clamping: subscriber.queuedByteCount),
            ["component_id": name, "component_kind": "subscriber"])
        peak.add(
            UInt64(clamping: subscriber.peakCount), ["component_id": name, "component_kind": "subscriber"])
        if subscriber.droppedRecordCount > 0 {
            errors.add(
                subscriber.droppedRecordCount,
                [
                    "component_id": name, "component_kind": "subscriber", "error_type": "record_dropped",
                    "stage": "delivery",
                ])
        }
    }

    private mutating func drop(_ unwanted: Tally, _ filtered: Tally, of name: String, kind: String) {
        for (tally, intentional) in [(unwanted, "false"), (filtered, "true")] {
            for entry in tally.entries {
                dropped.add(
                    entry.count,
                    [
                        "component_id": name, "component_kind": kind, "reason": entry.reason,
                        "intentional": intentional,
                    ])
            }
        }
    }
}
