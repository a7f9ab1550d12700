import EventModel
import HostSources
import Testing

@Suite struct FileTrackerTests {
    private func at(_ milliseconds: Int64) -> ClockSample {
        ClockSample(monotonic: Instant(nanoseconds: milliseconds * 1_000_000))
    }

    @Test func `a look that was planned for a name that is gone does not fall on the next one`() {
        var index = FileIndex()
        let root = index.addRoot(Array("/d".utf8))
        var tracker = FileTracker(settings: FilesystemSourceSettings(), index: index)
        func place(_ name: String) -> FileTracker.Place {
            FileTracker.Place(folder: root, name: Array(name.utf8))
        }
        tracker.clocks = at(0)
        tracker.noteCreated(place("a"), .vanished, isMoved: false)
        tracker.noteDeleted(place("a"), .vanished)
        tracker.clocks = at(40)
        tracker.noteCreated(place("b"), .vanished, isMoved: false)
        tracker.clocks = at(60)
        let early = tracker.nextRecheck()
        #expect(early == nil)
        tracker.clocks = at(95)
        let due = tracker.nextRecheck()
        #expect(due != nil)
    }
}
