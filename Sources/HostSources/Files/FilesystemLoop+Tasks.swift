import Backends
import CollectorCore
import EventModel

import struct SystemPackage.Errno

/// The digest of a file that somebody asked for.
final class HashTask {
    let order: TaskDesk.Order
    let path: String
    let directory: any RootedDirectory
    let handle: FileHandle
    var digest: FileDigest

    init(
        _ order: TaskDesk.Order, path: String, directory: any RootedDirectory, handle: consuming FileHandle,
        before: FileStatus
    ) {
        self.order = order
        self.path = path
        self.directory = directory
        self.handle = handle
        digest = FileDigest(of: before)
    }
}

/// Reading files for others, a slice at a time, between the source's own work.
extension FilesystemLoop {
    /// What ``taskSlice()`` can do.
    static let tasks: [TaskKind] = [.checkHash, .listFiles]
    /// Steps of a slice: where no call takes time, time alone would not end it.
    private static let taskStepCount = 4_096

    var hasTaskWork: Bool { hashTask != nil || listTask != nil || !taskDesk.isEmpty }

    /// Works for about a millisecond on what waits at the desk.
    func taskSlice() {
        let end = now.advanced(by: Self.sliceDuration)
        for _ in 0..<Self.taskStepCount {
            if let task = hashTask {
                step(task)
            } else if let task = listTask {
                step(task)
            } else if let order = taskDesk.takeFirst() {
                begin(order)
            } else {
                return
            }
            if now >= end { return }
        }
    }

    /// Nobody waits longer than the run lasts.
    func refuseTasks() {
        for order in [hashTask?.order, listTask?.order] {
            order?.finish(.failure(TaskError(.exhausted, "the source has stopped; ask again")))
        }
        hashTask = nil
        listTask = nil
    }

    private func begin(_ order: TaskDesk.Order) {
        switch order.task {
        case .checkHash(let path, .sha256): beginHash(order, path)
        case .listFiles(let prefix, let after, let limit):
            listTask = ListTask(order, listing(prefix, after, limit), after: after, limit: limit)
        case .checkHash, .enumerateProcesses, .processTree, .verifyExecutable:
            let message = "this source cannot \(order.task.kind.rawValue) of that kind; it knows sha256"
            order.finish(.failure(TaskError(.unsupported, message)))
        }
    }

    // MARK: - Hashes

    private func beginHash(_ order: TaskDesk.Order, _ path: String) {
        let bytes = bytes(of: path)
        guard let (root, inner) = endpoints.watchedRoots.place(of: bytes), !inner.contains(0) else {
            return refuseOutside(order, path)
        }
        do throws(Errno) {
            // Opened to be looked at first: opening a device has effects, opening a FIFO waits.
            let look = try root.open(inner, as: .path)
            guard try root.status(of: look).type == .regular else {
                let message = "\(path) is no regular file"
                return order.finish(.failure(TaskError(.invalid, message)))
            }
            let handle = try root.reopen(look, as: .contents)
            let status = try root.status(of: handle)
            guard status.size <= settings.hashSizeLimit else { return end(order, path, nil, .tooLarge) }
            hashTask = HashTask(order, path: path, directory: root, handle: handle, before: status)
        } catch .improperLink {
            // ".." has left the root (EXDEV of openat2(2)).
            refuseOutside(order, path)
        } catch {
            switch error.hashObstacle {
            case .vanished: order.finish(.failure(TaskError(.notFound, "there is no file \(path)")))
            case let obstacle: end(order, path, nil, obstacle)
            }
        }
    }

    /// The bytes of the name that a client means: its text as it is, or, where nothing has that name, as ``KernelText`` tells
    /// of a name that is no UTF-8. Nobody can keep a file from being hashed by naming it so.
    private func bytes(of path: String) -> [UInt8] {
        let plain = Array(path.utf8)
        guard let told = KernelText.encode(path, isEscaped: true),
            let (root, inner) = endpoints.watchedRoots.place(of: plain), !inner.contains(0)
        else { return plain }
        do throws(Errno) {
            _ = try root.open(inner, as: .path)
            return plain
        } catch .noSuchFileOrDirectory {
            return told
        } catch {
            return plain
        }
    }

    private func refuseOutside(_ order: TaskDesk.Order, _ path: String) {
        order.finish(.failure(TaskError(.notFound, "\(path) does not lie below a watched root")))
    }

    private func step(_ task: HashTask) {
        var bytes: [UInt8] = []
        do throws(Errno) {
            _ = try task.directory.read(
                task.handle, at: task.digest.offset, count: FileDigest.sliceByteCount, into: &bytes)
            if task.digest.take(bytes) { return }
            let after = try task.directory.status(of: task.handle)
            hashTask = nil
            let digest = task.digest.finish(as: after)
            end(task.order, task.path, digest, digest == nil ? .changing : nil)
        } catch {
            hashTask = nil
            end(task.order, task.path, nil, error.hashObstacle)
        }
    }

    private func end(_ order: TaskDesk.Order, _ path: String, _ digest: String?, _ obstacle: HashObstacle?) {
        var answer = TaskAnswer(monotonic: now)
        answer.hash = HashAnswer(path: path, algorithm: .sha256, digest: digest, obstacle: obstacle)
        answer.totalCount = 1
        order.finish(.success(answer))
    }

    // MARK: - Listings

    private func listing(_ prefix: String, _ after: [UInt8]?, _ limit: Int) -> FileListing {
        let roots = tracker.index.roots.indices.filter { position in
            endpoints.watchedRoots.contains { $0.path == tracker.index.roots[position].path }
        }
        // One more than told tells whether there is another page.
        return FileListing(
            of: tracker.index, roots: roots, prefix: Array(prefix.utf8), after: after,
            wanted: ListTask.count(limit) + 1)
    }

    private func step(_ task: ListTask) {
        switch task.listing.step(in: &tracker.index) {
        case .searching: return
        case .end: end(task, hasMore: task.listing.hasMore)
        case .name(let id, let path):
            if !task.take(tracker.present(id, path), path) { end(task, hasMore: true) }
        }
    }

    private func end(_ task: ListTask, hasMore: Bool) {
        listTask = nil
        tracker.index.walk = .none
        var answer = TaskAnswer(monotonic: now)
        answer.files = task.files
        answer.fileCursor = task.cursor
        answer.totalCount = tracker.index.count
        answer.hasMore = hasMore
        task.order.finish(.success(answer))
    }
}

/// A page of files that somebody asked for.
final class ListTask {
    let order: TaskDesk.Order
    var listing: FileListing
    private let limit: Int
    private(set) var files: [FilesystemEvent] = []
    private(set) var cursor: [UInt8]?
    private var byteCount = 0

    init(_ order: TaskDesk.Order, _ listing: FileListing, after: [UInt8]?, limit: Int) {
        self.order = order
        self.listing = listing
        cursor = after
        self.limit = Self.count(limit)
    }

    static func count(_ limit: Int) -> Int { min(max(limit, 1), Limits.taskPageCount) }

    /// Takes a file.
    ///
    /// - Returns: `false` when the page is full: then the file is one of the next page.
    func take(_ file: FilesystemEvent, _ path: [UInt8]) -> Bool {
        let count = Self.roughByteCount(file)
        // No frame holds it.
        guard count <= Limits.taskPageByteCount else { return true }
        guard files.count < limit, byteCount + count <= Limits.taskPageByteCount else { return false }
        byteCount += count
        files.append(file)
        cursor = path
        return true
    }

    /// Bytes of a message about it.
    private static func roughByteCount(_ file: FilesystemEvent) -> Int { 192 + file.path.utf8.count }
}

extension FileTracker {
    /// What is known of a file at present.
    func present(_ id: NodeID, _ path: [UInt8]) -> FilesystemEvent {
        var file = FilesystemEvent(path: KernelText.decode(path).text, operation: .baseline)
        let node = index[id]
        guard node.marks.contains(.known) else { return file }
        file.type = node.type
        file.size = node.size
        file.permissions = node.mode & 0o7777
        file.uid = UserID(node.uid)
        file.gid = GroupID(node.gid)
        file.inode = node.inode
        file.device = index.device(of: id)
        file.linkCount = UInt64(node.linkCount)
        file.modifiedTime = WallTime(nanoseconds: node.modified)
        file.metadata = .lateRead
        return file
    }
}
