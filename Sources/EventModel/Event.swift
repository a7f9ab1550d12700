/// One fact about the host.
///
/// Its identity is the batch's ``RunContext`` with ``source`` and ``sequence``: see ``EventBatch/id(at:)``.
public struct Event: Sendable {
    /// The source that emitted it.
    public var source: SourceName
    /// Given by the runtime when the event is emitted; 0 before that.
    public var sequence: UInt64
    /// What kind of fact it is.
    public var kind: EventKind
    /// Why it exists.
    public var origin: EventOrigin
    /// When it happened, on the wall clock, by the kernel's stamp where there is one.
    public var time: WallTime
    /// When it happened, on the monotonic clock.
    public var monotonic: Instant
    /// What it is about.
    public var subject: CollectionEvent
    /// Names of text fields whose bytes were not valid UTF-8 and are escaped (see ``KernelText``).
    public var escaped: [String]

    /// Makes an event that has not been emitted yet.
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
///
/// Indirect, so that an event is a few words: it moves through buffers and batches at a third less cost than
/// in place.
@frozen
public indirect enum CollectionEvent: Sendable {
    /// About a process.
    case process(ProcessEvent)
    /// About a socket or connection.
    case network(NetworkEvent)
    /// About a file.
    case filesystem(FilesystemEvent)
    /// A measurement.
    case performance(PerformanceEvent)
    /// A request for an analysis.
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

    /// The process that the event is about, where there is one and it is known.
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
    /// A process that was already there.
    case processBaseline = "process.baseline"
    /// A process was made.
    case processFork = "process.fork"
    /// A process executed a program.
    case processExec = "process.exec"
    /// A process ended, all of its threads included.
    case processExit = "process.exit"
    /// A process changed its user or group ids.
    case processSetID = "process.setid"
    /// A process became the leader of a session.
    case processSession = "process.session"
    /// A process changed its name.
    case processComm = "process.comm"
    /// A tracer attached or detached.
    case processPtrace = "process.ptrace"
    /// A process began to dump its core.
    case processCoredump = "process.coredump"
    /// Fields of a process differ from what was last reported.
    case processModified = "process.modified"
    /// A process deserves a look.
    case processSuspicious = "process.suspicious"
    /// A file that was already there.
    case fileBaseline = "file.baseline"
    /// A file was made.
    case fileCreated = "file.created"
    /// A file's contents changed.
    case fileModified = "file.modified"
    /// A file's owner, permissions or times changed.
    case fileAttributes = "file.attributes"
    /// A file got another path.
    case fileRenamed = "file.renamed"
    /// A file's name was removed.
    case fileDeleted = "file.deleted"
    /// A package manager changed files, as its packages state.
    case fileTransaction = "file.transaction"
    /// A file deserves a look.
    case fileSuspicious = "file.suspicious"
    /// A socket that was already there.
    case networkBaseline = "network.baseline"
    /// A connection was opened.
    case networkOpen = "network.open"
    /// A socket began to listen.
    case networkListen = "network.listen"
    /// A connection changed its state.
    case networkState = "network.state"
    /// A connection was closed.
    case networkClose = "network.close"
    /// A regular measurement.
    case performanceSample = "performance.sample"
    /// A measurement crossed its threshold.
    case performanceThreshold = "performance.threshold"
    /// An analysis was asked for.
    case triggerRequest = "trigger.request"
    /// An analysis was done.
    case triggerResult = "trigger.result"

    /// The name under which events of this kind are published: `events.` and the raw value.
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
        case .fileTransaction: 17
        case .fileSuspicious: 18
        case .networkBaseline: 19
        case .networkOpen: 20
        case .networkListen: 21
        case .networkState: 22
        case .networkClose: 23
        case .performanceSample: 24
        case .performanceThreshold: 25
        case .triggerRequest: 26
        case .triggerResult: 27
        }
    }
}

/// Events of one source in the order of their sequence: immutable, shared by all subscribers, never empty.
public final class EventBatch: Sendable {
    /// The boot and the run of all events.
    public let run: RunContext
    /// The source of all events.
    public let source: SourceName
    /// The events in ascending sequence.
    public let events: ContiguousArray<Event>
    /// When the first of the events was emitted; `nil` when nobody noted it.
    package let begun: Instant?
    /// Roughly how many bytes of memory the events take.
    package let estimatedByteCount: Int

    private let onEnd: (@Sendable (ContiguousArray<Event>) -> Void)?

    /// Makes a batch of events that are already in order.
    public convenience init(run: RunContext, source: SourceName, events: ContiguousArray<Event>) {
        self.init(run: run, source: source, events: events, begun: nil, onEnd: nil)
    }

    /// Makes a batch that hands its events to `onEnd` when nobody needs it any more, so that whoever made them can free
    /// them and use their memory again; called on the thread of the last user.
    package init(
        run: RunContext, source: SourceName, events: ContiguousArray<Event>, begun: Instant?,
        onEnd: (@Sendable (ContiguousArray<Event>) -> Void)?
    ) {
        precondition(!events.isEmpty, "a batch must not be empty")
        self.run = run
        self.source = source
        self.events = events
        self.begun = begun
        self.onEnd = onEnd
        var byteCount = 0
        for index in events.indices { byteCount += events[index].estimatedByteCount }
        estimatedByteCount = byteCount
    }

    deinit { onEnd?(events) }

    /// The identity of one event.
    public func id(at index: Int) -> EventID {
        EventID(run: run, source: source, sequence: events[index].sequence)
    }
}
