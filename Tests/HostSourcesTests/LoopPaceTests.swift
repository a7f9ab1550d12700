import EventModel
import HostSources
import Testing

@Suite struct LoopPaceTests {
    @Test func `rare messages are read at once, for ever`() {
        var pace = LoopPace()
        for milliseconds in stride(from: Int64(1_000), to: 100_000, by: 10) {
            #expect(pace.pause(at: at(milliseconds)) == nil)
            pace.noteDrain(at: at(milliseconds))
        }
    }

    @Test func `under load a drain waits until a millisecond after the last one`() {
        var pace = LoopPace()
        var now = Instant(nanoseconds: 1_000_000_000)
        var freeDrains = 0
        while pace.pause(at: now) == nil, freeDrains < 1_000 {
            pace.noteDrain(at: now)
            now = now.advanced(by: .microseconds(20))
            freeDrains += 1
        }
        #expect((64...70).contains(freeDrains))
        let last = now.advanced(by: .microseconds(-20))
        #expect(pace.pause(at: now) == last.advanced(by: .milliseconds(1)))
        #expect(pace.pause(at: last.advanced(by: .milliseconds(2))) == nil, "long enough ago")
    }

    @Test func `the allowance comes back when it is quiet`() {
        var pace = LoopPace()
        var now = Instant(nanoseconds: 1_000_000_000)
        while pace.pause(at: now) == nil { pace.noteDrain(at: now) }
        now = now.advanced(by: .seconds(1))
        pace.noteDrain(at: now)
        for _ in 0..<10 {
            #expect(pace.pause(at: now) == nil)
            pace.noteDrain(at: now)
        }
    }

    @Test func `the first emission is handed out at once, later ones at most every ten milliseconds`() {
        var pace = LoopPace()
        #expect(pace.flushDue == nil)
        pace.noteEmission(at: at(1_000))
        #expect(pace.flushDue == at(1_000))
        pace.noteFlush(at: at(1_000))
        #expect(pace.flushDue == nil)
        pace.noteEmission(at: at(1_003))
        pace.noteEmission(at: at(1_007))
        #expect(pace.flushDue == at(1_010))
        pace.noteFlush(at: at(1_010))
        pace.noteEmission(at: at(1_500))
        #expect(pace.flushDue == at(1_500))
    }
}
