import EventModel
import HostSources
import KernelFormats
import Testing

@Suite struct ZombieTests {
    @Test func `a zombie whose EXIT message does not come has ended once a second look finds it so`() throws {
        var bench = Bench()
        bench.adopt(10)
        var reading = bench.makeReading(10, arguments: [], startMilliseconds: 100)
        reading.stat?.state = .zombie
        let process = try #require(bench.tracked(10))
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        #expect(bench.collect().isEmpty)
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        let events = bench.collect()
        #expect(events.kinds == [.processExit])
        #expect(events.first?.process?.exit?.isInferred == true)
        #expect(bench.tracked(10) == nil)
    }

    @Test func `a zombie with a birth that was told, and no loss since, is left to its EXIT message`() throws
    {
        var bench = Bench()
        bench.fork(20)
        var reading = bench.makeReading(20, arguments: [], startMilliseconds: bench.maker.milliseconds)
        reading.stat?.state = .zombie
        let process = try #require(bench.tracked(20))
        for _ in 0..<3 { bench.tracker.settle(reading, of: process, isProcHidden: false) }
        #expect(bench.collect().isEmpty)
        #expect(bench.tracked(20) != nil)
    }

    @Test(arguments: [UnknownReason.failed, .denied, .malformed])
    func `a process whose end was told is doubtful when a scan cannot read it`(_ reason: UnknownReason) {
        var bench = Bench()
        bench.adopt(10)
        #expect(!bench.tracker.isDoubtful(bench.makeFailedReading(10, reason)))
        #expect(!bench.tracker.isDoubtful(bench.makeFailedReading(11, reason)))
        bench.feed(.exit(leader(10), code: 0, signal: 17, parent: nil))
        #expect(bench.tracker.isDoubtful(bench.makeFailedReading(10, reason)))
        bench.fork(10)
        #expect(!bench.tracker.isDoubtful(bench.makeFailedReading(10, reason)))
    }

    /// Found by a client of the control socket, which rightly refused a session of -1.
    @Test func `a look at a task that is just being released leaves parent and session as they were`() throws
    {
        var bench = Bench()
        bench.adopt(10)
        bench.fork(20, of: 10)
        let process = try #require(bench.tracked(20))
        let session = process.event.session
        var reading = bench.makeReading(20, ppid: 10, startMilliseconds: bench.maker.milliseconds)
        reading.stat?.ppid = ProcessID(0)
        reading.stat?.pgrp = ProcessID(-1)
        reading.stat?.session = ProcessID(-1)
        bench.tracker.settle(reading, of: process, isProcHidden: false)
        #expect(process.event.session == session)
        #expect(process.event.ppid == ProcessID(10))
    }
}
