import CollectorCore
import EventModel
import SimulatedBackends
import Testing

@Suite struct AddRemoveTests {
    @Test func `a source that is added while running starts at once, and capabilities follow`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            try collector.register(
                ScriptedSource("a") { context in
                    context.ready(); await untilCancelled(context)
                }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            let runner = spawn(on: pump) { _ = try? await collector.run() }
            await pump.sleep(for: .seconds(1))
            try await collector.add(
                ScriptedSource("b", capabilities: [.network]) { context in
                    context.ready()
                    await context.emitter.emit(makeEvent())
                    await untilCancelled(context)
                }, on: pump)
            await pump.sleep(for: .seconds(1))
            #expect(collector.capabilities == [.process, .network])
            let account = try await collector.remove("b")
            #expect(account.emitted == 1 && account.isBalanced)
            #expect(collector.capabilities == .process)
            collector.requestStop()
            await runner.value
            await received.taker.value
            let value = received.value.value
            #expect(value.sequences == [1])
            #expect(value.states(of: "b") == [.starting, .ready, .stopped])
            #expect(value.capabilities.map(\.sources) == [["a"], ["a", "b"], ["a"]])
            #expect(value.capabilities.map(\.capabilities) == [.process, [.process, .network], .process])
        }
    }

    @Test func `the account of a removed source is part of every later report, added up by name`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            try collector.register(ScriptedSource("stay") { await untilCancelled($0) }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            let report = Shared<CollectorReport?>(nil)
            let runner = spawn(on: pump) {
                let made = try? await collector.run()
                report.change { $0 = made }
            }
            for _ in 0..<3 {
                try await collector.add(
                    ScriptedSource("guest") { context in
                        context.ready()
                        for number in 1...7 { await context.emitter.emit(makeEvent(number)) }
                        await untilCancelled(context)
                    }, on: pump)
                await pump.sleep(for: .seconds(1))
                try await collector.remove("guest")
            }
            let accounts = await collector.closeAccounts()
            #expect(accounts.sources.map(\.source) == ["guest", "stay"])
            #expect(accounts.sources.first?.emitted == 21)
            collector.requestStop()
            await runner.value
            await received.taker.value
            #expect(report.value?.accounts.sources.map(\.emitted) == [21, 0])
            #expect(report.value?.accounts.streams.map(\.delivered) == [21])
        }
    }

    @Test func `however many names come and go, the kept accounts are bounded and the rest is counted`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            let runner = spawn(on: pump) { _ = try? await collector.run() }
            await pump.sleep(for: .milliseconds(1))
            for number in 0..<CollectorLimits.retiredSourceCount + 10 {
                let name = try #require(SourceName("guest-\(number)"))
                try await collector.add(ScriptedSource(name) { await untilCancelled($0) }, on: pump)
                try await collector.remove(name)
            }
            #expect(await collector.closeAccounts().sources.count == CollectorLimits.retiredSourceCount)
            #expect(collector.telemetry().forgottenAccountCount == 10)
            collector.requestStop()
            await runner.value
        }
    }

    @Test func `the name of a source that has ended can be used again`() {
        simulate { pump in
            let collector = try makeCollector(pump) { $0.maxEventSources = 2 }
            try collector.register(ScriptedSource("other") { await untilCancelled($0) }, on: pump)
            try collector.register(
                ScriptedSource("job") { context in await context.emitter.emit(makeEvent()) }, on: pump)
            let received = try subscribe(to: collector, on: pump)
            let runner = spawn(on: pump) { _ = try? await collector.run() }
            await pump.sleep(for: .seconds(1))
            try await collector.add(
                ScriptedSource("job") { context in
                    await context.emitter.emit(makeEvent())
                    await untilCancelled(context)
                }, on: pump)
            let again = await #expect(throws: CollectorError.self) {
                try await collector.add(ScriptedSource("job") { _ in }, on: pump)
            }
            #expect(again?.code == .duplicateName)
            let many = await #expect(throws: CollectorError.self) {
                try await collector.add(ScriptedSource("third") { _ in }, on: pump)
            }
            #expect(many?.code == .tooManySources)
            await pump.sleep(for: .seconds(1))
            let accounts = await collector.closeAccounts()
            #expect(accounts.sources.map(\.emitted).reduce(0, +) == 2)
            collector.requestStop()
            await runner.value
            await received.taker.value
        }
    }

    @Test func `what cannot be removed or added is refused with its reason`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            let runner = spawn(on: pump) { _ = try? await collector.run() }
            await pump.sleep(for: .milliseconds(1))
            let unknown = await #expect(throws: CollectorError.self) { try await collector.remove("nobody") }
            #expect(unknown?.code == .unknownSource)
            collector.requestStop()
            await runner.value
            let late = await #expect(throws: CollectorError.self) {
                try await collector.add(ScriptedSource { _ in }, on: pump)
            }
            #expect(late?.code == .stopping)
            let removed = await #expect(throws: CollectorError.self) { try await collector.remove("nobody") }
            #expect(removed?.code == .stopping)
        }
    }

    @Test func `a source that was never started can be removed`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            try collector.register(ScriptedSource { _ in }, on: pump)
            try await collector.remove("test")
            #expect(pump.now == Instant(nanoseconds: 0))
            #expect(collector.capabilities.isEmpty)
        }
    }

    @Test func `a source that ignores its removal is abandoned, and its name is free`() {
        simulate { pump in
            let collector = try makeCollector(pump)
            let deaf = ScriptedSource("deaf") { context in
                context.ready()
                await pump.sleep(for: .seconds(1_000))
            }
            try collector.register(deaf, on: pump)
            let runner = spawn(on: pump) {
                let report = try? await collector.run()
                #expect(report?.abandoned == ["deaf"])
            }
            await pump.sleep(for: .seconds(1))
            try await collector.remove("deaf")
            #expect(pump.now == Instant(nanoseconds: 16_000_000_000))
            try await collector.add(ScriptedSource("deaf") { await untilCancelled($0) }, on: pump)
            collector.requestStop()
            await runner.value
            await pump.sleep(for: .seconds(1_000))
        }
    }

    @Test func `sources may come and go while the collector stops`() {
        for seed in 1...UInt64(200) {
            simulate(seed: seed) { pump in
                let collector = try makeCollector(pump)
                try collector.register(
                    ScriptedSource("a") { context in
                        context.ready()
                        while !Task.isCancelled {
                            await context.emitter.emit(makeEvent())
                            await pump.sleep(for: .milliseconds(1))
                        }
                    }, on: pump)
                let received = try subscribe(to: collector, on: pump)
                let churn = spawn(on: pump) {
                    for _ in 0..<20 {
                        // Refused once the collector stops.
                        try? await collector.add(
                            ScriptedSource("b") { context in
                                context.ready()
                                await context.emitter.emit(makeEvent())
                                await untilCancelled(context)
                            }, on: pump)
                        await pump.sleep(for: .microseconds(300))
                        _ = try? await collector.remove("b")
                    }
                }
                stop(collector, after: .microseconds(Int64(seed * 17)), on: pump)
                let report = try await collector.run()
                await churn.value
                await received.taker.value
                let emitted = report.accounts.sources.reduce(0) { $0 + $1.emitted }
                #expect(report.accounts.streams.map(\.delivered) == [emitted], "seed \(seed)")
                #expect(report.isWithinTimeout && Set(report.accounts.sources.map(\.source)).count <= 2)
            }
        }
    }
}
