package import CollectorCore
package import EventModel
package import WireMessages

extension WireEventBatch {
    /// The message of the selected events of a batch.
    package init(_ selected: SelectedEvents) {
        self.init()
        run = WireRun(selected.batch.run)
        source = selected.batch.source.rawValue
        var messages: [WireEvent] = []
        messages.reserveCapacity(selected.count)
        selected.forEach { event, _ in messages.append(WireEvent(event)) }
        events = messages
    }

    /// The message of a whole batch.
    package init(_ batch: EventBatch) { self.init(SelectedEvents(batch: batch, indices: nil)) }
}

extension EventBatch {
    /// Reads a batch: at least one event, all of one source, in the order of their sequence.
    package convenience init(_ message: WireEventBatch) throws(MessageError) {
        guard message.hasRun else { throw MessageError(field: "run", expected: "a value") }
        let run = try within("run") { () throws(MessageError) in try RunContext(message.run) }
        let source = try SourceName(message.source, "source")
        guard !message.events.isEmpty else { throw MessageError(field: "events", expected: "at least one") }
        var events: ContiguousArray<Event> = []
        events.reserveCapacity(message.events.count)
        var last: UInt64 = 0
        for wire in message.events {
            let event = try within("events[\(events.count)]") { () throws(MessageError) in
                try Event(wire, of: source)
            }
            guard event.sequence > last else {
                throw MessageError(
                    field: "events[\(events.count)].sequence", expected: "more than that of the event before")
            }
            last = event.sequence
            events.append(event)
        }
        self.init(run: run, source: source, events: events)
    }
}

extension WireEvent {
    /// The message of an event; its source stands in the batch.
    package init(_ event: borrowing Event) {
        self.init()
        sequence = event.sequence
        kind = event.kind.rawValue
        origin =
            switch event.origin {
            case .emitted: .emitted
            case .baseline: .baseline
            case .resync: .resync
            case .derived: .derived
            }
        timeUnixNs = event.time.nanoseconds
        monotonicNs = event.monotonic.nanoseconds
        if !event.escaped.isEmpty { escaped = event.escaped }
        subject =
            switch event.subject {
            case .process(let process): .process(WireProcessEvent(process))
            case .filesystem(let file): .file(WireFileEvent(file))
            case .network(let network): .network(WireNetworkEvent(network))
            case .performance(let sample): .performance(WirePerformanceEvent(sample))
            case .triggerRequest(let request): .triggerRequest(WireTriggerRequest(request))
            }
    }
}

extension Event {
    /// Reads an event of a batch of `source`.
    package init(_ message: WireEvent, of source: SourceName) throws(MessageError) {
        self.init(
            source: source, kind: try named(message.kind, "kind"), origin: try EventOrigin(message.origin),
            time: WallTime(nanoseconds: message.timeUnixNs),
            monotonic: Instant(nanoseconds: message.monotonicNs),
            subject: try CollectionEvent(message.subject), escaped: message.escaped)
        sequence = message.sequence
    }
}

extension EventOrigin {
    /// Reads an origin as it comes: any number of 32 bits.
    init(number: UInt32) throws(MessageError) {
        let value = Int(Int32(bitPattern: number))
        try self.init(WireEvent.Origin(rawValue: value) ?? .UNRECOGNIZED(value))
    }

    fileprivate init(_ message: WireEvent.Origin) throws(MessageError) {
        switch message {
        case .emitted: self = .emitted
        case .baseline: self = .baseline
        case .resync: self = .resync
        case .derived: self = .derived
        case .UNRECOGNIZED: throw MessageError(field: "origin", expected: "a value of Origin from 0 to 3")
        }
    }
}

extension CollectionEvent {
    /// Reads what an event is about.
    init(_ message: WireEvent.OneOf_Subject?) throws(MessageError) {
        switch message {
        case .process(let process):
            self = .process(try within("process") { () throws(MessageError) in try ProcessEvent(process) })
        case .file(let file):
            self = .filesystem(try within("file") { () throws(MessageError) in try FilesystemEvent(file) })
        case .network(let network):
            self = .network(try within("network") { () throws(MessageError) in try NetworkEvent(network) })
        case .performance(let sample):
            self = .performance(
                try within("performance") { () throws(MessageError) in try PerformanceEvent(sample) })
        case .triggerRequest(let request):
            self = .triggerRequest(
                try within("trigger_request") { () throws(MessageError) in
                    try TriggerRequest(request)
                })
        case nil: throw Self.missing
        }
    }

    /// What is said of an event that is about nothing.
    static var missing: MessageError {
        MessageError(field: "subject", expected: "process, file, network, performance or trigger_request")
    }
}
