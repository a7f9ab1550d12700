import Backends
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// What the kernel lets the collector do with files.
extension World {
    /// A right of `access(2)`.
    enum AccessRight: UInt16 {
        case read = 4
        case search = 1
    }

    /// `inode_permission` for the collector's user and capabilities.
    func mayAccess(_ node: FileNode, _ right: AccessRight) -> Bool {
        if configuration.ownCapabilities.contains(.readAnyFile) { return true }
        let own = configuration.ownUserID
        let shift: UInt16 = node.uid == own ? 6 : node.gid.rawValue == own.rawValue ? 3 : 0
        return node.permissions >> shift & right.rawValue != 0
    }

    /// What a fault rule can name a call by, where there is one; the last component of a path.
    func faultName(_ path: [UInt8], for operation: BackendOperation) -> String? {
        guard faults.hasRules(for: operation) else { return nil }
        let name = path.lastIndex(of: 0x2f).map { path[($0 + 1)...] } ?? path[...]
        return String(decoding: name, as: UTF8.self)
    }

    func faultName(ofFile token: Int, for operation: BackendOperation) -> String? {
        fileSystem.handles[token].flatMap { faultName($0.dentry.name, for: operation) }
    }

    // MARK: Opening

    func openNode(_ token: Int) throws(Errno) -> FileHandleTable.OpenNode {
        guard let open = fileSystem.handles[token] else { throw .badFileDescriptor }
        return open
    }

    /// `openat2(2)` with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`, up to the last component.
    ///
    /// - Parameter opensLink: Whether the last component may be a symbolic link (`O_PATH|O_NOFOLLOW`).
    func resolveBeneath(_ top: Dentry, _ path: [UInt8], opensLink: Bool) throws(Errno) -> Dentry {
        guard path.first != 0x2f else { throw .improperLink }
        guard !path.contains(0) else { throw .invalidArgument }
        guard path.count <= SimulatedFileSystem.pathByteLimit else { throw .fileNameTooLong }
        // What is open is where the walk begins, even if something is mounted over it by now.
        var place = top
        var depth = 0
        let components = SimulatedFileSystem.components(of: path)
        for (index, name) in components.enumerated() {
            guard place.node.isDirectory else { throw .notDirectory }
            try place.node.superblock.check()
            guard mayAccess(place.node, .search) else { throw .permissionDenied }
            guard name.count <= SimulatedFileSystem.nameByteLimit else { throw .fileNameTooLong }
            if name == [0x2e, 0x2e] {
                depth -= 1
                guard depth >= 0 else { throw .improperLink }
                place = fileSystem.folderAbove(place)
                continue
            }
            guard let child = fileSystem.child(name, of: place) else { throw .noSuchFileOrDirectory }
            let isLast = index == components.count - 1
            guard child.node.type != .symlink || (isLast && opensLink && path.last != 0x2f) else {
                throw .tooManySymbolicLinkLevels
            }
            place = child
            depth += 1
        }
        guard path.last != 0x2f || place.node.isDirectory else { throw .notDirectory }
        return place
    }

    /// Opens what a path led to.
    ///
    /// - Returns: The handle's token and a digest.
    func openFile(_ dentry: Dentry, _ access: FileAccess) throws(Errno) -> (result: Int, digest: UInt64) {
        let node = dentry.node
        try node.superblock.check()
        switch access {
        case .path: break
        case .folder:
            guard node.isDirectory else { throw .notDirectory }
            guard mayAccess(node, .read) else { throw .permissionDenied }
        case .contents:
            guard node.type != .socket else { throw .noSuchAddressOrDevice }
            guard mayAccess(node, .read) else { throw .permissionDenied }
        }
        guard openHandleCount < configuration.descriptorLimit else { throw .tooManyOpenFiles }
        fileSystem.pin(dentry)
        if access != .path { fileSystem.notify(.open, of: dentry, isOpenFile: true) }
        if access == .contents {
            let time = now
            fileSystem.truth.add(
                FileTruth.Opening(
                    time: time, file: TruthFileID(rawValue: node.id), type: node.type,
                    path: fileSystem.path(of: dentry)))
        }
        return (fileSystem.handles.insert(dentry, access), UInt64(node.id))
    }

    /// Harmless for a handle that was closed with all others.
    func closeFile(_ token: Int) {
        guard let open = fileSystem.handles.remove(token) else { return }
        fileSystem.unpin(open.dentry, closing: open.access == .path ? nil : .closeNoWrite)
    }

    // MARK: Listing

    /// One `getdents64(2)`: what comes behind the last entry that was given, as the folder is now.
    func list(_ token: Int, _ room: Int, into bytes: inout [UInt8]) throws(Errno) {
        let open = try openNode(token)
        let node = open.dentry.node
        guard node.isDirectory else { throw .notDirectory }
        guard open.access == .folder else { throw .badFileDescriptor }
        try node.superblock.check()
        guard node.linkCount > 0 else { throw .noSuchFileOrDirectory }
        var lister = Lister(room: room, place: open.place)
        lister.list(open.dentry, above: fileSystem.folderAbove(open.dentry), into: &bytes)
        guard lister.isAnythingGiven || !lister.isFull else { throw .invalidArgument }
        fileSystem.handles.move(token, to: lister.place)
        fileSystem.notify(.access, of: open.dentry, isOpenFile: true)
    }
}

/// Fills one buffer with entries.
private struct Lister {
    var room: Int
    var place: FileHandleTable.ListingPlace
    var isAnythingGiven = false
    /// An entry had no room.
    var isFull = false

    init(room: Int, place: FileHandleTable.ListingPlace) {
        self.room = room
        self.place = place
    }

    mutating func list(_ folder: Dentry, above: Dentry, into bytes: inout [UInt8]) {
        let node = folder.node
        if case .own = place {
            let own = DirectoryEntry(inode: node.number, offset: 1, kind: .directory, name: [0x2e])
            guard give(own, into: &bytes) else { return }
            place = .parent
        }
        if case .parent = place {
            let parent = DirectoryEntry(
                inode: above.node.number, offset: 2, kind: .directory, name: [0x2e, 0x2e])
            guard give(parent, into: &bytes) else { return }
            place = .after(hash: 0, id: 0)
        }
        guard case .after(let hash, let id) = place else { return }
        let listing = node.listing
        var index = Self.firstIndex(after: (hash, id), in: listing)
        while index < listing.count {
            let (hash, dentry) = listing[index]
            let kind = node.superblock.tellsTypes ? dentry.node.type.entryKind : .unknown
            // Of a mountpoint a listing shows what lies below the mount.
            let entry = DirectoryEntry(
                inode: dentry.node.number, offset: Int64(truncatingIfNeeded: hash & (.max >> 1)), kind: kind,
                name: dentry.name)
            guard give(entry, into: &bytes) else { return }
            place = .after(hash: hash, id: dentry.node.id)
            index += 1
        }
    }

    private mutating func give(_ entry: DirectoryEntry, into bytes: inout [UInt8]) -> Bool {
        guard entry.byteCount <= room else {
            isFull = true
            return false
        }
        room -= entry.byteCount
        entry.append(to: &bytes)
        isAnythingGiven = true
        return true
    }

    private static func firstIndex(
        after place: (hash: UInt64, id: Int), in listing: [(hash: UInt64, dentry: Dentry)]
    ) -> Int {
        var low = 0
        var high = listing.count
        while low < high {
            let middle = (low + high) / 2
            if (listing[middle].hash, listing[middle].dentry.node.id) <= place {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}

extension FileType {
    fileprivate var entryKind: DirectoryEntry.Kind {
        switch self {
        case .regular: .regular
        case .directory: .directory
        case .symlink: .symlink
        case .fifo: .fifo
        case .socket: .socket
        case .blockDevice: .blockDevice
        case .characterDevice: .characterDevice
        }
    }
}
