package import EventModel
package import KernelFormats

/// Records that were read and not handled yet, in their order, with what the later ones say about the earlier ones.
package struct RecordQueue {
    /// Most records that are read ahead; the rest stays in the kernel's queue.
    package static let limit = 65_536

    package struct Entry {
        package var record: InotifyRecord
        /// When it was read.
        package var readAt: Instant
        /// Which drain it came with.
        package var generation: UInt64
        /// The other half of a rename, handled before.
        var isTaken = false
    }

    private struct Key: Hashable {
        var watch: Int32
        var name: [UInt8]
    }

    private var entries: [Entry] = []
    private var head = 0
    /// How many entries were taken from the front since the beginning.
    private var offset = 0
    /// Queued records after which a name is free.
    private var endings: [Key: Int] = [:]
    /// Where the second half of each rename is.
    private var arrivals: [UInt32: Int] = [:]
    private var takenCount = 0

    package init() {}

    /// Records that are not handled yet.
    package var count: Int { entries.count - head - takenCount }
    package var isEmpty: Bool { count == 0 }

    package mutating func append(_ record: InotifyRecord, readAt: Instant, generation: UInt64) {
        if record.mask.endsName { endings[Key(watch: record.watch, name: record.name), default: 0] += 1 }
        if record.mask.contains(.movedTo), record.cookie != 0 {
            arrivals[record.cookie] = offset + entries.count - head
        }
        entries.append(Entry(record: record, readAt: readAt, generation: generation))
    }

    /// The first record.
    package var first: Entry? { head < entries.count ? entries[head] : nil }

    package mutating func popFirst() -> Entry? {
        guard let entry = first else { return nil }
        forget(entry.record)
        advance()
        skipTaken()
        return entry
    }

    /// The second half of a rename whose first half is `record`.
    package func partner(of record: InotifyRecord) -> Entry? {
        guard let position = arrivals[record.cookie] else { return nil }
        return entries[position - offset + head]
    }

    /// Takes the second half of a rename out of the queue.
    package mutating func takePartner(of record: InotifyRecord) -> Entry? {
        guard let position = arrivals[record.cookie] else { return nil }
        let index = position - offset + head
        entries[index].isTaken = true
        takenCount += 1
        let entry = entries[index]
        forget(entry.record)
        skipTaken()
        return entry
    }

    /// Whether a record in the queue says that the name is free again: what is there now is another file.
    package func isSuperseded(_ watch: Int32, _ name: [UInt8]) -> Bool {
        guard !endings.isEmpty else { return false }
        return endings[Key(watch: watch, name: name)] != nil
    }

    private mutating func forget(_ record: InotifyRecord) {
        if record.mask.contains(.movedTo), record.cookie != 0 { arrivals[record.cookie] = nil }
        guard record.mask.endsName else { return }
        let key = Key(watch: record.watch, name: record.name)
        guard let count = endings[key] else { return }
        endings[key] = count > 1 ? count - 1 : nil
    }

    private mutating func skipTaken() {
        while head < entries.count, entries[head].isTaken {
            takenCount -= 1
            advance()
        }
    }

    private mutating func advance() {
        head += 1
        offset += 1
        guard head > 4_096, head * 2 > entries.count else { return }
        entries.removeFirst(head)
        head = 0
    }
}

extension InotifyMask {
    /// After it the name is free.
    fileprivate var endsName: Bool { contains(.delete) || contains(.movedFrom) }
}
