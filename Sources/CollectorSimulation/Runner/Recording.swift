package import CollectorCore
package import EventModel

/// One item of the subscriber's stream and when it was delivered.
package struct StreamItem: Sendable {
    package enum Content: Sendable {
        case event(Event)
        case gap(Gap)
        case status(SourceStatus)
    }

    package var content: Content
    package var delivered: Instant

    package init(content: Content, delivered: Instant) {
        self.content = content
        self.delivered = delivered
    }
}

/// Everything that one run of the collector, from start to stop, said and did.
package struct CollectorRun: Sendable {
    package var context: RunContext
    package var started: Instant
    /// When the source of processes said that it was ready.
    package var ready: Instant?
    /// Whether processes were polled for.
    package var isPolling = false
    /// When the source of files said so.
    package var filesystemReady: Instant?
    /// What was read of inotify.
    package var watch: WatchTruth?
    /// When it was told to stop.
    package var stopRequested: Instant?
    /// When a fault last took, hid or delayed something before that.
    package var lastHarm: Instant?
    package var ended: Instant?
    /// Empty in a run that is only compared.
    package var stream: [StreamItem] = []
    /// Events that were delivered.
    package var eventCount = 0
    package var report: CollectorReport?
    /// Accounts asked for while it ran.
    package var accounts: [(at: Instant, accounts: Accounts)] = []
    package var queueLimit: Int
    package var peakQueueCount = 0
    /// What it still had open below `/proc` and below its roots when it had ended.
    package var openHandleCount = 0
    /// Records beside the events in which a planted secret stands; the first few.
    package var leakedTexts: [String] = []
    /// Why it could not be composed or run.
    package var failure: String?

    mutating func noteLeak(in text: [UInt8]) {
        guard PlantedSecret.isIn(text.span), leakedTexts.count < Oracles.failureLimit else { return }
        leakedTexts.append(String(decoding: text, as: UTF8.self))
    }

    init(context: RunContext, started: Instant, queueLimit: Int) {
        self.context = context
        self.started = started
        self.queueLimit = queueLimit
    }

    /// Whether a moment lies between its start and its end.
    package func contains(_ time: Instant) -> Bool { time >= started && ended.map { time <= $0 } ?? true }

    /// The events in the order of delivery.
    package var events: some Sequence<(event: Event, delivered: Instant)> {
        stream.lazy.compactMap { item in
            if case .event(let event) = item.content { (event, item.delivered) } else { nil }
        }
    }

    package var gaps: some Sequence<Gap> {
        stream.lazy.compactMap { item in
            if case .gap(let gap) = item.content { gap } else { nil }
        }
    }

    /// Events that the subscriber's own queue dropped: then the stream is not the whole story.
    package var isStreamComplete: Bool {
        guard let report else { return false }
        let isDropping = report.accounts.streams.contains { $0.dropped.total > 0 }
        return !isDropping
            && report.accounts.sources.allSatisfy { $0.dropped.total == 0 && $0.syntheticDropped == 0 }
    }
}

/// What the kernel knows about one inotify instance.
package struct WatchTruth: Hashable, Sendable {
    /// Records that were read.
    package var readCount: UInt64
    /// Those of them that tell of an overflow.
    package var readOverflowCount: UInt64
}

/// What a simulated operator's work leaves behind.
package struct Recording: Sendable {
    package var runs: [CollectorRun] = []
    /// When `/proc` was listed: the beginning of a baseline or of a resync.
    package var scans: [Instant] = []
    /// Probes that a verb has hit by itself.
    package var probes: Set<String> = []
    /// How often each line of `fault` has struck.
    package var faultFirings: [Int] = []
    /// Lines whose subject did not exist.
    package var skippedLineCount = 0
}

extension Recording {
    /// Why a run, or its source, never became ready.
    var startProblem: String? {
        guard let run = runs.first(where: { $0.ready == nil }) else { return nil }
        let failed = run.report?.failures.first.map { "source \($0.source) failed: \($0.reason)" }
        return run.failure ?? failed ?? "stopped before it was ready"
    }
}
