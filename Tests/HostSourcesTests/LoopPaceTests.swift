import EventModel
import HostSources
import Testing

@Suite struct LoopPaceTests {
    @Test func `rare messages are waited for, so that each is read at once`() {
        var pace = LoopPace()
        for milliseconds in stride(from: Int64(1_000), to: 100_000, by: 10) {
            #expect(pace.nextTick(at: at(milliseconds)) == nil)
            pace.noteDrain(of: 1, at: at(milliseconds))
        }
    }

    /// Drains until messages shall gather, and the time of the last drain.
    private func exhaust(_ pace: inout LoopPace, from start: Instant) -> (drains: Int, last: Instant) {
        var now = start
        for drain in 1...1_000 {
            pace.noteDrain(of: 5, at: now)
            if pace.nextTick(at: now) != nil { return (drain, now) }
            now = now.advanced(by: .microseconds(20))
        }
        return (1_000, now)
    }

    @Test func `under load the next read is a millisecond after the last one`() {
        var pace = LoopPace()
        let (drains, last) = exhaust(&pace, from: at(1_000))
        #expect((60...70).contains(drains))
        #expect(pace.nextTick(at: last) == last.advanced(by: .milliseconds(1)))
        #expect(pace.nextTick(at: last.advanced(by: .milliseconds(2))) == nil, "it is due already")
    }

    @Test func `reading in vain shows that the load is over`() {
        var pace = LoopPace()
        let (_, last) = exhaust(&pace, from: at(1_000))
        pace.noteDrain(of: 0, at: last.advanced(by: .microseconds(1)))
        #expect(pace.nextTick(at: last.advanced(by: .microseconds(2))) == nil)
    }

    @Test func `a small receive buffer is not left to fill`() {
        var pace = LoopPace(receiveBufferByteCount: 8 << 10)
        let (_, last) = exhaust(&pace, from: at(1_000))
        #expect(pace.nextTick(at: last) == nil)
        pace.noteDrain(of: 2, at: last)
        #expect(pace.nextTick(at: last) != nil, "two messages a millisecond leave room")
    }

    @Test func `the allowance comes back when it is quiet`() {
        var pace = LoopPace()
        let (_, last) = exhaust(&pace, from: at(1_000))
        let later = last.advanced(by: .seconds(1))
        for _ in 0..<10 {
            pace.noteDrain(of: 5, at: later)
            #expect(pace.nextTick(at: later) == nil)
        }
    }

    @Test func `the first emission is handed out at once, later ones at most every twenty milliseconds`() {
        var pace = LoopPace()
        #expect(pace.flushDue == nil)
        pace.noteEmission(at: at(1_000))
        #expect(pace.flushDue == at(1_000))
        pace.noteFlush(at: at(1_000))
        #expect(pace.flushDue == nil)
        pace.noteEmission(at: at(1_003))
        pace.noteEmission(at: at(1_007))
        #expect(pace.flushDue == at(1_020))
        pace.noteFlush(at: at(1_020))
        pace.noteEmission(at: at(1_500))
        #expect(pace.flushDue == at(1_500))
    }
}
