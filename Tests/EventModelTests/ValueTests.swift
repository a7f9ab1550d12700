import EventModel
import Testing

@Suite struct ValueTests {
    @Test(
        arguments: [
            (0x0000, 0, nil, false), (0x0100, 1, nil, false), (0xff00, 255, nil, false),
            (0x0009, nil, 9, false),
            (0x008b, nil, 11, true), (0x000f, nil, 15, false),
        ] as [(UInt32, UInt8?, UInt8?, Bool)])
    func `exit codes decode as wait does`(code: UInt32, status: UInt8?, signal: UInt8?, isCoreDumped: Bool) {
        let exit = ProcessExit(code: code)
        #expect(
            exit == ProcessExit(status: status, signal: signal, isCoreDumped: isCoreDumped, isInferred: false)
        )
    }

    @Test func `worse health is greater, and the order is total`() {
        let states: [Health] = [
            .healthy, .degraded(reason: "a"), .degraded(reason: "b"), .failed(reason: ""),
            .failed(reason: "a"),
        ]
        for (i, a) in states.enumerated() {
            for (j, b) in states.enumerated() {
                #expect((a < b) == (i < j))
                #expect((a == b) == (i == j))
            }
        }
        #expect(states.max() == .failed(reason: "a"))
    }

    @Test func `severities and priorities ascend`() {
        #expect(Severity.allCases.sorted() == [.low, .medium, .high, .critical])
        #expect(TriggerPriority.allCases.sorted() == [.low, .normal, .high, .critical])
    }

    @Test func `capabilities have the bits and labels of the specification`() {
        let all: [(SourceCapabilities, UInt32, String)] = [
            (.process, 1, "process"), (.network, 2, "network"), (.filesystem, 4, "filesystem"),
            (.performance, 8, "performance"), (.realtime, 16, "realtime"), (.kernelLevel, 32, "kernel"),
            (.systemWide, 64, "system-wide"),
        ]
        for (capability, bit, label) in all {
            #expect(capability.rawValue == bit)
            #expect(capability.labels == [label])
        }
        #expect(SourceCapabilities(all.map(\.0)).labels == all.map(\.2))
        #expect(SourceCapabilities(rawValue: 1 << 31 | 2).labels == ["network", "bit31"])
    }

    @Test func `capabilities obey the laws of sets`() {
        var random = SplitMix64(seed: 6)
        for _ in 0..<1_000 {
            let (a, b, c) = (
                SourceCapabilities(rawValue: UInt32(truncatingIfNeeded: random.next())),
                SourceCapabilities(rawValue: UInt32(truncatingIfNeeded: random.next())),
                SourceCapabilities(rawValue: UInt32(truncatingIfNeeded: random.next()))
            )
            #expect(a.union(b) == b.union(a))
            #expect(a.union(b.union(c)) == a.union(b).union(c))
            #expect(a.intersection(b.union(c)) == a.intersection(b).union(a.intersection(c)))
            #expect(a.subtracting(b).isDisjoint(with: b))
            #expect(a.subtracting(b).union(a.intersection(b)) == a)
            #expect(a.intersection(b).isSubset(of: a))
            #expect(a.symmetricDifference(a).isEmpty)
            #expect(a.union(a) == a && a.intersection(a) == a)
            #expect(a.union([]) == a && a.intersection([]).isEmpty)
            #expect(a.labels.count == a.rawValue.nonzeroBitCount)
        }
    }

    @Test func `each provenance has its own label and absence none`() {
        let labels =
            [Provenance.kernelMessage, .verified, .inherited, .lateRead].map(\.label)
            + UnknownReason.allCases.map { Provenance.unknown($0).label }
        #expect(Set(labels.compactMap { $0 }).count == labels.count)
        #expect(Provenance.absent.label == nil)
    }

    @Test func `an empty batch traps`() async {
        await #expect(processExitsWith: .failure) {
            _ = EventBatch(run: Samples.run, source: .process, events: [])
        }
    }

    @Test func `an event is small enough to be moved through queues`() {
        #expect(MemoryLayout<Event>.size <= 64)
    }

    @Test func `an event's pid is that of its subject`() throws {
        #expect(CollectionEvent.process(Samples.bareProcess).pid == ProcessID(4_711))
        #expect(CollectionEvent.network(Samples.network("c")).pid == ProcessID(3))
        #expect(CollectionEvent.filesystem(Samples.file("/a")).pid == ProcessID(9))
        #expect(CollectionEvent.performance(Samples.measurement("c")).pid == nil)
        #expect(CollectionEvent.triggerRequest(try Samples.trigger("x")).pid == nil)
    }

    @Test func `provenance labels stand in the order of JSON`() {
        let labelled = Samples.fullProcess.provenance.labelled
        #expect(labelled.count == 12)
        #expect(
            labelled.filter { $0.provenance != .absent }.map(\.field) == [
                "name", "exe", "cmdline", "uid", "memory_bytes",
            ])
    }
}
