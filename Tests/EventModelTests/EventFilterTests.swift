import EventModel
import Testing

@Suite struct EventFilterTests {
    private func process(_ change: (inout ProcessEvent) -> Void = { _ in }) -> Event {
        var process = Samples.bareProcess
        process.name = "sshd"
        process.executablePath = "/usr/sbin/sshd"
        process.uid = UserID(1_000)
        change(&process)
        return Samples.event(.processExec, .process(process))
    }

    @Test func `no condition matches everything`() throws {
        #expect(EventFilter.everything.matches(process()))
        #expect(EventFilter.everything.matches(Samples.event(.fileCreated, .filesystem(Samples.file("/a")))))
    }

    @Test func `each condition alone decides`() {
        let event = process()
        #expect(EventFilter(topics: TopicSet([.processExec])).matches(event))
        #expect(!EventFilter(topics: TopicSet([.processFork])).matches(event))
        #expect(EventFilter(pids: [ProcessID(9_999), ProcessID(4_711), ProcessID(1)]).matches(event))
        #expect(!EventFilter(pids: [ProcessID(9_999), ProcessID(1)]).matches(event))
        #expect(EventFilter(uids: [UserID(0), UserID(1_000)]).matches(event))
        #expect(!EventFilter(uids: [UserID(0)]).matches(event))
        #expect(EventFilter(name: "sshd").matches(event))
        #expect(!EventFilter(name: "ssh").matches(event))
        #expect(EventFilter(executablePrefix: "/usr/").matches(event))
        #expect(!EventFilter(executablePrefix: "/bin/").matches(event))
    }

    @Test func `all conditions must hold`() {
        func filter(
            topics: TopicSet = TopicSet([.processExec]), pid: Int32 = 4_711, uid: UInt32 = 1_000,
            name: String = "sshd",
            prefix: String = "/usr/sbin/"
        ) -> EventFilter {
            EventFilter(
                topics: topics, pids: [ProcessID(pid)], uids: [UserID(uid)], name: name,
                executablePrefix: prefix)
        }
        #expect(filter().matches(process()))
        #expect(!filter(topics: .none).matches(process()))
        #expect(!filter(pid: 1).matches(process()))
        #expect(!filter(uid: 1).matches(process()))
        #expect(!filter(name: "x").matches(process()))
        #expect(!filter(prefix: "/x").matches(process()))
    }

    @Test func `an event without the field does not match`() {
        #expect(!EventFilter(uids: [UserID(1_000)]).matches(process { $0.uid = nil }))
        #expect(!EventFilter(name: "").matches(process { $0.name = nil }))
        #expect(!EventFilter(executablePrefix: "").matches(process { $0.executablePath = nil }))
        let sample = Samples.event(.performanceSample, .performance(Samples.measurement("c")))
        #expect(!EventFilter(pids: [ProcessID(0)]).matches(sample))
        #expect(!EventFilter(name: "c").matches(sample))
    }

    @Test func `a file's owner is not the user of a process`() {
        let event = Samples.event(.fileCreated, .filesystem(Samples.file("/a")))
        #expect(!EventFilter(uids: [UserID(0)]).matches(event))
    }

    @Test func `an empty list matches nothing`() {
        #expect(!EventFilter(pids: []).matches(process()))
        #expect(!EventFilter(uids: []).matches(process()))
    }

    @Test func `text is compared byte by byte`() {
        let composed = "caf\u{e9}"
        let decomposed = "cafe\u{301}"
        #expect(!EventFilter(name: composed).matches(process { $0.name = decomposed }))
        #expect(
            EventFilter(executablePrefix: "/tmp/").matches(process { $0.executablePath = "/tmp/\u{301}x" }))
        #expect(!EventFilter(executablePrefix: composed).matches(process { $0.executablePath = decomposed }))
    }

    @Test func `many pids are found and no others`() {
        var random = SplitMix64(seed: 3)
        let pids = (0..<500).map { _ in ProcessID(Int32(random.next() % 4_194_304)) }
        let filter = EventFilter(pids: pids + pids)
        #expect(Set(filter.pids ?? []) == Set(pids))
        for candidate in pids.map(\.rawValue).flatMap({ [$0 - 1, $0, $0 + 1] }) {
            let pid = ProcessID(candidate)
            let event = process { $0.identity.pid = pid }
            #expect(filter.matches(event) == pids.contains(pid))
        }
    }
}
