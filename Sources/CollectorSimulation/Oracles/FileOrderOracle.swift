import CollectorCore
import EventModel
import SimulatedBackends

/// Per path a file is made before it changes and goes; no event is about what is not watched or never was; and every
/// digest is that of bytes that the file had.
enum FileOrderOracle {
    static func check(_ run: CollectorRun, _ evidence: Evidence) -> [Failure] {
        guard let files = evidence.files else { return [] }
        let watched = WatchedFiles(evidence.scenario.settings.filesystem)
        var digests = FileDigests(files.truth)
        var failures: [Failure] = []
        func fail(_ event: Event, _ path: [UInt8], _ message: String) {
            failures.append(
                Failure(
                    .fileOrder, .safety, at: evidence.index.scenarioTime(event.monotonic),
                    "\(event.kind.rawValue) of \(FileIndexOracle.text(path)): \(message)"))
        }
        let names = FileNames(files.truth)
        var fold = FileFold()
        // A reader of a later run does not know what the former has told.
        let isFirst = evidence.recording.runs.first.map { $0.started == run.started } ?? false
        let isOrdered =
            isFirst && run.isStreamComplete && evidence.scenario.settings.filesystem.reportsBaseline
        for (event, _) in run.events {
            guard let (file, path) = event.file else { continue }
            if watched.isExcluded(path) { fail(event, path, "it is not watched") }
            if !names.contain(path) { fail(event, path, "nothing ever had this name") }
            if let hash = file.fileHash, !digests.contain(hash, inode: file.inode, size: file.size) {
                fail(event, path, "it never contained what was hashed")
            }
            let before = fold.apply(event)
            guard isOrdered, !watched.roots.contains(path) else { continue }
            switch event.kind {
            case .fileCreated, .fileBaseline:
                if before != nil { fail(event, path, "the stream says that it was there before") }
            // What was deleted before anybody could look at it may be told by its end alone.
            case .fileModified, .fileAttributes:
                if before == nil { fail(event, path, "the stream has not said that it was there") }
            default: continue
            }
        }
        return failures
    }
}

/// Every path that ever named something.
private struct FileNames {
    private var names: Set<[UInt8]> = []
    /// Whether a path can be put together of an old name of its folder and a new one of its own.
    private var haveFoldersMoved = false

    init(_ truth: FileTruth) {
        for change in truth.changes {
            names.insert(change.path)
            if let previous = change.previousPath { names.insert(previous) }
            if change.type == .directory, change.kind == .renamed { haveFoldersMoved = true }
        }
    }

    func contain(_ path: [UInt8]) -> Bool { haveFoldersMoved || names.contains(path) || path == [0x2f] }
}

/// The digests of everything that files contained, made as they are asked for.
private struct FileDigests {
    private let truth: FileTruth
    private var filesByInode: [UInt64: [TruthFileID]] = [:]
    private var made: [FileContent: String] = [:]

    init(_ truth: FileTruth) {
        self.truth = truth
        for change in truth.changes where change.type == .regular {
            if filesByInode[change.inode]?.contains(change.file) != true {
                filesByInode[change.inode, default: []].append(change.file)
            }
        }
    }

    /// Whether a file with this number ever contained bytes of this size and digest.
    mutating func contain(_ digest: String, inode: UInt64?, size: UInt64?) -> Bool {
        guard let inode, let size else { return false }
        for file in filesByInode[inode] ?? [] {
            for content in truth.contents(of: file) where content.size == size {
                if self.digest(of: content) == digest { return true }
            }
        }
        return false
    }

    private mutating func digest(of content: FileContent) -> String {
        if let known = made[content] { return known }
        var bytes: [UInt8] = []
        content.read(at: 0, count: Int(clamping: content.size), into: &bytes)
        let digits = Array("0123456789abcdef".utf8)
        let text = ReferenceCPID.sha256(bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        let digest = String(decoding: text, as: UTF8.self)
        made[content] = digest
        return digest
    }
}

/// Nothing is opened to be read but regular files, and none that was never below a root.
enum ContainmentOracle {
    static func check(_ evidence: Evidence) -> [Failure] {
        guard let files = evidence.files, !files.truth.openings.isEmpty else { return [] }
        let watched = WatchedFiles(evidence.scenario.settings.filesystem)
        var inside: Set<TruthFileID> = []
        for change in files.truth.changes {
            let paths = [change.path] + (change.previousPath.map { [$0] } ?? [])
            if paths.contains(where: { watched.root(of: $0) != nil }) { inside.insert(change.file) }
        }
        return files.truth.openings.compactMap { opening in
            let path = opening.path.map { FileIndexOracle.text($0) } ?? "a file without a name"
            let problem: String
            if opening.type != .regular {
                problem = "\(path) was opened to be read, and is \(opening.type.rawValue)"
            } else if !inside.contains(opening.file) {
                problem = "\(path) was opened to be read, and was never below a root"
            } else {
                return nil
            }
            return Failure(
                .containment, .safety, at: evidence.index.scenarioTime(opening.time), problem)
        }
    }
}

/// The account of records, and the gaps of the queue of watches.
enum FileAccountOracle {
    static func check(_ account: SourceAccount, _ run: CollectorRun, at time: Int64, isFinal: Bool)
        -> [Failure]
    {
        var failures: [Failure] = []
        func fail(_ message: String) {
            failures.append(Failure(.accounts, .safety, at: time, "file account: " + message))
        }
        if let lost = account.lost { fail("lost is \(lost), and the kernel does not number records") }
        guard isFinal, let watch = run.watch else { return failures }
        if account.kernel != watch.readCount {
            fail("kernel is \(account.kernel), in truth \(watch.readCount) records were read")
        }
        if account.overflows != watch.readOverflowCount {
            fail("overflows is \(account.overflows), in truth \(watch.readOverflowCount) were read")
        }
        let gapCount = run.gaps.count { $0.cause == .watchQueueOverflow }
        if gapCount > watch.readOverflowCount || (gapCount == 0) != (watch.readOverflowCount == 0) {
            fail("\(watch.readOverflowCount) overflows were read, and \(gapCount) gap records tell of them")
        }
        return failures
    }
}
