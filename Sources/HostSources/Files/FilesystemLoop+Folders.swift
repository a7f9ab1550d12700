import Backends
import CollectorCore
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// One folder that is being listed.
final class FolderVisit {
    let id: NodeID
    let mode: IndexNode.VisitMode
    let folder: OpenFolder
    /// What the last call gave, and how far it was handled.
    var bytes: [UInt8] = []
    var reader = DirectoryEntryReader(at: 0, count: 0)
    var isListed = false
    /// Something in it could not be looked at: it must be listed again.
    var isIncomplete = false
    /// Names that were not listed, to be looked at, last first.
    var unseen: [NodeID] = []

    init(id: NodeID, mode: IndexNode.VisitMode, folder: OpenFolder) {
        self.id = id
        self.mode = mode
        self.folder = folder
    }
}

/// Opening, watching and listing folders, a slice at a time.
extension FilesystemLoop {
    /// What a watch is told of: names that come, go and change, and its own end.
    static var watchMask: InotifyMask {
        [
            .create, .delete, .modify, .closeWrite, .attributes, .movedFrom, .movedTo, .deleteSelf, .moveSelf,
            .onlyDirectory, .excludeUnlinked,
        ]
    }

    /// Bytes of one listing call.
    private static var listingByteCount: Int { 32_768 }

    /// Longest path that one call resolves; what is deeper is opened name by name.
    private static var openPathByteCount: Int { Limits.pathByteCount - 1 }

    func directory(of id: NodeID) -> any RootedDirectory {
        endpoints.roots[tracker.index.root(of: id).root]
    }

    func closeRemovedFolders() {
        guard !tracker.removedFolders.isEmpty || !tracker.lapsedWatches.isEmpty else { return }
        for id in tracker.removedFolders {
            folders.remove(id)
            doubtfulUntil[id] = nil
            if visit?.id == id { visit = nil }
        }
        tracker.removedFolders.removeAll(keepingCapacity: true)
        for watch in tracker.lapsedWatches {
            // A folder that is gone for good has taken its watch with it.
            try? endpoints.watcher.removeWatch(watch)
        }
        tracker.lapsedWatches.removeAll(keepingCapacity: true)
    }

    // MARK: - Opening

    /// A folder, open for listing; `nil` when it is not there any more, or another folder has its name.
    func openFolder(_ id: NodeID) -> OpenFolder? {
        if let folder = folders.find(id) { return folder }
        var (path, chain) = ([UInt8](), [id])
        while let last = chain.last {
            path = tracker.index.location(of: last).path
            if path.count <= Self.openPathByteCount { break }
            chain.append(tracker.index[last].parent)
        }
        guard let last = chain.popLast() else { return nil }
        guard var folder = openAtOnce(last, path) else { return nil }
        for id in chain.reversed() {
            guard let next = open(id, in: folder) else { return nil }
            folder = next
        }
        folders.insert(folder, for: id)
        return folder
    }

    private func openAtOnce(_ id: NodeID, _ path: [UInt8]) -> OpenFolder? {
        let parent = tracker.index[id].parent
        if parent != .none, let folder = folders.find(parent) { return open(id, in: folder) }
        let directory = directory(of: id)
        do throws(Errno) {
            return try verified(id, try directory.open(path, as: .folder), directory)
        } catch {
            noteFailedOpen(error)
            return nil
        }
    }

    private func open(_ id: NodeID, in folder: OpenFolder) -> OpenFolder? {
        let directory = directory(of: id)
        do throws(Errno) {
            let name = tracker.index.name(of: id)
            return try verified(id, try directory.open(name, in: folder.handle, as: .folder), directory)
        } catch {
            noteFailedOpen(error)
            return nil
        }
    }

    /// A folder that is still the one that the index has; `nil` for another one.
    private func verified(
        _ id: NodeID, _ handle: consuming FileHandle, _ directory: any RootedDirectory
    ) throws(Errno) -> OpenFolder? {
        let status = try directory.status(of: handle)
        let node = tracker.index[id]
        let isSame =
            !node.marks.contains(.known) || node.marks.contains(.root)
            || node.inode == status.inode && tracker.index.device(of: id) == status.device
        return isSame ? OpenFolder(handle, status) : nil
    }

    private func noteFailedOpen(_ error: Errno) {
        switch error {
        case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels: return
        default:
            openFailure = error
            troubles.noteOpen(error)
        }
    }

    // MARK: - Listing

    /// Lists for about a millisecond.
    func scanSlice() async {
        let end = now.advanced(by: Self.sliceDuration)
        while let visit = nextVisit() {
            if !step(visit) { finish(visit) }
            closeRemovedFolders()
            if now >= end { break }
        }
        await noteScanProgress()
    }

    private func nextVisit() -> FolderVisit? {
        if let visit { return visit }
        while let (id, mode) = tracker.nextVisit() {
            // A folder that is held open was listed already, and would go on where that ended.
            folders.remove(id)
            openFailure = nil
            guard let folder = openFolder(id) else {
                missFolder(id, mode)
                continue
            }
            // Watch first: what comes after is told by records, what came before is in the listing.
            watch(id, folder)
            doubtfulUntil[id] = .max
            tracker.beginListing(of: id)
            let new = FolderVisit(id: id, mode: mode, folder: folder)
            visit = new
            return new
        }
        return nil
    }

    /// A folder that is not where it should be: its end may be queued, or be found by the next look.
    private func missFolder(_ id: NodeID, _ mode: IndexNode.VisitMode) {
        if tracker.index[id].marks.contains(.root) {
            troubles.lostRoots.insert(tracker.index.root(of: id).root)
            rootRetryDue = rootRetryDue ?? now.advanced(by: Self.rootRetryInterval)
        } else if openFailure == nil {
            tracker.recheck(id)
        } else {
            postpone(id, mode)
        }
    }

    /// Leaves a folder for a later look, and remembers why it was to be listed.
    private func postpone(_ id: NodeID, _ mode: IndexNode.VisitMode) {
        sometimes(.folderPostponed)
        missWatch(id)
        // What comes to light later may have come into being meanwhile: it is told, not taken as given.
        tracker.index[id].visit = max(tracker.index[id].visit, mode == .baseline ? .resync : mode)
    }

    /// - Returns: Whether there is more to do.
    private func step(_ visit: FolderVisit) -> Bool {
        guard !visit.isListed else { return lookAtUnseen(visit) }
        let directory = directory(of: visit.id)
        if visit.reader.isAtEnd {
            visit.bytes.removeAll(keepingCapacity: true)
            do throws(Errno) {
                _ = try directory.readEntries(
                    of: visit.folder.handle, count: Self.listingByteCount, into: &visit.bytes)
            } catch {
                // What is there is not known, so nothing is said to be gone.
                if error != .noSuchFileOrDirectory {
                    troubles.noteOpen(error)
                    visit.isIncomplete = true
                }
                return false
            }
            visit.reader = DirectoryEntryReader(at: 0, count: visit.bytes.count)
            if visit.bytes.isEmpty {
                visit.isListed = true
                visit.unseen = tracker.unseenChildren(of: visit.id)
                return true
            }
        }
        for _ in 0..<64 where !visit.reader.isAtEnd { listNext(visit, directory) }
        return true
    }

    private func listNext(_ visit: FolderVisit, _ directory: any RootedDirectory) {
        let name: [UInt8]
        let bytes = visit.bytes
        do {
            guard let entry = try visit.reader.next(in: bytes.span), !entry.isSelfOrParent else { return }
            name = entry.name
        } catch {
            return troubles.strayCount += 1
        }
        guard name.count <= Limits.fileNameByteCount, exclusion(of: name, in: visit.id) == nil else { return }
        do throws(Errno) {
            let status = try directory.status(of: name, in: visit.folder.handle)
            tracker.noteListed(name, in: visit.id, status, visit.mode)
        } catch {
            // It went in between, or cannot be looked at: whoever is known by that name is asked once more at the end.
            guard case .unknown = error.look else { return }
            troubles.noteOpen(error)
            visit.isIncomplete = true
        }
    }

    private func lookAtUnseen(_ visit: FolderVisit) -> Bool {
        for _ in 0..<64 {
            guard let id = visit.unseen.popLast() else { return false }
            guard tracker.index[id].parent == visit.id else { continue }
            if exclusion(of: tracker.index.name(of: id), in: visit.id) != nil {
                tracker.forgetTree(id)
                continue
            }
            tracker.noteUnseen(id, in: visit.id, look(at: id), visit.mode)
            closeRemovedFolders()
        }
        return true
    }

    private func finish(_ visit: FolderVisit) {
        self.visit = nil
        guard doubtfulUntil[visit.id] != nil else { return }
        // The queue may be found empty once before it is: a wake-up can come without a record.
        doubtfulUntil[visit.id] = generation + 1
        if visit.isIncomplete { postpone(visit.id, visit.mode) }
    }

    // MARK: - Watching

    private func watch(_ id: NodeID, _ folder: OpenFolder) {
        guard tracker.index[id].watch == 0 else { return tracker.setUnwatched(false, id) }
        guard tracker.index.watchCount < settings.watchLimit else { return refuseWatch(id) }
        do throws(Errno) {
            let watch = try endpoints.watcher.addWatch(folder.handle, mask: Self.watchMask.rawValue)
            guard watch > 0 else { return refuseWatch(id) }
            releaseAlias(watch, of: id)
            tracker.index.setWatch(watch, of: id)
            tracker.setUnwatched(false, id)
        } catch {
            if error != .noSpace { troubles.noteOpen(error) }
            refuseWatch(id)
        }
    }

    private func refuseWatch(_ id: NodeID) {
        sometimes(.watchRefused)
        missWatch(id)
    }

    /// The same folder was watched under another path: it was moved here, and the record of that is queued or lost.
    private func releaseAlias(_ watch: Int32, of id: NodeID) {
        guard let former = tracker.index.child(withWatch: watch), former != id else { return }
        sometimes(.watchAliased)
        tracker.index.setWatch(0, of: former)
        tracker.recheck(former)
    }

    private func missWatch(_ id: NodeID) {
        tracker.setUnwatched(true, id)
        guard pollDue == nil else { return }
        pollDelay = Self.firstPollDelay
        pollDue = now.advanced(by: pollDelay)
    }
}
