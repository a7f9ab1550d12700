package import Backends
package import EventModel
import KernelFormats

package import struct SystemPackage.Errno

/// An inotify instance of the simulated host.
package final class SimulatedFileWatcher: FileWatcher {
    private let kernel: SimulatedKernel
    private let confined: ThreadConfined<InotifyInstance>
    private let waits: ThreadConfined<WaitPoint>

    /// `inotify_init1(2)`.
    ///
    /// - Throws: `EMFILE` beyond `fs.inotify.max_user_instances` or the limit of descriptors.
    init(kernel: SimulatedKernel) throws(Errno) {
        self.kernel = kernel
        let world = kernel.world
        let instance = try world.call(.watchOpen) { (_) throws(Errno) in
            guard world.fileSystem.instances.count < world.configuration.watchInstanceLimit,
                world.openHandleCount < world.configuration.descriptorLimit
            else { throw .tooManyOpenFiles }
            return (world.fileSystem.openInstance(), 0)
        }
        confined = ThreadConfined(instance)
        waits = ThreadConfined(instance.waits)
    }

    private var instance: InotifyInstance { confined.value }

    /// Records for which the queue had no room: the truth, for tests.
    package var droppedCount: UInt64 { instance.droppedCount }
    /// How often the queue became full.
    package var overflowCount: UInt64 { instance.overflowCount }
    /// Records that were read, and those of them that tell of an overflow.
    package var readCount: UInt64 { instance.readCount }
    package var readOverflowCount: UInt64 { instance.readOverflowCount }
    /// How many records are queued.
    package var queuedCount: Int { instance.queue.count }
    /// How many watches there are.
    package var watchCount: Int { instance.watchCount }

    /// Closes the instance, as the end of a process does.
    package func close() { kernel.world.fileSystem.close(instance) }

    // MARK: Watches

    package func addWatch(_ file: borrowing FileHandle, mask: UInt32) throws(Errno) -> Int32 {
        let world = kernel.world
        let instance = instance
        let token = file.token
        let name = world.faultName(ofFile: token, for: .watchAdd)
        return try world.call(.watchAdd, file: name) { (_) throws(Errno) in
            guard instance.isOpen, let open = world.fileSystem.handles[token] else {
                throw .badFileDescriptor
            }
            let watch = try instance.addWatch(
                on: open.dentry.node, mask: InotifyMask(rawValue: mask), in: world)
            return (watch, UInt64(UInt32(bitPattern: watch)))
        }
    }

    package func removeWatch(_ watch: Int32) throws(Errno) {
        let instance = instance
        try kernel.world.call(.watchRemove) { (_) throws(Errno) in
            guard instance.isOpen else { throw .badFileDescriptor }
            guard let mark = instance.mark(watch) else { throw .invalidArgument }
            instance.destroy(mark)
            return ((), UInt64(UInt32(bitPattern: watch)))
        }
    }

    package func read(count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int {
        let instance = instance
        return try kernel.world.call(.watchRead) { (effects) throws(Errno) in
            guard instance.isOpen else { throw .badFileDescriptor }
            // Fewer bytes than were asked for, but always a whole record.
            let room = min(count, max(effects.limit ?? .max, InotifyRecord.greatestByteCount))
            let start = bytes.count
            try instance.read(count: room, into: &bytes)
            var digest = Digest()
            digest.fold(bytes.span.extracting(start..<bytes.count))
            return (bytes.count - start, digest.value)
        }
    }

    // MARK: Waiting

    package func readable(until deadline: Instant?) async -> Readiness {
        await kernel.wait(at: waits, .watchWait, for: "inotify to become readable", until: deadline) {
            let instance = instance
            return !instance.isOpen ? .closed : instance.isReadable ? .ready : .pending
        }
    }

    package func interrupt() { waits.value.interrupt() }
}

extension InotifyInstance {
    /// `inotify_add_watch(2)` (`inotify_update_watch` of `fs/notify/inotify/inotify_user.c`).
    fileprivate func addWatch(on node: FileNode, mask: InotifyMask, in world: World) throws(Errno) -> Int32 {
        // A mask needs a bit that is known, and may not ask for both at once.
        guard !mask.isDisjoint(with: Self.knownBits), !mask.isSuperset(of: [.add, .createOnly]) else {
            throw .invalidArgument
        }
        guard !mask.contains(.onlyDirectory) || node.isDirectory else { throw .notDirectory }
        guard world.mayAccess(node, .read) else { throw .permissionDenied }
        let kept = mask.intersection(Self.keptBits)
        if let mark = node.marks.first(where: { $0.instance === self }) {
            guard !mask.contains(.createOnly) else { throw .fileExists }
            mark.mask = mask.contains(.add) ? mark.mask.union(kept) : kept
            return mark.watch
        }
        guard world.fileSystem.watchCount < world.configuration.watchLimit else { throw .noSpace }
        return addMark(on: node, mask: kept)
    }

    private static let keptBits: InotifyMask = InotifyMask.allEvents.union([.excludeUnlinked, .oneShot])
    /// `ALL_INOTIFY_BITS`.
    private static let knownBits: InotifyMask = keptBits.union([
        .onlyDirectory, .doNotFollow, .add, .createOnly, .isDirectory, .unmount, .queueOverflow, .ignored,
    ])
}
