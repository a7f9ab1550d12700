import CollectorCore
import EventModel
import SimulatedBackends
import Testing

@Suite struct SourceBufferTests {
    private func configuration(size: Int, batch: Int) -> CollectorConfiguration {
        var configuration = CollectorConfiguration()
        configuration.eventBufferSize = size
        configuration.maxBatchSize = batch
        return configuration
    }

    private func makeBuffer(
        _ pump: Pump, size: Int = 1_000, batch: Int = 100, policy: OverflowPolicy = .block
    )
        -> SourceBuffer
    {
        SourceBuffer(
            source: "test", run: sampleRun, configuration: configuration(size: size, batch: batch),
            policy: policy,
            clock: pump.clock, bus: nil)
    }

    /// Takes items until the end, and notes the size of each batch and when it came.
    private func drain(_ buffer: SourceBuffer) async -> Received {
        var received = Received()
        while let items = await buffer.next()?.items {
            items.forEach { received.take($0) }
        }
        return received
    }

    @Test func `events are numbered from one without a hole, however they are emitted`() {
        simulate { pump in
            let buffer = makeBuffer(pump)
            let emitter = Emitter(buffer: buffer)
            for number in 1...30 { await emitter.emit(makeEvent(number)) }
            var many = ContiguousArray((31...200).map { makeEvent($0) })
            await emitter.emit(contentsOf: &many)
            #expect(many.isEmpty)
            emitter.flush()
            var few = ContiguousArray((201...230).map { makeEvent($0) })
            await emitter.emit(contentsOf: &few)
            buffer.finish()
            let received = await drain(buffer)
            #expect(received.sequences == Array(1...230))
            #expect(buffer.counts.emitted == 230)
        }
    }

    @Test func `a batch closes when it is full, the rest at the flush`() {
        simulate { pump in
            let buffer = makeBuffer(pump, batch: 100)
            let emitter = Emitter(buffer: buffer)
            for number in 1...250 { await emitter.emit(makeEvent(number)) }
            let full = await buffer.next()?.items
            #expect(full?.map(batchSize) == [100, 100])
            emitter.flush()
            #expect(await buffer.next()?.items.map(batchSize) == [50])
            emitter.flush()
            buffer.finish()
            let end = await buffer.next()
            #expect(end == nil, "a flush of nothing makes no batch")
        }
    }

    private func batchSize(_ item: PipelineItem) -> Int {
        if case .events(let batch) = item { batch.events.count } else { 0 }
    }

    @Test func `an array of the size of a batch becomes one batch`() {
        simulate { pump in
            let buffer = makeBuffer(pump, batch: 100)
            var events = ContiguousArray((1...100).map { makeEvent($0) })
            await buffer.emit(&events)
            #expect(await buffer.next()?.items.map(batchSize) == [100])
        }
    }

    @Test func `an open batch closes after the batch time-out`() {
        simulate { pump in
            let buffer = makeBuffer(pump)
            let closer = spawn(on: pump) { await buffer.flushOverdue() }
            for _ in 1...3 {
                await pump.sleep(for: .seconds(7))
                let begin = pump.now
                await Emitter(buffer: buffer).emit(makeEvent())
                await pump.sleep(for: .milliseconds(30))
                await Emitter(buffer: buffer).emit(makeEvent())
                #expect(await buffer.next()?.items.map(batchSize) == [2])
                #expect(begin.duration(to: pump.now) == .milliseconds(100))
            }
            buffer.finish()
            await closer.value
        }
    }

    @Test func `closing overdue batches costs at most one wake-up per time-out under load`() {
        let report = simulate { pump in
            let buffer = makeBuffer(pump, size: 100_000, batch: 10)
            let closer = spawn(on: pump) { await buffer.flushOverdue() }
            await pump.sleep(for: .seconds(1))
            for _ in 1...500 {
                await pump.sleep(for: .milliseconds(1))
                for _ in 1...10 { await Emitter(buffer: buffer).emit(makeEvent()) }
            }
            buffer.finish()
            await closer.value
        }
        // 500 sleeps of the test itself, and the closer's.
        #expect(report.jobCount < 540)
    }

    @Test func `emission does not wait while there is room`() {
        simulate { pump in
            let buffer = makeBuffer(pump, size: 500, batch: 7)
            var events = ContiguousArray((1...500).map { makeEvent($0) })
            await buffer.emit(&events)
            #expect(pump.now == Instant(nanoseconds: 0))
            #expect(buffer.counts.emitted == 500)
        }
    }

    @Test func `the source is told at the back-pressure threshold`() {
        simulate { pump in
            let buffer = makeBuffer(pump, size: 10)
            let emitter = Emitter(buffer: buffer)
            for _ in 1...7 { await emitter.emit(makeEvent()) }
            #expect(!emitter.isUnderPressure)
            await emitter.emit(makeEvent())
            #expect(emitter.isUnderPressure)
            emitter.flush()
            _ = await buffer.next()
            #expect(!emitter.isUnderPressure)
        }
    }

    @Test func `with block the source waits as long as it takes and nothing is dropped`() {
        simulate { pump in
            let buffer = makeBuffer(pump, size: 10, batch: 4)
            let producer = spawn(on: pump) {
                for number in 1...25 { await Emitter(buffer: buffer).emit(makeEvent(number)) }
                buffer.finish()
            }
            await pump.sleep(for: .seconds(60))
            #expect(buffer.counts.emitted == 10)
            let received = await drain(buffer)
            await producer.value
            #expect(received.sequences == Array(1...25))
            #expect(received.gaps.isEmpty)
            #expect(buffer.counts.dropped.total == 0)
        }
    }

    @Test func `drop-newest keeps what came first and says what is missing behind it`() {
        simulate { pump in
            let buffer = makeBuffer(pump, size: 10, batch: 4, policy: .dropNewest)
            let begin = pump.now
            for number in 1...13 { await Emitter(buffer: buffer).emit(makeEvent(number)) }
            #expect(begin.duration(to: pump.now) == .milliseconds(1_500), "each waits for the longest wait")
            #expect(buffer.counts.emitted == 10)
            #expect(buffer.counts.dropped["buffer/newest"] == 3)
            buffer.finish()
            let received = await drain(buffer)
            #expect(received.sequences == Array(1...10))
            #expect(received.gaps.map(\.lost) == [3])
            #expect(received.gaps.map(\.cause) == [.sourceBuffer])
        }
    }

    @Test func `drop-oldest keeps what came last and says what is missing before it`() {
        simulate { pump in
            let buffer = makeBuffer(pump, size: 10, batch: 5, policy: .dropOldest)
            for number in 1...23 { await Emitter(buffer: buffer).emit(makeEvent(number)) }
            buffer.finish()
            let received = await drain(buffer)
            #expect(received.sequences == Array(16...23))
            #expect(received.lost == 15)
            #expect(received.gaps.count == 1, "neighbouring losses are one record")
            #expect(received.misplaced.isEmpty, "the gap stands where the events are missing")
            #expect(buffer.counts.emitted == 8)
            #expect(buffer.counts.dropped["buffer/oldest"] == 15)
        }
    }

    @Test func `synthetic events that are dropped are counted apart`() {
        simulate { pump in
            let buffer = makeBuffer(pump, size: 2, batch: 2, policy: .dropNewest)
            for _ in 1...5 { await Emitter(buffer: buffer).emit(makeEvent(origin: .baseline)) }
            await Emitter(buffer: buffer).emit(makeEvent())
            var account = SourceAccount(source: "test")
            Emitter(buffer: buffer).enterCounts(into: &account)
            #expect(account.emitted == 0)
            #expect(account.syntheticDropped == 3)
            #expect(account.dropped.total == 1)
        }
    }

    @Test func `a gap stands behind what was emitted before it`() {
        simulate { pump in
            let buffer = makeBuffer(pump)
            let emitter = Emitter(buffer: buffer)
            await emitter.emit(makeEvent())
            emitter.report(makeGap(1))
            emitter.report(makeGap(2))
            await emitter.emit(makeEvent())
            buffer.finish()
            let items = await buffer.next()?.items
            #expect(items?.map(batchSize) == [1, 0, 1])
            guard case .gap(let gap)? = items?.dropFirst().first else {
                Issue.record("no gap")
                return
            }
            #expect(gap.lost == 3, "neighbours are merged")
        }
    }

    @Test func `the number of waiting gaps is bounded`() {
        simulate { pump in
            let buffer = makeBuffer(pump, size: 10_000)
            let emitter = Emitter(buffer: buffer)
            for _ in 1...1_000 {
                emitter.report(makeGap(1))
                await emitter.emit(makeEvent())
            }
            buffer.finish()
            let received = await drain(buffer)
            #expect(received.gaps.count == Limits.pendingGapCount)
            #expect(received.lost == 1_000)
        }
    }

    @Test func `what is emitted after the end is dropped and counted`() {
        simulate { pump in
            let buffer = makeBuffer(pump, size: 10)
            await Emitter(buffer: buffer).emit(makeEvent())
            buffer.finish()
            #expect(await drain(buffer).sequences == [1])
            var events = ContiguousArray((1...25).map { makeEvent($0) })
            await buffer.emit(&events)
            #expect(events.isEmpty)
            #expect(buffer.counts.emitted == 1)
            #expect(buffer.counts.dropped["buffer/closed"] == 25)
        }
    }

    @Test(arguments: OverflowPolicy.allCases)
    func `whatever the schedule, what is emitted is either received or named as missing`(
        policy: OverflowPolicy
    ) {
        for seed in 1...UInt64(60) {
            simulate(seed: seed) { pump in
                var generator = SeededGenerator(seed: seed, stream: .world)
                let buffer = makeBuffer(
                    pump, size: Int(generator.draw(1...20)), batch: Int(generator.draw(1...6)), policy: policy
                )
                let closer = spawn(on: pump) { await buffer.flushOverdue() }
                let plan = (0..<40).map { _ in (Int(generator.draw(0...9)), generator.draw(0...200)) }
                let producer = spawn(on: pump) {
                    for (count, pause) in plan {
                        var events = ContiguousArray((0..<count).map { makeEvent($0) })
                        await buffer.emit(&events)
                        if pause > 100 {
                            await pump.sleep(for: .milliseconds(pause))
                        } else {
                            await Task.yield()
                        }
                    }
                    buffer.finish()
                }
                var received = Received()
                while let items = await buffer.next()?.items {
                    items.forEach { received.take($0) }
                    await pump.sleep(for: .milliseconds(generator.draw(0...2_000)))
                }
                await producer.value
                await closer.value
                let total = UInt64(plan.reduce(0) { $0 + $1.0 })
                let counts = buffer.counts
                #expect(UInt64(received.sequences.count) == counts.emitted, "seed \(seed)")
                #expect(counts.emitted + counts.dropped.total == total, "seed \(seed)")
                #expect(received.lost == counts.dropped.total, "seed \(seed)")
                if policy == .block { #expect(received.gaps.isEmpty, "seed \(seed)") }
                if policy == .dropOldest { #expect(received.misplaced.isEmpty, "seed \(seed)") }
            }
        }
    }
}
