import Backends
import CollectorCore
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// Beginning, comparing everything again, and what is kept between runs.
extension FilesystemLoop {
    /// Folders that a rescan begins with.
    private static var activeFolderLimit: Int { 32 }

    // MARK: - Beginning

    /// Starts from what the last run has left, or from nothing.
    func begin() {
        let stored = storedIndex()
        var index = stored ?? FileIndex()
        if stored == nil { for root in endpoints.roots { _ = index.addRoot(root.path) } }
        let clocks = tracker.clocks
        tracker = FileTracker(settings: settings, index: index)
        tracker.clocks = clocks
        sometimes(.indexCompared, when: stored != nil)
        if stored != nil { reportGap(.notRunning, atLeast: 0, since: Instant(nanoseconds: 0)) }
        for position in endpoints.roots.indices {
            beginRoot(position, stored == nil ? .baseline : .resync)
        }
    }

    /// Goes on after a run that ended by an error: the watches are still there, but nobody knows what was missed.
    func resume() async {
        reportGap(.notRunning, atLeast: 0, since: context.interruption?.since)
        visit = nil
        hashing = nil
        doubtfulUntil = [:]
        folders.removeAll()
        for position in endpoints.roots.indices { beginRoot(position, .resync) }
    }

    private func beginRoot(_ position: Int, _ mode: IndexNode.VisitMode) {
        let root = tracker.index.roots[position].id
        folders.remove(root)
        guard let open = openFolder(root), open.status.linkCount > 0 else {
            troubles.lostRoots.insert(position)
            rootRetryDue = rootRetryDue ?? now.advanced(by: Self.rootRetryInterval)
            return
        }
        troubles.lostRoots.remove(position)
        let former = tracker.index.device(of: root)
        if tracker.index[root].marks.contains(.known), tracker.index[root].inode == open.status.inode {
            tracker.index.renumber(device: former, as: open.status.device)
        }
        tracker.rootStatus[position] = open.status
        tracker.index.set(open.status, of: root)
        tracker.requestVisit(of: root, mode)
    }

    // MARK: - Losses

    func noteOverflow() async {
        sometimes(.watchQueueOverflowed)
        overflows += 1
        let since = lossBegan
        lossBegan = nil
        await reportGapInOrder(.watchQueueOverflow, atLeast: 1, since: since)
        #if MUTANTS
            if Mutation.fileResyncForgotten.isActive { return }
        #endif
        scheduleResync()
    }

    /// Remembers the folders in which something has happened lately.
    func noteActive(folderOf record: InotifyRecord) {
        guard record.watch != activeWatches.last else { return }
        activeWatches.removeAll { $0 == record.watch }
        if activeWatches.count >= Self.activeFolderLimit { activeWatches.removeFirst() }
        activeWatches.append(record.watch)
    }

    /// Has everything compared; not at once when that was done just now, so that a storm of losses is no storm of scans.
    func scheduleResync() {
        guard resyncDue == nil else { return }
        let earliest = lastResync.map { $0.advanced(by: settings.resyncInterval) } ?? now
        resyncDue = max(earliest, now)
    }

    /// A root is gone or out of reach.
    func loseRoot(_ root: NodeID) async {
        sometimes(.rootLost)
        let position = tracker.index.root(of: root).root
        tracker.loseRoot(root)
        closeRemovedFolders()
        tracker.rootStatus[position] = nil
        troubles.lostRoots.insert(position)
        rootRetryDue = rootRetryDue ?? now.advanced(by: Self.rootRetryInterval)
        await reportGapInOrder(.watchLost, atLeast: 0)
    }

    /// Starts what is due.
    func scheduleScans() async {
        if let due = resyncDue, due <= now {
            resyncDue = nil
            lastResync = now
            for position in endpoints.roots.indices where !troubles.lostRoots.contains(position) {
                tracker.requestVisit(of: tracker.index.roots[position].id, .resync)
            }
            // Last requested, first listed.
            for watch in activeWatches {
                guard let folder = tracker.index.child(withWatch: watch) else { continue }
                tracker.requestVisit(of: folder, .resync)
            }
        }
        if let due = pollDue, due <= now { pollUnwatched() }
        if let due = rootCheckDue, due <= now { await checkRoots() }
        if let due = rootRetryDue, due <= now {
            rootRetryDue = nil
            for position in troubles.lostRoots.sorted() { beginRoot(position, .resync) }
        }
    }

    private func checkRoots() async {
        rootCheckDue = now.advanced(by: Self.rootCheckInterval)
        for position in endpoints.roots.indices where !troubles.lostRoots.contains(position) {
            let root = tracker.index.roots[position].id
            guard case .status(let status) = lookAtRoot(root), status.linkCount == 0 else { continue }
            tracker.publish(.deleted, path: tracker.index.path(of: root), look: nil, origin: .derived)
            await loseRoot(root)
        }
    }

    private func pollUnwatched() {
        pollDue = nil
        guard tracker.unwatchedCount > 0 else { return }
        pollDelay = min(pollDelay * 2, settings.pollInterval)
        pollDue = now.advanced(by: pollDelay)
        for root in tracker.index.roots {
            var next: NodeID? = root.id
            while let id = next {
                if tracker.index[id].marks.contains(.unwatched) { tracker.resumeVisit(of: id) }
                next = tracker.index.next(after: id, within: root.id)
            }
        }
    }

    /// Says what a slice of listing has shown about watches, and notes when nothing is left to list.
    func noteScanProgress() async {
        if tracker.unwatchedCount == 0 {
            hasToldUnwatched = false
        } else if !hasToldUnwatched {
            hasToldUnwatched = true
            await reportGapInOrder(.watchLost, atLeast: 0)
        }
        guard visit == nil, tracker.visits.isEmpty, !isBaselineComplete else { return }
        isBaselineComplete = true
        hasIndexChanged = true
    }

    // MARK: - State

    private func storedIndex() -> FileIndex? {
        guard let file = endpoints.index else { return nil }
        do throws(Errno) {
            guard let bytes = try file.read() else { return nil }
            guard let index = IndexFile.index(from: bytes) else {
                troubles.isIndexUnusable = true
                return nil
            }
            // Of other roots it says nothing.
            return index.roots.map(\.path) == endpoints.roots.map(\.path) ? index : nil
        } catch {
            troubles.isIndexUnusable = true
            return nil
        }
    }

    func saveIfDue() {
        guard let due = saveDue, due <= now else { return }
        saveDue = now.advanced(by: settings.saveInterval)
        saveIndex()
    }

    /// Keeps the index, unless that would say less than what was kept before.
    func saveIndex() {
        guard let file = endpoints.index, isBaselineComplete, hasIndexChanged else { return }
        do throws(Errno) {
            try file.replace(with: IndexFile.bytes(of: tracker.index))
            hasIndexChanged = false
            troubles.indexError = nil
            troubles.isIndexUnusable = false
        } catch {
            troubles.indexError = error
        }
    }
}
