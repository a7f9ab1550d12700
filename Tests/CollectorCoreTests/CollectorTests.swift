import CollectorCore
import EventModel
import SimulatedBackends
import Testing

@Suite struct CollectorTests {
    @Test func `a source lives for hours past its start-up time-out once it was ready`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            let source = ScriptedSource { context in
                context.ready()
                for number in 1...100 {
                    await pump.sleep(for: .seconds(60))
                    await context.emitter.emit(makeEvent(number))
                }
            }
            try collector.register(source, on: pump)
            let received = try subscribe(to: collector, on: pump)
            let report = try await collector.run()
            #expect(pump.now.nanoseconds >= 6_000_000_000_000)
            #expect(report.failures.isEmpty)
            await received.taker.value
            #expect(received.value.value.sequences == Array(1...100))
            #expect(received.value.value.statuses.map(\.state) == [.starting, .ready, .stopped])
        }
    }

    @Test func `a source that never becomes ready is failed and cancelled`() {
        simulate { pump in
            let collector = try makeCollector(pump) { $0.maxRestarts = 0 }
            try collector.register(ScriptedSource("slow") { await untilCancelled($0) }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            let report = try await collector.run()
            #expect(pump.now == Instant(nanoseconds: 10_000_000_000))
            #expect(report.failures.map(\.source) == ["slow"])
            #expect(report.failures.first?.reason.contains("ready") == true)
            await received.taker.value
            #expect(received.value.value.statuses.map(\.state) == [.starting, .stopping, .failed])
        }
    }

    @Test func `subscribers hear at once that a source was not ready in time, even if it hangs`() {
        simulate { pump in
            let collector = try makeCollector(pump) { $0.maxRestarts = 0 }
            try collector.register(ScriptedSource { _ in await pump.sleep(for: .seconds(100)) }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            let operatorTask = spawn(on: pump) {
                await pump.sleep(for: .seconds(11))
                #expect(received.value.value.statuses.map(\.state) == [.starting, .stopping])
                if case .failed = await collector.health() {} else { Issue.record("health does not tell") }
            }
            _ = try await collector.run()
            await operatorTask.value
            await received.taker.value
            #expect(
                received.value.value.statuses.map(\.state) == [.starting, .stopping, .abandoned, .failed])
        }
    }

    @Test func `a source that throws is reported and the others live on`() {
        struct Refusal: Error, CustomStringConvertible { var description: String { "no such device" } }
        simulate { pump in
            let collector = try makeCollector(pump) { $0.maxRestarts = 0 }
            try collector.register(ScriptedSource("bad") { _ in throw Refusal() }, on: pump)
            try collector.register(
                ScriptedSource("good") { context in
                    context.ready()
                    await pump.sleep(for: .seconds(60))
                    await context.emitter.emit(makeEvent())
                }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            let report = try await collector.run()
            #expect(report.failures.map(\.source) == ["bad"])
            #expect(report.failures.first?.reason == "no such device")
            await received.taker.value
            #expect(received.value.value.sequences.count == 1)
            let bad = received.value.value.statuses.filter { $0.source == "bad" }
            #expect(bad.map(\.state) == [.starting, .failed])
            #expect(bad.last?.reason == "no such device")
        }
    }

    @Test func `a second run is refused`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            collector.requestStop()
            _ = try await collector.run()
            let error = await #expect(throws: CollectorError.self) { try await collector.run() }
            #expect(error?.code == .alreadyRun)
        }
    }

    @Test func `what cannot be registered is refused with its reason`() {
        simulate { pump in
            let collector = try makeCollector(pump) { $0.maxEventSources = 2 }
            let source = ScriptedSource("a") { await untilCancelled($0) }
            try collector.register(source, on: pump)
            #expect(throws: CollectorError.self) { try collector.register(source, on: pump) }
            try collector.register(ScriptedSource("b") { await untilCancelled($0) }, on: pump)
            let many = #expect(throws: CollectorError.self) {
                try collector.register(ScriptedSource("c") { await untilCancelled($0) }, on: pump)
            }
            #expect(many?.code == .tooManySources)
            #expect(many?.message.contains("max_event_sources") == true)
            collector.requestStop()
            _ = try await collector.run()
            let late = #expect(throws: CollectorError.self) { try collector.register(source, on: pump) }
            #expect(late?.code == .alreadyRun)
        }
    }

    @Test func `capabilities are the union of the sources'`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            #expect(collector.capabilities.isEmpty)
            try collector.register(
                ScriptedSource("a", capabilities: [.process, .realtime]) { _ in }, on: pump)
            try collector.register(ScriptedSource("b", capabilities: [.network]) { _ in }, on: pump)
            #expect(collector.capabilities == [.process, .realtime, .network])
        }
    }

    @Test func `health is that of the worst source`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            var source = ScriptedSource("a") { _ in }
            try collector.register(source, on: pump)
            #expect(await collector.health() == .healthy)
            source = ScriptedSource("b") { _ in }
            source.health = { .failed(reason: "no socket") }
            try collector.register(source, on: pump)
            source = ScriptedSource("c") { _ in }
            source.health = { .degraded(reason: "slow") }
            try collector.register(source, on: pump)
            #expect(await collector.health() == .failed(reason: "no socket"))
        }
    }

    @Test func `a source that does not answer for its health is failed, and nobody waits for ever`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            var source = ScriptedSource("mute") { _ in }
            source.health = {
                await pump.sleep(for: .seconds(86_400))
                return .healthy
            }
            try collector.register(source, on: pump)
            guard case .failed(let reason) = await collector.health() else {
                Issue.record("a mute source is not healthy")
                return
            }
            #expect(reason.contains("mute"))
            #expect(pump.now.nanoseconds <= 10_000_000_000)
            await pump.sleep(for: .seconds(86_400))
        }
    }

    @Test func `accounts can be asked for while running`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            let source = ScriptedSource { context in
                context.ready()
                for number in 1...7 { await context.emitter.emit(makeEvent(number)) }
                context.emitter.flush()
                await untilCancelled(context)
            }
            try collector.register(source, on: pump)
            let received = try subscribe(to: collector, on: pump)
            let runner = spawn(on: pump) { _ = try? await collector.run() }
            await pump.sleep(for: .seconds(1))
            let accounts = await collector.closeAccounts()
            #expect(accounts.sources.map(\.emitted) == [7])
            #expect(accounts.sources.allSatisfy { $0.isBalanced && $0.lost == nil })
            #expect(accounts.streams.map(\.delivered) == [7])
            collector.requestStop()
            await runner.value
            await received.taker.value
        }
    }
}

@Suite struct ShutdownTests {
    @Test func `sources stop first, what they emit last is delivered, then the stream ends`() {
        for seed in 1...UInt64(100) {
            simulate(seed: seed) { pump in
                let collector = try makeCollector(pump)
                for name in ["a", "b"] as [SourceName] {
                    try collector.register(
                        ScriptedSource(name) { context in
                            context.ready()
                            await untilCancelled(context)
                            for number in 1...5 { await context.emitter.emit(makeEvent(number)) }
                        }, on: pump)
                }
                let received = try subscribe(to: collector, on: pump)
                let stopper = spawn(on: pump) {
                    await pump.sleep(for: .seconds(5))
                    collector.requestStop()
                }
                let report = try await collector.run()
                await stopper.value
                await received.taker.value
                #expect(received.value.value.sequences.count == 10, "seed \(seed)")
                #expect(report.isWithinTimeout)
                #expect(report.abandoned.isEmpty)
                #expect(report.accounts.sources.map(\.emitted) == [5, 5])
                let stream = report.accounts.streams[0]
                #expect(stream.inFlight == 0 && stream.delivered == 10 && stream.isBalanced, "seed \(seed)")
                #expect(received.value.value.statuses.suffix(2).allSatisfy { $0.state == .stopped })
            }
        }
    }

    @Test func `a stop before the run ends it at once`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            try collector.register(ScriptedSource { await untilCancelled($0) }, on: pump)
            collector.requestStop()
            let report = try await collector.run()
            #expect(report.isWithinTimeout)
            #expect(pump.now == Instant(nanoseconds: 0))
        }
    }

    @Test func `a source that ignores cancellation is abandoned within the time-out`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            try collector.register(
                ScriptedSource("deaf") { context in
                    context.ready()
                    await context.emitter.emit(makeEvent())
                    await pump.sleep(for: .seconds(1_000))
                    await context.emitter.emit(makeEvent())
                }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            let stopper = spawn(on: pump) {
                await pump.sleep(for: .seconds(1))
                collector.requestStop()
            }
            let report = try await collector.run()
            await stopper.value
            #expect(report.abandoned == ["deaf"])
            #expect(!report.isWithinTimeout)
            #expect(report.shutdownDuration <= .seconds(30))
            await received.taker.value
            #expect(received.value.value.sequences == [1])
            #expect(received.value.value.statuses.map(\.state) == [.starting, .ready, .abandoned])
            // Its thread was left behind: what it does later harms nobody.
            await pump.sleep(for: .seconds(1_000))
        }
    }

    @Test func `a source that does not answer for its account delays no shutdown`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            var source = ScriptedSource("mute") { context in
                context.ready()
                for number in 1...3 { await context.emitter.emit(makeEvent(number)) }
                await untilCancelled(context)
            }
            source.account = {
                await pump.sleep(for: .seconds(86_400))
                return nil
            }
            try collector.register(source, on: pump)
            let received = try subscribe(to: collector, on: pump)
            let stopper = spawn(on: pump) {
                await pump.sleep(for: .seconds(1))
                collector.requestStop()
            }
            let report = try await collector.run()
            await stopper.value
            #expect(report.shutdownDuration <= .seconds(30))
            #expect(report.accounts.sources.map(\.emitted) == [3], "what the buffer has counted stands in")
            await received.taker.value
            await pump.sleep(for: .seconds(86_400))
        }
    }

    @Test func `a subscriber that never takes does not hang the shutdown, and the report says so`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            try collector.register(
                ScriptedSource { context in
                    context.ready()
                    for number in 1...3 { await context.emitter.emit(makeEvent(number)) }
                }, on: pump)
            _ = try collector.subscribe(
                SubscriptionOptions(
                    name: "stalled", filter: .everything, queueLimit: 10, overflowPolicy: .dropOldest))
            let report = try await collector.run()
            #expect(report.shutdownDuration <= .seconds(30))
            #expect(!report.isWithinTimeout)
            #expect(report.accounts.streams.map(\.inFlight) == [3])
            #expect(report.accounts.streams.allSatisfy { $0.isBalanced })
        }
    }

    @Test func `a blocking subscriber that stalls does not hang the shutdown`() {
        for seed in 1...UInt64(30) {
            simulate(seed: seed) { pump in
                let collector = try makeCollector(pump) { $0.eventBufferSize = 4 }
                for name in ["a", "b"] as [SourceName] {
                    try collector.register(
                        ScriptedSource(name) { context in
                            context.ready()
                            while !Task.isCancelled { await context.emitter.emit(makeEvent()) }
                        }, on: pump)
                }
                let stalled = try collector.subscribe(
                    SubscriptionOptions(
                        name: "stalled", filter: .everything, queueLimit: 2, overflowPolicy: .block))
                let stopper = spawn(on: pump) {
                    await pump.sleep(for: .seconds(100))
                    collector.requestStop()
                }
                let report = try await collector.run()
                await stopper.value
                #expect(report.shutdownDuration <= .seconds(30), "seed \(seed)")
                #expect(!report.isWithinTimeout)
                #expect(stalled.account.isBalanced)
            }
        }
    }
}

func makeCollector(_ pump: Pump, _ change: (inout CollectorConfiguration) -> Void = { _ in }) throws
    -> Collector
{
    var configuration = CollectorConfiguration()
    change(&configuration)
    return try Collector(configuration: configuration, run: sampleRun, thread: pump)
}

/// A subscriber that takes everything at once.
func subscribe(to collector: Collector, on pump: Pump) throws -> (
    value: Shared<Received>, taker: Task<Void, Never>
) {
    let subscription = try collector.subscribe(
        SubscriptionOptions(name: "sink", filter: .everything, queueLimit: 100, overflowPolicy: .block))
    let received = Shared(Received())
    return (received, spawn(on: pump) { await subscription.takeAll(into: received) })
}
