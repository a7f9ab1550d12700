import Backends
package import EventModel

/// Turns file records, looks and listings into events, and keeps the index: pure state, no I/O, no clock.
///
/// A record is told as the kernel has put it; what is found at the name fills the event in. Where a folder was listed
/// while records about it were queued, they may tell what the listing has told: such records are doubtful, and count
/// only for what the index does not have yet. Each record is counted once, as emitted, filtered or coalesced.
package struct FileTracker {
    /// Most events that wait for a hash; more are told without one.
    static let heldLimit = 4_096
    /// Most events about one file that wait behind one that waits for its hash.
    static let followerLimit = 16
    /// How long after a look in vain the next one is due.
    static let recheckDelay = Duration.milliseconds(50)
    /// The same after ``recheckLimit`` looks in vain; after twice as many it stays unknown until its folder is listed.
    static let slowRecheckDelay = Duration.seconds(5)
    static let recheckLimit: UInt64 = 20

    var settings: FilesystemSourceSettings
    package internal(set) var index: FileIndex
    package var clocks = ClockSample()
    /// Events in order, ready to be emitted.
    package internal(set) var output: ContiguousArray<Event> = []
    /// Records that no event was wanted for.
    package internal(set) var filtered = Tally()
    package internal(set) var coalesced: UInt64 = 0
    /// Folders to list, last first; stale where the node's `visit` says none.
    var visits: [NodeID] = []
    /// Watches that are of no use any more.
    var lapsedWatches: [Int32] = []
    /// Folders whose nodes are gone, for whoever holds them open.
    var removedFolders: [NodeID] = []
    /// Files that are being written, and when they are told as modified.
    var settling: [NodeID: Settling] = [:]
    var settleQueue = DueQueue()
    /// Events that wait for a hash.
    var held: [NodeID: HeldEvent] = [:]
    /// Each due when it is told at the latest.
    var hashQueue = DueQueue()
    /// Bytes of all files whose events wait.
    var heldByteCount: UInt64 = 0
    /// Most bytes of ``heldByteCount``: what the budget can serve in time.
    var hashRoom = UInt64.max
    /// Places that files left whose rename waits for a hash: the next event of that path must come after it.
    var heldOrigins: [Origin: NodeID] = [:]
    /// Names that were announced and could not be looked at.
    var recheckQueue = DueQueue()
    var slowRecheckQueue = DueQueue()
    /// When each of them is due: an entry with another time was made for a former bearer of the number.
    var recheckTimes: [NodeID: Instant] = [:]
    /// For each root that could be looked at: what it is.
    var rootStatus: [FileStatus?]
    /// Folders on other file systems than their root.
    var foreignMounts: Set<NodeID> = []
    var unwatchedCount = 0
    /// Whether a package manager is at work, whose files are checked against what their packages state.
    var spareHashes = false
    private var nextTicket: UInt64 = 0

    /// A file that is being written: the first of its records waits to be told.
    struct Settling {
        var ticket: UInt64
        /// Whether one of the records came after the last listing of the folder.
        var isCertain: Bool
    }

    struct Origin: Hashable {
        var folder: NodeID
        var name: [UInt8]
    }

    struct HeldEvent {
        var ticket: UInt64
        var event: Event
        /// Of the file, as it was last known.
        var byteCount: UInt64
        /// For a rename.
        var origin: Origin?
        /// Later events about the same file.
        var followers: [Event] = []
    }

    package init(settings: FilesystemSourceSettings, index: FileIndex) {
        self.settings = settings
        self.index = index
        rootStatus = Array(repeating: nil, count: index.roots.count)
    }

    /// Records that were read and not told yet, though their time has come: part of no account.
    package var owedCount: UInt64 {
        var count = UInt64(settling.count)
        for waiting in held.values {
            if waiting.event.origin == .emitted { count += 1 }
            count += UInt64(waiting.followers.count { $0.origin == .emitted })
        }
        return count
    }

    mutating func makeTicket() -> UInt64 {
        nextTicket += 1
        return nextTicket
    }

    // MARK: - Folders to list

    /// Has a folder listed; a stronger reason replaces a weaker one.
    mutating func requestVisit(of id: NodeID, _ mode: IndexNode.VisitMode) {
        let former = index[id].visit
        if mode > former { index[id].visit = mode }
        if former == .none { visits.append(id) }
    }

    /// Has a folder listed that was left for later, for the same reason as then.
    mutating func resumeVisit(of id: NodeID) {
        if index[id].visit == .none { index[id].visit = .poll }
        visits.append(id)
    }

    /// The next folder to list.
    mutating func nextVisit() -> (id: NodeID, mode: IndexNode.VisitMode)? {
        while let id = visits.popLast() {
            let mode = index[id].visit
            index[id].visit = .none
            if mode != .none { return (id, mode) }
        }
        return nil
    }

    /// Has a folder listed that belongs to what is watched: not another file system, not another root, not too deep.
    mutating func enter(_ id: NodeID, _ status: FileStatus, _ mode: IndexNode.VisitMode) {
        guard status.type == .directory else { return }
        let (root, depth) = index.root(of: id)
        guard depth > 0 else { return requestVisit(of: id, mode) }
        if let above = rootStatus[root], !above.isOnSameMount(as: status) {
            foreignMounts.insert(id)
            return
        }
        let isRoot = rootStatus.contains { $0?.inode == status.inode && $0?.device == status.device }
        guard !isRoot, depth < Limits.folderDepth else { return }
        requestVisit(of: id, mode)
    }

    /// When a name is to be looked at again.
    var recheckDue: Instant? {
        [recheckQueue.nextDue, slowRecheckQueue.nextDue].compactMap { $0 }.min()
    }

    mutating func setUnwatched(_ isUnwatched: Bool, _ id: NodeID) {
        guard index[id].marks.contains(.unwatched) != isUnwatched else { return }
        if isUnwatched {
            index[id].marks.insert(.unwatched)
            unwatchedCount += 1
        } else {
            index[id].marks.remove(.unwatched)
            unwatchedCount -= 1
        }
    }

    // MARK: - Nodes

    /// Adds a name, and what was found there.
    mutating func add(_ name: [UInt8], in folder: NodeID, _ look: FileLook, _ mode: IndexNode.VisitMode)
        -> NodeID?
    {
        releaseRename(from: name, in: folder)
        guard let id = index.insert(name, in: folder) else { return nil }
        index[id].marks.formUnion([.seen, .unhashed])
        if case .status(let status) = look {
            index.set(status, of: id)
            enter(id, status, mode)
        } else {
            recheck(id)
        }
        return id
    }

    /// Has a name looked at again that was announced and could not be looked at.
    mutating func recheck(_ id: NodeID, attempt: UInt64 = 0) {
        guard !index[id].marks.contains(.recheck), attempt < Self.recheckLimit * 2 else { return }
        index[id].marks.insert(.recheck)
        let isSlow = attempt >= Self.recheckLimit
        let due = clocks.monotonic.advanced(by: isSlow ? Self.slowRecheckDelay : Self.recheckDelay)
        recheckTimes[id] = due
        if isSlow {
            slowRecheckQueue.append(id, attempt, due: due)
        } else {
            recheckQueue.append(id, attempt, due: due)
        }
    }

    /// Removes a node and all below it, and tells the end of each, children first.
    mutating func removeTree(_ top: NodeID, origin: EventOrigin) {
        let below: EventOrigin = origin == .resync ? .resync : .derived
        while true {
            let leaf = index.firstLeaf(below: top)
            release(leaf, .vanished)
            if index[leaf].isFolder { releaseRenames() }
            publish(.deleted, of: leaf, look: nil, origin: leaf == top ? origin : below)
            drop(leaf)
            if leaf == top { return }
        }
    }

    /// Removes a node and all below it without a word: it is not to be known any more.
    mutating func forgetTree(_ top: NodeID) {
        while true {
            let leaf = index.firstLeaf(below: top)
            release(leaf, .vanished)
            drop(leaf)
            if leaf == top { return }
        }
    }

    /// Forgets a node that has no children.
    private mutating func drop(_ id: NodeID) {
        let node = index[id]
        if node.isFolder { releaseRenames() }
        if node.isFolder || node.watch != 0 {
            if node.watch != 0 { lapsedWatches.append(node.watch) }
            removedFolders.append(id)
        }
        setUnwatched(false, id)
        foreignMounts.remove(id)
        index.remove(id)
    }

    /// Everything below a root is gone, or out of reach.
    mutating func loseRoot(_ root: NodeID) {
        while index[root].firstChild != .none { removeTree(index[root].firstChild, origin: .derived) }
        release(root, .vanished)
        index.setWatch(0, of: root)
        index[root].visit = .none
        removedFolders.append(root)
    }

    /// Tells what waits about a file, as it stands, because something else follows.
    ///
    /// - Parameter obstacle: Why there is no hash.
    mutating func release(_ id: NodeID, _ obstacle: HashObstacle) {
        if settling.removeValue(forKey: id) != nil {
            publish(.modified, of: id, look: .unknown(.superseded), origin: .emitted)
        }
        releaseHeld(id, obstacle)
    }

    /// Tells a rename that waits for its hash, because its old path is used again.
    mutating func releaseRename(from name: [UInt8], in folder: NodeID) {
        guard !heldOrigins.isEmpty, let id = heldOrigins[Origin(folder: folder, name: name)] else { return }
        releaseHeld(id, .changing)
    }

    /// Tells all of them, because a folder is about to have another path, or none.
    private mutating func releaseRenames() {
        guard !heldOrigins.isEmpty else { return }
        for id in heldOrigins.values.sorted(by: { $0.rawValue < $1.rawValue }) { releaseHeld(id, .changing) }
    }

    /// The same for everything at and below a folder that gets another path.
    mutating func releaseTree(_ top: NodeID, _ obstacle: HashObstacle) {
        release(top, obstacle)
        guard index[top].isFolder else { return }
        releaseRenames()
        let waiting = Set(settling.keys).union(held.keys).filter { index.isAncestor(top, of: $0) }
        for id in waiting.sorted(by: { $0.rawValue < $1.rawValue }) { release(id, obstacle) }
    }
}

extension FileStatus {
    /// By mount where both sides know theirs, else by device.
    func isOnSameMount(as other: FileStatus) -> Bool {
        if mountID != 0, other.mountID != 0 { return mountID == other.mountID }
        return device == other.device
    }
}

/// First in, first out, each with a time from which on it is due; times must not decrease.
struct DueQueue {
    struct Entry {
        var id: NodeID
        var ticket: UInt64
        var due: Instant
    }

    private var entries: [Entry] = []
    private var head = 0

    var isEmpty: Bool { head == entries.count }
    var count: Int { entries.count - head }
    var first: Entry? { isEmpty ? nil : entries[head] }
    var nextDue: Instant? { first?.due }

    mutating func append(_ id: NodeID, _ ticket: UInt64, due: Instant) {
        entries.append(Entry(id: id, ticket: ticket, due: due))
    }

    /// Removes the first entry of a queue that has one.
    mutating func removeFirst() {
        head += 1
        if head > 1_024, head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
    }

    mutating func popFirst(dueBy now: Instant) -> Entry? {
        guard let entry = first, entry.due <= now else { return nil }
        removeFirst()
        return entry
    }
}
