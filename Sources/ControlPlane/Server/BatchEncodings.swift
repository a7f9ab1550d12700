import CollectorCore
import EventModel
import SwiftProtobuf
import Synchronization
import Wire
import WireMessages

/// Batches as they go to clients, encoded once for all that see the same of them.
final class BatchEncodings: Sendable {
    private struct Entry {
        var batch: EventBatch
        var indices: [UInt16]?
        var through: UInt64
        var bytes: [UInt8]
    }

    /// Clients that are close to each other read the same few batches.
    private static let entryCount = 4
    /// What the envelope takes beside the batch.
    private static let envelopeByteCount = 32

    private let entries = Mutex<[Entry]>([])

    /// Appends the events as one frame; as several where one would be too large.
    func append(_ selected: SelectedEvents, through: UInt64, to id: UInt64, _ output: inout [UInt8]) {
        let bytes = encoding(of: selected, through: through)
        if bytes.count <= Frame.serverPayloadByteCount - Self.envelopeByteCount {
            return Self.append(bytes, to: id, &output)
        }
        selected.forEach { event, index in
            let one = SelectedEvents(batch: selected.batch, indices: [UInt16(truncatingIfNeeded: index)])
            var message = WireEventBatch(one)
            message.through = event.sequence
            Self.append(Self.cut(&message), to: id, &output)
        }
    }

    private func encoding(of selected: SelectedEvents, through: UInt64) -> [UInt8] {
        let known = entries.withLock { entries in
            entries.first {
                $0.batch === selected.batch && $0.through == through && $0.indices == selected.indices
            }
        }
        if let known { return known.bytes }
        var message = WireEventBatch(selected)
        message.through = through
        let bytes = Self.bytes(of: message)
        entries.withLock { entries in
            if entries.count >= Self.entryCount { entries.removeFirst() }
            entries.append(
                Entry(batch: selected.batch, indices: selected.indices, through: through, bytes: bytes))
        }
        return bytes
    }

    /// Fails only for required fields, which proto3 has not, and beyond 2 GiB.
    private static func bytes(of message: WireEventBatch) -> [UInt8] {
        (try? message.serializedBytes()) ?? []
    }

    /// The message with as many arguments of its one process as fit.
    private static func cut(_ message: inout WireEventBatch) -> [UInt8] {
        var bytes = bytes(of: message)
        while bytes.count > Frame.serverPayloadByteCount - envelopeByteCount, !message.events.isEmpty {
            let arguments = message.events[0].process.cmdline
            guard arguments.count > 1 else {
                message.events[0].process.cmdline = []
                message.events[0].process.isCmdlineTruncated = true
                return self.bytes(of: message)
            }
            message.events[0].process.cmdline = Array(arguments.prefix(arguments.count / 2))
            message.events[0].process.isCmdlineTruncated = true
            bytes = self.bytes(of: message)
        }
        return bytes
    }

    /// A `ServerMessage` around bytes that are an `EventBatch` already.
    private static func append(_ batch: [UInt8], to id: UInt64, _ output: inout [UInt8]) {
        Frame.append(to: &output) { bytes in
            bytes.append(0x08)
            append(varint: id, to: &bytes)
            bytes.append(0x3a)
            append(varint: UInt64(batch.count), to: &bytes)
            bytes.append(contentsOf: batch)
        }
    }

    private static func append(varint value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
