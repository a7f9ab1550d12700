import Backends
import CollectorCore
import EventModel

/// What each kind of record does.
///
/// Every method accounts for the record, or the two of a rename, that it is about.
extension FileTracker {
    /// A name in a folder, and whether records about it are doubtful.
    package struct Place: Sendable {
        package var folder: NodeID
        package var name: [UInt8]
        /// The folder was listed while the record was queued.
        package var isDoubtful: Bool

        package init(folder: NodeID, name: [UInt8], isDoubtful: Bool = false) {
            self.folder = folder
            self.name = name
            self.isDoubtful = isDoubtful
        }
    }

    /// Counts a record that no event is wanted for.
    package mutating func filter(_ reason: FilterReason) { filtered.add(1, to: reason.rawValue) }

    /// Counts a record about a file that is left out.
    package mutating func filter(_ exclusion: FileExclusion) { filtered.add(1, to: exclusion.label) }

    /// Counts a record that another event stands for.
    mutating func coalesce() { coalesced += 1 }

    // MARK: - Names that come and go

    /// `IN_CREATE`, or an `IN_MOVED_TO` from elsewhere.
    package mutating func noteCreated(_ place: Place, _ look: FileLook, isMoved: Bool) {
        if let id = index.find(place.name, in: place.folder) {
            if place.isDoubtful { return noteAgain(id, look) }
            // Nobody said that it was gone: an overwritten file, or lost records.
            removeTree(id, origin: .derived)
        }
        create(place, look, isMoved: isMoved)
    }

    private mutating func create(_ place: Place, _ look: FileLook, isMoved: Bool) {
        guard let id = add(place.name, in: place.folder, look, .created) else {
            return publish(
                .created, path: pathOf(place.name, in: place.folder), look: look, origin: .emitted)
        }
        #if MUTANTS
            if Mutation.fileCreationUntold.isActive { return coalesced += 1 }
        #endif
        // What was moved here is complete; what was made here is about to be written.
        publish(.created, of: id, look: look, origin: .emitted, wantsHash: isMoved)
    }

    /// A record that announces what the index has already.
    private mutating func noteAgain(_ id: NodeID, _ look: FileLook) {
        guard case .status(let status) = look else { return coalesced += 1 }
        guard index[id].marks.contains(.known) else { return tellLearnt(id, status, origin: .emitted) }
        let changes = index.changes(of: id, to: status)
        sometimes(.recordDoubted, when: changes.isEmpty)
        guard !changes.isEmpty else { return coalesced += 1 }
        reconcile(id, status, changes, origin: .emitted, mode: .created)
    }

    /// `IN_DELETE`, or an `IN_MOVED_FROM` to elsewhere.
    ///
    /// - Parameters:
    ///   - look: What is there now; used only for a doubtful record, and for one that was moved.
    ///   - isMoved: Of two names that were exchanged, the file that came may be told before the one that went.
    package mutating func noteDeleted(_ place: Place, _ look: FileLook, isMoved: Bool = false) {
        guard let id = index.find(place.name, in: place.folder) else {
            // A listing that came after it did not find it any more.
            if place.isDoubtful { return coalesced += 1 }
            return publish(.deleted, path: pathOf(place.name, in: place.folder), look: nil, origin: .emitted)
        }
        if place.isDoubtful || isMoved, case .status(let status) = look, index[id].marks.contains(.known),
            index.changes(of: id, to: status).allSatisfy({ $0 != .identity })
        {
            // The one that was deleted had the name before.
            return coalesced += 1
        }
        // What has the name although it was moved away may have come before, unannounced.
        if isMoved, case .status = look { requestVisit(of: place.folder, .poll) }
        removeTree(id, origin: .emitted)
    }

    /// Whether the new name of a rename has a file already: then the old name must be looked at, too.
    package func hasVictim(_ to: Place) -> Bool { index.find(to.name, in: to.folder) != nil }

    /// Both halves of a rename.
    ///
    /// - Parameters:
    ///   - look: What is at the new name now.
    ///   - lookBehind: What is at the old name now, where ``hasVictim(_:)``.
    package mutating func noteRenamed(from: Place, to: Place, _ look: FileLook, _ lookBehind: FileLook) {
        let source = index.find(from.name, in: from.folder)
        let victim = index.find(to.name, in: to.folder)
        if let source, source == victim { return coalesced += 2 }
        if let source, let victim {
            // Both names are taken, by the files that the index has: a later look has told the exchange.
            if isOne(source, lookBehind), isOne(victim, look) { return coalesced += 2 }
            if isOne(victim, lookBehind), isOne(source, look), exchange(source, victim, look, lookBehind) {
                return coalesced += 1
            }
        }
        if let victim {
            if to.isDoubtful, case .status(let status) = look, index.changes(of: victim, to: status).isEmpty {
                return noteAlreadyMoved(source, from)
            }
            guard source.map({ !index.isAncestor(victim, of: $0) }) ?? true else {
                return noteAlreadyMoved(nil, from)
            }
            removeTree(victim, origin: .derived)
        }
        coalesced += 1
        if let source, !index.isAncestor(source, of: to.folder) {
            move(source, from: from, to: to, look)
        } else {
            createRenamed(from: from, to: to, look)
        }
    }

    /// A listing has told the new name: what is left is the end of the old one.
    private mutating func noteAlreadyMoved(_ source: NodeID?, _ from: Place) {
        coalesced += 1
        if let source, !from.isDoubtful { removeTree(source, origin: .emitted) } else { coalesced += 1 }
    }

    private mutating func move(_ id: NodeID, from: Place, to: Place, _ look: FileLook) {
        releaseTree(id, .vanished)
        releaseRename(from: to.name, in: to.folder)
        let previousPath = index.path(of: id)
        index.move(id, to: to.name, in: to.folder)
        index[id].marks.insert(.seen)
        let now = same(id, look)
        if case .status(let status) = now {
            index.set(status, of: id)
            if status.type == .directory, index[id].watch == 0 || settings.rules.hasPaths {
                enter(id, status, index[id].watch == 0 ? .created : .resync)
            }
        }
        // Another file has come to the new name; one may have come to the old one.
        if now != look { requestVisit(of: from.folder, .poll) }
        publish(
            .renamed, of: id, previousPath: previousPath, look: now, origin: .emitted, wantsHash: true,
            from: Origin(folder: from.folder, name: from.name))
    }

    /// A rename of something that the index does not have.
    private mutating func createRenamed(from: Place, to: Place, _ look: FileLook) {
        let previousPath = pathOf(from.name, in: from.folder)
        guard let id = add(to.name, in: to.folder, look, .created) else {
            return publish(
                .renamed, path: pathOf(to.name, in: to.folder), previousPath: previousPath, look: look,
                origin: .emitted)
        }
        publish(
            .renamed, of: id, previousPath: previousPath, look: look, origin: .emitted, wantsHash: true,
            from: Origin(folder: from.folder, name: from.name))
    }

    private func isOne(_ id: NodeID, _ look: FileLook) -> Bool {
        guard case .status(let status) = look, index[id].marks.contains(.known) else { return false }
        return index[id].inode == status.inode && index.device(of: id) == status.device
    }

    /// Gives two nodes each other's names.
    ///
    /// Two renames in a row could not be replayed: the second would take back the first. So the second file ends at its
    /// old path, and is created at the new one.
    /// - Parameter secondOrigin: Of the event that tells the second file under its new path.
    /// - Returns: Whether that was possible.
    private mutating func exchange(
        _ first: NodeID, _ second: NodeID, _ lookAtFirst: FileLook, _ lookAtSecond: FileLook,
        secondOrigin: EventOrigin = .derived
    ) -> Bool {
        guard first != second, !index.isAncestor(first, of: second), !index.isAncestor(second, of: first)
        else { return false }
        releaseTree(first, .vanished)
        releaseTree(second, .vanished)
        let firstPath = index.path(of: first)
        publishTree(second, .deleted)
        let (firstFolder, secondFolder) = (index[first].parent, index[second].parent)
        let (firstName, secondName) = (index.name(of: first), index.name(of: second))
        index.move(first, to: index.freeName(in: firstFolder), in: firstFolder)
        index.move(second, to: firstName, in: firstFolder)
        index.move(first, to: secondName, in: secondFolder)
        let (nowFirst, nowSecond) = (same(first, lookAtFirst), same(second, lookAtSecond))
        for (id, look) in [(first, nowFirst), (second, nowSecond)] {
            if case .status(let status) = look { index.set(status, of: id) }
        }
        publish(.renamed, of: first, previousPath: firstPath, look: nowFirst, origin: .emitted)
        publish(.created, of: second, look: nowSecond, origin: secondOrigin)
        publishTree(second, .created)
        return true
    }

    /// Two names that were exchanged (`RENAME_EXCHANGE`): the four records of both renames.
    ///
    /// - Returns: Whether the index has both; else nothing was done.
    package mutating func noteExchanged(_ a: Place, _ b: Place, _ lookAtA: FileLook, _ lookAtB: FileLook)
        -> Bool
    {
        guard !a.isDoubtful, !b.isDoubtful, let first = index.find(a.name, in: a.folder),
            let second = index.find(b.name, in: b.folder),
            exchange(first, second, lookAtB, lookAtA, secondOrigin: .emitted)
        else { return false }
        sometimes(.namesExchanged)
        coalesced += 2
        return true
    }

    // MARK: - Contents and attributes

    /// `IN_MODIFY`: told when the file is closed, or has been written for a while.
    package mutating func noteModified(_ place: Place) {
        guard let id = index.find(place.name, in: place.folder) else { return filter(.unindexed) }
        if !place.isDoubtful {
            index[id].marks.insert(.unhashed)
            releaseHeld(id, .changing)
        }
        if settling[id] != nil {
            coalesced += 1
            if !place.isDoubtful { settling[id]?.isCertain = true }
            return
        }
        let ticket = makeTicket()
        settling[id] = Settling(ticket: ticket, isCertain: !place.isDoubtful)
        settleQueue.append(id, ticket, due: clocks.monotonic.advanced(by: settings.settleDelay))
    }

    /// `IN_CLOSE_WRITE`.
    package mutating func noteClosed(_ place: Place, _ look: FileLook) {
        guard let id = index.find(place.name, in: place.folder) else { return noteUnknown(place, look) }
        let waiting = settling.removeValue(forKey: id)
        if waiting != nil { coalesced += 1 }
        tellModified(id, look, isCertain: waiting?.isCertain ?? false, mayBeComplete: true)
    }

    /// The next file that has been written for long enough.
    package mutating func nextSettled() -> NodeID? {
        while let entry = settleQueue.popFirst(dueBy: clocks.monotonic) {
            if settling[entry.id]?.ticket == entry.ticket { return entry.id }
        }
        return nil
    }

    /// Tells a file as modified that has been written for a while.
    package mutating func noteSettled(_ id: NodeID, _ look: FileLook) {
        guard let waiting = settling.removeValue(forKey: id) else { return }
        tellModified(id, look, isCertain: waiting.isCertain, mayBeComplete: false)
    }

    /// Accounts for one record: told, or coalesced when there is nothing to tell.
    private mutating func tellModified(
        _ id: NodeID, _ look: FileLook, isCertain: Bool, mayBeComplete: Bool
    ) {
        let wasKnown = index[id].marks.contains(.known)
        let look = same(id, look)
        guard case .status(let status) = look else {
            guard isCertain else { return coalesced += 1 }
            return publish(.modified, of: id, look: look, origin: .emitted)
        }
        let changes = index.changes(of: id, to: status)
        let isChanged = changes.contains { $0.isOfContents }
        // Closed for the first time with something in it: only its hash is new.
        let isComplete =
            mayBeComplete && settings.hashes && status.type == .regular && status.size > 0
            && index[id].marks.contains(.unhashed) && held[id] == nil
        guard isCertain || isChanged || isComplete || !wasKnown else { return coalesced += 1 }
        index.set(status, of: id)
        index[id].marks.insert(.unhashed)
        publish(
            .modified, of: id, look: look, changes: changes, origin: .emitted, wantsHash: mayBeComplete)
    }

    /// `IN_ATTRIB`.
    package mutating func noteAttributes(_ place: Place, _ look: FileLook) {
        guard let id = index.find(place.name, in: place.folder) else { return noteUnknown(place, look) }
        noteAttributes(of: id, look)
    }

    /// `IN_ATTRIB` of a node.
    package mutating func noteAttributes(of id: NodeID, _ look: FileLook) {
        let wasKnown = index[id].marks.contains(.known)
        guard case .status(let status) = same(id, look) else { return coalesced += 1 }
        var changes = index.changes(of: id, to: status)
        // What is being written is told in time.
        if settling[id] != nil { changes.removeAll { $0.isOfContents || $0 == .status } }
        guard !changes.isEmpty || !wasKnown else { return coalesced += 1 }
        index.set(status, of: id)
        publish(.attributes, of: id, look: look, changes: changes, origin: .emitted)
    }

    /// A record about a name that the index does not have: its beginning was lost, or there was no room for it.
    private mutating func noteUnknown(_ place: Place, _ look: FileLook) {
        guard case .status = look else { return filter(.vanished) }
        create(place, look, isMoved: true)
    }

    // MARK: - Looks

    /// A look at a name, unless another file has it by now, of which later records tell.
    private mutating func same(_ id: NodeID, _ look: FileLook) -> FileLook {
        guard case .status(let status) = look else {
            // What could not be seen now is looked at later, unless it is gone, of which a record tells.
            if case .unknown = look { recheck(id) }
            return look
        }
        guard index[id].marks.contains(.known) else {
            learn(id, status)
            return look
        }
        guard index[id].inode == status.inode, index.device(of: id) == status.device else {
            recheck(id)
            requestVisit(of: index[id].parent, .poll)
            return .unknown(.superseded)
        }
        return look
    }

    /// Takes in what is found where nothing was known.
    mutating func learn(_ id: NodeID, _ status: FileStatus) {
        guard !index[id].marks.contains(.known) else { return }
        index.set(status, of: id)
        enter(id, status, .created)
    }

    /// Tells what is found where nothing was known: the event that has told the name could not say what it is.
    mutating func tellLearnt(_ id: NodeID, _ status: FileStatus, origin: EventOrigin) {
        sometimes(.fileLearntLate)
        learn(id, status)
        // What is being written is hashed when that is over.
        publish(
            .attributes, of: id, look: .status(status), origin: origin, wantsHash: settling[id] == nil)
    }

    /// The next name to look at again, and how often that was done; not before its time.
    package mutating func nextRecheck() -> (id: NodeID, attempt: UInt64)? {
        while let entry = recheckQueue.popFirst(dueBy: clocks.monotonic)
            ?? slowRecheckQueue.popFirst(dueBy: clocks.monotonic)
        {
            guard recheckTimes[entry.id] == entry.due else { continue }
            recheckTimes[entry.id] = nil
            guard index[entry.id].marks.contains(.recheck) else { continue }
            index[entry.id].marks.remove(.recheck)
            return (entry.id, entry.ticket)
        }
        return nil
    }

    /// What a later look has found: the truth, when no record about the name is queued any more.
    package mutating func noteRechecked(_ id: NodeID, attempt: UInt64, _ look: FileLook) {
        switch look {
        case .vanished: removeTree(id, origin: .derived)
        case .unknown: recheck(id, attempt: attempt + 1)
        case .status(let status):
            let changes = index.changes(of: id, to: status)
            if !index[id].marks.contains(.known) {
                tellLearnt(id, status, origin: .derived)
            } else if !changes.isEmpty {
                reconcile(id, status, changes, origin: .derived, mode: .created)
            }
            if index[id].isFolder, index[id].watch == 0 { enter(id, status, .resync) }
        }
    }
}

/// Why a record makes no event.
package enum FilterReason: String, Hashable, Sendable, CaseIterable {
    /// `IN_IGNORED`: the end of a watch.
    case ignored
    /// About the watched folder itself; its parent's record tells the same.
    case bookkeeping
    /// Of a watch that had already ended.
    case unknownWatch = "unknown_watch"
    case unmounted
    /// `IN_Q_OVERFLOW`: told by a gap.
    case overflow
    /// About a name that is gone, and that nothing was known of.
    case vanished
    /// The index had no room for the file.
    case unindexed
    /// About the package manager's database, which is watched only to understand the rest.
    case packageDatabase = "package_database"
    /// Bytes that are no record.
    case malformed
}
