import Backends
import CollectorCore
import EventModel

extension RandomValues {
    mutating func gap() -> Gap {
        Gap(
            source: source(), cause: one(), lost: optional { $0.number() },
            lostBounds: LostBounds(atLeast: number(), atMost: optional { $0.number() }), from: instant(),
            until: instant(), time: wallTime(),
            processors: list(upTo: 3) {
                ProcessorLoss(
                    processor: $0.number(), lost: $0.number(), after: $0.number(), before: $0.number())
            }, subscriber: optional { $0.text() })
    }

    mutating func tally() -> Tally {
        var tally = Tally()
        for reason in list(upTo: 4, { $0.text() }) { tally.add(count() >> 8, to: reason) }
        return tally
    }

    mutating func sourceAccount() -> SourceAccount {
        var account = SourceAccount(source: source())
        account.kernel = count()
        account.emitted = count()
        account.filtered = tally()
        account.coalesced = count()
        account.dropped = tally()
        account.lost = optional { $0.count() }
        account.lostBounds = LostBounds(atLeast: number(), atMost: optional { $0.number() })
        account.overflows = number()
        account.syntheticDropped = number()
        account.processors = list(upTo: 3) {
            ProcessorAccount(
                processor: $0.number(), isFenced: $0.flag(), kernel: $0.number(), lost: $0.number())
        }
        account.forkCheck = optional {
            ForkCheck(forks: $0.number(), atLeast: $0.number(), atMost: $0.number())
        }
        return account
    }

    mutating func streamAccount() -> StreamAccount {
        var account = StreamAccount(subscriber: text())
        account.offered = count()
        account.emitted = count()
        account.baseline = count()
        account.resync = count()
        account.derived = count()
        account.delivered = count()
        account.filtered = tally()
        account.dropped = tally()
        account.inFlight = count()
        return account
    }

    mutating func health() -> Health {
        switch next() % 3 {
        case 0: .healthy
        case 1: .degraded(reason: text())
        default: .failed(reason: text())
        }
    }

    mutating func healthReport() -> HealthReport {
        HealthReport(
            component: text(), health: health(),
            sources: list(upTo: 3) { values in
                SourceHealth(
                    source: values.source(), state: values.one(), health: values.health(),
                    since: values.instant(), restartCount: values.positive() & 0xffff_ffff)
            }, time: wallTime(), monotonic: instant())
    }

    mutating func sourceStatus() -> SourceStatus {
        SourceStatus(
            source: source(), state: one(), reason: optional { $0.text() },
            attempt: positive() & 0xffff_ffff, retryDelay: optional { .nanoseconds($0.number() as Int64) },
            capabilities: SourceCapabilities(rawValue: number()), time: wallTime(), monotonic: instant())
    }

    mutating func capabilityReport() -> CapabilityReport {
        CapabilityReport(
            component: text(), capabilities: SourceCapabilities(rawValue: number()),
            sources: list(upTo: 3) { $0.source() }, time: wallTime(), monotonic: instant())
    }

    mutating func telemetry() -> Telemetry {
        var telemetry = Telemetry(
            component: text(), uptime: .nanoseconds(number() as Int64),
            resources: optional { values in
                ResourceUsage(
                    userTime: .nanoseconds(values.number() as Int64),
                    systemTime: .nanoseconds(values.number() as Int64),
                    residentByteCount: values.positive(), descriptorCount: values.positive(),
                    threadCount: values.positive())
            }, cpuPercent: optional { $0.double() }, failedMeasurementCount: number(),
            forgottenAccountCount: number(),
            sources: list(upTo: 3) { values in
                SourceTelemetry(
                    source: values.source(), state: values.one(),
                    restartCount: values.positive() & 0xffff_ffff, queuedCount: values.positive(),
                    emittedCount: values.number(), droppedCount: values.number())
            }, subscribers: list(upTo: 3) { $0.subscriber() }, time: wallTime(), monotonic: instant())
        telemetry.configurationGeneration = number()
        telemetry.refusedConfigurationCount = number()
        return telemetry
    }

    private mutating func subscriber() -> SubscriberTelemetry {
        SubscriberTelemetry(
            subscriber: text(), queuedCount: positive(), queuedByteCount: positive(), peakCount: positive(),
            deliveredCount: number(), droppedCount: number(), droppedRecordCount: number(),
            latency: histogram(), batchSize: histogram())
    }

    private mutating func histogram() -> HistogramSummary {
        HistogramSummary(count: number(), median: number(), p90: number(), p99: number(), maximum: number())
    }
}
