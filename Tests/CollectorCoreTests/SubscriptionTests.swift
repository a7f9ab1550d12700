import CollectorCore
import EventModel
import SimulatedBackends
import Testing

@Suite struct SubscriptionTests {
    private func subscribe(
        _ pump: Pump, limit: Int = 10, policy: OverflowPolicy = .dropOldest,
        filter: EventFilter = .everything,
        name: String = "s"
    ) throws -> (EventBus, Subscription) {
        let bus = EventBus(subscriberLimit: 10, clock: pump.clock)
        let options = SubscriptionOptions(
            name: name, filter: filter, queueLimit: limit, overflowPolicy: policy)
        return (bus, try bus.subscribe(options))
    }

    @Test func `a subscriber gets what was published, in order, and then the end`() {
        simulate { pump in
            let (bus, subscription) = try subscribe(pump)
            await bus.publish(.events(makeBatch(1...3)))
            await bus.publish(.gap(makeGap(2)))
            await bus.publish(.events(makeBatch(4...4)))
            #expect(subscription.account.inFlight == 4)
            bus.close()
            let received = Shared(Received())
            await subscription.takeAll(into: received)
            #expect(received.value.sequences == [1, 2, 3, 4])
            #expect(received.value.gaps.map(\.lost) == [2])
            #expect(subscription.account.delivered == 4)
            #expect(subscription.account.inFlight == 0)
            #expect(subscription.account.isBalanced)
        }
    }

    @Test func `a filter selects without copying and what it rejects is counted`() {
        simulate { pump in
            let filter = EventFilter(pids: [ProcessID(2), ProcessID(4)])
            let (bus, subscription) = try subscribe(pump, filter: filter)
            let batch = makeBatch(1...5)
            await bus.publish(.events(batch))
            await bus.publish(.events(makeBatch(6...9)))
            guard case .events(let selected)? = await subscription.next() else {
                Issue.record("no events")
                return
            }
            #expect(selected.batch === batch)
            #expect(selected.count == 2)
            #expect(selected.map(\.sequence) == [2, 4])
            var indices: [Int] = []
            selected.forEach { _, index in indices.append(index) }
            #expect(indices == [1, 3])
            #expect(subscription.isIdle, "a batch without a match is not queued")
            let account = subscription.account
            #expect(account.offered == 9)
            #expect(account.filtered["filter"] == 7)
            #expect(account.isBalanced)
        }
    }

    @Test func `origins are counted apart`() {
        simulate { pump in
            let (bus, subscription) = try subscribe(pump, limit: 100)
            for (index, origin) in EventOrigin.allCases.enumerated() {
                let range = UInt64(1)...UInt64(index + 1)
                await bus.publish(.events(makeBatch(range, origin: origin)))
            }
            let account = subscription.account
            #expect([account.emitted, account.baseline, account.resync, account.derived] == [1, 2, 3, 4])
            #expect(account.offered == 10)
        }
    }

    @Test func `drop-oldest keeps the newest and the gap stands where they are missing`() {
        simulate { pump in
            let (bus, subscription) = try subscribe(pump, limit: 4)
            for number in 1...UInt64(10) { await bus.publish(.events(makeBatch(number...number))) }
            #expect(subscription.account.inFlight == 4)
            #expect(subscription.account.dropped["queue/oldest"] == 6)
            bus.close()
            let received = Shared(Received())
            await subscription.takeAll(into: received)
            #expect(received.value.sequences == [7, 8, 9, 10])
            #expect(received.value.gaps.map(\.lost) == [6])
            #expect(received.value.gaps.first?.subscriber == "s")
            #expect(received.value.gaps.first?.cause == .subscriberQueue)
            #expect(received.value.misplaced.isEmpty)
        }
    }

    @Test func `drop-newest keeps the oldest and the gap stands where they are missing`() {
        simulate { pump in
            let (bus, subscription) = try subscribe(pump, limit: 2, policy: .dropNewest)
            let received = Shared(Received())
            for number in 1...UInt64(5) { await bus.publish(.events(makeBatch(number...number))) }
            if let item = await subscription.next() { received.change { $0.take(item) } }
            await bus.publish(.events(makeBatch(6...6)))
            await bus.publish(.events(makeBatch(7...8)))
            bus.close()
            await subscription.takeAll(into: received)
            #expect(received.value.sequences == [1, 2, 6])
            #expect(received.value.gaps.map(\.lost) == [3, 2])
            #expect(received.value.misplaced.isEmpty)
            #expect(subscription.account.dropped["queue/newest"] == 5)
        }
    }

    @Test func `block makes the publisher wait until there is room`() {
        simulate { pump in
            let (bus, subscription) = try subscribe(pump, limit: 2, policy: .block)
            let published = Shared(0)
            let publisher = spawn(on: pump) {
                for number in 1...UInt64(6) {
                    await bus.publish(.events(makeBatch(number...number)))
                    published.change { $0 += 1 }
                }
                bus.close()
            }
            await pump.sleep(for: .seconds(3_600))
            #expect(published.value == 2)
            let received = Shared(Received())
            await subscription.takeAll(into: received)
            await publisher.value
            #expect(received.value.sequences == Array(1...6))
            #expect(subscription.account.dropped.total == 0)
        }
    }

    @Test func `several publishers may wait for one subscriber`() {
        for seed in 1...UInt64(50) {
            simulate(seed: seed) { pump in
                let (bus, subscription) = try subscribe(pump, limit: 2, policy: .block)
                let received = Shared(Received())
                await withTaskGroup(of: Void.self) { group in
                    let taker = spawn(on: pump) { await subscription.takeAll(into: received) }
                    for publisher in 0..<4 {
                        group.addTask {
                            for number in 1...UInt64(5) {
                                let sequence = UInt64(publisher) * 100 + number
                                await bus.publish(.events(makeBatch(sequence...sequence)))
                            }
                        }
                    }
                    await group.waitForAll()
                    bus.close()
                    await taker.value
                }
                #expect(received.value.sequences.count == 20, "seed \(seed)")
                #expect(subscription.account.isBalanced)
            }
        }
    }

    @Test func `closing lets a waiting publisher go, and what it held is counted`() {
        simulate { pump in
            let (bus, subscription) = try subscribe(pump, limit: 1, policy: .block)
            let publisher = spawn(on: pump) {
                for number in 1...UInt64(3) { await bus.publish(.events(makeBatch(number...number))) }
            }
            await pump.sleep(for: .seconds(1))
            bus.close()
            await publisher.value
            let account = subscription.account
            #expect(account.inFlight == 1)
            #expect(account.dropped["closed"] == 2)
            #expect(account.isBalanced)
        }
    }

    @Test func `a batch larger than the queue is let in when the queue is empty`() {
        simulate { pump in
            let (bus, subscription) = try subscribe(pump, limit: 2, policy: .block)
            await bus.publish(.events(makeBatch(1...5)))
            #expect(subscription.account.inFlight == 5)
            #expect(subscription.peakCount == 5)
        }
    }

    @Test func `a stalled subscriber harms no other`() {
        simulate { pump in
            let (bus, stalled) = try subscribe(pump, limit: 3, policy: .dropNewest)
            let lively = try bus.subscribe(
                SubscriptionOptions(
                    name: "lively", filter: .everything, queueLimit: 3, overflowPolicy: .block))
            let received = Shared(Received())
            let taker = spawn(on: pump) { await lively.takeAll(into: received) }
            for number in 1...UInt64(100) { await bus.publish(.events(makeBatch(number...number))) }
            bus.close()
            await taker.value
            #expect(received.value.sequences == Array(1...100))
            #expect(stalled.account.dropped["queue/newest"] == 97)
        }
    }

    @Test func `a stalled subscriber holds a bounded number of gaps`() {
        simulate { pump in
            let (bus, subscription) = try subscribe(pump, limit: 1_000, policy: .dropNewest)
            for number in 1...UInt64(500) {
                await bus.publish(.gap(makeGap(1)))
                await bus.publish(.events(makeBatch(number...number)))
            }
            bus.close()
            let received = Shared(Received())
            await subscription.takeAll(into: received)
            #expect(received.value.gaps.count <= Limits.pendingGapCount)
            #expect(received.value.lost == 500)
        }
    }

    @Test func `a subscriber that gives up lets publishers go and leaves a balanced account`() {
        simulate { pump in
            let (bus, subscription) = try subscribe(pump, limit: 2, policy: .block)
            let publisher = spawn(on: pump) {
                for number in 1...UInt64(5) { await bus.publish(.events(makeBatch(number...number))) }
            }
            await pump.sleep(for: .seconds(1))
            subscription.abandon()
            await publisher.value
            #expect(subscription.account.dropped["closed"] == 5)
            #expect(subscription.account.inFlight == 0)
            #expect(subscription.account.isBalanced)
            #expect(await isAtEnd(subscription))
        }
    }

    @Test func `a cancelled subscriber gets the end`() {
        simulate { pump in
            let (_, subscription) = try subscribe(pump)
            let taker = spawn(on: pump) { #expect(await isAtEnd(subscription)) }
            await pump.sleep(for: .seconds(1))
            taker.cancel()
            await taker.value
        }
    }

    @Test(arguments: [OverflowPolicy.dropOldest, .dropNewest])
    func `the account laws hold after every step and every gap tells the truth`(policy: OverflowPolicy) {
        for seed in 1...UInt64(200) {
            simulate(seed: seed) { pump in
                var generator = SeededGenerator(seed: seed, stream: .world)
                let limit = Int(generator.draw(1...12))
                let (bus, subscription) = try subscribe(pump, limit: limit, policy: policy)
                var received = Received()
                var sequence: UInt64 = 1
                for _ in 0..<80 {
                    switch generator.draw(0...9) {
                    case 0...4:
                        let count = UInt64(generator.draw(1...4))
                        let origin = EventOrigin.allCases[Int(generator.draw(0...3))]
                        await bus.publish(
                            .events(makeBatch(sequence...(sequence + count - 1), origin: origin)))
                        sequence += count
                    case 5: await bus.publish(.gap(makeGap(1)))
                    default:
                        if !subscription.isIdle, let item = await subscription.next() { received.take(item) }
                    }
                    let account = subscription.account
                    #expect(account.isBalanced, "seed \(seed)")
                    #expect(account.offered == sequence - 1, "seed \(seed)")
                    #expect(account.inFlight <= UInt64(max(limit, 4)), "seed \(seed)")
                }
                bus.close()
                while let item = await subscription.next() { received.take(item) }
                let account = subscription.account
                let missing = received.gaps.filter { $0.cause == .subscriberQueue }.reduce(0) {
                    $0 + ($1.lost ?? 0)
                }
                #expect(missing == account.dropped.total, "seed \(seed)")
                #expect(account.delivered == UInt64(received.sequences.count), "seed \(seed)")
                #expect(account.inFlight == 0, "seed \(seed)")
                #expect(received.misplaced.isEmpty, "seed \(seed)")
            }
        }
    }

    @Test func `with block the laws hold in every schedule of two publishers and two subscribers`() {
        for seed in 1...UInt64(100) {
            simulate(seed: seed) { pump in
                let bus = EventBus(subscriberLimit: 2, clock: pump.clock)
                var takers: [Task<Void, Never>] = []
                var subscriptions: [Subscription] = []
                for (index, policy) in [OverflowPolicy.block, .dropOldest].enumerated() {
                    let subscription = try bus.subscribe(
                        SubscriptionOptions(
                            name: "s\(index)", filter: .everything, queueLimit: 3, overflowPolicy: policy))
                    subscriptions.append(subscription)
                    takers.append(
                        spawn(on: pump) {
                            while await !isAtEnd(subscription) {
                                #expect(subscription.account.isBalanced)
                                await Task.yield()
                            }
                        })
                }
                await withTaskGroup(of: Void.self) { group in
                    for publisher in 0..<2 {
                        group.addTask {
                            for number in 1...UInt64(10) {
                                let sequence = UInt64(publisher) * 100 + number * 3
                                await bus.publish(.events(makeBatch(sequence...(sequence + number % 3))))
                            }
                        }
                    }
                }
                bus.close()
                for taker in takers { await taker.value }
                for subscription in subscriptions {
                    let account = subscription.account
                    #expect(
                        account.isBalanced && account.inFlight == 0 && account.offered == 40, "seed \(seed)")
                }
                #expect(subscriptions[0].account.delivered == 40)
            }
        }
    }
}

@Suite struct EventBusTests {
    private func options(_ name: String) -> SubscriptionOptions {
        SubscriptionOptions(name: name, filter: .everything, queueLimit: 1, overflowPolicy: .dropOldest)
    }

    @Test func `a name is given once and again after it was taken back`() {
        simulate { pump in
            let bus = EventBus(subscriberLimit: 5, clock: pump.clock)
            let first = try bus.subscribe(options("a"))
            let error = #expect(throws: CollectorError.self) { try bus.subscribe(options("a")) }
            #expect(error?.code == .duplicateName)
            bus.unsubscribe(first)
            #expect(await isAtEnd(first))
            _ = try bus.subscribe(options("a"))
        }
    }

    @Test func `the number of subscribers is limited`() {
        simulate { pump in
            let bus = EventBus(subscriberLimit: 2, clock: pump.clock)
            _ = try bus.subscribe(options("a"))
            _ = try bus.subscribe(options("b"))
            let error = #expect(throws: CollectorError.self) { try bus.subscribe(options("c")) }
            #expect(error?.code == .tooManySubscribers)
        }
    }

    @Test func `a subscriber that comes after the end gets the end`() {
        simulate { pump in
            let bus = EventBus(subscriberLimit: 2, clock: pump.clock)
            bus.close()
            let subscription = try bus.subscribe(options("late"))
            let hasEnded = Shared(false)
            let taker = spawn(on: pump) {
                #expect(await isAtEnd(subscription))
                hasEnded.change { $0 = true }
            }
            await pump.sleep(for: .seconds(1))
            #expect(hasEnded.value)
            taker.cancel()
        }
    }
}

/// Takes an item; whether there was none.
private func isAtEnd(_ subscription: Subscription) async -> Bool {
    if case .none = await subscription.next() { true } else { false }
}
