import Backends
import CollectorCore
import EventModel
import HostSources
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// What a run of the filesystem source left behind.
struct FileOutcome: Sendable {
    var begun = Instant(nanoseconds: 0)
    var events: [Event] = []
    var gaps: [Gap] = []
    var account: SourceAccount?
    /// Closed shortly before the end, while the source ran.
    var runningAccount: SourceAccount?
    var health = Health.healthy
    var error: String?
    /// What was below the root at the end.
    var tree: [FileTruthEntry] = []
    /// What the source has kept.
    var index: FileIndex?

    /// One line for each event: what happened, to which path, and for whom the kernel did not say it, why it is told.
    var lines: [String] { events.map(\.fileLine) }

    /// Paths that somebody knows who has applied every event, and the inodes of files whose inode was told.
    ///
    /// - Parameter beginning: What was known before.
    func paths(from beginning: Set<String> = []) -> Set<String> {
        var known = beginning
        for event in events {
            guard let file = event.file else { continue }
            switch file.operation {
            case .deleted: known.remove(file.path)
            case .renamed:
                let previous = file.previousPath ?? ""
                let moved = known.filter { $0 == previous || $0.hasPrefix(previous + "/") }
                known.subtract(moved)
                known.formUnion(moved.map { file.path + $0.dropFirst(previous.count) })
                known.insert(file.path)
            default: known.insert(file.path)
            }
        }
        return known
    }

    /// What the index says of each file, but for the root: path, inode, mode, owner and size.
    var indexLines: [String] {
        guard let index, let root = index.roots.first?.id else { return [] }
        var lines: [String] = []
        var next = index.next(after: root, within: root)
        while let id = next {
            let node = index[id]
            let size = node.isFolder ? 0 : node.size
            lines.append(
                "\(String(decoding: index.path(of: id), as: UTF8.self)) \(node.inode) \(node.mode & 0o7777) "
                    + "\(node.uid) \(size)")
            next = index.next(after: id, within: root)
        }
        return lines.sorted()
    }

    /// The same by the simulated kernel.
    var trueLines: [String] {
        tree.filter { $0.path != path("/d") }.map { entry in
            let size = entry.type == .directory ? 0 : entry.size
            return "\(String(decoding: entry.path, as: UTF8.self)) \(entry.inode) \(entry.permissions) "
                + "\(entry.uid) \(size)"
        }.sorted()
    }

    var truePaths: Set<String> {
        Set(tree.map { String(decoding: $0.path, as: UTF8.self) }.filter { $0 != "/d" })
    }
}

extension Event {
    var file: FilesystemEvent? {
        if case .filesystem(let file) = subject { file } else { nil }
    }

    var fileLine: String {
        guard let file else { return kind.rawValue }
        var words = [file.operation.rawValue]
        if let previous = file.previousPath { words += [previous, "->"] }
        words.append(file.path)
        words += file.changes.map { "+" + $0.rawValue }
        if origin != .emitted { words.append("(\(origin.rawValue))") }
        return words.joined(separator: " ")
    }
}

func path(_ text: String) -> [UInt8] { Array(text.utf8) }

func newFile(_ text: String, size: UInt64 = 0) -> FileAction {
    var attributes = FileAttributes()
    attributes.bytes = .generated(size)
    return .create(path: path(text), attributes, over: .zero)
}

func newFolder(_ text: String) -> FileAction { .makeFolders(path: path(text), permissions: 0o755) }

/// Actions at a time, counted from the start of the world.
struct Step: Sendable {
    var time: Duration
    var actions: [FileAction]

    init(_ time: Duration, _ actions: FileAction...) {
        self.time = time
        self.actions = actions
    }

    init(_ time: Duration, all actions: [FileAction]) {
        self.time = time
        self.actions = actions
    }
}

/// Runs the source on a simulated host whose `/d` is the root.
func watchFiles(
    _ configuration: WorldConfiguration = WorldConfiguration(), faults: [FaultRule] = [],
    disk: SimulatedDisk = SimulatedDisk(), for duration: Duration = .seconds(5), given: [FileAction] = [],
    _ steps: [Step] = [], packageDatabase: String? = nil,
    change: @escaping @Sendable (inout FilesystemSourceSettings) -> Void = { $0.hashes = false }
) throws -> FileOutcome {
    let outcome = Shared(FileOutcome())
    let host = SimulatedHost(configuration, faults: FaultPlan(faults), disk: disk)
    try host.kernel.addFiles([newFolder("/d")] + given)
    let begun = host.kernel.now
    outcome.change { $0.begun = begun }
    for step in steps {
        host.kernel.schedule(at: host.kernel.now.advanced(by: step.time)) { kernel in
            for action in step.actions {
                // What a scenario does in vain is part of it.
                try? kernel.perform(action)
            }
        }
    }
    let report = Simulation.run(host.pump) {
        var settings = FilesystemSourceSettings()
        change(&settings)
        let source = FilesystemSource(
            endpoints: FilesystemSource.Endpoints(
                watcher: try host.fileWatcher(), roots: [try host.rootedDirectory(path: path("/d"))],
                packageDatabase: try packageDatabase.map { try host.rootedDirectory(path: path($0)) },
                index: host.durableFile(named: "filesystem.index")),
            settings: settings, clock: host.clock)
        let run = RunContext(bootID: configuration.bootID, runID: RunID(1))
        let collector = try Collector(
            configuration: CollectorConfiguration(), run: run, thread: host.pump)
        try collector.register(source, on: host.pump)
        let subscription = try collector.subscribe(
            SubscriptionOptions(
                name: "all", filter: .everything, queueLimit: 100_000, overflowPolicy: .block))
        let taker = spawn(on: host.pump) {
            while let item = await subscription.next() { outcome.change { $0.take(item) } }
        }
        let stopper = spawn(on: host.pump) {
            try? await host.clock.sleep(until: host.clock.monotonic.advanced(by: duration))
            let accounts = await collector.closeAccounts()
            let health = await collector.health()
            outcome.change {
                $0.runningAccount = accounts.sources.first
                $0.health = health
            }
            collector.requestStop()
        }
        let report = try await collector.run()
        stopper.cancel()
        await taker.value
        let tree = host.kernel.fileTree(below: path("/d"))
        let kept = try host.durableFile(named: "filesystem.index").read()
        outcome.change {
            $0.account = report.accounts.sources.first
            $0.error = report.failures.first?.reason
            $0.tree = tree
            $0.index = kept.flatMap { IndexFile.index(from: $0) }
        }
    }
    #expect(report.ending == .completed)
    return outcome.value
}

extension FileOutcome {
    mutating func take(_ item: Delivery) {
        switch item {
        case .events(let selected): events += selected.map { $0 }
        case .gap(let gap): gaps.append(gap)
        case .status, .record: break
        }
    }
}
