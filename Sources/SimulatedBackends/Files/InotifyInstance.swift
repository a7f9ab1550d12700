import Backends
import DequeModule
import KernelFormats

import struct SystemPackage.Errno

/// One watch of one inotify instance.
final class InotifyMark {
    let watch: Int32
    var mask: InotifyMask
    let node: FileNode
    unowned let instance: InotifyInstance

    init(watch: Int32, mask: InotifyMask, node: FileNode, instance: InotifyInstance) {
        self.watch = watch
        self.mask = mask
        self.node = node
        self.instance = instance
    }
}

/// The kernel's side of one inotify instance (`fs/notify/inotify/`).
final class InotifyInstance {
    let queueLimit: Int
    private(set) var queue: Deque<InotifyRecord> = []
    private var marks: [Int32: InotifyMark] = [:]
    /// Numbers are given in turn and not twice (`idr_alloc_cyclic`).
    private var nextWatch: Int32 = 1
    private var isOverflowQueued = false
    /// Records for which there was no room.
    private(set) var droppedCount: UInt64 = 0
    /// Times that the queue became full.
    private(set) var overflowCount: UInt64 = 0
    /// Records that were read, and those of them that tell of an overflow.
    private(set) var readCount: UInt64 = 0
    private(set) var readOverflowCount: UInt64 = 0
    var isOpen = true
    let waits = WaitPoint()

    init(queueLimit: Int) { self.queueLimit = queueLimit }

    var watchCount: Int { marks.count }
    var isReadable: Bool { !queue.isEmpty }

    // MARK: Watches

    func mark(_ watch: Int32) -> InotifyMark? { marks[watch] }

    func addMark(on node: FileNode, mask: InotifyMask) -> Int32 {
        let watch = nextWatch
        nextWatch = watch == .max ? 1 : watch + 1
        let mark = InotifyMark(watch: watch, mask: mask, node: node, instance: self)
        marks[watch] = mark
        node.marks.append(mark)
        return watch
    }

    /// Ends a watch; `IN_IGNORED` goes behind what is queued (`inotify_ignored_and_remove_idr`).
    func destroy(_ mark: InotifyMark) {
        post(InotifyRecord(watch: mark.watch, mask: .ignored))
        marks[mark.watch] = nil
        mark.node.marks.removeAll { $0 === mark }
    }

    /// The instance is closed: its watches end without a word.
    func close() {
        isOpen = false
        // The order does not matter: nothing is told.
        for mark in marks.values { mark.node.marks.removeAll { $0 === mark } }
        marks = [:]
        queue = []
        waits.wake(.interrupted)
    }

    // MARK: The queue

    /// `fsnotify_insert_event`: room first, then the last record that nobody has read, if it is the same.
    func post(_ record: InotifyRecord) {
        guard queue.count < queueLimit else {
            droppedCount += 1
            guard !isOverflowQueued else { return }
            isOverflowQueued = true
            overflowCount += 1
            queue.append(InotifyRecord(watch: -1, mask: .queueOverflow))
            return wakeReader()
        }
        if let last = queue.last, last.merges(with: record) { return }
        queue.append(record)
        wakeReader()
    }

    /// As many whole records as fit.
    ///
    /// - Throws: `EAGAIN`, `EINVAL`.
    func read(count: Int, into bytes: inout [UInt8]) throws(Errno) {
        guard let first = queue.first else { throw .resourceTemporarilyUnavailable }
        guard first.byteCount <= count else { throw .invalidArgument }
        var room = count
        while let record = queue.first, record.byteCount <= room {
            room -= record.byteCount
            record.append(to: &bytes)
            readCount += 1
            if record.mask.contains(.queueOverflow) {
                isOverflowQueued = false
                readOverflowCount += 1
            }
            queue.removeFirst()
        }
    }

    private func wakeReader() { waits.wake(.readable) }
}

extension InotifyRecord {
    /// `event_compare` of `fs/notify/inotify/inotify_fsnotify.c`: the cookie does not count.
    fileprivate func merges(with other: InotifyRecord) -> Bool {
        !mask.contains(.ignored) && mask == other.mask && watch == other.watch && name == other.name
    }
}
