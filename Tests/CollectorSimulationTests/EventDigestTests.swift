import CollectorSimulation
import EventModel
import Testing

/// Equal traces mean equal output: the digest of an event must see everything that its text shows.
@Suite struct `an event's digest` {
    private static let identity = ProcessIdentity(
        pid: ProcessID(412),
        birth: .fork(processor: 1, sequence: 7, timestamp: Instant(nanoseconds: 9)))

    /// One change for each field of a process event.
    private static let changes: [@Sendable (inout ProcessEvent) -> Void] = [
        { $0.identity.pid = ProcessID(413) }, { $0.ppid = ProcessID(1) }, { $0.name = "n" },
        { $0.executablePath = "/e" }, { $0.commandLine = ["a"] }, { $0.isCommandLineTruncated = true },
        { $0.redactedCount = 1 },
        { $0.startTime = WallTime(nanoseconds: 1) }, { $0.startTicks = 1 }, { $0.cpuUsage = 0.5 },
        { $0.memoryUsage = 1 }, { $0.executableHash = "00" }, { $0.hashAlgorithm = .sha256 },
        { $0.uid = UserID(0) }, { $0.gid = GroupID(0) }, { $0.realUID = UserID(0) },
        { $0.session = ProcessID(1) }, { $0.cgroup = "/" },
        { $0.container = .host(unit: nil) }, { $0.pidNamespace = 1 },
        { $0.isAccessible = false }, { $0.executableExists = true }, { $0.isKernelThread = true },
        { $0.isZombie = true }, { $0.isAmbiguous = true }, { $0.exit = .inferred },
        { $0.tracer = ProcessID(1) }, { $0.modifiedFields = [.uid] },
        { $0.suspicion = Suspicion(reason: .becameRoot, severity: .low) },
        { $0.cpid = CommonProcessID(high: 1, low: 2) }, { $0.parent = identity },
        { $0.ancestors = [identity] }, { $0.provenance.cpid = .unknown(.gap) },
    ]

    private func digest(_ process: ProcessEvent, changing change: (inout Event) -> Void = { _ in }) -> UInt64
    {
        var event = Event(
            source: .process, kind: .processFork, origin: .emitted, time: WallTime(nanoseconds: 5),
            monotonic: Instant(nanoseconds: 6), subject: .process(process), escaped: [])
        change(&event)
        let run = RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(3))
        var digest = EventDigest()
        digest.fold(EventBatch(run: run, source: .process, events: [event]), at: 0)
        return digest.value
    }

    @Test func `changes with every field of a process`() {
        let plain = ProcessEvent(identity: Self.identity)
        // A field that is added must be folded too.
        #expect(Mirror(reflecting: plain).children.count == Self.changes.count)
        var digests: Set<UInt64> = [digest(plain)]
        for change in Self.changes {
            var process = plain
            change(&process)
            digests.insert(digest(process))
        }
        #expect(digests.count == Self.changes.count + 1)
    }

    @Test func `changes with the provenance of every field`() {
        let paths: [WritableKeyPath<ProcessProvenance, Provenance>] = [
            \.name, \.exe, \.cmdline, \.ppid, \.uid, \.gid, \.session, \.startTime, \.cgroup, \.pidNamespace,
            \.memory, \.cpid,
        ]
        #expect(paths.count == ProcessProvenance().labelled.count)
        var digests: Set<UInt64> = []
        for path in paths {
            for provenance in [Provenance.kernelMessage, .verified, .inherited, .lateRead]
                + UnknownReason.allCases.map({ .unknown($0) })
            {
                var process = ProcessEvent(identity: Self.identity)
                process.provenance[keyPath: path] = provenance
                digests.insert(digest(process))
            }
        }
        #expect(digests.count == paths.count * (4 + UnknownReason.allCases.count))
    }

    @Test func `changes with every field of the event itself`() {
        let plain = ProcessEvent(identity: Self.identity)
        let changes: [(inout Event) -> Void] = [
            { _ in }, { $0.source = "other" }, { $0.sequence = 2 }, { $0.kind = .processExec },
            { $0.origin = .derived }, { $0.time = WallTime(nanoseconds: 8) },
            { $0.monotonic = Instant(nanoseconds: 8) }, { $0.escaped = ["name"] },
        ]
        #expect(Set(changes.map { digest(plain, changing: $0) }).count == changes.count)
    }

    @Test func `tells texts apart that only divide differently`() {
        var first = ProcessEvent(identity: Self.identity)
        var second = first
        first.commandLine = ["ab", "c"]
        second.commandLine = ["a", "bc"]
        #expect(digest(first) != digest(second))
        first.name = "abcdefgh"
        second.name = "abcdefg"
        first.commandLine = []
        second.commandLine = []
        #expect(digest(first) != digest(second))
    }
}
