package import Backends
import CollectorCore
package import EventModel

/// How events are made, held back for their hash, and put out.
extension FileTracker {
    /// Makes the event for a node.
    ///
    /// - Parameter look: What was found at the name; `nil` when nobody looked, then what is known of it is told.
    mutating func publish(
        _ operation: FileOperation, of id: NodeID, previousPath: [UInt8]? = nil, look: FileLook?,
        changes: [FileChange] = [], origin: EventOrigin, wantsHash: Bool = false, from place: Origin? = nil
    ) {
        var event = makeEvent(
            operation, path: index.path(of: id), previousPath: previousPath, look: look, changes: changes,
            origin: origin)
        if look == nil { event.fillIn(index[id], device: index.device(of: id)) }
        if wantsHash, wantsHashed(id) { return hold(event, for: id, from: place) }
        if var waiting = held[id], waiting.followers.count < Self.followerLimit {
            waiting.followers.append(event)
            held[id] = waiting
            return
        }
        releaseHeld(id, .changing)
        put(event)
    }

    /// Makes the event for a name that the index does not have.
    mutating func publish(
        _ operation: FileOperation, path: [UInt8], previousPath: [UInt8]? = nil, look: FileLook?,
        origin: EventOrigin, _ change: (inout FilesystemEvent) -> Void = { _ in }
    ) {
        var event = makeEvent(
            operation, path: path, previousPath: previousPath, look: look, changes: [], origin: origin)
        if case .filesystem(var file) = event.subject {
            change(&file)
            event.subject = .filesystem(file)
        }
        put(event)
    }

    /// Tells the end of a node and all below it, though they stay; or that all below it, itself excepted, have begun.
    mutating func publishTree(_ top: NodeID, _ operation: FileOperation) {
        var ids: [NodeID] = []
        var next: NodeID? = top
        while let id = next {
            ids.append(id)
            next = index.next(after: id, within: top)
        }
        // A folder comes before what is in it, and ends after that.
        if operation == .deleted { ids.reverse() } else { ids.removeFirst() }
        for id in ids { publish(operation, of: id, look: nil, origin: .derived) }
    }

    func pathOf(_ name: [UInt8], in folder: NodeID) -> [UInt8] {
        var path = index.path(of: folder)
        if path.last != 0x2f { path.append(0x2f) }
        return path + name
    }

    /// Every event passes here, in the order in which it will be emitted.
    private mutating func put(_ event: Event) { output.append(event) }

    private func makeEvent(
        _ operation: FileOperation, path: [UInt8], previousPath: [UInt8]?, look: FileLook?,
        changes: [FileChange], origin: EventOrigin
    ) -> Event {
        let (text, isEscaped) = KernelText.decode(path)
        var file = FilesystemEvent(path: text, operation: operation)
        var escaped = isEscaped ? ["path"] : []
        if let previousPath {
            let (text, isEscaped) = KernelText.decode(previousPath)
            file.previousPath = text
            if isEscaped { escaped.append("previous_path") }
        }
        file.changes = changes
        switch look {
        case .status(let status):
            file.fillIn(status)
            file.metadata = .lateRead
        case .vanished: file.metadata = .unknown(.vanished)
        case .unknown(let reason): file.metadata = .unknown(reason)
        case nil: break
        }
        return Event(
            source: .filesystem, kind: operation.kind, origin: origin, time: clocks.wall,
            monotonic: clocks.monotonic, subject: .filesystem(file), escaped: escaped)
    }

    // MARK: - Hashes

    private func wantsHashed(_ id: NodeID) -> Bool {
        let node = index[id]
        return settings.hashes && !spareHashes && node.isRegular
            && node.marks.isSuperset(of: [.known, .unhashed])
    }

    private mutating func hold(_ event: Event, for id: NodeID, from place: Origin?) {
        releaseHeld(id, .changing)
        if index[id].size > settings.hashSizeLimit { return put(event.with(.tooLarge)) }
        let byteCount = index[id].size
        guard held.count < Self.heldLimit, heldByteCount + byteCount <= hashRoom else {
            sometimes(.hashBeyondBudget)
            return put(event.with(.overBudget))
        }
        let ticket = makeTicket()
        held[id] = HeldEvent(ticket: ticket, event: event, byteCount: byteCount, origin: place)
        heldByteCount += byteCount
        if let place { heldOrigins[place] = id }
        hashQueue.append(id, ticket, due: clocks.monotonic.advanced(by: settings.hashPatience))
    }

    /// Tells an event that waits for its hash without it.
    mutating func releaseHeld(_ id: NodeID, _ obstacle: HashObstacle) {
        guard let waiting = removeHeld(id) else { return }
        put(waiting.event.with(obstacle))
        for event in waiting.followers { put(event) }
    }

    private mutating func removeHeld(_ id: NodeID) -> HeldEvent? {
        guard let waiting = held.removeValue(forKey: id) else { return nil }
        heldByteCount -= waiting.byteCount
        if let origin = waiting.origin, heldOrigins[origin] == id { heldOrigins[origin] = nil }
        return waiting
    }

    /// The next file to hash whose event is told at that time or before, hash or no hash.
    mutating func nextHash(dueBy time: Instant = Instant(nanoseconds: .max)) -> DueQueue.Entry? {
        while let entry = hashQueue.popFirst(dueBy: time) {
            if isHeld(entry.id, entry.ticket) { return entry }
        }
        return nil
    }

    /// How large the next file to hash was said to be.
    var nextHashByteCount: UInt64? {
        mutating get {
            while let entry = hashQueue.first {
                if isHeld(entry.id, entry.ticket) { return held[entry.id]?.byteCount }
                hashQueue.removeFirst()
            }
            return nil
        }
    }

    func isHeld(_ id: NodeID, _ ticket: UInt64) -> Bool { held[id]?.ticket == ticket }

    /// Tells an event with its hash, or with why there is none.
    ///
    /// - Parameter status: What was read of the file, which may be newer than what the event says.
    mutating func finishHash(_ id: NodeID, _ ticket: UInt64, _ result: HashResult) {
        guard isHeld(id, ticket) else { return }
        switch result {
        case .obstacle(let obstacle): releaseHeld(id, obstacle)
        case .digest(let digest, let status):
            guard let waiting = removeHeld(id) else { return }
            index[id].marks.remove(.unhashed)
            // A later change of owner or mode has an event of its own; the size must be that of what was hashed.
            put(waiting.event.with(digest, of: status))
            for event in waiting.followers { put(event) }
        }
    }

    /// Tells everything that waits: nobody will look at it any more.
    package mutating func releaseAll() {
        let waiting = Set(settling.keys).union(held.keys)
        for id in waiting.sorted(by: { $0.rawValue < $1.rawValue }) { release(id, .overBudget) }
    }

    /// Gives out what has been put out since the last time.
    package mutating func takeOutput() -> ContiguousArray<Event> {
        defer { output = [] }
        return output
    }
}

/// What became of a file's hash.
package enum HashResult: Sendable {
    case obstacle(HashObstacle)
    case digest(String, of: FileStatus)
}

// MARK: - Parts of events

extension FilesystemEvent {
    mutating func fillIn(_ status: FileStatus) {
        type = status.type
        size = status.size
        permissions = status.permissions
        uid = status.uid
        gid = status.gid
        inode = status.inode
        device = status.device
        linkCount = status.linkCount
        modifiedTime = status.modified
    }
}

extension Event {
    /// Which file it was, as it was last known.
    fileprivate mutating func fillIn(_ node: IndexNode, device: UInt64) {
        guard node.marks.contains(.known), case .filesystem(var file) = subject else { return }
        file.type = node.type
        file.inode = node.inode
        file.device = device
        file.metadata = .lateRead
        subject = .filesystem(file)
    }

    fileprivate func with(_ obstacle: HashObstacle) -> Event {
        guard case .filesystem(var file) = subject else { return self }
        file.hashObstacle = obstacle
        var event = self
        event.subject = .filesystem(file)
        return event
    }

    fileprivate func with(_ digest: String, of status: FileStatus) -> Event {
        guard case .filesystem(var file) = subject else { return self }
        // The look that was to fill it in was in vain; whoever read the contents knows which file they are of.
        if file.inode == nil {
            file.fillIn(status)
            file.metadata = .lateRead
        }
        file.fileHash = digest
        file.hashAlgorithm = .sha256
        file.size = status.size
        file.modifiedTime = status.modified
        var event = self
        event.subject = .filesystem(file)
        return event
    }
}

extension FileOperation {
    /// The kind of event that tells it.
    var kind: EventKind {
        switch self {
        case .baseline: .fileBaseline
        case .created: .fileCreated
        case .modified: .fileModified
        case .attributes: .fileAttributes
        case .renamed: .fileRenamed
        case .deleted: .fileDeleted
        case .transaction: .fileTransaction
        case .suspicious: .fileSuspicious
        }
    }
}
