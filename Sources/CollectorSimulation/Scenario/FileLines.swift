import EventModel
import SimulatedBackends

import struct SystemPackage.Errno

/// What `given` and `when` say about files.
///
/// Paths are absolute. Whatever is missing above a `given` file is made too.
enum FileLines {
    static let givenVerbs = ["file", "folder", "symlink", "link", "node", "mount", "tree"]
    static let whenVerbs = [
        "file.create", "file.write", "file.overwrite", "file.truncate", "file.read", "file.chmod",
        "file.chown", "file.utime", "file.rename", "file.link", "file.symlink", "file.unlink", "file.mkdir",
        "file.rmdir", "file.rm", "file.mkfifo", "file.mknod", "file.open", "file.append", "file.close",
        "file.mount", "file.umount", "file.fail", "file.repair", "file.burst",
    ]

    // MARK: - given

    static func given(_ verb: String, _ reader: inout LineReader) throws(ScenarioError) -> [FileAction] {
        let path = try reader.absolutePath()
        let folders = FileAction.makeFolders(path: path.folder, permissions: 0o755)
        switch verb {
        case "file": return [folders, .create(path: path, try reader.attributes(), over: .zero)]
        case "folder":
            let permissions = try reader.permissions() ?? 0o755
            return [folders, .makeFolders(path: path, permissions: permissions)] + (try owner(path, &reader))
        case "symlink": return [folders, .symlink(path: path, target: try reader.target())]
        case "link":
            try reader.arrow()
            let other = try reader.absolutePath()
            return [.makeFolders(path: other.folder, permissions: 0o755), .link(from: path, to: other)]
        case "node":
            let type = try reader.nodeType() ?? .fifo
            return [folders, .makeNode(path: path, type, permissions: try reader.permissions() ?? 0o644)]
        case "mount":
            return [
                .makeFolders(path: path, permissions: 0o755), .mount(path: path, try reader.mountOptions()),
            ]
        default: return try tree(path, &reader)
        }
    }

    private static func owner(_ path: [UInt8], _ reader: inout LineReader) throws(ScenarioError)
        -> [FileAction]
    {
        let attributes = try reader.owner()
        guard attributes != (0, 0) else { return [] }
        return [.chown(path: path, UserID(attributes.uid), GroupID(attributes.gid))]
    }

    /// `tree /srv depth=3 folders=10 files=20`: in each folder down to the depth so many folders, and in each so many
    /// files.
    private static func tree(_ path: [UInt8], _ reader: inout LineReader) throws(ScenarioError)
        -> [FileAction]
    {
        let depth = Int(try reader.integer(key: "depth", in: 0...64) ?? 1)
        let folderCount = Int(try reader.integer(key: "folders", in: 0...100_000) ?? 0)
        let fileCount = Int(try reader.integer(key: "files", in: 0...100_000) ?? 0)
        var attributes = FileAttributes()
        attributes.bytes = .generated(UInt64(try reader.byteCount(key: "size") ?? 1_024))
        var actions: [FileAction] = [.makeFolders(path: path, permissions: 0o755)]
        var level = [path]
        for below in 0...depth {
            var next: [[UInt8]] = []
            for folder in level {
                for number in 0..<fileCount {
                    actions.append(
                        .create(path: folder + Array("/file\(number)".utf8), attributes, over: .zero))
                }
                guard below < depth else { continue }
                for number in 0..<folderCount {
                    let child = folder + Array("/folder\(number)".utf8)
                    actions.append(.makeFolder(path: child, permissions: 0o755))
                    next.append(child)
                }
                guard actions.count <= ScenarioLimits.treeFileCount else {
                    throw reader.error(
                        "expected a tree of at most \(ScenarioLimits.treeFileCount) files and folders")
                }
            }
            level = next
        }
        return actions
    }

    // MARK: - when

    static func when(_ verb: String, _ reader: inout LineReader) throws(ScenarioError) -> FileAction {
        switch verb {
        case "file.append":
            return .writeHeld(try reader.openNumber(), try reader.fileBytes() ?? .generated(1))
        case "file.close": return .release(try reader.openNumber())
        default: break
        }
        let path = try reader.absolutePath()
        switch verb {
        case "file.create", "file.write", "file.overwrite", "file.truncate":
            return try contents(verb, path, &reader)
        case "file.read": return .read(path: path)
        case "file.chmod":
            guard let permissions = try reader.permissions() else {
                throw reader.error("expected mode= with permissions such as 0644")
            }
            return .chmod(path: path, permissions)
        case "file.chown":
            let owner = try reader.owner()
            return .chown(path: path, UserID(owner.uid), GroupID(owner.gid))
        case "file.utime":
            let time = try reader.parsed(
                "mtime", "a time such as 2026-03-01T00:00:00Z", Timestamp.nanoseconds)
            guard let time else { throw reader.error("expected mtime= with a time") }
            return .setModified(path: path, WallTime(nanoseconds: time))
        case "file.symlink": return .symlink(path: path, target: try reader.target())
        case "file.unlink": return .unlink(path: path)
        case "file.rm": return .removeTree(path: path)
        case "file.rmdir": return .removeFolder(path: path)
        case "file.open": return .hold(path: path, try reader.openNumber())
        case "file.fail":
            let errno = try reader.parsed("an error such as ESTALE or EIO") { Errno(symbol: $0) }
            return .fail(path: path, errno)
        case "file.repair": return .fail(path: path, nil)
        case "file.mount": return .mount(path: path, try reader.mountOptions())
        case "file.umount": return .unmount(path: path, reader.flag("lazy") ? .lazy : .orderly)
        case "file.burst": return .burst(try burst(path, &reader))
        default: return try names(verb, path, &reader)
        }
    }

    private static func contents(_ verb: String, _ path: [UInt8], _ reader: inout LineReader)
        throws(ScenarioError) -> FileAction
    {
        switch verb {
        case "file.create":
            let attributes = try reader.attributes()
            return .create(path: path, attributes, over: try reader.span())
        case "file.write":
            let offset = try reader.byteCount(key: "at").map { UInt64($0) }
            let bytes = try reader.fileBytes() ?? .generated(1)
            return .write(path: path, bytes, at: offset, over: try reader.span())
        case "file.overwrite":
            let bytes = try reader.fileBytes() ?? .generated(0)
            return .overwrite(path: path, bytes, over: try reader.span())
        default: return .truncate(path: path, size: UInt64(try reader.byteCount(key: "size") ?? 0))
        }
    }

    private static func names(_ verb: String, _ path: [UInt8], _ reader: inout LineReader)
        throws(ScenarioError) -> FileAction
    {
        switch verb {
        case "file.rename":
            try reader.arrow()
            let other = try reader.absolutePath()
            let mode: RenameMode =
                reader.flag("exchange") ? .exchange : reader.flag("no-replace") ? .keep : .replace
            return .rename(from: path, to: other, mode)
        case "file.link":
            try reader.arrow()
            return .link(from: path, to: try reader.absolutePath())
        case "file.mkdir":
            let permissions = try reader.permissions() ?? 0o755
            return reader.flag("parents")
                ? .makeFolders(path: path, permissions: permissions)
                : .makeFolder(path: path, permissions: permissions)
        default:
            let type = verb == "file.mknod" ? try reader.nodeType() ?? .fifo : .fifo
            return .makeNode(path: path, type, permissions: try reader.permissions() ?? 0o644)
        }
    }

    private static func burst(_ path: [UInt8], _ reader: inout LineReader) throws(ScenarioError)
        -> FileBurst
    {
        guard let count = try reader.integer(key: "count", in: 1...ScenarioLimits.burstCount) else {
            throw reader.error("expected count= with a number")
        }
        let kind = try reader.choice(key: "kind", of: FileBurst.What.allCases.map(\.rawValue))
        return FileBurst(
            folder: path, what: kind.flatMap(FileBurst.What.init(rawValue:)) ?? .create,
            count: Int(count), size: UInt64(try reader.byteCount(key: "size") ?? 0),
            duration: try reader.span())
    }
}

extension [UInt8] {
    /// The path of the folder that a path lies in.
    fileprivate var folder: [UInt8] {
        let end = lastIndex(of: UInt8(ascii: "/")) ?? startIndex
        return end == startIndex ? [UInt8(ascii: "/")] : Array(self[..<end])
    }
}

extension LineReader {
    fileprivate mutating func absolutePath() throws(ScenarioError) -> [UInt8] {
        let column = position.column
        let path = try bytes("an absolute path")
        guard path.first == UInt8(ascii: "/"), !path.contains(0) else {
            throw error("expected an absolute path", column: column)
        }
        return path
    }

    fileprivate mutating func target() throws(ScenarioError) -> [UInt8] {
        guard let target = try bytes(key: "target"), !target.isEmpty else {
            throw error("expected target= with what the link says")
        }
        return target
    }

    fileprivate mutating func permissions() throws(ScenarioError) -> UInt16? {
        try parsed("mode", "permissions such as 0644") { text in
            UInt16(text, radix: 8).flatMap { $0 <= 0o7777 ? $0 : nil }
        }
    }

    fileprivate mutating func owner() throws(ScenarioError) -> (uid: UInt32, gid: UInt32) {
        let uid = try integer(key: "uid", in: 0...4_294_967_294) ?? 0
        let gid = try integer(key: "gid", in: 0...4_294_967_294) ?? uid
        return (UInt32(uid), UInt32(gid))
    }

    /// `size=`, `text=` or `hole=`.
    fileprivate mutating func fileBytes() throws(ScenarioError) -> FileBytes? {
        if let text = try bytes(key: "text") { return .given(text) }
        if let size = try byteCount(key: "size") { return .generated(UInt64(size)) }
        return try byteCount(key: "hole").map { .hole(UInt64($0)) }
    }

    fileprivate mutating func attributes() throws(ScenarioError) -> FileAttributes {
        var attributes = FileAttributes()
        if let bytes = try fileBytes() { attributes.bytes = bytes }
        if let permissions = try permissions() { attributes.permissions = permissions }
        let owner = try owner()
        attributes.uid = UserID(owner.uid)
        attributes.gid = GroupID(owner.gid)
        return attributes
    }

    fileprivate mutating func span() throws(ScenarioError) -> Duration {
        .nanoseconds(try duration(key: "over") ?? 0)
    }

    fileprivate mutating func openNumber() throws(ScenarioError) -> Int {
        guard let number = try integer(key: "as", in: 1...1_000_000) else {
            throw error("expected as= with the number of the open file")
        }
        return Int(number)
    }

    fileprivate mutating func nodeType() throws(ScenarioError) -> FileType? {
        let known: [FileType] = [.fifo, .socket, .blockDevice, .characterDevice]
        return try choice(key: "type", of: known.map(\.rawValue)).flatMap(FileType.init(rawValue:))
    }

    fileprivate mutating func mountOptions() throws(ScenarioError) -> MountOptions {
        var options = MountOptions()
        if let size = try byteCount(key: "size") { options.capacity = UInt64(size) }
        options.tellsTypes = !flag("untyped")
        return options
    }
}
