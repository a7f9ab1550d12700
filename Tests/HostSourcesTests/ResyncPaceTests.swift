import EventModel
import HostSources
import Testing

@Suite struct ResyncPaceTests {
    /// Loses a message every 100 ms for a while, scans when that is due, and gives the times of the scans in milliseconds.
    private func scans(losingUntil end: Int64, until last: Int64) -> [Int64] {
        var pace = ResyncPace(interval: .seconds(1))
        var scans: [Int64] = []
        for time in stride(from: 0, through: last, by: 100) {
            if time <= end { pace.noteLoss(at: at(time)) }
            guard let due = pace.due, due <= at(time) else { continue }
            pace.begin(at: at(time))
            scans.append(time)
        }
        return scans
    }

    @Test func `a single loss is made good at once`() {
        #expect(scans(losingUntil: 0, until: 60_000) == [0])
    }

    @Test func `while losses go on, scans become rare, but never rarer than sixteen intervals`() {
        let scans = scans(losingUntil: 80_000, until: 80_000)
        #expect(scans == [0, 2_000, 6_000, 14_000, 30_000, 46_000, 62_000, 78_000])
    }

    @Test(arguments: Array(stride(from: Int64(100), through: 20_000, by: 700)))
    func `the last loss is made good one interval later`(end: Int64) throws {
        let last = try #require(scans(losingUntil: end, until: 60_000).last)
        #expect(last >= end && last <= end + 1_100)
    }

    @Test func `after a calm the next loss is made good at once again`() {
        var pace = ResyncPace(interval: .seconds(1))
        for time in [0, 1_900, 4_800] as [Int64] {
            pace.noteLoss(at: at(time))
            pace.noteLoss(at: at(time))
            pace.begin(at: at(time))
        }
        #expect(pace.stretchedInterval(at: at(5_000)) == .seconds(4))
        #expect(pace.stretchedInterval(at: at(9_900)) == nil)
        pace.noteLoss(at: at(9_900))
        #expect(pace.due == at(9_900))
    }

    @Test func `what is put off is counted`() {
        var pace = ResyncPace(interval: .seconds(1))
        pace.noteLoss(at: at(0))
        pace.begin(at: at(0))
        pace.noteLoss(at: at(100))
        #expect(pace.due == at(1_100) && pace.postponedCount == 0)
        pace.noteLoss(at: at(300))
        #expect(pace.due == at(1_300) && pace.postponedCount == 1)
    }

    @Test func `a scan that failed is repeated after one interval, storm or not`() {
        var pace = ResyncPace(interval: .seconds(1))
        pace.noteLoss(at: at(0))
        pace.begin(at: at(0))
        pace.retry(at: at(50))
        #expect(pace.due == at(1_000))
        #expect(pace.isTooEarly(at: at(999)) && !pace.isTooEarly(at: at(1_000)))
    }

    @Test func `a scan that is demanded waits for nothing`() {
        var pace = ResyncPace(interval: .seconds(1))
        pace.begin(at: at(0))
        pace.demand(at: at(10))
        #expect(pace.due == at(10))
    }
}
