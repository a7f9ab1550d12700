import Backends
import CollectorCore
import EventModel
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

@Suite struct TelemetryTests {
    private func usage(cpu: Duration) -> ResourceUsage {
        ResourceUsage(
            userTime: cpu, systemTime: cpu, residentByteCount: 12 << 20, descriptorCount: 17, threadCount: 4)
    }

    private func makeCollector(
        _ pump: Pump, meter: SimulatedResourceMeter,
        _ change: (inout CollectorConfiguration) -> Void = { _ in }
    ) throws -> Collector {
        var configuration = CollectorConfiguration()
        change(&configuration)
        return try Collector(configuration: configuration, run: sampleRun, thread: pump, meter: meter)
    }

    @Test func `a record comes every interval, with rates since the one before`() {
        simulate { pump in
            let meter = SimulatedResourceMeter(usage(cpu: .seconds(1)))
            let collector = try makeCollector(pump, meter: meter)
            try collector.register(
                ScriptedSource { context in
                    context.ready()
                    for number in 1...7 { await context.emitter.emit(makeEvent(number)) }
                    context.emitter.flush()
                    await pump.sleep(for: .seconds(40))
                    meter.set(usage(cpu: .seconds(4)))
                    await untilCancelled(context)
                }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            stop(collector, after: .seconds(100), on: pump)
            _ = try await collector.run()
            await received.taker.value
            let records = received.value.value.telemetry
            #expect(records.map { $0.uptime } == [.seconds(30), .seconds(60), .seconds(90)])
            #expect(records.map(\.cpuPercent) == [nil, 20, 0])
            #expect(records.allSatisfy { $0.resources?.descriptorCount == 17 })
            #expect(records.last?.sources.map(\.emittedCount) == [7])
            let sink = records.last?.subscribers.first
            #expect(sink?.deliveredCount == 7 && sink?.batchSize.maximum == 7 && sink?.latency.count == 1)
        }
    }

    @Test func `latency is from the emission to the delivery`() {
        simulate { pump in
            let collector = try makeCollector(pump, meter: SimulatedResourceMeter(usage(cpu: .zero))) {
                $0.batchTimeout = .milliseconds(200)
            }
            try collector.register(
                ScriptedSource { context in
                    context.ready()
                    await context.emitter.emit(makeEvent(1))
                    await untilCancelled(context)
                }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            stop(collector, after: .seconds(31), on: pump)
            _ = try await collector.run()
            await received.taker.value
            let latency = received.value.value.telemetry.first?.subscribers.first?.latency
            #expect(latency?.maximum == 200_000_000)
        }
    }

    @Test func `nothing is measured when it is switched off`() {
        simulate { pump in
            let collector = try makeCollector(pump, meter: SimulatedResourceMeter(usage(cpu: .zero))) {
                $0.enableTelemetry = false
            }
            try collector.register(
                ScriptedSource { context in
                    context.ready(); await untilCancelled(context)
                }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            stop(collector, after: .seconds(100), on: pump)
            _ = try await collector.run()
            await received.taker.value
            #expect(received.value.value.telemetry.isEmpty)
        }
    }

    @Test func `a measurement that fails is absent and counted`() {
        simulate { pump in
            let meter = SimulatedResourceMeter(usage(cpu: .zero))
            let collector = try makeCollector(pump, meter: meter)
            meter.fail(with: .tooManyOpenFiles)
            let telemetry = collector.telemetry()
            #expect(telemetry.resources == nil && telemetry.failedMeasurementCount == 1)
            #expect(collector.telemetry().failedMeasurementCount == 2)
        }
    }

    @Test func `records are lines of JSON with stable keys`() {
        simulate { pump in
            let collector = try makeCollector(pump, meter: SimulatedResourceMeter(usage(cpu: .seconds(1)))) {
                $0.componentName = "here"
            }
            try collector.register(ScriptedSource("a") { await untilCancelled($0) }, on: pump)
            _ = try collector.subscribe(
                SubscriptionOptions(name: "s", filter: .everything, queueLimit: 1, overflowPolicy: .block))
            var bytes: [UInt8] = []
            collector.telemetry().appendJSON(to: &bytes)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(
                text.hasPrefix(
                    #"{"record":"telemetry","schema":1,"kind":"collector.telemetry","component":"here","uptime_ns":0,"#
                        + #""cpu_user_ns":1000000000,"cpu_system_ns":1000000000,"resident_bytes":12582912,"#
                        + #""open_descriptors":17,"threads":4,"sources":[{"source":"a","state":"registered","#
                        + #""restarts":0,"queued":0,"emitted":0,"dropped":0}],"subscribers":[{"subscriber":"s","#
                        + #""queued":0,"queued_bytes":0,"peak_queued":0,"delivered":0,"dropped":0,"latency_ns":"#
                        + #"{"count":0,"p50":0,"p90":0,"p99":0,"max":0},"batch_events":"#))
            bytes = []
            await collector.healthReport().appendJSON(to: &bytes)
            #expect(
                String(decoding: bytes, as: UTF8.self).hasPrefix(
                    #"{"record":"status","schema":1,"kind":"collector.health","component":"here","health":"healthy","#
                        + #""sources":[{"source":"a","state":"registered","health":"healthy","since_ns":0,"#
                        + #""restarts":0}],"time":""#))
        }
    }

    @Test func `a status tells the run, the delay and what the source is able to do`() {
        simulate { pump in
            let collector = try makeCollector(pump, meter: SimulatedResourceMeter(usage(cpu: .zero)))
            try collector.register(
                ScriptedSource("a", capabilities: [.process, .realtime]) { _ in throw Breakdown() }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            stop(collector, after: .milliseconds(10), on: pump)
            _ = try await collector.run()
            await received.taker.value
            let status = received.value.value.statuses.first { $0.state == .restarting }
            var bytes: [UInt8] = []
            status?.appendJSON(to: &bytes)
            #expect(
                String(decoding: bytes, as: UTF8.self).hasPrefix(
                    #"{"record":"status","schema":1,"kind":"collector.source","source":"a","state":"restarting","#
                        + #""reason":"it broke","attempt":1,"retry_in_ns":1000000000,"#
                        + #""capabilities":["process","realtime"],"time":""#))
            bytes = []
            received.value.value.capabilities.first.map {
                CollectorRecord.capabilities($0).appendJSON(to: &bytes)
            }
            #expect(
                String(decoding: bytes, as: UTF8.self).hasPrefix(
                    #"{"record":"status","schema":1,"kind":"collector.capabilities","component":"collector-core","#
                        + #""capabilities":["process","realtime"],"sources":["a"],"time":""#))
        }
    }

    @Test func `decisions are logged only when asked for`() {
        for isEnabled in [false, true] {
            simulate { pump in
                var configuration = CollectorConfiguration()
                configuration.enableDebugLogging = isEnabled
                let lines = Shared<[String]>([])
                let collector = try Collector(configuration: configuration, run: sampleRun, thread: pump) {
                    line in
                    lines.change { $0.append(line) }
                }
                try collector.register(
                    ScriptedSource("a") { context in
                        context.ready(); await untilCancelled(context)
                    }, on: pump)
                stop(collector, after: .seconds(61), on: pump)
                _ = try await collector.run()
                #expect(lines.value.isEmpty != isEnabled)
                #expect(lines.value.contains("source a: ready, run 1") == isEnabled)
                #expect(lines.value.contains { $0.hasPrefix("health: ") } == isEnabled)
            }
        }
    }
}

@Suite struct QueueByteTests {
    private func makeLargeBatch(_ range: ClosedRange<UInt64>) -> EventBatch {
        var events: ContiguousArray<Event> = []
        for sequence in range {
            var event = makeEvent(Int(sequence))
            event.sequence = sequence
            if case .process(var process) = event.subject {
                process.commandLine = [String(repeating: "x", count: 1 << 20)]
                event.subject = .process(process)
            }
            events.append(event)
        }
        return EventBatch(run: sampleRun, source: "test", events: events)
    }

    private func options(_ policy: OverflowPolicy) -> SubscriptionOptions {
        var options = SubscriptionOptions(
            name: "sink", filter: .everything, queueLimit: 1_000, overflowPolicy: policy)
        options.queueByteLimit = 4 << 20
        return options
    }

    @Test func `long command lines fill a queue by their bytes, and the drops say so`() {
        simulate { pump in
            let oldest = Subscription(options: options(.dropOldest), clock: pump.clock)
            let newest = Subscription(options: options(.dropNewest), clock: pump.clock)
            for number in UInt64(1)...10 {
                #expect(oldest.offerNow(makeLargeBatch(number...number)))
                #expect(newest.offerNow(makeLargeBatch(number...number)))
            }
            #expect(oldest.account.dropped["queue-bytes/oldest"] == 7)
            #expect(newest.account.dropped["queue-bytes/newest"] == 7)
            #expect(oldest.telemetry.queuedByteCount <= 4 << 20 && oldest.telemetry.queuedCount == 3)
            let received = Shared(Received())
            oldest.close()
            await oldest.takeAll(into: received)
            #expect(received.value.sequences == [8, 9, 10] && received.value.gaps.map(\.lost) == [7])
            #expect(oldest.telemetry.queuedByteCount == 0 && oldest.account.isBalanced)
        }
    }

    @Test func `a batch larger than all the bytes is let in alone`() {
        simulate { pump in
            let queue = Subscription(options: options(.dropNewest), clock: pump.clock)
            #expect(queue.offerNow(makeLargeBatch(1...8)))
            #expect(queue.account.dropped.total == 0)
        }
    }

    @Test func `a blocking queue makes its publisher wait for bytes`() {
        simulate { pump in
            let queue = Subscription(options: options(.block), clock: pump.clock)
            for number in UInt64(1)...3 { #expect(queue.offerNow(makeLargeBatch(number...number))) }
            #expect(!queue.offerNow(makeLargeBatch(4...4)))
            _ = await queue.next()
            #expect(queue.offerNow(makeLargeBatch(4...4)))
        }
    }

    @Test func `records that nobody takes are bounded, and the oldest are dropped and counted`() {
        simulate { pump in
            let queue = Subscription(options: options(.dropOldest), clock: pump.clock)
            for number in 0..<CollectorLimits.pendingRecordCount + 5 {
                queue.offer(
                    .record(
                        .capabilities(
                            CapabilityReport(
                                component: "here", capabilities: .process, sources: [],
                                time: WallTime(nanoseconds: 0),
                                monotonic: Instant(nanoseconds: Int64(number))))))
            }
            queue.close()
            let received = Shared(Received())
            await queue.takeAll(into: received)
            #expect(received.value.capabilities.count == CollectorLimits.pendingRecordCount)
            #expect(received.value.capabilities.first?.monotonic == Instant(nanoseconds: 5))
            #expect(queue.telemetry.droppedRecordCount == 5)
        }
    }
}
