import Backends
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// The files of a simulated host: inodes, names, mounts, and who watches them.
///
/// Only the pump's thread comes here.
final class SimulatedFileSystem {
    let configuration: WorldConfiguration
    let pump: Pump
    var truth: FileTruth
    /// The file system at `/`.
    let rootSuperblock: Superblock
    /// Every file system that there ever was: open files outlast a mount.
    private var superblocks: [Superblock]
    /// Open instances of inotify, in the order of opening.
    private(set) var instances: [InotifyInstance] = []
    /// What the collector holds open.
    var handles = FileHandleTable()
    /// What processes hold open, by the number that a scenario gives.
    var held: [Int: Dentry] = [:]
    /// Whether files are made that have been there since before the run.
    var isPopulating = false
    private var nextID = 1
    private var nextDevice: UInt64 = 0x30
    private var nextMountID: UInt64 = 60
    private var nextContent: UInt64 = 0
    private var nextCookie: UInt32 = 1

    /// The disk of all hosts (`makedev(254, 1)`), as executables have it.
    private static let diskDevice: UInt64 = 0xfe01

    init(_ configuration: WorldConfiguration, pump: Pump) {
        self.configuration = configuration
        self.pump = pump
        truth = FileTruth(retention: configuration.truthRetention)
        rootSuperblock = Superblock(
            device: Self.diskDevice, mountID: 29, hashSeed: configuration.seed, firstInode: 12,
            capacity: .max, tellsTypes: true)
        superblocks = [rootSuperblock]
        let root = makeNode(.directory, in: rootSuperblock, permissions: 0o755)
        rootSuperblock.setRoot(Dentry(name: [], parent: nil, node: root))
    }

    deinit {
        // Folders and names hold each other.
        var waiting = superblocks.map(\.rootDentry)
        while let dentry = waiting.popLast() {
            for child in dentry.node.children.values { waiting.append(child) }
            dentry.mounts = []
            dentry.parent = nil
            dentry.node.removeAllChildren()
        }
    }

    var now: Instant { pump.state.now }

    /// The time that an inode gets: of the last tick of 4 ms, and exact from Linux 6.13 on (`fs/inode.c`, multigrain).
    var fileTime: WallTime {
        let wall = pump.wall
        guard configuration.kernel < KernelVersion(major: 6, minor: 13) else { return wall }
        let (tick, _) = wall.nanoseconds.flooredDivision(by: 4_000_000)
        return WallTime(nanoseconds: tick * 4_000_000)
    }

    // MARK: Making

    func makeNode(
        _ type: FileType, in superblock: Superblock, permissions: UInt16, uid: UserID = UserID(0),
        gid: GroupID = GroupID(0), target: [UInt8] = []
    ) -> FileNode {
        defer { nextID += 1 }
        return FileNode(
            id: nextID, number: superblock.takeInode(), type: type, superblock: superblock,
            permissions: permissions, uid: uid, gid: gid, target: target, time: fileTime)
    }

    func makeSuperblock(_ options: MountOptions) -> Superblock {
        defer {
            nextDevice += 1
            nextMountID += 1
        }
        let superblock = Superblock(
            device: nextDevice, mountID: nextMountID, hashSeed: configuration.seed &+ nextMountID,
            firstInode: 1, capacity: options.capacity, tellsTypes: options.tellsTypes)
        let root = makeNode(.directory, in: superblock, permissions: 0o755)
        superblock.setRoot(Dentry(name: [], parent: nil, node: root))
        superblocks.append(superblock)
        return superblock
    }

    func makeContentSeed() -> UInt64 {
        nextContent += 1
        var digest = Digest(seed: configuration.seed)
        digest.fold(nextContent)
        return digest.value
    }

    func makeCookie() -> UInt32 {
        defer { nextCookie &+= 1 }
        return nextCookie
    }

    // MARK: Instances

    func openInstance() -> InotifyInstance {
        let instance = InotifyInstance(queueLimit: configuration.watchQueueLimit)
        instances.append(instance)
        return instance
    }

    func close(_ instance: InotifyInstance) {
        guard instance.isOpen else { return }
        instance.close()
        instances.removeAll { $0 === instance }
    }

    var watchCount: Int { instances.reduce(0) { $0 + $1.watchCount } }

    /// Descriptors of the collector: open files, roots and instances.
    var descriptorCount: Int { handles.count + handles.rootCount + instances.count }

    /// The collector has ended.
    func closeAllOfCollector() {
        for dentry in handles.removeAll() { unpin(dentry, closing: nil) }
        for instance in instances { close(instance) }
    }

    // MARK: Open files

    func pin(_ dentry: Dentry) {
        dentry.pinCount += 1
        dentry.addPinsAbove(1)
        dentry.node.pinCount += 1
        dentry.node.superblock.pinCount += 1
    }

    /// The end of an open file.
    ///
    /// - Parameter closing: What is told to watchers; `nil` for nothing, as with `O_PATH`.
    func unpin(_ dentry: Dentry, closing mask: InotifyMask?) {
        if let mask { notify(mask, of: dentry, isOpenFile: true) }
        dentry.pinCount -= 1
        dentry.addPinsAbove(-1)
        dentry.node.pinCount -= 1
        let superblock = dentry.node.superblock
        superblock.pinCount -= 1
        var place: Dentry? = dentry
        // Folders that were removed while something in them was open end with it.
        while let removed = place, !removed.isNamed {
            forget(removed)
            place = removed.parent
        }
        if superblock.isDetached, superblock.pinCount == 0 { tellUnmounted(superblock) }
    }

    /// What happens when nothing knows a removed name any more (`dentry_unlink_inode`), and when nothing knows the
    /// inode.
    func forget(_ dentry: Dentry) {
        let node = dentry.node
        guard node.linkCount == 0 else { return }
        if !dentry.isPinned, !node.marks.isEmpty {
            notify(.deleteSelf, about: node)
            for mark in node.marks { mark.instance.destroy(mark) }
        }
        if node.pinCount == 0, dentry.pinCountBelow == 0 {
            node.superblock.release(inode: node.number, byteCount: node.content.allocatedByteCount)
        }
    }

    // MARK: Names

    /// The root of what is mounted at a name, or the name itself.
    func visible(_ dentry: Dentry) -> Dentry {
        var dentry = dentry
        while let mount = dentry.mounts.last { dentry = mount.rootDentry }
        return dentry
    }

    func child(_ name: [UInt8], of folder: Dentry) -> Dentry? {
        folder.node.children[name].map { visible($0) }
    }

    /// The absolute path; `nil` for what has no name, or lies below what has none.
    func path(of dentry: Dentry) -> [UInt8]? {
        var components: [[UInt8]] = []
        var dentry = dentry
        while true {
            guard dentry.isNamed else { return nil }
            if let parent = dentry.parent {
                components.append(dentry.name)
                dentry = parent
            } else if let mountpoint = dentry.node.superblock.mountpoint {
                dentry = mountpoint
            } else if dentry === rootSuperblock.rootDentry {
                break
            } else {
                return nil
            }
        }
        return components.reversed().reduce(into: []) { $0 += [0x2f] + $1 }
    }

    /// All names below a folder and its own, sorted by path.
    func tree(below path: [UInt8]) -> [FileTruthEntry] {
        guard let top = try? resolve(path, followsLast: true) else { return [] }
        var entries: [FileTruthEntry] = []
        var waiting = [(self.path(of: top) ?? [], top)]
        while let (path, dentry) = waiting.popLast() {
            let node = dentry.node
            entries.append(
                FileTruthEntry(
                    path: path.isEmpty ? [0x2f] : path, file: TruthFileID(rawValue: node.id), type: node.type,
                    device: node.superblock.device,
                    inode: node.number, permissions: node.permissions, uid: node.uid, gid: node.gid,
                    size: node.size, linkCount: node.linkCount, modified: node.modified,
                    changed: node.changed, content: node.content,
                    isUnreachable: node.superblock.failure != nil))
            for child in node.childrenByName { waiting.append((path + [0x2f] + child.name, visible(child))) }
        }
        return entries.sorted { $0.path.lexicographicallyPrecedes($1.path) }
    }

    // MARK: Watchers

    /// Tells what happened to an open file or a name: those who watch its folder, then those who watch it
    /// (`__fsnotify_parent`, `fs/notify/fsnotify.c`).
    ///
    /// - Parameter isOpenFile: Whether it was done through an open file, which `IN_EXCL_UNLINK` asks.
    func notify(_ mask: InotifyMask, of dentry: Dentry, isOpenFile: Bool) {
        let node = dentry.node
        // Who may look at a folder of devices learns nothing of their use (Linux 6.9).
        let isHidden = node.isSpecial && (mask == .access || mask == .modify)
        let folderMarks = isHidden ? [] : dentry.parent?.node.marks ?? []
        guard !folderMarks.isEmpty || !node.marks.isEmpty else { return }
        let told = node.isDirectory ? mask.union(.isDirectory) : mask
        for instance in instances {
            if let mark = folderMarks.first(where: { $0.instance === instance }) {
                let isExcluded = isOpenFile && !dentry.isNamed && mark.mask.contains(.excludeUnlinked)
                if !isExcluded { post(mask, told, to: mark, name: dentry.name) }
            }
            if let mark = node.marks.first(where: { $0.instance === instance }) {
                let isExcluded = isOpenFile && !dentry.isNamed && mark.mask.contains(.excludeUnlinked)
                if !isExcluded { post(mask, told, to: mark) }
            }
        }
    }

    /// Tells what happened to a name in a folder.
    func notify(
        _ mask: InotifyMask, of name: [UInt8], isFolder: Bool, in folder: FileNode, cookie: UInt32 = 0
    ) {
        guard !folder.marks.isEmpty else { return }
        let told = isFolder ? mask.union(.isDirectory) : mask
        for mark in folder.marks { post(mask, told, to: mark, name: name, cookie: cookie) }
    }

    /// Tells what happened to an inode, to those alone who watch it.
    func notify(_ mask: InotifyMask, about node: FileNode) {
        guard !node.marks.isEmpty else { return }
        // The ends and moves of a folder are told without saying that it is one.
        let isPlain = mask == .deleteSelf || mask == .moveSelf || !node.isDirectory
        for mark in node.marks { post(mask, isPlain ? mask : mask.union(.isDirectory), to: mark) }
    }

    private func post(
        _ mask: InotifyMask, _ told: InotifyMask, to mark: InotifyMark, name: [UInt8] = [], cookie: UInt32 = 0
    ) {
        guard mask == .unmount || !mark.mask.isDisjoint(with: mask) else { return }
        mark.instance.post(InotifyRecord(watch: mark.watch, mask: told, cookie: cookie, name: name))
        if mark.mask.contains(.oneShot) { mark.instance.destroy(mark) }
    }

    /// The file system is gone: each watch on it ends (`fsnotify_unmount_inodes`).
    func tellUnmounted(_ superblock: Superblock) {
        superblock.isDetached = false
        var watched: [FileNode] = []
        var waiting = [superblock.rootDentry]
        while let dentry = waiting.popLast() {
            if !dentry.node.marks.isEmpty { watched.append(dentry.node) }
            waiting += dentry.node.childrenByName
        }
        // The newest inode first; one with several names was found several times.
        watched.sort { $0.id > $1.id }
        for node in watched where !node.marks.isEmpty {
            notify(.unmount, about: node)
            for mark in node.marks { mark.instance.destroy(mark) }
        }
    }
}

/// What the collector has open through roots.
struct FileHandleTable {
    /// How far a listing has come: the places of "." and "..", then the last entry that was given.
    enum ListingPlace {
        case own, parent
        case after(hash: UInt64, id: Int)
    }

    struct OpenNode {
        let dentry: Dentry
        let access: FileAccess
        var place = ListingPlace.own
    }

    private var open: [Int: OpenNode] = [:]
    private var next = firstToken
    /// Roots of the collector that are open.
    private(set) var roots: [Int: Dentry] = [:]

    /// Far from the tokens of `/proc`.
    private static let firstToken = 1 << 29

    var count: Int { open.count }
    var rootCount: Int { roots.count }

    mutating func insert(_ dentry: Dentry, _ access: FileAccess) -> Int {
        defer { next += 1 }
        open[next] = OpenNode(dentry: dentry, access: access)
        return next
    }

    mutating func insertRoot(_ dentry: Dentry) -> Int {
        defer { next += 1 }
        roots[next] = dentry
        return next
    }

    mutating func remove(_ token: Int) -> OpenNode? { open.removeValue(forKey: token) }
    mutating func removeRoot(_ token: Int) -> Dentry? { roots.removeValue(forKey: token) }

    /// Closes everything, oldest first.
    mutating func removeAll() -> [Dentry] {
        let all = open.sorted { $0.key < $1.key }.map(\.value.dentry)
        let rootsInOrder = roots.sorted { $0.key < $1.key }.map(\.value)
        open = [:]
        roots = [:]
        return all + rootsInOrder
    }

    subscript(token: Int) -> OpenNode? { open[token] }

    mutating func move(_ token: Int, to place: ListingPlace) { open[token]?.place = place }
}
