import CollectorCore
import EventModel
import LinuxBackends
import Presentation

import struct SystemPackage.Errno

/// Writes a subscriber's stream to standard output, on a thread of its own because a slow reader blocks it.
struct EventSink {
    enum End { case drained, closedPipe, failed(Errno) }

    let subscription: Subscription
    let output: LinuxOutput
    /// Where it is said what has become of a source when no events are shown.
    let errors: LinuxOutput
    let format: HostOptions.Format
    let table: EventTable
    let ocsf: OCSFProjection

    /// Runs until the stream ends or nobody reads any more.
    func run() async -> End {
        var buffer: [UInt8] = []
        do {
            if format == .table { try output.write(table.header + "\n") }
            while let delivery = await subscription.next() {
                render(delivery, into: &buffer)
                if !buffer.isEmpty { try output.write(buffer) }
                buffer.removeAll(keepingCapacity: true)
                if subscription.isIdle { try output.flush() }
            }
            try output.flush()
            return .drained
        } catch {
            return error == .brokenPipe ? .closedPipe : .failed(error)
        }
    }

    private func render(_ delivery: Delivery, into buffer: inout [UInt8]) {
        switch format {
        case .none: complain(of: delivery)
        case .json: appendJSON(delivery, to: &buffer)
        case .ocsf: ocsf.append(lines: delivery, to: &buffer)
        case .table: appendTable(delivery, to: &buffer)
        }
    }

    private func complain(of delivery: Delivery) {
        guard case .status(let status) = delivery, let line = table.line(for: status) else { return }
        // If standard error is gone, nobody can be told.
        try? errors.write("collectord: " + line + "\n")
    }

    private func appendJSON(_ delivery: Delivery, to buffer: inout [UInt8]) {
        switch delivery {
        case .events(let selected):
            selected.forEach { _, index in
                selected.batch.appendJSON(ofEventAt: index, to: &buffer)
                buffer.append(0x0a)
            }
            return
        case .gap(let gap): gap.appendJSON(to: &buffer)
        case .status(let status): status.appendJSON(to: &buffer)
        case .record(let record): record.appendJSON(to: &buffer)
        }
        buffer.append(0x0a)
    }

    private func appendTable(_ delivery: Delivery, to buffer: inout [UInt8]) {
        switch delivery {
        case .events(let selected):
            selected.forEach { event, _ in
                // A table is for eyes: the baseline would scroll away what happens now.
                guard event.origin != .baseline || event.kind != .processBaseline else { return }
                append(table.line(for: event), to: &buffer)
            }
        case .gap(let gap):
            append(table.line(for: gap), to: &buffer)
        case .status(let status):
            if let line = table.line(for: status) { append(line, to: &buffer) }
        case .record:
            // How a source is stands in its status; measurements are asked for with SIGUSR1.
            return
        }
    }

    private func append(_ line: String, to buffer: inout [UInt8]) {
        buffer.append(contentsOf: line.utf8)
        buffer.append(0x0a)
    }
}
