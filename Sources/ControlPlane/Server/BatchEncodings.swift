import CollectorCore
import EventModel
import Synchronization
import Wire

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
    ///
    /// - Returns: Events that fit no frame even without their arguments: only a source of somebody else makes them.
    func append(_ selected: SelectedEvents, through: UInt64, to id: UInt64, _ output: inout [UInt8]) -> Int {
        let limit = Frame.serverPayloadByteCount - Self.envelopeByteCount
        let bytes = encoding(of: selected, through: through)
        if bytes.count <= limit {
            Self.append(bytes, to: id, &output)
            return 0
        }
        var unfitCount = 0
        selected.forEach { _, index in
            if let one = EventEncoder.bytes(ofEventAt: index, of: selected.batch, atMost: limit) {
                Self.append(one, to: id, &output)
            } else {
                unfitCount += 1
            }
        }
        return unfitCount
    }

    private func encoding(of selected: SelectedEvents, through: UInt64) -> [UInt8] {
        let known = entries.withLock { entries in
            entries.first {
                $0.batch === selected.batch && $0.through == through && $0.indices == selected.indices
            }
        }
        if let known { return known.bytes }
        let bytes = EventEncoder.bytes(of: selected, through: through)
        entries.withLock { entries in
            if entries.count >= Self.entryCount { entries.removeFirst() }
            entries.append(
                Entry(batch: selected.batch, indices: selected.indices, through: through, bytes: bytes))
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
