import Backends
import EventModel
import KernelFormats

extension LitmusParser {
    static let fileVerbs =
        "bind, chmod, chown, create, fread, hold, link, mkdir, mknod, mmap, mount, overwrite, put, release, rename, rm, rmdir, "
        + "storm, symlink, touch, truncate, umount, write"
    static let fileObservationVerbs =
        "beneath, content, entries, events, queue, readable, stat, try, unwatch, watch"

    // MARK: - Actions

    mutating func fileAction(_ verb: String, _ reader: inout LitmusLineReader) throws(ScenarioError)
        -> LitmusFileAction?
    {
        if let action = try contentAction(verb, &reader) { return action }
        switch verb {
        case "chmod": return .chmod(try path(&reader), try mode(&reader))
        case "chown": return .chown(try path(&reader), uid: try number(&reader), gid: try number(&reader))
        case "touch": return .touch(try path(&reader))
        case "rename":
            let (old, new) = (try path(&reader), try path(&reader))
            guard let word = try reader.bytes(forKey: "mode") else { return .rename(old, new, .replace) }
            guard let mode = LitmusFileAction.RenameMode(rawValue: String(decoding: word, as: UTF8.self))
            else { throw reader.error("expected mode=exchange or mode=no-replace") }
            return .rename(old, new, mode)
        case "link": return .link(try path(&reader), try path(&reader))
        case "symlink": return .symlink(target: try path(&reader), try path(&reader))
        case "rm": return .unlink(try path(&reader))
        case "mkdir": return .makeFolder(try path(&reader), mode: try mode(&reader, or: 0o755))
        case "rmdir": return .removeFolder(try path(&reader))
        case "mknod":
            let path = try path(&reader)
            let problem = reader.error("expected fifo, socket or device")
            guard let node = LitmusFileAction.Node(rawValue: try reader.word("fifo, socket or device")) else {
                throw problem
            }
            return .makeNode(path, node)
        case "mount": return .mount(try path(&reader))
        case "bind": return .bind(try path(&reader), try path(&reader))
        case "umount": return .unmount(try path(&reader), isLazy: reader.skip("lazy"))
        case "storm": return .storm(try path(&reader), count: try burstCount(&reader))
        default: return nil
        }
    }

    private mutating func contentAction(_ verb: String, _ reader: inout LitmusLineReader)
        throws(ScenarioError) -> LitmusFileAction?
    {
        switch verb {
        case "create":
            let path = try path(&reader)
            let text = try reader.bytes(forKey: "text") ?? []
            return .create(path, text: text, mode: try mode(&reader, or: 0o644))
        case "write":
            let (path, text) = (try path(&reader), try reader.bytes("a text"))
            return .write(path, text, at: try offset("at", &reader))
        case "overwrite": return .overwrite(try path(&reader), try reader.bytes("a text"))
        case "truncate":
            let path = try path(&reader)
            let problem = reader.error("expected a number of bytes")
            guard let size = Quantity.integer(try reader.word("a number of bytes")) else { throw problem }
            return .truncate(path, size: size)
        case "fread": return .read(try path(&reader))
        case "mmap": return .map(try path(&reader), try reader.bytes("a text"))
        case "hold":
            let path = try path(&reader)
            let name = try reader.word("a name for what is kept open")
            heldFiles.insert(name)
            return .hold(path, name)
        case "put":
            let (name, text) = (try heldFile(&reader), try reader.bytes("a text"))
            return .put(name, text, times: try reader.integer("times", limit: LitmusLimits.burstCount) ?? 1)
        case "release": return .release(try heldFile(&reader))
        default: return nil
        }
    }

    // MARK: - Questions

    mutating func fileObservation(_ verb: String, _ reader: inout LitmusLineReader) throws(ScenarioError)
        -> LitmusFileObservation?
    {
        switch verb {
        case "try":
            let problem = reader.error("expected one of \(Self.fileVerbs)")
            guard let action = try fileAction(try reader.word("what to try"), &reader) else { throw problem }
            return .attempt(action)
        case "watch": return try watch(&reader)
        case "unwatch":
            let (watcher, label) = (try watcher(&reader), try reader.word("a watch"))
            guard watchLabels.contains(label) else {
                throw reader.error("expected a watch that an earlier line names")
            }
            return .unwatch(watcher, label: label)
        case "events":
            return .events(
                try watcher(&reader), room: try reader.integer("room", limit: LitmusLimits.roomByteCount))
        case "queue": return .queue(try watcher(&reader))
        case "readable": return .readable(try watcher(&reader))
        case "beneath":
            let target = try target(&reader)
            let problem = reader.error("expected path, folder or contents")
            guard let access = FileAccessName(rawValue: try reader.word("path, folder or contents")) else {
                throw problem
            }
            guard reader.skip("as") else { return .open(target, access, handle: nil) }
            let name = try reader.word("a name for the handle")
            fileHandles.insert(name)
            return .open(target, access, handle: name)
        case "entries":
            let target = try target(&reader)
            let room = try reader.integer("room", limit: LitmusLimits.roomByteCount)
            let callLimit = try reader.integer("calls", limit: LitmusLimits.burstCount)
            return .entries(
                target, room: room ?? FileObserver.listingByteCount,
                callLimit: callLimit ?? Int(LitmusLimits.burstCount))
        case "stat": return try status(&reader)
        case "content":
            let target = try target(&reader)
            let offset = try offset("at", &reader) ?? 0
            return .content(
                target, offset: offset, count: try reader.integer("count", limit: LitmusLimits.roomByteCount))
        default: return nil
        }
    }

    private mutating func watch(_ reader: inout LitmusLineReader) throws(ScenarioError)
        -> LitmusFileObservation
    {
        let name = try reader.word("a name for the inotify instance")
        let target = try target(&reader)
        watchers.insert(name)
        var mask = InotifyWord.changes
        if let text = try reader.bytes(forKey: "mask") {
            mask = []
            for word in String(decoding: text, as: UTF8.self).split(separator: ",") {
                guard let bits = InotifyWord.mask(word) else {
                    let known = (InotifyWord.events + InotifyWord.flags).map(\.name)
                    throw reader.error("expected mask= with some of \(known.joined(separator: ","))")
                }
                mask.formUnion(bits)
            }
        }
        guard reader.skip("as") else { return .watch(name, target, mask: mask.rawValue, label: nil) }
        let label = try reader.word("a name for the watch")
        watchLabels.insert(label)
        return .watch(name, target, mask: mask.rawValue, label: label)
    }

    private mutating func status(_ reader: inout LitmusLineReader) throws(ScenarioError)
        -> LitmusFileObservation
    {
        let target = try target(&reader)
        var fields: [String] = []
        while !reader.isAtEnd {
            if let label = try label(&reader) { return .status(target, fields: fields, label: label) }
            let problem = reader.error("expected some of \(FileStatus.fieldNames.joined(separator: ", "))")
            let field = try reader.word("a field")
            guard FileStatus.fieldNames.contains(field) else { throw problem }
            fields.append(field)
        }
        guard !fields.isEmpty else { throw reader.error("expected a field such as size") }
        return .status(target, fields: fields, label: nil)
    }

    // MARK: - Words

    private func path(_ reader: inout LitmusLineReader) throws(ScenarioError) -> [UInt8] {
        try reader.bytes("a path")
    }

    /// What an open handle begins is within it, everything else is a path.
    private func target(_ reader: inout LitmusLineReader) throws(ScenarioError)
        -> LitmusFileObservation.Target
    {
        let bytes = try reader.bytes("a path or a handle")
        let end = bytes.firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
        let first = String(decoding: bytes[..<end], as: UTF8.self)
        guard fileHandles.contains(first) else { return .path(bytes) }
        return end == bytes.count ? .handle(first) : .name(Array(bytes[(end + 1)...]), in: first)
    }

    private func mode(_ reader: inout LitmusLineReader) throws(ScenarioError) -> UInt16 {
        let problem = reader.error("expected permissions such as 0644")
        return try Self.mode(try reader.word("permissions such as 0644"), orThrow: problem)
    }

    func mode(_ reader: inout LitmusLineReader, or standard: UInt16) throws(ScenarioError) -> UInt16 {
        let problem = reader.error("expected permissions such as mode=0644")
        guard let word = try reader.bytes(forKey: "mode") else { return standard }
        return try Self.mode(String(decoding: word, as: UTF8.self), orThrow: problem)
    }

    private static func mode(_ word: String, orThrow problem: ScenarioError) throws(ScenarioError) -> UInt16 {
        guard let mode = UInt16(word, radix: 8), mode <= 0o7777 else { throw problem }
        return mode
    }

    private func offset(_ key: String, _ reader: inout LitmusLineReader) throws(ScenarioError) -> UInt64? {
        try reader.integer(key, limit: UInt64(Int64.max)).map(UInt64.init)
    }

    private func heldFile(_ reader: inout LitmusLineReader) throws(ScenarioError) -> String {
        let problem = reader.error("expected a file that an earlier \"hold\" keeps open")
        let name = try reader.word("what is kept open")
        guard heldFiles.contains(name) else { throw problem }
        return name
    }

    private func watcher(_ reader: inout LitmusLineReader) throws(ScenarioError) -> String {
        let problem = reader.error("expected an instance that an earlier \"watch\" opens")
        let name = try reader.word("an inotify instance")
        guard watchers.contains(name) else { throw problem }
        return name
    }
}
