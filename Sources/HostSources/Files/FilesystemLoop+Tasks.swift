import Backends
import CollectorCore
import Digests
import EventModel

import struct SystemPackage.Errno

/// The digest of a file that somebody asked for.
final class HashTask {
    let order: TaskDesk.Order
    let path: String
    let directory: any RootedDirectory
    let handle: FileHandle
    let before: FileStatus
    var hasher = SHA256()
    var offset: UInt64 = 0

    init(
        _ order: TaskDesk.Order, path: String, directory: any RootedDirectory, handle: consuming FileHandle,
        before: FileStatus
    ) {
        self.order = order
        self.path = path
        self.directory = directory
        self.handle = handle
        self.before = before
    }
}

/// Reading files for others, a slice at a time, between the source's own work.
extension FilesystemLoop {
    /// What ``taskSlice()`` can do.
    static let tasks: [TaskKind] = [.checkHash]

    var hasTaskWork: Bool { hashTask != nil || !taskDesk.isEmpty }

    /// Works for about a millisecond on what waits at the desk.
    func taskSlice() {
        let end = now.advanced(by: Self.sliceDuration)
        while hasTaskWork {
            if let task = hashTask { step(task) } else if let order = taskDesk.takeFirst() { begin(order) }
            if now >= end { return }
        }
    }

    /// Nobody waits longer than the run lasts.
    func refuseTasks() {
        hashTask?.order.finish(.failure(TaskError(.exhausted, "the source has stopped; ask again")))
        hashTask = nil
    }

    private func begin(_ order: TaskDesk.Order) {
        guard case .checkHash(let path, let algorithm) = order.task, algorithm == .sha256 else {
            let message = "this source cannot \(order.task.kind.rawValue) of that kind; it knows sha256"
            return order.finish(.failure(TaskError(.unsupported, message)))
        }
        let bytes = Array(path.utf8)
        guard let (root, inner) = endpoints.watchedRoots.place(of: bytes), !inner.contains(0) else {
            let message = "\(path) does not lie below a watched root"
            return order.finish(.failure(TaskError(.notFound, message)))
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
        } catch {
            switch error.hashObstacle {
            case .vanished: order.finish(.failure(TaskError(.notFound, "there is no file \(path)")))
            case let obstacle: end(order, path, nil, obstacle)
            }
        }
    }

    private func step(_ task: HashTask) {
        var bytes: [UInt8] = []
        do throws(Errno) {
            let count = try task.directory.read(
                task.handle, at: task.offset, count: HashBudget.sliceByteCount, into: &bytes)
            task.hasher.update(bytes.span)
            task.offset += UInt64(count)
            // A file that grows while it is read must not be read for ever.
            if count > 0, task.offset <= task.before.size { return }
            let after = try task.directory.status(of: task.handle)
            hashTask = nil
            guard after.hasSameContents(as: task.before), task.offset == after.size else {
                return end(task.order, task.path, nil, .changing)
            }
            end(task.order, task.path, hexadecimal(task.hasher.finish()), nil)
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
}
