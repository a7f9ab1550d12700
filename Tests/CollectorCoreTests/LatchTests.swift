import CollectorCore
import EventModel
import SimulatedBackends
import Testing

@Suite struct LatchTests {
    @Test func `opening lets all who wait through, and all who come later`() {
        simulate { pump in
            let latch = Latch()
            let passed = Shared(0)
            let waiters = (0..<5).map { _ in
                spawn(on: pump) {
                    if await latch.wait(until: nil, on: pump.clock) { passed.change { $0 += 1 } }
                }
            }
            await pump.sleep(for: .seconds(1))
            #expect(passed.value == 0 && !latch.isOpen)
            latch.open()
            for waiter in waiters { await waiter.value }
            #expect(passed.value == 5)
            #expect(await latch.wait(until: pump.now, on: pump.clock))
        }
    }

    @Test func `a deadline ends the wait of one, not of the others`() {
        simulate { pump in
            let latch = Latch()
            let patient = spawn(on: pump) { #expect(await latch.wait(until: nil, on: pump.clock)) }
            #expect(await !latch.wait(until: pump.now.advanced(by: .seconds(3)), on: pump.clock))
            #expect(pump.now == Instant(nanoseconds: 3_000_000_000))
            latch.open()
            await patient.value
        }
    }
}
