import EventModel

import struct SystemPackage.Errno

/// Where a path leads, for the processes of the host: they are root, and nothing is refused to them.
extension SimulatedFileSystem {
    /// `NAME_MAX` and `PATH_MAX`, the latter without its NUL.
    static let nameByteLimit = 255
    static let pathByteLimit = 4_095
    /// `MAXSYMLINKS`.
    private static let linkLimit = 40

    /// A folder and a name in it, which may be there or not.
    struct Place {
        var folder: Dentry
        var name: [UInt8]
        /// What has the name, below whatever is mounted there.
        var covered: Dentry?
    }

    static func components(of path: [UInt8]) -> [[UInt8]] {
        path.split(separator: 0x2f).map(Array.init).filter { $0 != [0x2e] }
    }

    /// What a path names.
    func resolve(_ path: [UInt8], followsLast: Bool) throws(Errno) -> Dentry {
        let place = try lookup(path, followsLast: followsLast)
        guard let covered = place.covered else { throw .noSuchFileOrDirectory }
        return visible(covered)
    }

    /// The folder and the name to which a path leads.
    func lookup(_ path: [UInt8], followsLast: Bool) throws(Errno) -> Place {
        guard path.first == 0x2f else { throw .noSuchFileOrDirectory }
        guard path.count <= Self.pathByteLimit else { throw .fileNameTooLong }
        var rest = Array(Self.components(of: path).reversed())
        var folder = visible(rootSuperblock.rootDentry)
        var place = Place(folder: folder, name: [], covered: folder)
        var linkCount = 0
        while let name = rest.popLast() {
            guard folder.node.isDirectory else { throw .notDirectory }
            try folder.node.superblock.check()
            guard name.count <= Self.nameByteLimit else { throw .fileNameTooLong }
            if name == [0x2e, 0x2e] {
                folder = folderAbove(folder)
                place = Place(folder: folderAbove(folder), name: folder.name, covered: folder)
                continue
            }
            let child = folder.node.children[name]
            place = Place(folder: folder, name: name, covered: child)
            guard let child else {
                guard rest.isEmpty else { throw .noSuchFileOrDirectory }
                return place
            }
            guard child.node.type == .symlink, !rest.isEmpty || followsLast else {
                folder = visible(child)
                continue
            }
            linkCount += 1
            guard linkCount <= Self.linkLimit else { throw .tooManySymbolicLinkLevels }
            rest += Self.components(of: child.node.target).reversed()
            if child.node.target.first == 0x2f { folder = visible(rootSuperblock.rootDentry) }
            if rest.isEmpty { place = Place(folder: folder, name: [], covered: folder) }
        }
        return place
    }

    /// `..`
    func folderAbove(_ dentry: Dentry) -> Dentry {
        var dentry = dentry
        while dentry.parent == nil, let mountpoint = dentry.node.superblock.mountpoint { dentry = mountpoint }
        return dentry.parent ?? dentry
    }

    /// Where a new name can be made.
    ///
    /// - Parameter followsLast: Whether a link to what is not there names that (`O_CREAT` without `O_EXCL`).
    /// - Throws: `EEXIST`, and what a lookup says.
    func newPlace(_ path: [UInt8], followsLast: Bool = false) throws(Errno) -> Place {
        let place = try lookup(path, followsLast: followsLast)
        guard place.covered == nil, !place.name.isEmpty else { throw .fileExists }
        guard place.folder.isNamed else { throw .noSuchFileOrDirectory }
        return place
    }

    /// A name that is there, to be taken away or moved.
    func existingPlace(_ path: [UInt8]) throws(Errno) -> (folder: Dentry, dentry: Dentry) {
        let place = try lookup(path, followsLast: false)
        guard let dentry = place.covered else { throw .noSuchFileOrDirectory }
        guard dentry.parent != nil else { throw .resourceBusy }
        return (place.folder, dentry)
    }

    // MARK: Names come and go

    /// Gives an inode a name.
    func attach(_ node: FileNode, _ place: Place) -> Dentry {
        let dentry = Dentry(name: place.name, parent: place.folder, node: node)
        insert(dentry, into: place.folder)
        return dentry
    }

    func insert(_ dentry: Dentry, into folder: Dentry) {
        folder.node.insert(dentry)
        if dentry.node.isDirectory { folder.node.linkCount += 1 }
        touch(folder.node)
    }

    func remove(_ dentry: Dentry, from folder: Dentry) {
        folder.node.removeChild(dentry.name)
        if dentry.node.isDirectory { folder.node.linkCount -= 1 }
        touch(folder.node)
    }

    /// The names in a folder changed.
    private func touch(_ node: FileNode) {
        node.modified = fileTime
        node.changed = fileTime
    }

    // MARK: The truth

    /// Writes down what happened to a name, and to all names below it when it moved.
    func log(_ kind: FileTruth.Kind, _ dentry: Dentry, from previous: [UInt8]? = nil) {
        guard let path = path(of: dentry) else { return }
        log(kind, dentry.node, at: path, from: previous)
        guard kind == .renamed || kind == .mounted, dentry.node.isDirectory else { return }
        var waiting = dentry.node.childrenByName.map { ($0, path, previous) }
        while let (child, folder, previousFolder) = waiting.popLast() {
            let path = folder + [0x2f] + child.name
            let previousPath = previousFolder.map { $0 + [0x2f] + child.name }
            let node = visible(child).node
            log(kind, node, at: path, from: previousPath)
            waiting += node.childrenByName.map { ($0, path, previousPath) }
        }
    }

    func log(_ kind: FileTruth.Kind, _ node: FileNode, at path: [UInt8], from previous: [UInt8]? = nil) {
        let time = now
        let kind = isPopulating && kind == .created ? .present : kind
        truth.add(
            FileTruth.Change(
                time: time, kind: kind, file: TruthFileID(rawValue: node.id), type: node.type,
                inode: node.number, path: path, previousPath: previous))
        pump.state.trace.record(.world, at: time, 64 + (kind.number ?? 0), UInt64(node.id))
    }
}

extension FileTruth.Kind {
    /// Position among all kinds.
    fileprivate var number: UInt64? { Self.allCases.firstIndex(of: self).map { UInt64($0) } }
}
