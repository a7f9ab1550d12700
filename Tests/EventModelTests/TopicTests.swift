import EventModel
import Testing

@Suite struct TopicTests {
    @Test(arguments: [
        ("events.process.exec", "events.process.exec", true),
        ("events.process.exec", "events.process.fork", false),
        ("events.process.exec", "events.process", false),
        ("events.process.exec", "events.process.exec.more", false),
        ("events.process.+", "events.process.exec", true),
        ("events.process.+", "events.process", false),
        ("events.+.exec", "events.process.exec", true),
        ("+", "events", true),
        ("+", "events.process", false),
        ("events.#", "events", true),
        ("events.#", "events.process.exec", true),
        ("#", "events.process.exec", true),
        ("events.+.#", "events", false),
        ("events.+.#", "events.process", true),
        ("event.#", "events.process", false),
        ("#", "", false),
        ("events.+.exec", "events..exec", false),
    ])
    func `patterns match levels, one level, or the rest`(pattern: String, topic: String, matches: Bool) throws
    {
        #expect(try TopicPattern(pattern).matches(topic) == matches)
    }

    @Test(arguments: [
        ("", 1, "between the dots"), ("events..exec", 2, "between the dots"),
        (".events", 1, "between the dots"),
        ("events.", 2, "between the dots"), ("events.#.exec", 2, "only as the last level"),
        ("events.pro+", 2, "lower-case"), ("events.#x", 2, "lower-case"), ("Events", 1, "lower-case"),
        ("events.größe", 2, "lower-case"), ("a b", 1, "lower-case"), ("a.b.c.d.e.f.g.h.i", 9, "8 levels"),
        (String(repeating: "a", count: 129), 1, "128 bytes"),
    ])
    func `a bad pattern names its level and what was expected`(text: String, level: Int, expected: String) {
        let error = #expect(throws: InvalidTopicPattern.self) { _ = try TopicPattern(text) }
        #expect(error?.level == level)
        #expect(error?.expected.contains(expected) == true)
        #expect(error?.pattern == text)
    }

    @Test func `the message of a bad pattern is harmless on a terminal`() {
        let error = #expect(throws: InvalidTopicPattern.self) { _ = try TopicPattern("a\u{1b}[2J") }
        #expect(error?.description.contains("\u{1b}") == false)
    }

    @Test func `a pattern reads back from its description`() throws {
        for text in ["events.process.exec", "events.+.#", "#", "+", "a-b_1.+"] {
            #expect(try TopicPattern(text).description == text)
            #expect(try TopicPattern(TopicPattern(text).description) == TopicPattern(text))
        }
    }

    @Test func `random texts are either refused or read back`() {
        var random = SplitMix64(seed: 0xbad)
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = random.bytes(count: Int(random.next() % 8), favouring: [0x2e, 0x2b, 0x23, 0x61])
            let text = String(decoding: bytes, as: UTF8.self)
            guard let pattern = try? TopicPattern(text) else { continue }
            accepted += 1
            #expect(pattern.description == text)
        }
        #expect(accepted > 100)
    }

    /// An independent matcher: by recursion over both lists, straight from the definition.
    private func naive(_ pattern: ArraySlice<Substring>, _ topic: ArraySlice<Substring>) -> Bool {
        switch (pattern.first, topic.first) {
        case ("#", _): topic.isEmpty || naive(pattern, topic.dropFirst()) || pattern.count == 1
        case (nil, nil): true
        case (nil, _), (_, nil): false
        case ("+", _): naive(pattern.dropFirst(), topic.dropFirst())
        case (let name, let level): name == level && naive(pattern.dropFirst(), topic.dropFirst())
        }
    }

    @Test func `random patterns agree with an independent matcher`() throws {
        var random = SplitMix64(seed: 0x70c1)
        var matched = 0
        for _ in 0..<20_000 {
            var levels = (0...random.next() % 4).map { _ in ["a", "b", "+"][Int(random.next() % 3)] }
            if random.next() % 3 == 0 { levels[levels.count - 1] = "#" }
            let topic = (0...random.next() % 4).map { _ in ["a", "b"][Int(random.next() % 2)] }
            let text = levels.joined(separator: ".")
            let expected = naive(levels.map { $0[...] }[...], topic.map { $0[...] }[...])
            #expect(
                try TopicPattern(text).matches(topic.joined(separator: ".")) == expected, "\(text) \(topic)")
            if expected { matched += 1 }
        }
        #expect(matched > 1_000)
    }

    @Test func `a topic set holds exactly the kinds whose topic a pattern matches`() throws {
        for texts in [
            ["events.process.+"], ["#"], ["events.#", "nothing"], ["events.file.created", "events.+.exec"],
            [],
        ] {
            let patterns = try texts.map { try TopicPattern($0) }
            let set = TopicSet(matching: patterns)
            for kind in EventKind.allCases {
                #expect(set.contains(kind) == patterns.contains { $0.matches(kind.topic) })
            }
            #expect(set.kinds == EventKind.allCases.filter { set.contains($0) })
        }
    }

    @Test func `a pattern that no kind can match gives an empty set`() throws {
        #expect(TopicSet(matching: [try TopicPattern("events.proces.exec")]).isEmpty)
        #expect(!TopicSet.all.isEmpty)
        #expect(TopicSet.none.isEmpty)
    }

    @Test func `union and intersection are those of sets`() {
        let left = TopicSet([.processExec, .fileCreated])
        var right = TopicSet([.processExec, .networkOpen])
        #expect(left.union(right) == TopicSet([.fileCreated, .networkOpen, .processExec]))
        #expect(left.intersection(right).kinds == [.processExec])
        right.formUnion(left)
        #expect(right == left.union(right))
    }
}
