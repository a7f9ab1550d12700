/// One fact about the host.
///
/// Its identity is the batch's ``RunContext`` with ``source`` and ``sequence``: see ``EventBatch/id(at:)``.
public struct Event: Sendable {
    public var source: SourceName
    /// Given by the runtime when the event is emitted; 0 before that.
    public var sequence: UInt64
    public var kind: EventKind
    public var origin: EventOrigin
    /// When it happened, on the wall clock, by the kernel's stamp where there is one.
    public var time: WallTime
    public var monotonic: Instant
    public var subject: CollectionEvent
    /// Names of text fields whose bytes were not valid UTF-8 and are escaped (see ``KernelText``).
    public var escaped: [String]

    public init(
        source: SourceName, kind: EventKind, origin: EventOrigin, time: WallTime, monotonic: Instant,
        subject: CollectionEvent, escaped: [String]
    ) {
        self.source = source
        sequence = 0
        self.kind = kind
        self.origin = origin
        self.time = time
        self.monotonic = monotonic
        self.subject = subject
        self.escaped = escaped
    }
}

/// The five domains of events.
@frozen
public enum CollectionEvent: Sendable {
    case process(ProcessEvent)
    case network(NetworkEvent)
    case filesystem(FilesystemEvent)
    case performance(PerformanceEvent)
    case triggerRequest(TriggerRequest)

    /// The type name of the specification.
    public var typeName: String {
        switch self {
        case .process: "process"
        case .network: "network"
        case .filesystem: "filesystem"
        case .performance: "performance"
        case .triggerRequest: "trigger_request"
        }
    }

    public var pid: ProcessID? {
        switch self {
        case .process(let event): event.pid
        case .network(let event): event.pid
        case .filesystem(let event): event.pid
        case .performance(let event): event.pid
        case .triggerRequest(let event): event.targetPID
        }
    }
}

/// Why an event exists: the kernel said so, or the collector derived it.
public enum EventOrigin: String, Hashable, Sendable, CaseIterable {
    /// The one event of one kernel message.
    case emitted
    /// A first look at what was already there.
    case baseline
    /// A difference found by a scan after a loss.
    case resync
    /// Concluded from another event.
    case derived
}

/// The kind of an event; its topic is `events.` and the kind's name.
public enum EventKind: String, Hashable, Sendable, CaseIterable {
    case processBaseline = "process.baseline"
    case processFork = "process.fork"
    case processExec = "process.exec"
    case processExit = "process.exit"
    case processSetID = "process.setid"
    case processSession = "process.session"
    case processComm = "process.comm"
    case processPtrace = "process.ptrace"
    case processCoredump = "process.coredump"
    case processModified = "process.modified"
    case processSuspicious = "process.suspicious"
    case fileBaseline = "file.baseline"
    case fileCreated = "file.created"
    case fileModified = "file.modified"
    case fileAttributes = "file.attributes"
    case fileRenamed = "file.renamed"
    case fileDeleted = "file.deleted"
    case networkBaseline = "network.baseline"
    case networkOpen = "network.open"
    case networkListen = "network.listen"
    case networkState = "network.state"
    case networkClose = "network.close"
    case performanceSample = "performance.sample"
    case performanceThreshold = "performance.threshold"
    case triggerRequest = "trigger.request"
    case triggerResult = "trigger.result"

    public var topic: String { "events." + rawValue }

    /// Position in `allCases`: a small dense number for tables.
    public var index: Int {
        switch self {
        case .processBaseline: 0
        case .processFork: 1
        case .processExec: 2
        case .processExit: 3
        case .processSetID: 4
        case .processSession: 5
        case .processComm: 6
        case .processPtrace: 7
        case .processCoredump: 8
        case .processModified: 9
        case .processSuspicious: 10
        case .fileBaseline: 11
        case .fileCreated: 12
        case .fileModified: 13
        case .fileAttributes: 14
        case .fileRenamed: 15
        case .fileDeleted: 16
        case .networkBaseline: 17
        case .networkOpen: 18
        case .networkListen: 19
        case .networkState: 20
        case .networkClose: 21
        case .performanceSample: 22
        case .performanceThreshold: 23
        case .triggerRequest: 24
        case .triggerResult: 25
        }
    }
}

/// Events of one source in the order of their sequence: immutable, shared by all subscribers, never empty.
public final class EventBatch: Sendable {
    public let run: RunContext
    public let source: SourceName
    public let events: ContiguousArray<Event>

    public init(run: RunContext, source: SourceName, events: ContiguousArray<Event>) {
        precondition(!events.isEmpty, "a batch must not be empty")
        self.run = run
        self.source = source
        self.events = events
    }

    public func id(at index: Int) -> EventID {
        EventID(run: run, source: source, sequence: events[index].sequence)
    }
}
