import EventModel
import Testing

/// The schema, spelled out: a line here changes only together with `EventJSON.schemaVersion` and its
/// documentation, or by a new key.
@Suite struct GoldenJSONTests {
    private static let head =
        #"{"record":"event","schema":1,"id":"2899dae4-4fa4-4eef-95b6-6bc95325f61a/7/process/42","source":"process","#
        + #""sequence":42,"#
    private static let times = #""time":"2026-03-01T10:00:00.123456789Z","monotonic_ns":5000000001,"#

    private func line(_ event: Event) -> String {
        var bytes: [UInt8] = []
        event.appendJSON(run: Samples.run, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `a process event of which little is known`() {
        let expected =
            Self.head + #""kind":"process.fork","origin":"emitted","# + Self.times
            + #""process":{"pid":4711,"ppid":null,"name":null,"exe":null,"cmdline":[],"accessible":true,"#
            + #""identity":"4711@f1.99.4999999999","ancestors":[]},"provenance":{}}"#
        #expect(line(Samples.event(.processFork, .process(Samples.bareProcess))) == expected)
    }

    @Test func `a process event of which everything is known`() {
        let expected =
            Self.head + #""kind":"process.exit","origin":"resync","# + Self.times
            + #""process":{"pid":4711,"ppid":1,"name":"sshd","exe":"/usr/sbin/sshd","cmdline":["sshd","-D"],"#
            + #""cmdline_truncated":true,"redacted":2,"start_time":"1970-01-01T00:00:00.000000000Z","start_ticks":500,"#
            + #""cpu_percent":12.5,"memory_bytes":8192,"exe_hash":"ab12","hash_algorithm":"sha256","uid":1000,"#
            + #""gid":100,"real_uid":0,"session":4700,"cgroup":"/system.slice/ssh.service","#
            + #""container":{"kind":"container","runtime":"cri-o","id":"c1","pod":"p1","unit":"crio-c1.scope"},"#
            + #""pid_namespace":4026531836,"accessible":false,"exe_exists":false,"kernel_thread":true,"#
            + #""zombie":true,"ambiguous":true,"exit":{"signal":11,"core_dumped":true,"inferred":false},"#
            + #""tracer":12,"modified_fields":["name","pid_namespace"],"#
            + #""suspicion":{"reason":"executed_from_memory","severity":"high"},"#
            + #""cpid":"b770a0ed-8463-822c-b5f6-30d9081ddbd9","identity":"4711@f1.99.4999999999","#
            + #""parent":"1@s3.17","ancestors":["1@s3.17","2@m0.5.6"]},"#
            + #""provenance":{"name":"kernel","exe":"verified","cmdline":"unknown:vanished","uid":"inherited","#
            + #""memory_bytes":"late"},"escaped":["exe","cmdline[1]"]}"#
        let event = Samples.event(
            .processExit, .process(Samples.fullProcess), origin: .resync, escaped: ["exe", "cmdline[1]"])
        #expect(line(event) == expected)
    }

    @Test func `provenance names every field in a fixed order`() {
        var process = Samples.bareProcess
        var provenance = ProcessProvenance()
        for (index, field) in [
            \ProcessProvenance.name, \.exe, \.cmdline, \.ppid, \.uid, \.gid, \.session, \.startTime, \.cgroup,
            \.pidNamespace, \.memory, \.cpid,
        ].enumerated() {
            provenance[keyPath: field] = index % 2 == 0 ? .verified : .lateRead
        }
        process.provenance = provenance
        let members = provenance.labelled.map { "\"\($0.field)\":\"\($0.provenance.label ?? "")\"" }
        #expect(members.count == 12)
        let text = line(Samples.event(.processExec, .process(process)))
        #expect(text.hasSuffix("\"provenance\":{" + members.joined(separator: ",") + "}}"))
    }

    @Test func `a network event`() {
        let expected =
            Self.head + #""kind":"network.state","origin":"emitted","# + Self.times
            + #""network":{"connection_id":"c","source_address":"127.0.0.1","source_port":80,"#
            + #""destination_address":"::1","destination_port":65535,"protocol":"tcp","state":"SYN-RECV","pid":3,"#
            + #""sent_bytes":18446744073709551615,"received_bytes":0}}"#
        #expect(line(Samples.event(.networkState, .network(Samples.network("c")))) == expected)
    }

    @Test func `a file event`() {
        let expected =
            Self.head + #""kind":"file.renamed","origin":"emitted","# + Self.times
            + #""file":{"path":"/a","previous_path":"/a","operation":"renamed","pid":9,"size_bytes":10,"#
            + #""permissions":"4755","uid":0,"hash":"00","hash_algorithm":"sha3-256"}}"#
        #expect(line(Samples.event(.fileRenamed, .filesystem(Samples.file("/a")))) == expected)
    }

    @Test func `a performance event`() {
        let expected =
            Self.head + #""kind":"performance.sample","origin":"derived","# + Self.times
            + #""performance":{"metric":"process.cpu.time","value":0.1,"unit":"s","component":"x"}}"#
        let event = Samples.event(
            .performanceSample, .performance(Samples.measurement("x")), origin: .derived)
        #expect(line(event) == expected)
    }

    @Test func `a trigger request`() throws {
        let expected =
            Self.head + #""kind":"trigger.request","origin":"emitted","# + Self.times
            + #""trigger_request":{"trigger_id":"t1","target_collector":"yara","analysis_type":"custom:x","#
            + #""priority":"critical","target_path":"x","correlation_id":"c-1","metadata":{"a":"x","bx":"2"}}}"#
        #expect(line(Samples.event(.triggerRequest, .triggerRequest(try Samples.trigger("x")))) == expected)
    }

    @Test func `gaps, counted and not`() {
        let counted = Gap(
            source: .process, cause: .kernelOverflow, lost: 12, lostBounds: .exactly(12),
            from: Instant(nanoseconds: 1), until: Instant(nanoseconds: 2), time: Samples.time,
            processors: [ProcessorLoss(processor: 3, lost: 12, after: 100, before: 113)], subscriber: nil)
        let uncounted = Gap(
            source: "files", cause: .subscriberQueue, lost: nil,
            lostBounds: LostBounds(atLeast: 1, atMost: nil),
            from: Instant(nanoseconds: -1), until: Instant(nanoseconds: 2), time: Samples.time,
            processors: [],
            subscriber: "stdout")
        var bytes: [UInt8] = []
        counted.appendJSON(to: &bytes)
        bytes.append(0x0a)
        uncounted.appendJSON(to: &bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                {"record":"gap","schema":1,"source":"process","cause":"kernel_overflow","lost":12,\
                "lost_bounds":[12,12],"from_ns":1,"until_ns":2,"time":"2026-03-01T10:00:00.123456789Z",\
                "processors":[{"cpu":3,"lost":12,"after":100,"before":113}]}
                {"record":"gap","schema":1,"source":"files","cause":"subscriber_queue","lost":null,\
                "lost_bounds":[1,null],"from_ns":-1,"until_ns":2,"time":"2026-03-01T10:00:00.123456789Z",\
                "subscriber":"stdout"}
                """)
    }

    @Test func `source accounts, numbered by the kernel and not`() {
        var numbered = SourceAccount(source: .process)
        numbered.kernel = 20
        numbered.emitted = 10
        numbered.filtered.add(3, to: "thread")
        numbered.filtered.add(1, to: "self")
        numbered.coalesced = 1
        numbered.dropped.add(2, to: "buffer/full")
        numbered.lost = 3
        numbered.lostBounds = .exactly(3)
        numbered.overflows = 1
        numbered.syntheticDropped = 4
        numbered.processors = [
            ProcessorAccount(processor: 0, isFenced: true, kernel: 12, lost: 3),
            ProcessorAccount(processor: 1, isFenced: false, kernel: 8, lost: 0),
        ]
        numbered.forkCheck = ForkCheck(forks: 5, atLeast: 4, atMost: 6)
        var unnumbered = SourceAccount(source: "files")
        unnumbered.kernel = 1
        unnumbered.lost = nil
        unnumbered.lostBounds = LostBounds(atLeast: 0, atMost: nil)
        var bytes: [UInt8] = []
        numbered.appendJSON(to: &bytes)
        bytes.append(0x0a)
        unnumbered.appendJSON(to: &bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                {"record":"account","schema":1,"account":"source","source":"process","kernel":20,"emitted":10,\
                "filtered":{"self":1,"thread":3},"coalesced":1,"dropped":{"buffer/full":2},"lost":3,\
                "lost_bounds":[3,3],"overflows":1,"balanced":true,"synthetic_dropped":4,\
                "processors":[{"cpu":0,"fenced":true,"kernel":12,"lost":3},\
                {"cpu":1,"fenced":false,"kernel":8,"lost":0}],\
                "fork_check":{"forks":5,"at_least":4,"at_most":6}}
                {"record":"account","schema":1,"account":"source","source":"files","kernel":1,"emitted":0,\
                "filtered":{},"coalesced":0,"dropped":{},"lost":null,"lost_bounds":[0,null],"overflows":0,\
                "balanced":false}
                """)
    }

    @Test func `a stream account`() {
        var account = StreamAccount(subscriber: "std\"out")
        account.offered = 10
        account.emitted = 4
        account.baseline = 3
        account.resync = 2
        account.derived = 1
        account.delivered = 5
        account.filtered.add(2, to: "topic")
        account.dropped.add(2, to: "queue-full")
        account.inFlight = 1
        var bytes: [UInt8] = []
        account.appendJSON(to: &bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self) == #"""
                {"record":"account","schema":1,"account":"stream","subscriber":"std\"out","offered":10,"emitted":4,\#
                "synthetic":{"baseline":3,"resync":2,"derived":1},"delivered":5,"filtered":{"topic":2},\#
                "dropped":{"queue-full":2},"in_flight":1,"balanced":true}
                """#)
    }
}
