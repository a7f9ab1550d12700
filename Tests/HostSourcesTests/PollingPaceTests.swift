import EventModel
import HostSources
import Testing

@Suite struct PollingPaceTests {
    private func milliseconds(_ count: Int64) -> Instant { Instant(nanoseconds: count * 1_000_000) }

    /// Looks that cost five each while the pace allows it.
    private func work(_ pace: inout PollingPace, at now: Instant) -> Int {
        pace.refill(at: now)
        var count = 0
        while pace.mayLook, count < 10_000 {
            pace.spend(5)
            count += 1
        }
        return count * 5
    }

    @Test func `over any time no more is opened than the rate allows and one slice`() {
        var pace = PollingPace(interval: .seconds(1), rate: 1_000, at: milliseconds(0))
        var opened = 0
        for step in 0...100 { opened += work(&pace, at: milliseconds(Int64(step) * 37)) }
        #expect(opened <= 3_700 + 50 + 5)
        #expect(opened >= 3_650)
    }

    @Test func `a long pause is not made good by a burst`() {
        var pace = PollingPace(interval: .seconds(1), rate: 1_000, at: milliseconds(0))
        #expect(work(&pace, at: milliseconds(60_000)) <= 55)
    }

    @Test func `slices come at most every 50 ms while there is more to do`() {
        var pace = PollingPace(interval: .seconds(1), rate: 2_000, at: milliseconds(0))
        var now = milliseconds(0)
        var wakeUpCount = 0
        while now < milliseconds(1_000) {
            _ = work(&pace, at: now)
            let next = pace.nextWork(hasLooks: true)
            #expect(next > now)
            now = next
            wakeUpCount += 1
        }
        #expect((18...22).contains(wakeUpCount))
    }

    @Test func `without looks the next work is the next listing`() {
        var pace = PollingPace(interval: .seconds(1), rate: 1_000, at: milliseconds(0))
        #expect(pace.nextWork(hasLooks: false) == milliseconds(1_000))
        #expect(!pace.isListingDue(at: milliseconds(999), hasLooks: false))
        pace.refill(at: milliseconds(1_000))
        #expect(pace.isListingDue(at: milliseconds(1_000), hasLooks: false))
        pace.noteListing(of: 100, at: milliseconds(1_000))
        #expect(!pace.isListingDue(at: milliseconds(1_500), hasLooks: false))
        #expect(pace.nextWork(hasLooks: false) == milliseconds(2_000))
    }

    @Test func `however low the rate, neither listings nor looks starve`() {
        var pace = PollingPace(interval: .seconds(1), rate: 100, at: milliseconds(0))
        var now = milliseconds(0)
        var (listings, looks) = (0, 0)
        while now < milliseconds(60_000) {
            pace.refill(at: now)
            if pace.isListingDue(at: now, hasLooks: true) {
                pace.noteListing(of: 5_000, at: now)
                listings += 1
            }
            looks += work(&pace, at: now)
            now = pace.nextWork(hasLooks: true)
        }
        #expect(listings >= 4)
        #expect(looks >= 2_500)
    }

    @Test func `another interval holds from now on`() {
        var pace = PollingPace(interval: .seconds(60), rate: 100, at: milliseconds(0))
        pace.adopt(interval: .seconds(1), rate: 10, at: milliseconds(500))
        #expect(pace.nextWork(hasLooks: false) == milliseconds(1_500))
    }
}
