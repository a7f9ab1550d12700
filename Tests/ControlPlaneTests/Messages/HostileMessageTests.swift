import CollectorCore
import ControlPlane
import EventModel
import SwiftProtobuf
import Testing
import WireMessages

/// What a peer sends may be anything: it is refused with the field's name, and nothing traps.
struct HostileMessageTests {
    private func field(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? MessageError)?.field ?? "\(error)"
        }
    }

    // MARK: - Events

    /// A change to a message of one event, and the field that is then complained of.
    private static let damages: [(field: String, damage: @Sendable (inout WireEventBatch) -> Void)] = [
        ("run", { $0.clearRun() }),
        ("run.boot_id", { $0.run.bootID = "here" }),
        ("source", { $0.source = "UPPER" }),
        ("events", { $0.events = [] }),
        ("events[0].sequence", { $0.events[0].sequence = 0 }),
        ("events[1].sequence", { $0.events.append($0.events[0]) }),
        ("events[0].kind", { $0.events[0].kind = "process.born" }),
        ("events[0].origin", { $0.events[0].origin = .UNRECOGNIZED(4) }),
        ("events[0].subject", { $0.events[0].subject = nil }),
        ("events[0].process.identity", { $0.events[0].process.clearIdentity() }),
        ("events[0].process.identity.pid", { $0.events[0].process.identity.pid = 1 << 31 }),
        ("events[0].process.identity.birth", { $0.events[0].process.identity.birth = nil }),
        ("events[0].process.provenance", { $0.events[0].process.clearProvenance() }),
        (
            "events[0].process.provenance.cgroup",
            { $0.events[0].process.provenance.cgroup = .UNRECOGNIZED(14) }
        ),
        ("events[0].process.ppid", { $0.events[0].process.ppid = .max }),
        ("events[0].process.session", { $0.events[0].process.session = .max }),
        ("events[0].process.tracer", { $0.events[0].process.tracer = .max }),
        ("events[0].process.hash_algorithm", { $0.events[0].process.hashAlgorithm = "md5" }),
        ("events[0].process.exit.status", { $0.events[0].process.exit.status = 256 }),
        ("events[0].process.exit.signal", { $0.events[0].process.exit.signal = 256 }),
        ("events[0].process.modified[0].name", { $0.events[0].process.modified = ["pid"] }),
        ("events[0].process.suspicion.reason", { $0.events[0].process.suspicion.severity = "low" }),
        ("events[0].process.cpid", { $0.events[0].process.cpid = "" }),
        ("events[0].process.parent.birth", { $0.events[0].process.parent.pid = 1 }),
        (
            "events[0].process.ancestors",
            { $0.events[0].process.ancestors = Array(repeating: $0.events[0].process.identity, count: 9) }
        ),
        (
            "events[0].process.cmdline",
            { $0.events[0].process.cmdline = Array(repeating: "", count: Limits.argumentCount + 1) }
        ),
        ("events[0].file.operation", { $0.events[0].file = WireFileEvent() }),
        ("events[0].file.permissions", { $0.events[0].file = Self.file { $0.permissions = 0o10000 } }),
        ("events[0].file.type", { $0.events[0].file = Self.file { $0.type = "door" } }),
        ("events[0].file.learnt", { $0.events[0].file = Self.file { $0.learnt = .UNRECOGNIZED(-1) } }),
        (
            "events[0].file.transaction.packages[0].action",
            { $0.events[0].file = Self.file { $0.transaction.packages = [.init()] } }
        ),
        (
            "events[0].file.transaction.packages",
            {
                $0.events[0].file = Self.file {
                    $0.transaction.packages = Array(repeating: .init(), count: 257)
                }
            }
        ),
        ("events[0].network.source", { $0.events[0].network = WireNetworkEvent() }),
        (
            "events[0].network.source.port",
            { $0.events[0].network = Self.network { $0.source.port = 65_536 } }
        ),
        ("events[0].network.protocol", { $0.events[0].network = Self.network { $0.protocol = "TCP" } }),
        ("events[0].performance.pid", { $0.events[0].performance.pid = .max }),
        ("events[0].trigger_request.analysis_type", { $0.events[0].triggerRequest = WireTriggerRequest() }),
        ("events[0].trigger_request.target_pid", { $0.events[0].triggerRequest = Self.request { _ in } }),
        (
            "events[0].trigger_request.metadata",
            { batch in
                batch.events[0].triggerRequest = Self.request {
                    $0.targetPid = 1
                    $0.metadata = [.init(), .init()]
                }
            }
        ),
    ]

    private static func file(_ change: (inout WireFileEvent) -> Void) -> WireFileEvent {
        var file = WireFileEvent(FilesystemEvent(path: "/x", operation: .created))
        change(&file)
        return file
    }

    private static func network(_ change: (inout WireNetworkEvent) -> Void) -> WireNetworkEvent {
        var values = RandomValues(seed: 31)
        var network = WireNetworkEvent(values.network())
        change(&network)
        return network
    }

    private static func request(_ change: (inout WireTriggerRequest) -> Void) -> WireTriggerRequest {
        var request = WireTriggerRequest()
        request.triggerID = "t"
        request.targetCollector = "c"
        request.correlationID = "i"
        request.analysisType = "yara_scan"
        request.priority = "low"
        change(&request)
        return request
    }

    private static func sound() throws -> WireEventBatch {
        var values = RandomValues(seed: 32)
        var event = try values.event()
        event.sequence = 9
        var process = ProcessEvent(identity: values.identity())
        process.name = "ls"
        event.subject = .process(process)
        return WireEventBatch(EventBatch(run: values.run(), source: "process", events: [event]))
    }

    @Test(arguments: damages.indices)
    func `a batch that makes no sense is refused with the field's name`(index: Int) throws {
        var message = try Self.sound()
        #expect(field { _ = try EventBatch(message) } == nil)
        Self.damages[index].damage(&message)
        #expect(field { _ = try EventBatch(message) } == Self.damages[index].field)
    }

    @Test func `an error names what was expected, and nothing that the peer chose`() throws {
        var message = try Self.sound()
        message.events[0].process.hashAlgorithm = "\u{1b}[2J"
        let error = #expect(throws: MessageError.self) { try EventBatch(message) }
        #expect(
            error?.description
                == "events[0].process.hash_algorithm: expected one of \"sha256\", \"sha3-256\", \"blake3\"")
    }

    @Test func `bytes with wrong bits are refused or read, and nothing traps`() throws {
        var values = RandomValues(seed: 33)
        var readCount = 0
        for _ in 0..<1_000 {
            var bytes: [UInt8] = try WireEventBatch(try values.batch(of: 2)).serializedBytes()
            for _ in 0...Int(values.next() % 3) {
                bytes[Int(values.next() % UInt64(bytes.count))] ^= UInt8(1 << (values.next() & 7))
            }
            guard let message = try? WireEventBatch(serializedBytes: bytes) else { continue }
            if let batch = try? EventBatch(message) {
                readCount += 1
                #expect(!batch.events.isEmpty)
            }
        }
        #expect(readCount > 0)
    }

    // MARK: - Reports

    @Test func `sums of the counts of any account that is read do not overflow`() throws {
        var tally = WireTally()
        for number in 0..<MessageLimits.tallyEntryCount {
            var entry = WireTally.Entry()
            entry.reason = "\(number)"
            entry.count = MessageLimits.count
            tally.entries.append(entry)
        }
        var message = WireSourceAccount(SourceAccount(source: "process"))
        message.kernel = MessageLimits.count
        message.emitted = MessageLimits.count
        message.coalesced = MessageLimits.count
        message.lost = MessageLimits.count
        message.filtered = tally
        message.dropped = tally
        #expect(try !SourceAccount(message).isBalanced)
        message.kernel += 1
        #expect(field { _ = try SourceAccount(message) } == "kernel")
    }

    @Test func `a tally of the same reason twice, of too many, or of too much is refused`() {
        var entry = WireTally.Entry()
        entry.reason = "self"
        entry.count = 1
        var message = WireStreamAccount(StreamAccount(subscriber: "x"))
        message.dropped.entries = [entry, entry]
        #expect(field { _ = try StreamAccount(message) } == "dropped.entries.reason")
        message.dropped.entries = Array(repeating: entry, count: 257)
        #expect(field { _ = try StreamAccount(message) } == "dropped.entries")
        entry.count = .max
        message.dropped.entries = [entry]
        #expect(field { _ = try StreamAccount(message) } == "dropped.entries.count")
    }

    @Test func `reports that make no sense are refused with the field's name`() {
        var values = RandomValues(seed: 34)
        var health = WireHealth(values.healthReport())
        health.overall.level = .UNRECOGNIZED(3)
        #expect(field { _ = try HealthReport(health) } == "overall.level")
        health.clearOverall()
        #expect(field { _ = try HealthReport(health) } == "overall")
        var status = WireSourceStatus(values.sourceStatus())
        status.capabilities = ["process", "bit3"]
        #expect(field { _ = try SourceStatus(status) } == "capabilities[1].name")
        status.state = ""
        #expect(field { _ = try SourceStatus(status) } == "state")
        var telemetry = WireTelemetry(values.telemetry())
        telemetry.resources.residentBytes = .max
        #expect(field { _ = try Telemetry(telemetry) } == "resources.resident_bytes")
        telemetry.clearResources()
        telemetry.subscribers = [.init()]
        #expect(field { _ = try Telemetry(telemetry) } == "subscribers[0].latency_ns")
        var gap = WireGap(values.gap())
        gap.cause = "bad luck"
        #expect(field { _ = try Gap(gap) } == "cause")
    }

    // MARK: - Filters

    private func field(_ change: (inout WireFilter) -> Void) -> String? {
        var message = WireFilter()
        change(&message)
        return field { _ = try EventFilter(message) }
    }

    @Test func `an empty filter lets everything pass`() throws {
        #expect(try EventFilter(WireFilter()) == .everything)
    }

    @Test func `every condition of a filter is taken over`() throws {
        var message = WireFilter()
        message.topics = ["events.process.exec", "events.file.#"]
        message.pids = [7, 3, 7]
        message.uids = [0]
        message.name = "ls"
        message.executablePrefix = "/usr/"
        let patterns = [try TopicPattern("events.process.exec"), try TopicPattern("events.file.#")]
        let expected = EventFilter(
            topics: TopicSet(matching: patterns), pids: [ProcessID(3), ProcessID(7)], uids: [UserID(0)],
            name: "ls", executablePrefix: "/usr/")
        #expect(try EventFilter(message) == expected)
    }

    @Test func `a filter that makes no sense is refused with the field's name`() {
        #expect(field { $0.pids = Array(repeating: 1, count: Limits.filterValueCount + 1) } == "pids")
        #expect(field { $0.uids = Array(repeating: 1, count: Limits.filterValueCount + 1) } == "uids")
        #expect(field { $0.pids = [1, 1 << 31] } == "pids[1].pid")
        #expect(field { $0.name = String(repeating: "x", count: 61) } == "name")
        #expect(field { $0.executablePrefix = String(repeating: "x", count: 4_097) } == "executable_prefix")
        #expect(field { $0.topics = ["events.#", "events..x"] } == "topics[1].pattern")
        #expect(field { $0.topics = Array(repeating: "#", count: 65) } == "topics")
        #expect(field { $0.topics = ["event.#"] } == "topics")
    }
}
