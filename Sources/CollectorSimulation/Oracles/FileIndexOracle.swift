import CollectorCore
import EventModel
import SimulatedBackends

/// Once the world rests, what the events say about which files there are, and how they are, equals the truth.
enum FileIndexOracle {
    static func check(_ evidence: Evidence) -> [Failure] {
        guard let files = evidence.files, let run = evidence.recording.runs.last,
            let end = run.stopRequested, isComparable(run, end, files, evidence)
        else { return [] }
        var fold = FileFold()
        for run in evidence.recording.runs {
            // Without what an earlier run has left, everything is told anew.
            if !run.gaps.contains(where: { $0.source == .filesystem && $0.cause == .notRunning }) {
                fold = FileFold()
            }
            for (event, delivered) in run.events where delivered <= end { fold.apply(event) }
        }
        return compare(fold, files, WatchedFiles(evidence.scenario.settings.filesystem)).map { message in
            Failure(.fileIndex, .liveness, at: evidence.index.scenarioTime(end), message)
        }
    }

    /// Whether there is a state that the stream must have reached.
    private static func isComparable(
        _ run: CollectorRun, _ end: Instant, _ files: FileEvidence, _ evidence: Evidence
    ) -> Bool {
        let settings = evidence.scenario.settings
        let rest = Duration.nanoseconds(settings.rest)
        guard settings.filesystem.reportsBaseline, let ready = run.filesystemReady,
            ready.advanced(by: rest) <= end,
            // Who may not look everywhere cannot know.
            evidence.configuration.ownCapabilities.contains(.readAnyFile),
            evidence.recording.runs.allSatisfy({ $0.isStreamComplete })
        else { return false }
        if let last = files.truth.changes.last?.time, last.advanced(by: rest) > end { return false }
        if let harm = run.lastHarm, harm.advanced(by: rest) > end { return false }
        return true
    }

    private static func compare(_ fold: FileFold, _ files: FileEvidence, _ watched: WatchedFiles) -> [String]
    {
        var problems: [String] = []
        var known = fold.states
        // What is done through one name of an inode is told at that name only.
        let linked = Set(files.truth.changes.filter { $0.kind == .linked }.map(\.file))
        for (root, tree) in zip(watched.roots, files.trees) {
            guard let top = tree.first, hasStayed(root, files) else {
                known = known.filter { !$0.key.isWithin(root) }
                continue
            }
            // Another file system is not entered, a dead one shows nothing, and nobody tells that a mount came or went.
            let foreign =
                tree.filter { $0.device != top.device || $0.isUnreachable }.map(\.path)
                + files.truth.changes.filter { $0.kind == .mounted || $0.kind == .unmounted }.map(\.path)
            for entry in tree.dropFirst() where !watched.isExcluded(entry.path) {
                guard !foreign.contains(where: { entry.path.isWithin($0) }) else { continue }
                let state = known.removeValue(forKey: entry.path)
                let problem = difference(state, entry, hasOneName: !linked.contains(entry.file))
                if let problem { problems.append(problem) }
            }
            known[root] = nil
            known = known.filter { path, _ in !foreign.contains { path.isWithin($0) } }
        }
        let invented = known.keys.sorted { $0.lexicographicallyPrecedes($1) }
        problems += invented.map { "\(text($0)) does not exist, and the stream says it does" }
        return problems
    }

    /// Whether the folder that was opened is still the one at the root's path.
    private static func hasStayed(_ root: [UInt8], _ files: FileEvidence) -> Bool {
        !files.truth.changes.contains { change in
            switch change.kind {
            case .removed, .mounted, .unmounted: root.isWithin(change.path)
            case .renamed:
                root.isWithin(change.path) || change.previousPath.map { root.isWithin($0) } ?? false
            default: false
            }
        }
    }

    private static func difference(
        _ state: FilesystemEvent?, _ entry: FileTruthEntry, hasOneName: Bool
    ) -> String? {
        let path = text(entry.path)
        guard let state else { return "\(path) exists, and the stream does not say so" }
        if let type = state.type, type != entry.type {
            return "\(path) is said to be \(type.rawValue), in truth \(entry.type.rawValue)"
        }
        if let inode = state.inode, inode != entry.inode {
            return "\(path) is said to be inode \(inode), in truth \(entry.inode)"
        }
        guard hasOneName else { return nil }
        if let permissions = state.permissions, permissions != entry.permissions {
            return "\(path) is said to have mode \(String(permissions, radix: 8)), in truth "
                + String(entry.permissions, radix: 8)
        }
        if let uid = state.uid, uid != entry.uid { return "\(path): uid is \(uid), in truth \(entry.uid)" }
        if let gid = state.gid, gid != entry.gid { return "\(path): gid is \(gid), in truth \(entry.gid)" }
        guard entry.type == .regular else { return nil }
        if let size = state.size, size != entry.size {
            return "\(path): size is \(size), in truth \(entry.size)"
        }
        if let modified = state.modifiedTime, modified != entry.modified {
            return "\(path): modified at \(modified.nanoseconds), in truth at \(entry.modified.nanoseconds)"
        }
        return nil
    }

    static func text(_ path: [UInt8]) -> String { Printer.quoted(path) }
}

/// What a reader of the stream knows about files: the events of each path, one upon the other.
struct FileFold {
    /// By path.
    private(set) var states: [[UInt8]: FilesystemEvent] = [:]

    /// - Returns: What the path was known as before.
    @discardableResult
    mutating func apply(_ event: Event) -> FilesystemEvent? {
        guard let (file, path) = event.file else { return nil }
        let before = states[path]
        switch event.kind {
        case .fileDeleted: _ = take(path)
        case .fileRenamed:
            guard let previous = event.previousPath else { break }
            // What had the new name is gone: two renames there and back are no exchange (`RENAME_EXCHANGE`), of which
            // the second file's end and beginning tell.
            _ = take(path)
            put(take(previous), at: path, from: previous)
            merge(file, into: path)
        case .fileBaseline, .fileCreated, .fileModified, .fileAttributes: merge(file, into: path)
        default: break
        }
        return before
    }

    private mutating func merge(_ file: FilesystemEvent, into path: [UInt8]) {
        guard var state = states[path], file.operation != .created else {
            states[path] = file
            return
        }
        // Another file has the name: nothing that was known of the last one holds.
        if let inode = file.inode, state.inode != inode { state = file }
        state.type = file.type ?? state.type
        state.inode = file.inode ?? state.inode
        state.permissions = file.permissions ?? state.permissions
        state.uid = file.uid ?? state.uid
        state.gid = file.gid ?? state.gid
        state.size = file.size ?? state.size
        state.modifiedTime = file.modifiedTime ?? state.modifiedTime
        states[path] = state
    }

    /// Removes a path and, of a folder, all below it.
    private mutating func take(_ path: [UInt8]) -> [[UInt8]: FilesystemEvent] {
        guard let state = states.removeValue(forKey: path) else { return [:] }
        var taken = [path: state]
        guard state.type == .directory else { return taken }
        for other in Array(states.keys) where other.isWithin(path) {
            taken[other] = states.removeValue(forKey: other)
        }
        return taken
    }

    private mutating func put(_ taken: [[UInt8]: FilesystemEvent], at path: [UInt8], from previous: [UInt8]) {
        for (other, state) in taken { states[path + other.dropFirst(previous.count)] = state }
    }
}
