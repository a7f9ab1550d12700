import Backends
import CollectorCore
import EventModel

import struct SystemPackage.Errno

/// How many bytes may be read for hashing: an allowance of one second that fills at a rate.
struct HashBudget {
    private static let sliceByteCount = FileDigest.sliceByteCount

    /// Bytes of one read of so many.
    static func slice(of byteCount: UInt64) -> Int { Int(min(UInt64(sliceByteCount), byteCount)) }

    private let byteRate: Double
    private var allowance: Double
    private var filledAt: Instant?

    init(byteRate: UInt64) {
        self.byteRate = Double(max(byteRate, 1))
        allowance = max(self.byteRate, Double(Self.sliceByteCount))
    }

    /// Whether so many bytes, at most ``FileDigest/sliceByteCount``, may be read now.
    mutating func hasRoom(for byteCount: Int, at now: Instant) -> Bool {
        fill(at: now)
        return allowance >= Double(byteCount)
    }

    /// When so many bytes, at most ``FileDigest/sliceByteCount``, may be read.
    mutating func nextDue(for byteCount: Int, at now: Instant) -> Instant {
        fill(at: now)
        let missing = max(0, Double(byteCount) - allowance)
        return now.advanced(by: .nanoseconds(Int64(missing / byteRate * 1e9) + 1))
    }

    /// How many bytes may be read from now on until `patience` is over.
    mutating func room(within patience: Duration, at now: Instant) -> UInt64 {
        fill(at: now)
        let room = allowance + byteRate * Double(patience.wholeNanoseconds) / 1e9
        return UInt64(min(max(room, 0), 1e18))
    }

    mutating func take(_ byteCount: Int) { allowance -= Double(byteCount) }

    private mutating func fill(at now: Instant) {
        let elapsed = filledAt.map { Double($0.duration(to: now).wholeNanoseconds) / 1e9 } ?? 0
        filledAt = now
        let most = max(byteRate, Double(Self.sliceByteCount))
        allowance = min(most, allowance + max(0, elapsed) * byteRate)
    }
}

/// One file that is being hashed.
final class HashJob {
    let id: NodeID
    let ticket: UInt64
    /// When its event is told at the latest.
    let due: Instant
    let handle: FileHandle
    let directory: any RootedDirectory
    var digest: FileDigest
    var attemptCount = 1

    init(
        id: NodeID, ticket: UInt64, due: Instant, handle: consuming FileHandle,
        directory: any RootedDirectory, before: FileStatus
    ) {
        self.id = id
        self.ticket = ticket
        self.due = due
        self.handle = handle
        self.directory = directory
        digest = FileDigest(of: before)
    }

    /// Bytes of the next read, at most ``FileDigest/sliceByteCount``; the last one finds that there is nothing more.
    var nextByteCount: Int {
        let size = digest.before.size
        return HashBudget.slice(of: size > digest.offset ? size - digest.offset : 1)
    }
}

/// Reading contents a slice at a time, of regular files only, and never of another file than the event's.
extension FilesystemLoop {
    private static var hashAttemptLimit: Int { 2 }

    /// Bytes of the next read; `nil` when nothing waits for one.
    private var hashByteCount: Int? {
        if let job = hashing {
            if tracker.isHeld(job.id, job.ticket) { return job.nextByteCount }
            hashing = nil
        }
        return tracker.nextHashByteCount.map(HashBudget.slice(of:))
    }

    var isHashingPossible: Bool { hashByteCount.map { budget.hasRoom(for: $0, at: now) } ?? false }

    /// When hashing can go on, or is given up; `nil` when nothing waits for it.
    var hashDue: Instant? {
        guard let byteCount = hashByteCount else { return nil }
        let budgetDue = budget.nextDue(for: byteCount, at: now)
        return [budgetDue, hashing?.due, tracker.hashQueue.nextDue].compactMap { $0 }.min()
    }

    /// Lets events wait for their hashes only where the budget can serve them in time.
    func planHashes() {
        let isBeingRead = hashing.map { tracker.isHeld($0.id, $0.ticket) } ?? false
        tracker.hashRoom =
            budget.room(within: settings.hashPatience, at: now)
            + (isBeingRead ? hashing?.digest.offset ?? 0 : 0)
    }

    /// Tells events without a hash that have waited long enough.
    func expireHashes() {
        if let job = hashing, job.due <= now {
            sometimes(.hashExpired, when: tracker.isHeld(job.id, job.ticket))
            end(job, .obstacle(.overBudget))
        }
        while let next = tracker.nextHash(dueBy: now) {
            sometimes(.hashExpired)
            tracker.finishHash(next.id, next.ticket, .obstacle(.overBudget))
        }
    }

    /// Hashes for about a millisecond.
    func hashSlice() {
        let end = now.advanced(by: Self.sliceDuration)
        while let byteCount = hashByteCount, budget.hasRoom(for: byteCount, at: now) {
            if let job = hashing { step(job) } else { hashing = nextJob() }
            if now >= end { return }
        }
    }

    private func nextJob() -> HashJob? {
        while let next = tracker.nextHash() {
            do {
                return try openJob(next)
            } catch {
                tracker.finishHash(next.id, next.ticket, .obstacle(error))
            }
        }
        return nil
    }

    /// Opens the file twice: first only to see what it is, because opening a device has effects.
    private func openJob(_ entry: DueQueue.Entry) throws(HashObstacle) -> HashJob {
        guard let folder = openFolder(tracker.index[entry.id].parent) else { throw .vanished }
        let job: HashJob
        do throws(Errno) {
            job = try openContents(entry, folder)
        } catch {
            throw error.hashObstacle
        }
        guard job.digest.before.size <= settings.hashSizeLimit else { throw .tooLarge }
        return job
    }

    private func openContents(_ entry: DueQueue.Entry, _ folder: OpenFolder) throws(Errno) -> HashJob {
        let id = entry.id
        let directory = directory(of: id)
        let name = tracker.index.name(of: id)
        #if MUTANTS
            if Mutation.specialFileOpened.isActive {
                _ = try directory.open(name, in: folder.handle, as: .contents)
            }
        #endif
        let look = try directory.open(name, in: folder.handle, as: .path)
        guard isExpected(id, try directory.status(of: look)) else { throw .noSuchFileOrDirectory }
        let handle = try directory.reopen(look, as: .contents)
        let status = try directory.status(of: handle)
        guard isExpected(id, status) else { throw .noSuchFileOrDirectory }
        return HashJob(
            id: id, ticket: entry.ticket, due: entry.due, handle: handle, directory: directory, before: status
        )
    }

    private func isExpected(_ id: NodeID, _ status: FileStatus) -> Bool {
        status.type == .regular && status.inode == tracker.index[id].inode
            && status.device == tracker.index.device(of: id)
    }

    private func step(_ job: HashJob) {
        var bytes: [UInt8] = []
        do throws(Errno) {
            let count = try job.directory.read(
                job.handle, at: job.digest.offset, count: FileDigest.sliceByteCount, into: &bytes)
            budget.take(max(count, 1))
            if job.digest.take(bytes) { return }
            finish(job, try job.directory.status(of: job.handle))
        } catch {
            end(job, .obstacle(error.hashObstacle))
        }
    }

    private func finish(_ job: HashJob, _ after: FileStatus) {
        if let digest = job.digest.finish(as: after) { return end(job, .digest(digest, of: after)) }
        sometimes(.hashChanging)
        guard job.attemptCount < Self.hashAttemptLimit else { return end(job, .obstacle(.changing)) }
        job.attemptCount += 1
        job.digest = FileDigest(of: after)
        guard after.size <= settings.hashSizeLimit else { return end(job, .obstacle(.tooLarge)) }
    }

    private func end(_ job: HashJob, _ result: HashResult) {
        hashing = nil
        tracker.finishHash(job.id, job.ticket, result)
    }
}

extension HashObstacle: Error {}

extension Errno {
    var hashObstacle: HashObstacle {
        switch self {
        case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .staleNFSFileHandle: .vanished
        case .permissionDenied, .notPermitted: .denied
        default: .failed
        }
    }
}
