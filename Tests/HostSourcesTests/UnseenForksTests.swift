import HostSources
import Testing

@Suite struct UnseenForksTests {
    @Test func `forks that are no process that was found are told once`() {
        var forks = UnseenForks()
        forks.open(with: 1_000)
        #expect(forks.settle(at: 1_010, waitingCount: 2) == .atMost(8))
        forks.noteFound(2)
        #expect(forks.settle(at: 1_010, waitingCount: 0) == .nothing)
        #expect(forks.settle(at: 1_015, waitingCount: 5) == .nothing)
        #expect(forks.bound(at: 1_015) == 13)
    }

    @Test func `who waits to be looked at and goes is missing then`() {
        var forks = UnseenForks()
        forks.open(with: 0)
        #expect(forks.settle(at: 3, waitingCount: 3) == .nothing)
        forks.noteFound()
        #expect(forks.settle(at: 3, waitingCount: 0) == .atMost(2))
        #expect(forks.announced == 2)
    }

    @Test func `who was found before the count was read hides nobody for long`() {
        var forks = UnseenForks()
        forks.open(with: 0)
        // Made between the count and the list.
        forks.noteFound()
        #expect(forks.settle(at: 0, waitingCount: 0) == .nothing)
        #expect(forks.settle(at: 2, waitingCount: 0) == .atMost(1))
    }

    @Test func `closing tells what has happened since the last listing`() {
        var forks = UnseenForks()
        forks.open(with: 10)
        #expect(forks.settle(at: 12, waitingCount: 0) == .atMost(2))
        #expect(forks.close(at: 15) == .atMost(3))
        #expect(forks.bound(at: 15) == 5)
        #expect(forks.announced == 5)
    }

    @Test func `without the count nothing is claimed`() {
        var forks = UnseenForks()
        forks.open(with: nil)
        #expect(forks.settle(at: 100, waitingCount: 0) == .unknown)
        #expect(forks.settle(at: 110, waitingCount: 0) == .nothing)
        #expect(forks.bound(at: 110) == nil)
        #expect(forks.close(at: 120) == .unknown)
    }

    @Test func `a count that runs backwards is not believed`() {
        var forks = UnseenForks()
        forks.open(with: 100)
        #expect(forks.settle(at: 50, waitingCount: 0) == .unknown)
        #expect(forks.isUnbounded)
    }
}
