package import CollectorCore
package import EventModel
import WireMessages

/// Writes events as the bytes of an `EventBatch`, the same that ``WireEventBatch`` would be written as.
package enum EventEncoder {
    /// The bytes of the selected events.
    ///
    /// - Parameter through: The last sequence that was looked at; 0 leaves it out.
    package static func bytes(of selected: SelectedEvents, through: UInt64) -> [UInt8] {
        var writer = FieldWriter(capacity: 128 + 512 * selected.count)
        begin(selected.batch, in: &writer)
        selected.forEach { event, _ in
            writer.message(3, lengthByteCount: 2) { $0.write(event) }
        }
        writer.number(4, unlessZero: through)
        return writer.bytes
    }

    /// The bytes of one event alone, shortened where they would be more than `limit`.
    ///
    /// As many arguments of a process as fit are kept, and the event says that its command line is truncated. All other
    /// texts of events are bounded, and together far shorter than a frame.
    /// - Returns: `nil` when it is too long without arguments too.
    package static func bytes(ofEventAt index: Int, of batch: EventBatch, atMost limit: Int) -> [UInt8]? {
        var event = batch.events[index]
        var bytes = bytes(of: event, of: batch)
        guard bytes.count > limit else { return bytes }
        guard case .process(var process) = event.subject else { return nil }
        var rest = bytes.count
        while rest > limit, let last = process.commandLine.popLast() {
            // The text, its length and the field's number; that the lengths around it may get shorter is room to spare.
            rest -= last.utf8.count + 2
        }
        process.isCommandLineTruncated = true
        event.subject = .process(process)
        bytes = self.bytes(of: event, of: batch)
        // The flag may be new, and takes its own bytes.
        while bytes.count > limit, process.commandLine.popLast() != nil {
            event.subject = .process(process)
            bytes = self.bytes(of: event, of: batch)
        }
        return bytes.count <= limit ? bytes : nil
    }

    private static func bytes(of event: Event, of batch: EventBatch) -> [UInt8] {
        var writer = FieldWriter(capacity: 128 + event.estimatedByteCount)
        begin(batch, in: &writer)
        writer.message(3, lengthByteCount: 2) { $0.write(event) }
        writer.number(4, unlessZero: event.sequence)
        return writer.bytes
    }

    private static func begin(_ batch: EventBatch, in writer: inout FieldWriter) {
        writer.message(1, lengthByteCount: 1) { run in
            run.text(1, byteCount: 36) { batch.run.bootID.append(to: &$0) }
            run.number(2, unlessZero: batch.run.runID.rawValue)
        }
        writer.text(2, unlessEmpty: batch.source.rawValue)
    }
}

extension FieldWriter {
    fileprivate mutating func write(_ event: borrowing Event) {
        number(1, unlessZero: event.sequence)
        text(2, event.kind.rawValue)
        switch event.origin {
        case .emitted: break
        case .baseline: number(3, 1)
        case .resync: number(3, 2)
        case .derived: number(3, 3)
        }
        time(4, unlessZero: event.time.nanoseconds)
        time(5, unlessZero: event.monotonic.nanoseconds)
        for field in event.escaped { text(6, field) }
        switch event.subject {
        case .process(let process): message(7, lengthByteCount: 2) { $0.write(process) }
        case .filesystem(let file): message(8, lengthByteCount: 2) { $0.write(file) }
        case .network(let network): message(9, lengthByteCount: 1) { $0.write(network) }
        case .performance(let sample): message(10, lengthByteCount: 1) { $0.write(sample) }
        case .triggerRequest(let request): message(11, lengthByteCount: 2) { $0.write(request) }
        }
    }

    private mutating func write(_ network: NetworkEvent) {
        text(1, unlessEmpty: network.connectionID)
        message(2, lengthByteCount: 1) { $0.write(network.source) }
        message(3, lengthByteCount: 1) { $0.write(network.destination) }
        text(4, network.protocolName.rawValue)
        text(5, network.state.rawValue)
        if let pid = network.pid { number(6, UInt64(pid.wireValue)) }
        number(7, unlessZero: network.sentByteCount)
        number(8, unlessZero: network.receivedByteCount)
    }

    private mutating func write(_ address: SocketAddress) {
        text(1, unlessEmpty: address.address)
        number(2, unlessZero: UInt64(address.port))
    }

    private mutating func write(_ sample: PerformanceEvent) {
        text(1, unlessEmpty: sample.metricName)
        if sample.value.bitPattern != 0 { word(2, sample.value.bitPattern) }
        text(3, unlessEmpty: sample.unit)
        if let pid = sample.pid { number(4, UInt64(pid.wireValue)) }
        text(5, unlessEmpty: sample.component)
    }

    private mutating func write(_ request: TriggerRequest) {
        text(1, request.triggerID)
        text(2, request.targetCollector)
        text(3, request.analysisType.label)
        text(4, request.priority.rawValue)
        if let pid = request.targetPID { number(5, UInt64(pid.wireValue)) }
        if let path = request.targetPath { text(6, path) }
        text(7, request.correlationID)
        for entry in request.metadata {
            message(8, lengthByteCount: 1) { writer in
                writer.text(1, unlessEmpty: entry.key)
                writer.text(2, unlessEmpty: entry.value)
            }
        }
    }
}
