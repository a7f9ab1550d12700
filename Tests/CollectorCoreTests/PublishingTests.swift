import CollectorCore
import EventModel
import SimulatedBackends
import Testing

/// How batches get from a source's buffer to the subscribers, directly or by way of the pump.
@Suite struct PublishingTests {
    private func makeBuffer(
        _ pump: Pump, _ bus: EventBus, size: Int = 1_000, batch: Int = 10, policy: OverflowPolicy = .block
    ) -> SourceBuffer {
        var configuration = CollectorConfiguration()
        configuration.eventBufferSize = size
        configuration.maxBatchSize = batch
        return SourceBuffer(
            source: "test", run: sampleRun, configuration: configuration, policy: policy, clock: pump.clock,
            bus: bus)
    }

    private func subscribe(
        _ bus: EventBus, _ name: String, queueLimit: Int, policy: OverflowPolicy = .block
    ) throws -> Subscription {
        let options = SubscriptionOptions(
            name: name, filter: .everything, queueLimit: queueLimit, overflowPolicy: policy)
        return try bus.subscribe(options)
    }

    @Test func `a full batch is in the subscriber's queue before emission returns`() {
        simulate { pump in
            let bus = EventBus(subscriberLimit: 2, clock: pump.clock)
            let subscription = try subscribe(bus, "one", queueLimit: 1_000)
            let buffer = makeBuffer(pump, bus)
            var events = ContiguousArray((1...10).map { makeEvent($0) })
            await buffer.emit(&events)
            #expect(subscription.account.offered == 10)
            #expect(buffer.queuedCount == 0)
        }
    }

    @Test func `full batches in quick succession wake a subscriber once, the time-out wakes it for the rest`()
    {
        simulate { pump in
            let bus = EventBus(subscriberLimit: 2, clock: pump.clock)
            let subscription = try subscribe(bus, "one", queueLimit: 8_192)
            let buffer = makeBuffer(pump, bus)
            let overdue = spawn(on: pump) { await buffer.flushOverdue() }
            let arrivals = Shared<[(Instant, Int)]>([])
            let consumer = spawn(on: pump) {
                while let item = await subscription.next() {
                    guard case .events(let selected) = item else { continue }
                    arrivals.change { $0.append((pump.now, selected.count)) }
                }
            }
            await pump.sleep(for: .seconds(1))
            let begin = pump.now
            for _ in 1...10 {
                var events = ContiguousArray((1...10).map { makeEvent($0) })
                await buffer.emit(&events)
                await pump.sleep(for: .microseconds(10))
            }
            await pump.sleep(for: .seconds(1))
            buffer.finish()
            bus.close()
            await consumer.value
            await overdue.value
            let delays = arrivals.value.map { begin.duration(to: $0.0) }
            #expect(arrivals.value.reduce(0) { $0 + $1.1 } == 100)
            #expect(delays.first == .zero, "the first batch after a pause is handed out at once")
            #expect(delays.dropFirst().allSatisfy { $0 == .milliseconds(100) }, "\(delays)")
        }
    }

    @Test func `a flush wakes the subscriber for what was queued without a wake-up`() {
        simulate { pump in
            let bus = EventBus(subscriberLimit: 2, clock: pump.clock)
            let subscription = try subscribe(bus, "one", queueLimit: 8_192)
            let buffer = makeBuffer(pump, bus)
            let received = Shared(0)
            let consumer = spawn(on: pump) {
                while let item = await subscription.next() {
                    if case .events(let selected) = item { received.change { $0 += selected.count } }
                }
            }
            for _ in 1...5 {
                var events = ContiguousArray((1...10).map { makeEvent($0) })
                await buffer.emit(&events)
            }
            buffer.flush()
            await pump.sleep(for: .microseconds(1))
            #expect(received.value == 50)
            buffer.finish()
            bus.close()
            await consumer.value
        }
    }

    @Test(arguments: OverflowPolicy.allCases)
    func `whatever the schedule and whoever stalls, every stream is in order and every account balances`(
        policy: OverflowPolicy
    ) {
        for seed in 1...UInt64(80) {
            simulate(seed: seed) { pump in
                var generator = SeededGenerator(seed: seed, stream: .world)
                let bus = EventBus(subscriberLimit: 3, clock: pump.clock)
                let (size, batch) = (Int(generator.draw(1...30)), Int(generator.draw(1...8)))
                let buffer = makeBuffer(pump, bus, size: size, batch: batch, policy: policy)
                let stalled = try subscribe(bus, "stalled", queueLimit: Int(generator.draw(1...20)))
                let eager = try subscribe(bus, "eager", queueLimit: 1_000)
                let dropping = try subscribe(bus, "dropping", queueLimit: 5, policy: .dropOldest)
                let pauses = [generator.draw(0...900), 0, generator.draw(0...300)]
                let received = Shared([Received(), Received(), Received()])
                let consumers = [stalled, eager, dropping].enumerated().map { index, subscription in
                    spawn(on: pump) {
                        while let item = await subscription.next() {
                            received.change { $0[index].take(item) }
                            if pauses[index] > 0 { await pump.sleep(for: .milliseconds(pauses[index])) }
                        }
                    }
                }
                let mover = spawn(on: pump) {
                    while let backlog = await buffer.next() { await bus.publish(backlog) }
                }
                let overdue = spawn(on: pump) { await buffer.flushOverdue() }
                var total: UInt64 = 0
                for _ in 0..<40 {
                    let count = Int(generator.draw(0...9))
                    var events = ContiguousArray((0..<count).map { makeEvent($0) })
                    await buffer.emit(&events)
                    total += UInt64(count)
                    if generator.draw(0...3) == 0 { buffer.report(makeGap(1)) }
                    await pump.sleep(for: .milliseconds(generator.draw(0...150)))
                }
                buffer.finish()
                await mover.value
                await overdue.value
                bus.close()
                for consumer in consumers { await consumer.value }
                let counts = buffer.counts
                #expect(counts.emitted + counts.dropped.total == total, "seed \(seed)")
                for subscription in [stalled, eager, dropping] {
                    let account = subscription.account
                    #expect(account.isBalanced, "seed \(seed): \(account)")
                    #expect(account.offered == counts.emitted, "seed \(seed): \(subscription.options.name)")
                }
                for (index, stream) in received.value.enumerated() {
                    #expect(stream.sequences == stream.sequences.sorted(), "seed \(seed), stream \(index)")
                    if index < 2 {
                        #expect(
                            UInt64(stream.sequences.count) == counts.emitted, "seed \(seed), stream \(index)")
                    }
                }
            }
        }
    }
}
