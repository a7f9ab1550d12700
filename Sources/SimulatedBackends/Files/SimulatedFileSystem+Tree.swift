import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// What processes do to names, folders and mounts.
extension SimulatedFileSystem {
    // MARK: New names

    func makeFolder(_ path: [UInt8], _ permissions: UInt16) throws(Errno) {
        try makeNamed(path, .directory, permissions)
    }

    func makeFolders(_ path: [UInt8], _ permissions: UInt16) throws(Errno) {
        var prefix: [UInt8] = []
        for component in Self.components(of: path) {
            prefix += [0x2f] + component
            if let covered = try lookup(prefix, followsLast: true).covered {
                guard visible(covered).node.isDirectory else { throw .notDirectory }
            } else {
                try makeFolder(prefix, permissions)
            }
        }
    }

    func makeSpecial(_ path: [UInt8], _ type: FileType, _ permissions: UInt16) throws(Errno) {
        switch type {
        case .fifo, .socket, .blockDevice, .characterDevice: try makeNamed(path, type, permissions)
        case .regular, .directory, .symlink: throw .invalidArgument
        }
    }

    func symlink(_ path: [UInt8], _ target: [UInt8]) throws(Errno) {
        guard !target.isEmpty else { throw .noSuchFileOrDirectory }
        guard target.count <= Self.pathByteLimit else { throw .fileNameTooLong }
        try makeNamed(path, .symlink, 0o777, target: target)
    }

    private func makeNamed(
        _ path: [UInt8], _ type: FileType, _ permissions: UInt16, target: [UInt8] = []
    ) throws(Errno) {
        let place = try newPlace(path)
        let node = makeNode(
            type, in: place.folder.node.superblock, permissions: permissions & 0o7777, target: target)
        log(.created, attach(node, place))
        notify(.create, of: place.name, isFolder: type == .directory, in: place.folder.node)
    }

    func link(_ from: [UInt8], _ to: [UInt8]) throws(Errno) {
        let node = try resolve(from, followsLast: false).node
        let place = try newPlace(to)
        guard node.superblock === place.folder.node.superblock else { throw .improperLink }
        guard !node.isDirectory else { throw .notPermitted }
        node.linkCount += 1
        node.changed = fileTime
        log(.linked, attach(node, place))
        notify(.attributes, about: node)
        notify(.create, of: place.name, isFolder: false, in: place.folder.node)
    }

    // MARK: Names that go

    func unlink(_ path: [UInt8]) throws(Errno) {
        let (folder, dentry) = try existingPlace(path)
        guard !dentry.node.isDirectory else { throw .isDirectory }
        takeAway(dentry, from: folder)
        dentry.node.linkCount -= 1
        dentry.node.changed = fileTime
        notify(.attributes, about: dentry.node)
        forget(dentry)
        notify(.delete, of: dentry.name, isFolder: false, in: folder.node)
    }

    func removeFolder(_ path: [UInt8]) throws(Errno) {
        let (folder, dentry) = try existingPlace(path)
        guard dentry.node.isDirectory else { throw .notDirectory }
        guard dentry.mounts.isEmpty else { throw .resourceBusy }
        guard dentry.node.children.isEmpty else { throw .directoryNotEmpty }
        takeAway(dentry, from: folder)
        dentry.node.linkCount = 0
        forget(dentry)
        notify(.delete, of: dentry.name, isFolder: true, in: folder.node)
    }

    func removeTree(_ path: [UInt8]) throws(Errno) {
        let top = try resolve(path, followsLast: false)
        guard top.node.isDirectory else { return try unlink(path) }
        var folders: [[UInt8]] = []
        var waiting = [(path, top)]
        while let (path, folder) = waiting.popLast() {
            folders.append(path)
            for entry in folder.node.listing {
                let child = path + [0x2f] + entry.dentry.name
                if entry.dentry.node.isDirectory {
                    waiting.append((child, visible(entry.dentry)))
                } else {
                    try unlink(child)
                }
            }
        }
        for folder in folders.reversed() { try removeFolder(folder) }
    }

    private func takeAway(_ dentry: Dentry, from folder: Dentry) {
        if let path = path(of: dentry) { log(.removed, dentry.node, at: path) }
        remove(dentry, from: folder)
        dentry.isNamed = false
    }

    // MARK: Names that move

    /// In the order of `do_renameat2` and `vfs_rename` (`fs/namei.c`): first both folders, then both names.
    func rename(_ from: [UInt8], _ to: [UInt8], _ mode: RenameMode) throws(Errno) {
        let source = try lookup(from, followsLast: false)
        let place = try lookup(to, followsLast: false)
        guard source.folder.node.superblock === place.folder.node.superblock else { throw .improperLink }
        guard !source.name.isEmpty, !place.name.isEmpty else { throw .resourceBusy }
        guard let dentry = source.covered else { throw .noSuchFileOrDirectory }
        try checkNames(dentry, from: source, to: place, mode)
        if place.covered?.node === dentry.node { return }
        try checkTypes(dentry, place.covered, mode)
        switch (mode, place.covered) {
        case (.exchange, let other?): exchange(dentry, in: source.folder, with: other, in: place.folder)
        default: move(dentry, from: source.folder, to: place)
        }
    }

    private func checkNames(
        _ dentry: Dentry, from source: Place, to place: Place, _ mode: RenameMode
    ) throws(Errno) {
        guard mode != .keep || place.covered == nil else { throw .fileExists }
        guard mode != .exchange || place.covered != nil else { throw .noSuchFileOrDirectory }
        guard !isSame(dentry, orAbove: place.folder) else { throw .invalidArgument }
        if let other = place.covered, isSame(other, orAbove: source.folder) {
            throw mode == .exchange ? .invalidArgument : .directoryNotEmpty
        }
    }

    private func checkTypes(_ dentry: Dentry, _ other: Dentry?, _ mode: RenameMode) throws(Errno) {
        if mode != .exchange, let other {
            guard !other.node.isDirectory || dentry.node.isDirectory else { throw .isDirectory }
            guard other.node.isDirectory || !dentry.node.isDirectory else { throw .notDirectory }
        }
        guard dentry.mounts.isEmpty, other?.mounts.isEmpty ?? true else { throw .resourceBusy }
        if mode != .exchange, let other {
            guard other.node.children.isEmpty else { throw .directoryNotEmpty }
        }
    }

    /// Whether a name is that of a folder or of one above it, up to its mount.
    private func isSame(_ dentry: Dentry, orAbove folder: Dentry) -> Bool {
        var above: Dentry? = folder
        while let folder = above {
            if folder === dentry { return true }
            above = folder.parent
        }
        return false
    }

    private func move(_ dentry: Dentry, from oldFolder: Dentry, to place: Place) {
        let (oldName, oldPath) = (dentry.name, path(of: dentry))
        let victim = place.covered
        if let victim {
            takeAway(victim, from: place.folder)
            victim.node.linkCount = victim.node.isDirectory ? 0 : victim.node.linkCount - 1
            victim.node.changed = fileTime
        }
        relocate(dentry, from: oldFolder, to: place.folder, as: place.name)
        log(.renamed, dentry, from: oldPath)
        tellMove(dentry, oldFolder, oldName, place.folder, place.name, victim: victim)
        // A victim that was overwritten has no `IN_DELETE`.
        if let victim { forget(victim) }
    }

    private func exchange(_ a: Dentry, in folderOfA: Dentry, with b: Dentry, in folderOfB: Dentry) {
        let (nameOfA, nameOfB) = (a.name, b.name)
        let (pathOfA, pathOfB) = (path(of: a), path(of: b))
        remove(a, from: folderOfA)
        remove(b, from: folderOfB)
        let (pinsOfA, pinsOfB) = (a.pinCount + a.pinCountBelow, b.pinCount + b.pinCountBelow)
        a.addPinsAbove(-pinsOfA)
        b.addPinsAbove(-pinsOfB)
        (a.name, a.parent) = (nameOfB, folderOfB)
        (b.name, b.parent) = (nameOfA, folderOfA)
        a.addPinsAbove(pinsOfA)
        b.addPinsAbove(pinsOfB)
        insert(a, into: folderOfB)
        insert(b, into: folderOfA)
        a.node.changed = fileTime
        b.node.changed = fileTime
        log(.renamed, a, from: pathOfA)
        log(.renamed, b, from: pathOfB)
        tellMove(a, folderOfA, nameOfA, folderOfB, nameOfB, victim: nil)
        tellMove(b, folderOfB, nameOfB, folderOfA, nameOfA, victim: nil)
    }

    private func relocate(_ dentry: Dentry, from old: Dentry, to new: Dentry, as name: [UInt8]) {
        remove(dentry, from: old)
        let pinCount = dentry.pinCount + dentry.pinCountBelow
        dentry.addPinsAbove(-pinCount)
        dentry.name = name
        dentry.parent = new
        dentry.addPinsAbove(pinCount)
        insert(dentry, into: new)
        dentry.node.changed = fileTime
    }

    /// `fsnotify_move` of `include/linux/fsnotify.h`.
    private func tellMove(
        _ dentry: Dentry, _ oldFolder: Dentry, _ oldName: [UInt8], _ newFolder: Dentry, _ newName: [UInt8],
        victim: Dentry?
    ) {
        let cookie = makeCookie()
        let isFolder = dentry.node.isDirectory
        notify(.movedFrom, of: oldName, isFolder: isFolder, in: oldFolder.node, cookie: cookie)
        notify(.movedTo, of: newName, isFolder: isFolder, in: newFolder.node, cookie: cookie)
        if let victim { notify(.attributes, about: victim.node) }
        notify(.moveSelf, about: dentry.node)
    }

    // MARK: Mounts

    func mount(_ path: [UInt8], _ options: MountOptions) throws(Errno) {
        let mountpoint = try resolve(path, followsLast: true)
        guard mountpoint.node.isDirectory else { throw .notDirectory }
        let superblock = makeSuperblock(options)
        superblock.mountpoint = mountpoint
        mountpoint.mounts.append(superblock)
        log(.mounted, superblock.rootDentry)
    }

    func unmount(_ path: [UInt8], _ mode: UnmountMode) throws(Errno) {
        let top = try resolve(path, followsLast: true)
        let superblock = top.node.superblock
        guard top.parent == nil, let mountpoint = superblock.mountpoint else { throw .invalidArgument }
        guard mode == .lazy || (superblock.pinCount == 0 && !hasMounts(superblock)) else {
            throw .resourceBusy
        }
        detach(superblock, from: mountpoint)
    }

    private func hasMounts(_ superblock: Superblock) -> Bool { !mountpoints(of: superblock).isEmpty }

    private func mountpoints(of superblock: Superblock) -> [Dentry] {
        var found: [Dentry] = []
        var waiting = [superblock.rootDentry]
        while let dentry = waiting.popLast() {
            if !dentry.mounts.isEmpty { found.append(dentry) }
            waiting += dentry.node.childrenByName
        }
        return found
    }

    private func detach(_ superblock: Superblock, from mountpoint: Dentry) {
        for inner in mountpoints(of: superblock) {
            for mount in inner.mounts.reversed() { detach(mount, from: inner) }
        }
        log(.unmounted, superblock.rootDentry)
        mountpoint.mounts.removeAll { $0 === superblock }
        superblock.mountpoint = nil
        if superblock.pinCount > 0 {
            superblock.isDetached = true
        } else {
            tellUnmounted(superblock)
        }
    }
}
