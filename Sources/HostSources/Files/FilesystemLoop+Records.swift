import Backends
import CollectorCore
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// From a record to what it means: which folder, which name, and what is there now.
extension FilesystemLoop {
    func handle(_ entry: RecordQueue.Entry) async {
        let record = entry.record
        guard !record.mask.contains(.queueOverflow) else {
            tracker.filter(.overflow)
            return await noteOverflow()
        }
        noteActive(folderOf: record)
        guard let folder = tracker.index.child(withWatch: record.watch) else {
            return tracker.filter(record.mask.contains(.ignored) ? .ignored : .unknownWatch)
        }
        guard !record.name.isEmpty else { return await handleSelf(record, folder) }
        // Nobody makes such a name; it must not reach a call that takes a path.
        guard record.name.count <= Limits.fileNameByteCount, !record.name.contains(0x2f) else {
            return tracker.filter(.malformed)
        }
        if record.mask.contains(.movedFrom) { return handleMove(entry, folder) }
        if let reason = exclusion(of: record.name, in: folder) { return tracker.filter(reason) }
        handle(
            record,
            FileTracker.Place(folder: folder, name: record.name, isDoubtful: isDoubtful(folder, entry)))
    }

    private func handle(_ record: InotifyRecord, _ place: FileTracker.Place) {
        if record.mask.contains(.create) {
            tracker.noteCreated(place, look(at: place, of: record.watch), isMoved: false)
        } else if record.mask.contains(.movedTo) {
            tracker.noteCreated(place, look(at: place, of: record.watch), isMoved: true)
        } else if record.mask.contains(.delete) {
            tracker.noteDeleted(place, place.isDoubtful ? look(at: place, of: record.watch) : .vanished)
        } else if record.mask.contains(.modify) {
            tracker.noteModified(place)
        } else if record.mask.contains(.closeWrite) {
            tracker.noteClosed(place, look(at: place, of: record.watch))
        } else if record.mask.contains(.attributes) {
            tracker.noteAttributes(place, look(at: place, of: record.watch))
        } else {
            tracker.filter(.bookkeeping)
        }
    }

    // MARK: - Renames

    /// The first half of a rename, and the second half where there is one.
    private func handleMove(_ entry: RecordQueue.Entry, _ folder: NodeID) {
        let record = entry.record
        let from = FileTracker.Place(
            folder: folder, name: record.name, isDoubtful: isDoubtful(folder, entry))
        let isFromExcluded = exclusion(of: record.name, in: folder)
        guard let partner = queue.takePartner(of: record),
            let other = tracker.index.child(withWatch: partner.record.watch)
        else {
            if let isFromExcluded { return tracker.filter(isFromExcluded) }
            sometimes(.renameHalved)
            return tracker.noteDeleted(from, look(at: from.name, in: folder), isMoved: true)
        }
        let to = FileTracker.Place(
            folder: other, name: partner.record.name, isDoubtful: isDoubtful(other, partner))
        switch (isFromExcluded, exclusion(of: to.name, in: other)) {
        case (let reason?, let other?):
            tracker.filter(reason)
            tracker.filter(other)
        case (let reason?, nil):
            tracker.filter(reason)
            tracker.noteCreated(to, look(at: to, of: partner.record.watch), isMoved: true)
        case (nil, let reason?):
            tracker.filter(reason)
            tracker.noteDeleted(from, look(at: from.name, in: folder), isMoved: true)
        case (nil, nil):
            if handleExchange(record, from, partner.record, to) { return }
            guard tracker.hasVictim(to) else {
                return tracker.noteRenamed(
                    from: from, to: to, look(at: to, of: partner.record.watch), .vanished)
            }
            tracker.noteRenamed(
                from: from, to: to, look(at: to.name, in: other), look(at: from.name, in: folder))
        }
    }

    /// Two renames in opposite directions, one right behind the other: the kernel has exchanged two names.
    private func handleExchange(
        _ record: InotifyRecord, _ from: FileTracker.Place, _ partner: InotifyRecord, _ to: FileTracker.Place
    ) -> Bool {
        guard let next = queue.first?.record, next.mask.contains(.movedFrom), next.watch == partner.watch,
            next.name == partner.name, let back = queue.partner(of: next)?.record,
            back.watch == record.watch, back.name == record.name
        else { return false }
        let looks = (look(at: from.name, in: from.folder), look(at: to.name, in: to.folder))
        guard tracker.noteExchanged(from, to, looks.0, looks.1) else { return false }
        _ = queue.takePartner(of: next)
        _ = queue.popFirst()
        return true
    }

    // MARK: - The watched folder itself

    private func handleSelf(_ record: InotifyRecord, _ folder: NodeID) async {
        let isRoot = tracker.index[folder].marks.contains(.root)
        if record.mask.contains(.ignored) {
            tracker.filter(.ignored)
            tracker.index.setWatch(0, of: folder)
            // Its parent's record, or the unmount, says why; if nothing does, it must be watched again.
            if !isRoot { tracker.recheck(folder) } else { await loseRoot(folder) }
        } else if record.mask.contains(.unmount) {
            tracker.filter(.unmounted)
            if isRoot { await loseRoot(folder) }
        } else if record.mask.contains(.deleteSelf), isRoot {
            tracker.publish(.deleted, path: tracker.index.path(of: folder), look: nil, origin: .emitted)
            await loseRoot(folder)
        } else if record.mask.contains(.attributes), isRoot {
            tracker.noteAttributes(of: folder, lookAtRoot(folder))
        } else {
            tracker.filter(.bookkeeping)
        }
    }

    func lookAtRoot(_ root: NodeID) -> FileLook {
        guard let open = openFolder(root) else { return .vanished }
        do throws(Errno) {
            return .status(try directory(of: root).status(of: open.handle))
        } catch {
            return error.look
        }
    }

    // MARK: - Looks

    /// Whether a record may be older than the last listing of its folder.
    func isDoubtful(_ folder: NodeID, _ entry: RecordQueue.Entry) -> Bool {
        guard let until = doubtfulUntil[folder] else { return false }
        return entry.generation <= until
    }

    /// What is at a name now, unless a record in the queue says that it is another file by now.
    private func look(at place: FileTracker.Place, of watch: Int32) -> FileLook {
        if queue.isSuperseded(watch, place.name) {
            sometimes(.lookSuperseded)
            return .unknown(.superseded)
        }
        return look(at: place.name, in: place.folder)
    }

    /// What is at a name now.
    func look(at name: [UInt8], in folder: NodeID) -> FileLook {
        guard let open = openFolder(folder) else { return .unknown(.superseded) }
        do throws(Errno) {
            return .status(try directory(of: folder).status(of: name, in: open.handle))
        } catch {
            return error.look
        }
    }

    /// What is at the name of a node now.
    func look(at id: NodeID) -> FileLook {
        if tracker.index[id].marks.contains(.root) { return lookAtRoot(id) }
        return look(at: tracker.index.name(of: id), in: tracker.index[id].parent)
    }

    /// Why a name makes no events; `nil` when it does.
    func exclusion(of name: [UInt8], in folder: NodeID) -> FileExclusion? {
        settings.rules.reason(against: name) { tracker.pathOf(name, in: folder) }
    }

    // MARK: - What is due

    /// Looks again at names that were announced and could not be looked at.
    func recheckNames() throws {
        while let (id, attempt) = tracker.nextRecheck() {
            let look = look(at: id)
            if case .vanished = look {
                // Records of its end, and of what came before it, may have come since the last drain: they tell more.
                try drain()
                guard queue.isEmpty else { return tracker.recheck(id, attempt: attempt) }
            }
            tracker.noteRechecked(id, attempt: attempt, look)
            closeRemovedFolders()
        }
    }

    /// Tells files as modified that have been written for a while.
    func settleFiles() {
        while let id = tracker.nextSettled() { tracker.noteSettled(id, look(at: id)) }
    }
}

extension Errno {
    /// What a failed look says about a name.
    var look: FileLook {
        switch self {
        // A stale handle says nothing about the name: a server that came back gives it too.
        case .noSuchFileOrDirectory, .notDirectory: .vanished
        case .permissionDenied, .notPermitted: .unknown(.denied)
        default: .unknown(.failed)
        }
    }
}
