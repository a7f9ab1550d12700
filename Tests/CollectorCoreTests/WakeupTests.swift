import CollectorCore
import EventModel
import SimulatedBackends
import Testing

@Suite struct WakeupTests {
    @Test func `a signal before the wait is remembered once`() {
        simulate { pump in
            let wakeup = Wakeup()
            wakeup.signal()
            wakeup.signal()
            #expect(await wakeup.wait(until: nil, on: pump.clock) == .signalled)
            let deadline = pump.now.advanced(by: .seconds(1))
            #expect(await wakeup.wait(until: deadline, on: pump.clock) == .deadlinePassed)
            #expect(pump.now == deadline)
        }
    }

    @Test func `a signal during the wait ends it at once`() {
        simulate { pump in
            let wakeup = Wakeup()
            _ = pump.clock.schedule(at: pump.now.advanced(by: .seconds(2))) { wakeup.signal() }
            #expect(
                await wakeup.wait(until: pump.now.advanced(by: .seconds(60)), on: pump.clock) == .signalled)
            #expect(pump.now == Instant(nanoseconds: 2_000_000_000))
        }
    }

    @Test func `the timer of an earlier wait does not end a later one`() {
        simulate { pump in
            let wakeup = Wakeup()
            wakeup.signal()
            _ = await wakeup.wait(until: pump.now.advanced(by: .seconds(1)), on: pump.clock)
            _ = pump.clock.schedule(at: pump.now.advanced(by: .milliseconds(500))) { wakeup.signal() }
            _ = await wakeup.wait(until: pump.now.advanced(by: .seconds(1)), on: pump.clock)
            #expect(
                await wakeup.wait(until: pump.now.advanced(by: .seconds(10)), on: pump.clock)
                    == .deadlinePassed)
            #expect(pump.now == Instant(nanoseconds: 10_500_000_000))
        }
    }

    @Test func `a deadline that has passed ends the wait`() {
        simulate { pump in
            await pump.sleep(for: .seconds(1))
            let reason = await Wakeup().wait(until: Instant(nanoseconds: 5), on: pump.clock)
            #expect(reason == .deadlinePassed)
            #expect(pump.now == Instant(nanoseconds: 1_000_000_000))
        }
    }

    @Test func `cancellation ends the wait that asks for it`() {
        simulate { pump in
            let task = spawn(on: pump) {
                _ = await Wakeup().waitUnlessCancelled(until: nil, on: pump.clock)
                #expect(Task.isCancelled)
            }
            await pump.sleep(for: .seconds(1))
            task.cancel()
            await task.value
            let second = spawn(on: pump) {
                _ = await Wakeup().waitUnlessCancelled(until: nil, on: pump.clock)
            }
            second.cancel()
            await second.value
            #expect(pump.now == Instant(nanoseconds: 1_000_000_000))
        }
    }

    @Test func `a cancelled sleep throws and a finished one does not`() {
        simulate { pump in
            let sleeper = Shared<Bool?>(nil)
            let task = spawn(on: pump) {
                do {
                    try await pump.clock.sleep(until: Instant(nanoseconds: 1_000))
                    try await pump.clock.sleep(until: Instant(nanoseconds: .max))
                    sleeper.change { $0 = false }
                } catch {
                    sleeper.change { $0 = error is CancellationError }
                }
            }
            await pump.sleep(for: .seconds(1))
            #expect(sleeper.value == nil)
            task.cancel()
            await task.value
            #expect(sleeper.value == true)
        }
    }

    @Test(arguments: [SchedulingPolicy.random, .pct(depth: 3)])
    func `no wake-up is lost in any schedule`(policy: SchedulingPolicy) {
        for seed in 1...UInt64(200) {
            simulate(seed: seed, policy: policy) { pump in
                let wakeup = Wakeup()
                let made = Shared(0)
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 {
                        group.addTask {
                            for _ in 0..<5 {
                                made.change { $0 += 1 }
                                await Task.yield()
                                wakeup.signal()
                                await Task.yield()
                            }
                        }
                    }
                    group.addTask {
                        var taken = 0
                        while taken < 15 {
                            taken = made.value
                            await Task.yield()
                            if taken < 15 { _ = await wakeup.wait(until: nil, on: pump.clock) }
                        }
                    }
                }
            }
        }
    }
}
