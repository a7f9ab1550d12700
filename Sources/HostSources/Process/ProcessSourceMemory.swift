package import EventModel
import KernelFormats

/// What the process source holds at one moment: counts, and the bytes that they stand for.
///
/// Bytes are computed from counts and sizes, so equal contents give equal numbers on every host; the allocator's own
/// share is not in them.
package struct ProcessSourceMemory: Hashable, Sendable {
    /// Incarnations in the table.
    package var trackedCount = 0
    package var trackedByteCount = 0
    /// Processes that wait for a later look.
    package var lateReadCount = 0
    package var lateReadByteCount = 0
    /// Messages read from the socket and not handled yet.
    package var pendingCount = 0
    package var pendingByteCount = 0
    /// Processors whose sequences are kept.
    package var processorCount = 0

    package init() {}
}

extension ProcessLoop {
    /// Walks the whole table: for accounts, not for rounds.
    var memory: ProcessSourceMemory {
        var memory = ProcessSourceMemory()
        memory.trackedCount = tracker.table.count
        for process in tracker.table.values {
            memory.trackedByteCount += Self.entryByteCount + process.event.textByteCount
            memory.trackedByteCount +=
                process.sharedAncestors.count * MemoryLayout<ProcessIdentity>.stride
        }
        memory.lateReadCount = tracker.lateReads.count
        memory.lateReadByteCount =
            tracker.lateReads.count * (MemoryLayout<ProcessIdentity>.stride + MemoryLayout<Instant>.stride)
        memory.pendingCount = pending.messages.count
        memory.pendingByteCount = pending.messages.count * MemoryLayout<ConnectorMessage>.stride
        memory.processorCount = ledger.accounts.count
        return memory
    }

    /// An entry of the table and the object that it refers to, without texts and lists.
    private static var entryByteCount: Int {
        MemoryLayout<(Int32, TrackedProcess)>.stride + MemoryLayout<ProcessEvent>.stride + 128
    }
}

extension ProcessEvent {
    /// Bytes of all texts and lists.
    package var textByteCount: Int {
        var count = (name?.utf8.count ?? 0) + (executablePath?.utf8.count ?? 0) + (cgroup?.utf8.count ?? 0)
        for argument in commandLine { count += argument.utf8.count + MemoryLayout<String>.stride }
        if let container {
            count += (container.id?.utf8.count ?? 0) + (container.pod?.utf8.count ?? 0)
            count += (container.unit?.utf8.count ?? 0) + 5 * MemoryLayout<String>.stride
        }
        return count + ancestors.count * MemoryLayout<ProcessIdentity>.stride
    }
}
