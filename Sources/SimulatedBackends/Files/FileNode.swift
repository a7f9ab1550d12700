import Backends
import EventModel

/// An inode of a simulated file system.
final class FileNode {
    /// Names the inode for ever; its number may be given to another one after its end.
    let id: Int
    let number: UInt64
    let type: FileType
    unowned let superblock: Superblock
    var permissions: UInt16
    var uid: UserID
    var gid: GroupID
    var linkCount: UInt64
    var content = FileContent()
    /// Where the bytes come from that are appended next; `nil` for a new source.
    var appendSeed: UInt64?
    /// What a symbolic link says.
    let target: [UInt8]
    var modified: WallTime
    var changed: WallTime
    /// The watches on it.
    var marks: [InotifyMark] = []
    /// Open files that hold on to it.
    var pinCount = 0
    /// Whether a process holds an `fcntl(2)` lock on the whole of it.
    var isLocked = false
    /// Of a folder: the names in it.
    private(set) var children: [[UInt8]: Dentry] = [:]
    private var orderedChildren: [(hash: UInt64, dentry: Dentry)]?

    init(
        id: Int, number: UInt64, type: FileType, superblock: Superblock, permissions: UInt16, uid: UserID,
        gid: GroupID, target: [UInt8] = [], time: WallTime
    ) {
        self.id = id
        self.number = number
        self.type = type
        self.superblock = superblock
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
        self.target = target
        linkCount = type == .directory ? 2 : 1
        modified = time
        changed = time
    }

    /// Neither contents nor entries: FIFOs, sockets and devices.
    var isSpecial: Bool {
        switch type {
        case .regular, .directory, .symlink: false
        case .fifo, .socket, .blockDevice, .characterDevice: true
        }
    }
    var isDirectory: Bool { type == .directory }

    /// Bytes as `st_size` has them.
    var size: UInt64 {
        switch type {
        case .regular: content.size
        case .directory: 4_096
        case .symlink: UInt64(target.count)
        default: 0
        }
    }

    /// What `statx(2)` tells.
    var status: FileStatus {
        FileStatus(
            device: superblock.device, inode: number, mode: type.modeBits | UInt32(permissions),
            linkCount: linkCount, uid: uid, gid: gid, size: size, modified: modified, changed: changed,
            mountID: superblock.mountID)
    }

    // MARK: Names

    func insert(_ dentry: Dentry) {
        children[dentry.name] = dentry
        orderedChildren = nil
    }

    func removeChild(_ name: [UInt8]) {
        children[name] = nil
        orderedChildren = nil
    }

    func removeAllChildren() {
        children = [:]
        orderedChildren = nil
    }

    /// The names in the order in which the file system lists them: by a hash that it alone knows.
    var listing: [(hash: UInt64, dentry: Dentry)] {
        if let orderedChildren { return orderedChildren }
        let seed = superblock.hashSeed
        let ordered = children.values.map { dentry in
            var digest = Digest(seed: seed)
            digest.fold(dentry.name)
            // The two lowest places are those of "." and "..", and an offset is a signed number.
            return (hash: (digest.value >> 2) + 2, dentry: dentry)
        }.sorted { ($0.hash, $0.dentry.node.id) < ($1.hash, $1.dentry.node.id) }
        orderedChildren = ordered
        return ordered
    }

    /// The children by name, for whatever must not depend on a hash.
    var childrenByName: [Dentry] {
        children.values.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }
}

/// A name of an inode in a folder (`struct dentry`).
final class Dentry {
    var name: [UInt8]
    /// `nil` for the root of a file system. Stays after the name is gone, as an open file goes on telling its old folder.
    var parent: Dentry?
    let node: FileNode
    /// Whether the folder has this name.
    var isNamed = true
    /// Open files that were opened by this name.
    var pinCount = 0
    /// Open files that were opened by a name somewhere below: a name keeps the folders above it.
    var pinCountBelow = 0
    /// What is mounted here, the visible one last.
    var mounts: [Superblock] = []

    init(name: [UInt8], parent: Dentry?, node: FileNode) {
        self.name = name
        self.parent = parent
        self.node = node
    }

    var isPinned: Bool { pinCount > 0 || pinCountBelow > 0 }

    /// Notes in all folders above that so many more files, or fewer, are open at or below this name.
    func addPinsAbove(_ count: Int) {
        var above = parent
        while let folder = above {
            folder.pinCountBelow += count
            above = folder.parent
        }
    }
}
