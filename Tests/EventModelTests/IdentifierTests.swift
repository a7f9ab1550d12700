import EventModel
import Testing

@Suite struct IdentifierTests {
    @Test func `a boot id reads either case and prints lower case`() throws {
        let boot = try #require(BootID("2899DAE4-4fa4-4eef-95B6-6bc95325f61a"))
        #expect(boot == Samples.run.bootID)
        #expect(boot.description == "2899dae4-4fa4-4eef-95b6-6bc95325f61a")
    }

    @Test(arguments: [
        "", "2899dae4", "2899dae44fa44eef95b66bc95325f61a", "2899dae4-4fa4-4eef-95b6-6bc95325f61",
        "2899dae4-4fa4-4eef-95b6-6bc95325f61a0", "2899dae4-4fa4-4eef-95b6-6bc95325f61a\n",
        "{2899dae4-4fa4-4eef-95b6-6bc95325f61a}", "2899dae4-4fa4-4eef-95b6-6bc95325f61g",
        "2899dae4 4fa4-4eef-95b6-6bc95325f61a", "-----", "2899dae-44fa4-4eef-95b6-6bc95325f61a",
        "2899dae4-4fa4-4eef-95b6-6bc95325f6é",
    ])
    func `anything but 8-4-4-4-12 digits is no boot id`(text: String) {
        #expect(BootID(text) == nil)
        #expect(CommonProcessID(text) == nil)
    }

    @Test func `random identifiers come back from their text`() {
        var random = SplitMix64(seed: 4)
        for _ in 0..<1_000 {
            let boot = BootID(high: random.next(), low: random.next())
            #expect(BootID(boot.description) == boot)
            #expect(CommonProcessID(boot.description)?.description == boot.description)
        }
    }

    @Test(arguments: ["process", "a", "my-source_2", String(repeating: "x", count: 64)])
    func `a source name is short and plain`(text: String) {
        #expect(SourceName(text)?.rawValue == text)
    }

    @Test(arguments: ["", "Process", "a b", "a.b", "a/b", "größe", "a\n", String(repeating: "x", count: 65)])
    func `other source names are refused`(text: String) {
        #expect(SourceName(text) == nil)
    }

    @Test func `an event id names boot, run, source and sequence`() {
        let id = EventID(run: Samples.run, source: .process, sequence: 5)
        #expect(id.description == "2899dae4-4fa4-4eef-95b6-6bc95325f61a/7/process/5")
    }

    @Test func `identities of different births print differently`() {
        let time = Instant(nanoseconds: -9)
        let births: [ProcessBirth] = [
            .fork(processor: 1, sequence: 2, timestamp: time),
            .fork(processor: 2, sequence: 2, timestamp: time),
            .fork(processor: 1, sequence: 3, timestamp: time),
            .seen(processor: 1, sequence: 2, timestamp: time),
            .fork(processor: 1, sequence: 2, timestamp: Instant(nanoseconds: 9)),
            .scan(startTicks: 1, pidFDInode: 2), .scan(startTicks: 12, pidFDInode: 0),
        ]
        let texts = births.map { ProcessIdentity(pid: ProcessID(7), birth: $0).description }
        #expect(Set(texts).count == births.count)
        #expect(texts[0] == "7@f1.2.-9")
        #expect(texts[3] == "7@m1.2.-9")
        #expect(texts[5] == "7@s1.2")
    }

    @Test func `the index of a kind is its position`() {
        #expect(EventKind.allCases.map(\.index) == Array(EventKind.allCases.indices))
        #expect(EventKind.allCases.count <= 64, "a topic set has 64 bits")
    }

    @Test func `kinds have distinct topics of three levels`() {
        #expect(Set(EventKind.allCases.map(\.topic)).count == EventKind.allCases.count)
        for kind in EventKind.allCases {
            #expect(kind.topic.hasPrefix("events."))
            #expect(kind.topic.split(separator: ".").count == 3)
        }
    }
}
