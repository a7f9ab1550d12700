import Backends
import CollectorCore
import Digests
import EventModel

import struct SystemPackage.Errno

/// How many bytes may be read for hashing: an allowance of one second that fills at a rate.
struct HashBudget {
    /// Bytes of one read.
    static let sliceByteCount = 65_536

    private let byteRate: Double
    private var allowance: Double
    private var filledAt: Instant?

    init(byteRate: UInt64) {
        self.byteRate = Double(max(byteRate, 1))
        allowance = max(self.byteRate, Double(Self.sliceByteCount))
    }

    /// Whether a slice may be read now.
    mutating func hasRoom(at now: Instant) -> Bool {
        fill(at: now)
        return allowance >= Double(Self.sliceByteCount)
    }

    /// When a slice may be read.
    mutating func nextDue(at now: Instant) -> Instant {
        fill(at: now)
        let missing = max(0, Double(Self.sliceByteCount) - allowance)
        return now.advanced(by: .nanoseconds(Int64(missing / byteRate * 1e9) + 1))
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
    let handle: FileHandle
    let directory: any RootedDirectory
    /// As it was before the first byte was read.
    var before: FileStatus
    var offset: UInt64 = 0
    var hasher = SHA256()
    var attemptCount = 1

    init(
        id: NodeID, ticket: UInt64, handle: consuming FileHandle, directory: any RootedDirectory,
        before: FileStatus
    ) {
        self.id = id
        self.ticket = ticket
        self.handle = handle
        self.directory = directory
        self.before = before
    }
}

/// Reading contents a slice at a time, of regular files only, and never of another file than the event's.
extension FilesystemLoop {
    /// How long an event waits for its turn.
    private static var hashPatience: Duration { .seconds(10) }
    private static var hashAttemptLimit: Int { 2 }

    private var hasHashWork: Bool { hashing != nil || !tracker.hashQueue.isEmpty }

    var isHashingPossible: Bool { hasHashWork && budget.hasRoom(at: now) }

    /// When hashing can go on; `nil` when nothing waits for it.
    var hashDue: Instant? { hasHashWork ? budget.nextDue(at: now) : nil }

    /// Hashes for about a millisecond.
    func hashSlice() {
        let end = now.advanced(by: Self.sliceDuration)
        while hasHashWork, budget.hasRoom(at: now) {
            if hashing == nil { hashing = nextJob() }
            guard let job = hashing else { return }
            if tracker.isHeld(job.id, job.ticket) { step(job) } else { hashing = nil }
            if now >= end { return }
        }
    }

    private func nextJob() -> HashJob? {
        while let next = tracker.nextHash() {
            guard next.since.advanced(by: Self.hashPatience) > now else {
                tracker.finishHash(next.id, next.ticket, .obstacle(.overBudget))
                continue
            }
            do {
                return try openJob(next.id, next.ticket)
            } catch {
                tracker.finishHash(next.id, next.ticket, .obstacle(error))
            }
        }
        return nil
    }

    /// Opens the file twice: first only to see what it is, because opening a device has effects.
    private func openJob(_ id: NodeID, _ ticket: UInt64) throws(HashObstacle) -> HashJob {
        guard let folder = openFolder(tracker.index[id].parent) else { throw .vanished }
        let job: HashJob
        do throws(Errno) {
            job = try openContents(id, ticket, folder)
        } catch {
            throw error.hashObstacle
        }
        guard job.before.size <= settings.hashSizeLimit else { throw .tooLarge }
        return job
    }

    private func openContents(_ id: NodeID, _ ticket: UInt64, _ folder: OpenFolder) throws(Errno) -> HashJob {
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
        return HashJob(id: id, ticket: ticket, handle: handle, directory: directory, before: status)
    }

    private func isExpected(_ id: NodeID, _ status: FileStatus) -> Bool {
        status.type == .regular && status.inode == tracker.index[id].inode
            && status.device == tracker.index.device(of: id)
    }

    private func step(_ job: HashJob) {
        var bytes: [UInt8] = []
        do throws(Errno) {
            let count = try job.directory.read(
                job.handle, at: job.offset, count: HashBudget.sliceByteCount, into: &bytes)
            budget.take(max(count, 1))
            job.hasher.update(bytes.span)
            job.offset += UInt64(count)
            // A file that grows while it is read must not be read for ever.
            if count > 0, job.offset <= job.before.size { return }
            finish(job, try job.directory.status(of: job.handle))
        } catch {
            end(job, .obstacle(error.hashObstacle))
        }
    }

    private func finish(_ job: HashJob, _ after: FileStatus) {
        let digest = job.hasher.finish()
        if after.hasSameContents(as: job.before), job.offset == after.size {
            return end(job, .digest(hexadecimal(digest), of: after))
        }
        guard job.attemptCount < Self.hashAttemptLimit else { return end(job, .obstacle(.changing)) }
        job.attemptCount += 1
        job.before = after
        job.offset = 0
        guard after.size <= settings.hashSizeLimit else { return end(job, .obstacle(.tooLarge)) }
    }

    private func end(_ job: HashJob, _ result: HashResult) {
        hashing = nil
        tracker.finishHash(job.id, job.ticket, result)
    }

    func hexadecimal(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            for nibble in [byte >> 4, byte & 0xf] { text.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension FileStatus {
    func hasSameContents(as other: FileStatus) -> Bool {
        size == other.size && modified == other.modified && changed == other.changed
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
