import EventModel
import Glibc

/// Many watched folders, many changes beside `inotifywait -m -r`, and a queue that overflows.
struct FilesBenchmark {
    private static let folderCount = 100_000
    private static let expectedSeconds = 120
    /// What `fs.inotify.max_queued_events` allows by default is 16 384: more must overflow while nobody reads.
    private static let burstCount = 20_000

    private let setup: Setup
    private let tree: FileTree

    init(_ setup: Setup) {
        self.setup = setup
        tree = FileTree(root: "\(setup.scratchFolder)/tree")
    }

    func measure() throws -> [Row] {
        defer { tree.remove() }
        return try memoryRows() + changeRows() + overflowRows()
    }

    /// A daemon that knows nothing of an earlier one.
    private func daemon(format: String) throws -> WatchingDaemon {
        unsafe unlink("\(setup.scratchFolder)/state/filesystem.index")
        return try WatchingDaemon(
            setup, format: format, seconds: Self.expectedSeconds,
            settings: ["sources.process.enabled=false", "sources.filesystem.roots=\(tree.root)"])
    }

    // MARK: - Memory

    private func memoryRows() throws -> [Row] {
        try tree.make(folders: Self.folderCount)
        defer { tree.remove() }
        let watches =
            try Int(
                String(decoding: FileBytes.read("/proc/sys/fs/inotify/max_user_watches"), as: UTF8.self)
                    .filter(\.isNumber)) ?? 0
        guard watches > Self.folderCount + 1_000 else {
            return [Row(.files, skipped: "fs.inotify.max_user_watches is \(watches), 101 000 are needed")]
        }
        let begin = monotonicNanoseconds()
        let daemon = try daemon(format: "none")
        let started = Double(monotonicNanoseconds() - begin) / 1_000_000
        let (cpu, resident) = try daemon.process.usage()
        try daemon.stop()
        let memory = Quantity(Double(resident) / 1_048_576, .mebibytes)
        return [
            Row(
                .files, "resident memory with 100 000 folders and as many files watched", memory,
                bar: Row.Bar(judged: memory, floor: .atMost(100), target: .atMost(50), kind: .exact),
                remark: "watched after \(Quantity(started, .milliseconds).text), CPU "
                    + Quantity(Double(cpu) / 1_000_000, .milliseconds).text)
        ]
    }

    // MARK: - Changes

    /// Creates, changes, renames and removes files while both watch.
    private func changeRows() throws -> [Row] {
        let count = setup.repetitions(short: 10_000, full: 50_000)
        try tree.make(folders: 100)
        defer { tree.remove() }
        let daemon = try daemon(format: "json")
        let peerFile = "\(setup.scratchFolder)/peer"
        let peer = try InotifyPeer(tree.root, output: peerFile)
        let ours = try Interval(daemon.process)
        let theirs = try peer.map { try Interval($0.process) }
        try tree.churn(files: count, folders: 100)
        pause(milliseconds: 2_000)
        let cost = try ours.cost()
        let peerCost = try theirs?.cost()
        peer?.stop()
        try daemon.stop()
        let seen = try FileRecord(daemon.eventFile)
        let balance = Quantity(seen.isBalanced ? 0 : 1, .count)
        var rows = [
            Row(
                .files,
                "CPU time of \(Quantity(Double(count), .count).text) files made, written, renamed, removed",
                Quantity(cost.cpuMilliseconds, .milliseconds), peer: InotifyPeer.missing,
                remark: "\(seen.changes.count) changes told, \(seen.gapCount) gaps"),
            Row(
                .files, "unbalanced accounts", balance,
                bar: Row.Bar(judged: balance, floor: .atMost(0), target: .atMost(0), kind: .exact)),
        ]
        guard let peerCost else { return rows }
        rows[0].peer = ("inotifywait", Quantity(peerCost.cpuMilliseconds, .milliseconds))
        rows[0].ratio = Double(cost.cpuNanoseconds) / Double(max(peerCost.cpuNanoseconds, 1))
        let missing = try InotifyPeer.changes(in: peerFile).subtracting(seen.changes)
        let unseen = Quantity(Double(missing.count), .count)
        rows.append(
            Row(
                .files, "changes that only inotifywait saw", unseen,
                bar: Row.Bar(judged: unseen, floor: .atMost(0), target: .atMost(0), kind: .exact),
                remark: missing.min().map { "such as \(TerminalText.escape($0))" }))
        return rows
    }

    // MARK: - Overflow

    private func overflowRows() throws -> [Row] {
        try tree.make(folders: 1)
        defer { tree.remove() }
        let daemon = try daemon(format: "json")
        daemon.process.send(SIGSTOP)
        try tree.fill(files: Self.burstCount)
        let present = Set(tree.paths())
        daemon.process.send(SIGCONT)
        pause(milliseconds: 2_000)
        // What is in the file now was written within the two seconds.
        let seen = try FileRecord(daemon.eventFile)
        try daemon.stop()
        let end = try FileRecord(daemon.eventFile)
        let missing = Quantity(Double(present.subtracting(seen.created).count), .count)
        let gaps = Quantity(Double(end.gapCount), .count)
        let balance = Quantity(end.isBalanced ? 0 : 1, .count)
        return [
            Row(
                .files, "of 20 000 files made while nobody read, not told 2 s later", missing,
                bar: Row.Bar(judged: missing, floor: .atMost(0), target: .atMost(0), kind: .exact)),
            Row(
                .files, "gaps beyond the one", Quantity(abs(gaps.value - 1), .count),
                bar: Row.Bar(
                    judged: Quantity(abs(gaps.value - 1), .count), floor: .atMost(0), target: .atMost(0),
                    kind: .exact)),
            Row(
                .files, "unbalanced accounts after the overflow", balance,
                bar: Row.Bar(judged: balance, floor: .atMost(0), target: .atMost(0), kind: .exact)),
        ]
    }
}

/// The peer: `inotifywait -m -r`.
private struct InotifyPeer {
    let process: Child

    static let missing = (name: "no inotifywait; apt-get install inotify-tools", quantity: Quantity?.none)

    /// - Returns: `nil` when it is not installed.
    init?(_ root: String, output: String) throws {
        guard let path = Setup.program("inotifywait") else { return nil }
        process = try Child(
            path,
            [
                "-m", "-r", "-q", "--format", "%e %w%f", "-e", "create", "-e", "close_write", "-e", "move",
                "-e",
                "delete", root,
            ], output: .file(output))
        pause(milliseconds: 2_000)
    }

    func stop() {
        process.send(SIGTERM)
        _ = process.wait()
    }

    /// What it printed, as `created PATH`, `modified PATH`, `deleted PATH`.
    static func changes(in file: String) throws -> Set<String> {
        var changes: Set<String> = []
        try FileBytes.forEachLine(of: file) { line in
            let words = line.split(separator: 0x20, maxSplits: 1)
            guard words.count == 2 else { return }
            let path = String(decoding: words[1], as: UTF8.self)
            for mask in String(decoding: words[0], as: UTF8.self).split(separator: ",") {
                switch mask {
                case "CREATE", "MOVED_TO": changes.insert("created \(path)")
                case "CLOSE_WRITE": changes.insert("modified \(path)")
                case "DELETE", "MOVED_FROM": changes.insert("deleted \(path)")
                default: continue
                }
            }
        }
        return changes
    }
}

/// What the daemon wrote about files.
private struct FileRecord {
    /// In the words of ``InotifyPeer/changes(in:)``: a rename is the end of one path and the beginning of another.
    private(set) var changes: Set<String> = []
    private(set) var created: Set<String> = []
    private(set) var gapCount = 0
    private(set) var isBalanced = true

    init(_ file: String) throws {
        try FileBytes.forEachLine(of: file) { bytes in
            let line = EventLine(bytes)
            if line.contains(#"{"record":"gap""#) {
                gapCount += 1
            } else if line.contains(#"{"record":"account""#) {
                if !line.contains(#""balanced":true"#) { isBalanced = false }
            } else if line.contains(#""kind":"file."#), let path = line.text(behind: #""file":{"path":""#) {
                enter(line, path)
            }
        }
    }

    private mutating func enter(_ line: EventLine, _ path: String) {
        if line.contains(#""kind":"file.created""#) {
            created.insert(path)
            changes.insert("created \(path)")
        } else if line.contains(#""kind":"file.modified""#) {
            changes.insert("modified \(path)")
        } else if line.contains(#""kind":"file.deleted""#) {
            changes.insert("deleted \(path)")
        } else if line.contains(#""kind":"file.renamed""#) {
            created.insert(path)
            changes.insert("created \(path)")
            if let previous = line.text(behind: #""previous_path":""#) {
                changes.insert("deleted \(previous)")
            }
        }
    }
}
