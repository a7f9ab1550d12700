import EventModel
import HostSources
import KernelFormats
import Testing

/// Records in order, and what later ones say about earlier ones.
@Suite struct RecordQueueTests {
    private func record(_ mask: InotifyMask, _ name: String, watch: Int32 = 1, cookie: UInt32 = 0)
        -> InotifyRecord
    {
        InotifyRecord(watch: watch, mask: mask, cookie: cookie, name: Array(name.utf8))
    }

    private func queue(_ records: [InotifyRecord]) -> RecordQueue {
        var queue = RecordQueue()
        for record in records { queue.append(record, readAt: at(1), generation: 0) }
        return queue
    }

    @Test func `a rename finds its second half wherever it is, and it comes no second time`() throws {
        var queue = queue([
            record(.movedFrom, "a", cookie: 7), record(.modify, "x"),
            record(.movedTo, "b", watch: 2, cookie: 7),
            record(.create, "c"),
        ])
        let first = queue.popFirst()
        let half = try #require(first).record
        let partner = queue.takePartner(of: half)
        #expect(partner?.record.name == Array("b".utf8))
        let again = queue.takePartner(of: half)
        #expect(again == nil && queue.count == 2)
        let rest = [queue.popFirst(), queue.popFirst(), queue.popFirst()].map { $0?.record.name }
        #expect(rest == [Array("x".utf8), Array("c".utf8), nil])
        #expect(queue.isEmpty)
    }

    @Test func `a name that a later record frees is superseded until that record is taken`() {
        var queue = queue([
            record(.create, "a"), record(.delete, "a"), record(.create, "a"),
            record(.movedFrom, "a", cookie: 1),
            record(.create, "a"),
        ])
        var answers: [Bool] = []
        while let entry = queue.popFirst() {
            answers.append(queue.isSuperseded(entry.record.watch, entry.record.name))
        }
        #expect(answers == [true, true, true, false, false])
    }

    @Test func `a name in another folder is another name`() {
        let queue = queue([record(.delete, "a", watch: 2)])
        #expect(!queue.isSuperseded(1, Array("a".utf8)))
        #expect(queue.isSuperseded(2, Array("a".utf8)))
    }

    @Test func `many records leave in the order in which they came`() {
        var queue = RecordQueue()
        var left: [UInt32] = []
        for number in 0..<UInt32(30_000) {
            queue.append(record(.modify, "f", cookie: number), readAt: at(1), generation: 0)
            if number % 3 != 0, let entry = queue.popFirst() { left.append(entry.record.cookie) }
        }
        while let entry = queue.popFirst() { left.append(entry.record.cookie) }
        #expect(left == Array(0..<30_000))
    }
}

/// Which files make no events.
@Suite struct FileRuleTests {
    private func reason(_ rules: [String], _ path: String) -> FileExclusion? {
        var set = FileRules()
        for rule in rules where !set.exclude(rule) { Issue.record("\(rule)") }
        set.excludeOwn(Array("/var/lib/own".utf8))
        let bytes = Array(path.utf8)
        let name = bytes[((bytes.lastIndex(of: 0x2f) ?? -1) + 1)...]
        return set.reason(against: Array(name)) { bytes }
    }

    @Test(arguments: [
        ("*.swp", "/d/.a.swp", true), ("*.swp", "/d/swp", false), ("?.o", "/d/a.o", true),
        ("?.o", "/d/ab.o", false), ("a*b*c", "/d/axxbyyc", true), ("a*b*c", "/d/axxbyyd", false),
        ("*", "/d/anything", true), ("/d/cache", "/d/cache", true), ("/d/cache/", "/d/cache", true),
        ("/d/cache", "/d/cache2", false), ("/d/cache", "/e/cache", false), ("cache", "/d/cache", true),
    ])
    func `a path or a pattern excludes what it names`(_ rule: String, _ path: String, _ isExcluded: Bool) {
        #expect(reason([rule], path) == (isExcluded ? .rule("exclude \(rule)") : nil))
    }

    @Test func `the collector's own folder is told apart`() {
        #expect(reason([], "/var/lib/own") == .own)
    }

    @Test func `a pattern of many asterisks takes no time to speak of`() {
        let rule = String(repeating: "*a", count: 100) + "b"
        #expect(reason([rule], "/d/" + String(repeating: "a", count: 255)) == nil)
    }

    @Test func `what is neither a path nor a pattern for names is refused`() {
        for text in ["", "/", "//", "a/b", "a\0b", String(repeating: "a", count: 256)] {
            #expect(!FileRules.isRule(text), "\(text)")
        }
    }
}
