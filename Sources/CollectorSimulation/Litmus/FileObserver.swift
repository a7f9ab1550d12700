import Backends
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// Keeps an open file for later lines of the case.
final class FileHandleBox {
    let handle: FileHandle

    init(_ handle: consuming FileHandle) { self.handle = handle }
}

/// Looks at the files of a world and answers the questions of a case.
///
/// Answers are free of watch numbers, cookies, inodes and times.
final class FileObserver {
    private let files: any LitmusFiles
    private let clock: any SystemClock
    private var openedRoot: (any RootedDirectory)?
    private var watchers: [String: WatchQueue] = [:]
    private var handles: [String: FileHandleBox] = [:]

    /// How long a wait lasts that is expected to see nothing.
    private static let waitTime: Duration = .milliseconds(2)
    /// Room of one `getdents64(2)` where a case does not say.
    static let listingByteCount = 4_096

    init(_ files: any LitmusFiles, clock: any SystemClock) {
        self.files = files
        self.clock = clock
    }

    func perform(_ action: LitmusFileAction) async throws(LitmusFailure) {
        if let errno = try await files.perform(action) {
            throw LitmusFailure("the kernel refused \(action): \(errno.symbol)")
        }
    }

    /// The answer, or the error of the call that failed.
    ///
    /// - Parameter keep: Puts a value aside for `compare`.
    func answer(
        to observation: LitmusFileObservation, keep: (String, String?) -> String
    ) async throws(LitmusFailure) -> String {
        switch observation {
        case .attempt(let action):
            return try await files.perform(action)?.symbol ?? "ok"
        case .readable(let name):
            guard let watcher = watchers[name]?.watcher else { throw LitmusFailure("no instance \(name)") }
            return "\(await watcher.readable(until: clock.monotonic.advanced(by: Self.waitTime)))"
        default:
            do throws(Errno) { return try answer(at: observation, keep) } catch { return error.symbol }
        }
    }

    private func answer(
        at observation: LitmusFileObservation, _ keep: (String, String?) -> String
    ) throws(Errno) -> String {
        switch observation {
        case .watch(let name, let target, let mask, let label):
            let queue = try queue(name)
            return try with(target, as: .path) { (file) throws(Errno) in
                try queue.watch(file, mask: mask, label: label)
            }
        case .unwatch(let name, let label): return try queue(name).unwatch(label)
        case .events(let name, let room): return try queue(name).events(room: room)
        case .queue(let name): return try queue(name).account(limit: files.queueLimit)
        case .open(let target, let access, let name):
            let handle = try open(target, as: access.access)
            let type = try root().status(of: handle).type
            if let name { handles[name] = FileHandleBox(handle) }
            return type?.rawValue ?? "unknown"
        case .entries(let target, let room, let callLimit):
            return try with(target, as: .folder) { (folder) throws(Errno) in
                try entries(of: folder, room: room, callLimit: callLimit)
            }
        case .status(let target, let fields, let label):
            let status = try status(of: target)
            let values = fields.map { status.text(of: $0) }
            if label != nil { return keep(values.joined(separator: " "), label) }
            return zip(fields, values).map { "\($0)=\($1)" }.joined(separator: " ")
        case .content(let target, let offset, let count):
            return try with(target, as: .contents) { (file) throws(Errno) in
                try content(of: file, at: offset, count: count)
            }
        case .attempt, .readable: return "not a call"
        }
    }

    // MARK: - Files

    private func root() throws(Errno) -> any RootedDirectory {
        if let openedRoot { return openedRoot }
        let root = try files.openRoot()
        openedRoot = root
        return root
    }

    private func queue(_ name: String) throws(Errno) -> WatchQueue {
        if let queue = watchers[name] { return queue }
        let queue = WatchQueue(try files.openWatcher())
        watchers[name] = queue
        return queue
    }

    private func open(_ target: LitmusFileObservation.Target, as access: FileAccess) throws(Errno)
        -> FileHandle
    {
        switch target {
        case .path(let path): return try root().open(path, as: access)
        case .name(let name, in: let folder):
            guard let box = handles[folder] else { throw .badFileDescriptor }
            return try root().open(name, in: box.handle, as: access)
        case .handle: throw .badFileDescriptor
        }
    }

    /// Calls `body` with an open handle of the case, or with one that is opened for this line.
    private func with(
        _ target: LitmusFileObservation.Target, as access: FileAccess,
        _ body: (borrowing FileHandle) throws(Errno) -> String
    ) throws(Errno) -> String {
        if case .handle(let name) = target {
            guard let box = handles[name] else { throw .badFileDescriptor }
            return try body(box.handle)
        }
        let handle = try open(target, as: access)
        return try body(handle)
    }

    private func status(of target: LitmusFileObservation.Target) throws(Errno) -> FileStatus {
        let root = try root()
        switch target {
        case .handle(let name):
            guard let box = handles[name] else { throw .badFileDescriptor }
            return try root.status(of: box.handle)
        case .name(let name, in: let folder):
            guard let box = handles[folder] else { throw .badFileDescriptor }
            return try root.status(of: name, in: box.handle)
        case .path(let path):
            let handle = try root.open(path, as: .path)
            return try root.status(of: handle)
        }
    }

    private func entries(of folder: borrowing FileHandle, room: Int, callLimit: Int) throws(Errno) -> String {
        let root = try root()
        var entries: [DirectoryEntry] = []
        for _ in 0..<callLimit {
            var bytes: [UInt8] = []
            if try root.readEntries(of: folder, count: room, into: &bytes) == 0 { break }
            var reader = DirectoryEntryReader(at: 0, count: bytes.count)
            do throws(FormatError) {
                while let entry = try reader.next(in: bytes.span) { entries.append(entry) }
            } catch {
                return "\(error)"
            }
        }
        let named = entries.filter { !$0.isSelfOrParent }
        let sorted = named.sorted { $0.name.lexicographicallyPrecedes($1.name) }
        let texts = sorted.map { Printer.quoted($0.name) + " \($0.kind)" }
        return "[" + texts.joined(separator: ", ") + "]"
    }

    private func content(of file: borrowing FileHandle, at offset: UInt64, count: Int?) throws(Errno)
        -> String
    {
        let root = try root()
        var bytes: [UInt8] = []
        if let count {
            _ = try root.read(file, at: offset, count: count, into: &bytes)
            return Printer.quoted(bytes)
        }
        while bytes.count < LitmusLimits.contentByteCount {
            let place = offset + UInt64(bytes.count)
            if try root.read(file, at: place, count: Self.listingByteCount, into: &bytes) == 0 { break }
        }
        return Printer.quoted(bytes)
    }
}

/// One inotify instance, and what the case calls its watches.
private final class WatchQueue {
    let watcher: any FileWatcher
    private var labels: [Int32: String] = [:]
    private var numbers: [String: Int32] = [:]
    /// Cookies in the order of their appearance.
    private var cookies: [UInt32] = []

    private static let readByteCount = 65_536

    init(_ watcher: any FileWatcher) { self.watcher = watcher }

    func watch(_ file: borrowing FileHandle, mask: UInt32, label: String?) throws(Errno) -> String {
        let number = try watcher.addWatch(file, mask: mask)
        if let known = labels[number] { return "same \(known)" }
        let label = label ?? "W\(labels.count + 1)"
        labels[number] = label
        numbers[label] = number
        return "ok"
    }

    func unwatch(_ label: String) throws(Errno) -> String {
        try watcher.removeWatch(numbers[label] ?? -1)
        return "ok"
    }

    func events(room: Int?) throws(Errno) -> String {
        guard let room else { return text(of: try records()) }
        var bytes: [UInt8] = []
        _ = try watcher.read(count: room, into: &bytes)
        return text(of: Self.records(in: bytes))
    }

    /// Runs of records, and the overflow among them.
    func account(limit: Int) throws(Errno) -> String {
        var parts: [String] = []
        var count = 0
        func end() {
            let missing = limit - count
            if count == 1 {
                parts.append("1 record")
            } else if (0...16).contains(missing) {
                parts.append(missing == 0 ? "limit records" : "limit-\(missing) records")
            } else if count > 0 {
                parts.append("\(count) records")
            }
            count = 0
        }
        for record in try records() {
            guard record.mask.contains(.queueOverflow) else {
                count += 1
                continue
            }
            end()
            parts.append("q_overflow")
        }
        end()
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }

    private func records() throws(Errno) -> [InotifyRecord] {
        var records: [InotifyRecord] = []
        var bytes: [UInt8] = []
        for _ in 0..<LitmusLimits.recordCount {
            bytes.removeAll(keepingCapacity: true)
            do throws(Errno) {
                _ = try watcher.read(count: Self.readByteCount, into: &bytes)
            } catch {
                guard error == .resourceTemporarilyUnavailable else { throw error }
                return records
            }
            records += Self.records(in: bytes)
        }
        return records
    }

    private static func records(in bytes: [UInt8]) -> [InotifyRecord] {
        var reader = InotifyReader(at: 0, count: bytes.count)
        var records: [InotifyRecord] = []
        while !reader.isAtEnd {
            // A record that cannot be read shows as one of no watch and no mask, which no case expects.
            let record = try? reader.next(in: bytes.span)
            records.append(record ?? InotifyRecord(watch: -2, mask: []))
        }
        return records
    }

    private func text(of records: [InotifyRecord]) -> String {
        records.isEmpty ? "nothing" : records.map(text).joined(separator: ", ")
    }

    private func text(of record: InotifyRecord) -> String {
        var words = record.watch == -1 ? [] : [labels[record.watch] ?? "?"]
        words.append(InotifyWord.text(of: record.mask))
        if !record.name.isEmpty { words.append(Printer.quoted(record.name)) }
        if record.cookie != 0 {
            if !cookies.contains(record.cookie) { cookies.append(record.cookie) }
            words.append("#\((cookies.firstIndex(of: record.cookie) ?? 0) + 1)")
        }
        return words.joined(separator: " ")
    }
}

/// The names of inotify's bits in cases, those of `inotify(7)` without `IN_`.
enum InotifyWord {
    static let events: [(name: String, mask: InotifyMask)] = [
        ("access", .access), ("modify", .modify), ("attrib", .attributes), ("close_write", .closeWrite),
        ("close_nowrite", .closeNoWrite), ("open", .open), ("moved_from", .movedFrom),
        ("moved_to", .movedTo), ("create", .create), ("delete", .delete), ("delete_self", .deleteSelf),
        ("move_self", .moveSelf), ("unmount", .unmount), ("q_overflow", .queueOverflow),
        ("ignored", .ignored), ("isdir", .isDirectory),
    ]
    static let flags: [(name: String, mask: InotifyMask)] = [
        ("onlydir", .onlyDirectory), ("dont_follow", .doNotFollow), ("excl_unlink", .excludeUnlinked),
        ("mask_create", .createOnly), ("mask_add", .add), ("oneshot", .oneShot), ("none", []),
        ("all", .allEvents),
    ]

    /// Where a case names no mask: whatever changes something.
    static let changes = InotifyMask.allEvents.subtracting([.access, .open, .closeNoWrite])

    /// The mask of a word; `nil` for another word.
    static func mask(_ word: some StringProtocol) -> InotifyMask? {
        (events + flags).first { $0.name == word }?.mask
    }

    static func text(of mask: InotifyMask) -> String {
        let names = events.filter { mask.contains($0.mask) }.map(\.name)
        return names.isEmpty ? "none" : names.joined(separator: "+")
    }
}

extension FileAccessName {
    fileprivate var access: FileAccess {
        switch self {
        case .path: .path
        case .folder: .folder
        case .contents: .contents
        }
    }
}

extension FileStatus {
    /// The fields that cases ask for.
    static let fieldNames = [
        "type", "mode", "size", "links", "uid", "gid", "inode", "device", "mount", "mtime", "ctime",
    ]

    fileprivate func text(of field: String) -> String {
        switch field {
        case "type": type?.rawValue ?? "unknown"
        case "mode": "0" + String(permissions, radix: 8)
        case "size": String(size)
        case "links": String(linkCount)
        case "uid": String(uid.rawValue)
        case "gid": String(gid.rawValue)
        // Numbers without an order: they are equal or different.
        case "inode": "#\(inode)"
        case "device": "#\(device)"
        case "mount": "#\(mountID)"
        case "mtime": String(modified.nanoseconds)
        default: String(changed.nanoseconds)
        }
    }
}
