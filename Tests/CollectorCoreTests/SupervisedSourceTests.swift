import CollectorCore
import EventModel
import SimulatedBackends
import Testing

struct Breakdown: Error, CustomStringConvertible { var description: String { "it broke" } }

struct Refusal: SourceError, CustomStringConvertible {
    var mayPass: Bool { false }
    var description: String { "not permitted" }
}

/// Supervision through the whole runtime, in virtual time and many interleavings.
@Suite struct SupervisedSourceTests {
    @Test func `a source that throws runs again, its numbers go on, and a gap stands between`() {
        for seed in 1...UInt64(50) {
            simulate(seed: seed) { pump in
                let collector = try makeCollector(pump)
                try collector.register(
                    ScriptedSource(restart: .always) { context in
                        context.ready()
                        await context.emitter.emit(makeEvent(context.attempt))
                        if context.attempt < 3 { throw Breakdown() }
                        await untilCancelled(context)
                    }, on: pump)
                let received = try subscribe(to: collector, on: pump)
                stop(collector, after: .seconds(60), on: pump)
                let report = try await collector.run()
                await received.taker.value
                let value = received.value.value
                #expect(value.sequences == [1, 2, 3], "seed \(seed)")
                #expect(value.gaps.map(\.cause) == [.notRunning, .notRunning])
                #expect(value.gaps.allSatisfy { $0.lost == nil && $0.lostBounds.atMost == nil })
                #expect(value.gaps.map { $0.from.duration(to: $0.until) } == [.seconds(1), .seconds(2)])
                #expect(
                    value.states(of: "test") == [
                        .starting, .ready, .restarting, .starting, .ready, .restarting, .starting, .ready,
                        .stopped,
                    ])
                #expect(value.statuses.filter { $0.state == .starting }.map(\.attempt) == [1, 2, 3])
                #expect(report.failures.isEmpty && report.isWithinTimeout)
                #expect(report.accounts.sources.allSatisfy { $0.isBalanced })
                #expect(report.accounts.sources.map(\.emitted) == [3])
            }
        }
    }

    @Test func `a source that says what is missing itself is not spoken for`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            var source = ScriptedSource { context in
                context.ready()
                if let interruption = context.interruption {
                    context.emitter.report(makeGap(5, from: interruption.since.nanoseconds))
                    await untilCancelled(context)
                }
                await pump.sleep(for: .seconds(9))
                throw Breakdown()
            }
            source.descriptor.restartGap = .bySource
            try collector.register(source, on: pump)
            let received = try subscribe(to: collector, on: pump)
            stop(collector, after: .seconds(60), on: pump)
            _ = try await collector.run()
            await received.taker.value
            #expect(received.value.value.gaps.map(\.lost) == [5])
            #expect(received.value.value.gaps.first?.from == Instant(nanoseconds: 9_000_000_000))
        }
    }

    @Test func `a source that cannot work is given up, and the run ends when it was the last`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            try collector.register(ScriptedSource("bad") { _ in throw Breakdown() }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            let report = try await collector.run()
            #expect(pump.now == Instant(nanoseconds: 31_000_000_000), "1 + 2 + 4 + 8 + 16 seconds")
            #expect(report.failures.map(\.source) == ["bad"])
            #expect(report.failures.first?.reason.hasPrefix("it broke; gave up after 5 restarts") == true)
            await received.taker.value
            let states = received.value.value.states(of: "bad")
            #expect(states.count { $0 == .starting } == 6 && states.last == .failed)
            #expect(collector.capabilities.isEmpty)
        }
    }

    @Test func `an error that does not pass ends the source at once`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            try collector.register(ScriptedSource { _ in throw Refusal() }, on: pump)
            let report = try await collector.run()
            #expect(pump.now == Instant(nanoseconds: 0))
            #expect(report.failures.map(\.reason) == ["not permitted"])
        }
    }

    @Test func `an endless reason is cut`() {
        struct Long: Error, CustomStringConvertible {
            var description: String { String(repeating: "ä", count: 100_000) }
        }
        simulate { pump in
            let collector = try makeCollector(pump) { $0.maxRestarts = 0 }
            try collector.register(ScriptedSource { _ in throw Long() }, on: pump)
            let report = try await collector.run()
            let reason = report.failures.first?.reason ?? ""
            #expect(reason.utf8.count <= CollectorLimits.reasonByteCount && reason.hasSuffix("ä…"))
        }
    }

    @Test func `a source that hangs is noticed by its health, cancelled and run again`() {
        for seed in 1...UInt64(20) {
            simulate(seed: seed) { pump in
                let collector = try makeCollector(pump)
                let isStuck = Shared(false)
                var source = ScriptedSource("stuck", restart: .always) { context in
                    isStuck.change { $0 = context.attempt == 1 }
                    context.ready()
                    await untilCancelled(context)
                    isStuck.change { $0 = false }
                }
                source.health = { isStuck.value ? .failed(reason: "no progress") : .healthy }
                try collector.register(source, on: pump)
                let received = try subscribe(to: collector, on: pump)
                stop(collector, after: .seconds(300), on: pump)
                let report = try await collector.run()
                await received.taker.value
                let value = received.value.value
                #expect(
                    value.states(of: "stuck") == [
                        .starting, .ready, .stopping, .restarting, .starting, .ready, .stopped,
                    ], "seed \(seed)")
                #expect(value.statuses[2].reason == "no progress")
                #expect(value.statuses[2].monotonic == Instant(nanoseconds: 120_000_000_000))
                #expect(value.healthReports.first?.health == .failed(reason: "no progress"))
                #expect(value.healthReports.first?.monotonic == Instant(nanoseconds: 60_000_000_000))
                #expect(value.healthReports.last?.health == .healthy)
                #expect(value.healthReports.last?.sources.map(\.restartCount) == [1])
                #expect(report.failures.isEmpty)
            }
        }
    }

    @Test func `a source that ignores cancellation delays neither the others nor the stop`() {
        for seed in 1...UInt64(20) {
            simulate(seed: seed) { pump in
                let collector = try makeCollector(pump)
                try collector.register(
                    ScriptedSource("deaf") { _ in await pump.sleep(for: .seconds(10_000)) }, on: pump)
                try collector.register(
                    ScriptedSource("good") { context in
                        context.ready()
                        for number in 1...100 {
                            await context.emitter.emit(makeEvent(number))
                            await pump.sleep(for: .seconds(1))
                        }
                        await untilCancelled(context)
                    }, on: pump)
                let received = try subscribe(to: collector, on: pump)
                stop(collector, after: .seconds(200), on: pump)
                let report = try await collector.run()
                await received.taker.value
                let value = received.value.value
                #expect(value.sequences == Array(1...100), "seed \(seed)")
                #expect(value.states(of: "deaf") == [.starting, .stopping, .abandoned])
                #expect(report.abandoned == ["deaf"])
                #expect(report.shutdownDuration == .zero)
                await pump.sleep(for: .seconds(10_000))
            }
        }
    }

    @Test func `a run that ends long after it was abandoned makes way for the next`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            try collector.register(
                ScriptedSource("late") { context in
                    if context.attempt == 1 { return await pump.sleep(for: .seconds(100)) }
                    context.ready()
                    await untilCancelled(context)
                }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            stop(collector, after: .seconds(200), on: pump)
            let report = try await collector.run()
            await received.taker.value
            #expect(
                received.value.value.states(of: "late") == [
                    .starting, .stopping, .abandoned, .restarting, .starting, .ready, .stopped,
                ])
            #expect(report.abandoned.isEmpty && report.failures.isEmpty && report.isWithinTimeout)
        }
    }

    @Test func `a start that is held up by a stalled subscriber is not a failure`() {
        simulate { pump in
            let collector = try makeCollector(pump) {
                $0.eventBufferSize = 4; $0.maxBatchSize = 2
            }
            try collector.register(
                ScriptedSource { context in
                    for number in 1...40 { await context.emitter.emit(makeEvent(number)) }
                    context.ready()
                }, on: pump)
            let stalled = try collector.subscribe(
                SubscriptionOptions(
                    name: "stalled", filter: .everything, queueLimit: 2, overflowPolicy: .block))
            let received = Shared(Received())
            let taker = spawn(on: pump) {
                await pump.sleep(for: .seconds(100))
                await stalled.takeAll(into: received)
            }
            let report = try await collector.run()
            await taker.value
            #expect(received.value.states(of: "test") == [.starting, .ready, .stopped])
            #expect(received.value.sequences == Array(1...40))
            #expect(report.failures.isEmpty)
        }
    }

    @Test func `health tells of a source that waits for its next run, and since when`() {
        simulate { pump in
            let collector = try makeCollector(pump) {
                $0.restartDelay = .seconds(30); $0.componentName = "here"
            }
            try collector.register(
                ScriptedSource { context in
                    context.ready()
                    if context.attempt == 1 {
                        await pump.sleep(for: .seconds(5))
                        throw Breakdown()
                    }
                    await untilCancelled(context)
                }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            stop(collector, after: .seconds(50), on: pump)
            let operatorTask = spawn(on: pump) {
                await pump.sleep(for: .seconds(10))
                let report = await collector.healthReport()
                #expect(report.component == "here")
                #expect(report.health == .degraded(reason: "will run again: it broke"))
                #expect(report.sources.map(\.state) == [.restarting])
                #expect(report.sources.map(\.since) == [Instant(nanoseconds: 5_000_000_000)])
            }
            _ = try await collector.run()
            await operatorTask.value
            await received.taker.value
            let changes = received.value.value.healthReports.map(\.health)
            #expect(changes.first == .degraded(reason: "will run again: it broke"))
            #expect(changes.last == .healthy)
        }
    }

    @Test func `a stop ends everything within its time-out, whatever each source is doing`() {
        for seed in 1...UInt64(200) {
            simulate(seed: seed) { pump in
                let collector = try makeCollector(pump) { $0.healthCheckInterval = .seconds(2) }
                for (index, name) in (["a", "b", "c", "d"] as [SourceName]).enumerated() {
                    try collector.register(
                        misbehaving(name, seed: seed &* 31 &+ UInt64(index), on: pump), on: pump)
                }
                let received = try subscribe(to: collector, on: pump)
                stop(collector, after: .milliseconds(Int64(seed * 523 % 60_000)), on: pump)
                let report = try await collector.run()
                #expect(report.shutdownDuration <= .seconds(30), "seed \(seed)")
                await received.taker.value
                let stream = report.accounts.streams[0]
                #expect(stream.isBalanced && stream.inFlight == 0, "seed \(seed)")
                #expect(report.accounts.sources.allSatisfy { $0.isBalanced }, "seed \(seed)")
                let emitted = report.accounts.sources.reduce(0) { $0 + $1.emitted }
                #expect(stream.emitted == emitted, "seed \(seed)")
                await pump.sleep(for: .seconds(1_000))
            }
        }
    }
}

/// A source that does something else wrong in each of its runs.
private func misbehaving(_ name: SourceName, seed: UInt64, on pump: Pump) -> ScriptedSource {
    let random = Shared(SplitMix64(seed))
    @Sendable func draw(_ bound: UInt64) -> UInt64 {
        var word: UInt64 = 0
        random.change { word = $0.next() % bound }
        return word
    }
    var source = ScriptedSource(name, restart: .always) { context in
        let emitter = context.emitter
        switch draw(7) {
        case 0: throw Breakdown()
        case 1:
            context.ready()
            await emitter.emit(makeEvent())
            return
        case 2: await untilCancelled(context)
        case 3: await pump.sleep(for: .seconds(Int64(draw(100))))
        case 4:
            context.ready()
            await pump.sleep(for: .seconds(Int64(draw(100))))
            await emitter.emit(makeEvent())
            throw Breakdown()
        case 5:
            context.ready()
            await untilCancelled(context)
            for _ in 0..<50 { await emitter.emit(makeEvent()) }
            throw Breakdown()
        default:
            context.ready()
            while !Task.isCancelled {
                await emitter.emit(makeEvent())
                await pump.sleep(for: .milliseconds(100))
            }
        }
    }
    source.health = {
        switch draw(4) {
        case 0: return .failed(reason: "moody")
        case 1:
            await pump.sleep(for: .seconds(Int64(draw(20))))
            return .healthy
        default: return .healthy
        }
    }
    return source
}

func stop(_ collector: Collector, after duration: Duration, on pump: Pump) {
    _ = pump.clock.schedule(at: pump.now.advanced(by: duration)) { collector.requestStop() }
}
