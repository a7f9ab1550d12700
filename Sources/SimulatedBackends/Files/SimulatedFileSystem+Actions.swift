import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// What processes do to files.
extension SimulatedFileSystem {
    /// Carries out an action now, and plans the rest of one that takes time.
    ///
    /// - Throws: What the system call would give; what it did before stays done.
    func perform(_ action: FileAction) throws(Errno) {
        switch action {
        case .create(let path, let attributes, let duration):
            try create(newPlace(path), attributes, over: duration)
        case .write(let path, let bytes, let offset, let duration):
            let dentry = try openForWriting(path)
            try write(bytes, to: dentry, at: offset ?? dentry.node.size, over: duration)
        case .overwrite(let path, let bytes, let duration): try overwrite(path, bytes, over: duration)
        case .map(let path, let bytes): try map(path, bytes)
        case .truncate(let path, let size): try truncate(resolve(path, followsLast: true), to: size)
        case .read(let path): try read(path)
        case .chmod(let path, let permissions):
            try change(path, followsLast: true) { $0.permissions = permissions & 0o7777 }
        case .chown(let path, let uid, let gid):
            try change(path, followsLast: false) {
                $0.uid = uid
                $0.gid = gid
            }
        case .setModified(let path, let time): try change(path, followsLast: true) { $0.modified = time }
        case .rename(let from, let to, let mode): try rename(from, to, mode)
        case .link(let from, let to): try link(from, to)
        case .symlink(let path, let target): try symlink(path, target)
        case .unlink(let path): try unlink(path)
        case .makeFolder(let path, let permissions): try makeFolder(path, permissions)
        case .makeFolders(let path, let permissions): try makeFolders(path, permissions)
        case .removeFolder(let path): try removeFolder(path)
        case .removeTree(let path): try removeTree(path)
        case .makeNode(let path, let type, let permissions): try makeSpecial(path, type, permissions)
        case .hold(let path, let number):
            guard held[number] == nil else { throw .resourceBusy }
            held[number] = try openForWriting(path)
        case .writeHeld(let number, let bytes):
            guard let dentry = held[number] else { throw .badFileDescriptor }
            try put(bytes, into: dentry, at: dentry.node.size)
        case .release(let number):
            guard let dentry = held.removeValue(forKey: number) else { throw .badFileDescriptor }
            unpin(dentry, closing: .closeWrite)
        case .lock(let path, let isLocked): try resolve(path, followsLast: true).node.isLocked = isLocked
        case .mount(let path, let options): try mount(path, options)
        case .unmount(let path, let mode): try unmount(path, mode)
        case .fail(let path, let errno): try resolve(path, followsLast: true).node.superblock.failure = errno
        case .burst(let burst): try self.burst(burst)
        }
    }

    // MARK: Contents

    private func create(_ place: Place, _ attributes: FileAttributes, over duration: Duration)
        throws(Errno)
    {
        let node = makeNode(
            .regular, in: place.folder.node.superblock, permissions: attributes.permissions & 0o7777,
            uid: attributes.uid, gid: attributes.gid)
        truth.note(node.content, of: node)
        let dentry = attach(node, place)
        log(.created, dentry)
        notify(.create, of: place.name, isFolder: false, in: place.folder.node)
        open(dentry)
        try write(attributes.bytes, to: dentry, at: 0, over: duration)
    }

    private func overwrite(_ path: [UInt8], _ bytes: FileBytes, over duration: Duration) throws(Errno) {
        guard try lookup(path, followsLast: true).covered != nil else {
            var attributes = FileAttributes()
            attributes.bytes = bytes
            return try create(newPlace(path, followsLast: true), attributes, over: duration)
        }
        let dentry = try openForWriting(path)
        // `handle_truncate` tells of it even if the file is empty.
        let problem = failure { () throws(Errno) in
            if dentry.node.type == .regular { try truncate(dentry, to: 0) }
        }
        if let problem {
            unpin(dentry, closing: .closeWrite)
            throw problem
        }
        try write(bytes, to: dentry, at: 0, over: duration)
    }

    private func open(_ dentry: Dentry) {
        pin(dentry)
        notify(.open, of: dentry, isOpenFile: true)
    }

    private func openForWriting(_ path: [UInt8]) throws(Errno) -> Dentry {
        let dentry = try resolve(path, followsLast: true)
        try dentry.node.superblock.check()
        switch dentry.node.type {
        case .directory: throw .isDirectory
        // A FIFO that nobody reads: whoever does not want to wait is refused.
        case .socket, .fifo: throw .noSuchAddressOrDevice
        default: open(dentry)
        }
        return dentry
    }

    private func read(_ path: [UInt8]) throws(Errno) {
        let dentry = try resolve(path, followsLast: true)
        try dentry.node.superblock.check()
        guard dentry.node.type != .socket else { throw .noSuchAddressOrDevice }
        open(dentry)
        // At the end of a file nothing is read, and nothing told (`vfs_read`).
        if dentry.node.size > 0, !dentry.node.isDirectory {
            notify(.access, of: dentry, isOpenFile: true)
        }
        unpin(dentry, closing: .closeNoWrite)
        guard !dentry.node.isDirectory else { throw .isDirectory }
    }

    /// How many calls a write takes that lasts.
    private static let pieceCount: UInt64 = 4

    /// Writes to an open file, at once or in pieces spread over a time, and closes it.
    private func write(_ bytes: FileBytes, to dentry: Dentry, at offset: UInt64, over duration: Duration)
        throws(Errno)
    {
        guard duration > .zero else {
            let problem = failure { () throws(Errno) in try put(bytes, into: dentry, at: offset) }
            unpin(dentry, closing: .closeWrite)
            if let problem { throw problem }
            return
        }
        let start = now
        let part = duration.wholeNanoseconds / Int64(Self.pieceCount)
        for piece in 0..<Self.pieceCount {
            let (from, to) = (
                bytes.count * piece / Self.pieceCount, bytes.count * (piece + 1) / Self.pieceCount
            )
            let time = start.advanced(by: .nanoseconds(part * Int64(piece)))
            pump.scheduleWorldEvent(at: time) { [self] in
                // A disk that is full, or gone, takes no more; the writer gives up.
                _ = failure { () throws(Errno) in
                    try put(bytes.part(from..<to), into: dentry, at: offset + from)
                }
            }
        }
        pump.scheduleWorldEvent(at: start.advanced(by: duration)) { [self] in
            unpin(dentry, closing: .closeWrite)
        }
    }

    /// The error with which something ends; `nil` for none.
    private func failure(_ body: () throws(Errno) -> Void) -> Errno? {
        do throws(Errno) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    /// One `pwrite(2)`, or `ftruncate(2)` for a hole.
    private func put(_ bytes: FileBytes, into dentry: Dentry, at offset: UInt64) throws(Errno) {
        let node = dentry.node
        guard bytes.count > 0 else { return }
        // What is written to a device changes no file.
        guard node.type == .regular else { return notify(.modify, of: dentry, isOpenFile: true) }
        guard !offset.addingReportingOverflow(bytes.count).overflow else { throw .fileTooLarge }
        try node.superblock.check()
        var content = node.content
        switch bytes {
        case .given(let bytes): content.write(bytes, at: offset)
        case .hole(let count): content.truncate(to: max(content.size, offset + count))
        case .generated(let count):
            let isAppended = offset == content.size && node.appendSeed != nil
            let seed = (isAppended ? node.appendSeed : nil) ?? makeContentSeed()
            content.write(count: count, seed: seed, at: offset)
            node.appendSeed = seed
        }
        try set(content, of: dentry)
    }

    /// A mapping ends at the last page of the file: what lies behind the end is not kept.
    private func map(_ path: [UInt8], _ bytes: FileBytes) throws(Errno) {
        let dentry = try openForWriting(path)
        let size = dentry.node.size
        var content = dentry.node.content
        switch bytes {
        case .given(let bytes): content.write(bytes, at: 0)
        case .generated(let count): content.write(count: count, seed: makeContentSeed(), at: 0)
        case .hole: break
        }
        content.truncate(to: size)
        let problem = failure { () throws(Errno) in try store(content, in: dentry) }
        unpin(dentry, closing: .closeWrite)
        if let problem { throw problem }
    }

    private func truncate(_ dentry: Dentry, to size: UInt64) throws(Errno) {
        guard dentry.node.type == .regular else {
            throw dentry.node.isDirectory ? .isDirectory : .invalidArgument
        }
        try dentry.node.superblock.check()
        var content = dentry.node.content
        content.truncate(to: size)
        dentry.node.appendSeed = nil
        try set(content, of: dentry)
    }

    private func set(_ content: FileContent, of dentry: Dentry) throws(Errno) {
        try store(content, in: dentry)
        notify(.modify, of: dentry, isOpenFile: true)
    }

    /// Changes contents and times, and tells nobody.
    private func store(_ content: FileContent, in dentry: Dentry) throws(Errno) {
        let node = dentry.node
        try node.superblock.resize(
            from: node.content.allocatedByteCount, to: content.allocatedByteCount)
        node.content = content
        node.modified = fileTime
        node.changed = fileTime
        truth.note(content, of: node)
        log(.contents, dentry)
    }

    // MARK: Attributes

    private func change(_ path: [UInt8], followsLast: Bool, _ body: (FileNode) -> Void) throws(Errno) {
        let dentry = try resolve(path, followsLast: followsLast)
        try dentry.node.superblock.check()
        body(dentry.node)
        dentry.node.changed = fileTime
        log(.attributes, dentry)
        notify(.attributes, of: dentry, isOpenFile: false)
    }

    // MARK: Many

    private func replacement(of path: [UInt8], _ attributes: FileAttributes) -> [FileAction] {
        let new = path + Array(".dpkg-new".utf8)
        return [.create(path: new, attributes, over: .zero), .rename(from: new, to: path, .replace)]
    }

    private func burst(_ burst: FileBurst) throws(Errno) {
        guard try resolve(burst.folder, followsLast: true).node.isDirectory else { throw .notDirectory }
        let spacing = burst.duration.wholeNanoseconds / Int64(max(1, burst.count))
        let start = now
        var attributes = FileAttributes()
        attributes.bytes = .generated(burst.size)
        for index in 0..<max(0, burst.count) {
            let path = burst.folder + Array("/f\(index)".utf8)
            let actions: [FileAction] =
                switch burst.what {
                case .create: [.create(path: path, attributes, over: .zero)]
                case .churn: [.create(path: path, attributes, over: .zero), .unlink(path: path)]
                case .delete: [.unlink(path: path)]
                case .write: [.write(path: path, .generated(burst.size), at: nil, over: .zero)]
                case .replace: replacement(of: path, attributes)
                }
            pump.scheduleWorldEvent(at: start.advanced(by: .nanoseconds(spacing * Int64(index)))) { [self] in
                for action in actions {
                    // Somebody else may have taken the name, or the folder.
                    _ = failure { () throws(Errno) in try perform(action) }
                }
            }
        }
    }
}

extension FileBytes {
    /// A part of what is written, by places within it.
    fileprivate func part(_ range: Range<UInt64>) -> FileBytes {
        switch self {
        case .generated: .generated(range.upperBound - range.lowerBound)
        case .hole: .hole(range.upperBound - range.lowerBound)
        case .given(let bytes): .given(Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
    }
}
