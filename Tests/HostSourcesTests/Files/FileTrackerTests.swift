import Backends
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

    private func status(_ mode: UInt32) -> FileStatus {
        FileStatus(
            device: 1, inode: 7, mode: mode, linkCount: 1, uid: UserID(rawValue: 0),
            gid: GroupID(rawValue: 0), size: 0, modified: WallTime(nanoseconds: 0),
            changed: WallTime(nanoseconds: 0), mountID: 0)
    }

    @Test(arguments: [UInt32(0o040755), 0o100644])
    func `what a later look finds at a name is told`(mode: UInt32) throws {
        var settings = FilesystemSourceSettings()
        settings.hashes = false
        var index = FileIndex()
        let root = index.addRoot(Array("/d".utf8))
        var tracker = FileTracker(settings: settings, index: index)
        tracker.clocks = at(0)
        tracker.noteCreated(
            FileTracker.Place(folder: root, name: Array("a".utf8)), .unknown(.failed), isMoved: false)
        _ = tracker.takeOutput()
        tracker.clocks = at(60)
        let due = tracker.nextRecheck()
        let (id, attempt) = try #require(due)
        tracker.noteRechecked(id, attempt: attempt, .status(status(mode)))
        let events = tracker.takeOutput()
        let file = try #require(events.first?.file)
        #expect(events.count == 1 && events[0].origin == .derived)
        #expect(file.path == "/d/a" && file.type == FileType(mode: mode) && file.inode == 7)
    }

    @Test func `a record about a file of which nothing was known yet is told with what is found`() {
        var index = FileIndex()
        let root = index.addRoot(Array("/d".utf8))
        var tracker = FileTracker(settings: FilesystemSourceSettings(), index: index)
        tracker.clocks = at(0)
        let place = FileTracker.Place(folder: root, name: Array("a".utf8))
        tracker.noteCreated(place, .unknown(.failed), isMoved: false)
        _ = tracker.takeOutput()
        tracker.noteAttributes(place, .status(status(0o100644)))
        #expect(tracker.takeOutput().map { $0.file?.inode } == [7])
        #expect(tracker.coalesced == 0)
    }
}
