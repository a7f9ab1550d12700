package import Backends
package import CollectorCore
package import EventModel

/// Watches folders and all that lies below them through inotify.
///
/// Its unit of account is one record that was read. The kernel does not number records: what a full queue drops is stated
/// by a gap without a number, and made good by a rescan of everything.
package final class FilesystemSource: EventSource {
    /// What was opened before privileges were dropped; reused when the source runs again.
    package struct Endpoints: Sendable {
        package var watcher: any FileWatcher
        /// None of them below another, unless that is another file system.
        package var roots: [any RootedDirectory]
        /// Those of ``roots`` that are watched for their own sake.
        package var watchedRoots: [any RootedDirectory]
        /// dpkg's `/var/lib/dpkg`, watched to tell what packages change; `nil` when that is not wanted.
        package var packageDatabase: (any RootedDirectory)?
        /// Keeps the index across runs; `nil` when nothing shall be kept.
        package var index: (any DurableFile)?

        package init(
            watcher: any FileWatcher, roots: [any RootedDirectory],
            packageDatabase: (any RootedDirectory)? = nil, index: (any DurableFile)?
        ) {
            self.watcher = watcher
            self.roots = roots
            watchedRoots = roots
            self.packageDatabase = packageDatabase
            if let packageDatabase, !roots.contains(where: { packageDatabase.path.isBelow($0.path) }) {
                self.roots.append(packageDatabase)
            }
            self.index = index
        }
    }

    package let descriptor = SourceDescriptor(
        name: .filesystem, capabilities: [.filesystem, .realtime, .kernelLevel], overflowPolicy: .block,
        restartPolicy: .always, restartGap: .bySource, tasks: FilesystemLoop.tasks)
    private let endpoints: Endpoints
    private let settingsDesk: SettingsDesk<FilesystemSourceSettings>
    private let desk: AccountDesk
    private let taskDesk = TaskDesk()
    private let keeper = LoopKeeper<FilesystemLoop>()

    /// - Parameter clock: Times the answer to ``closeAccount()``.
    package init(endpoints: Endpoints, settings: FilesystemSourceSettings, clock: any SystemClock) {
        self.endpoints = endpoints
        settingsDesk = SettingsDesk(settings)
        desk = AccountDesk(clock: clock)
    }

    package func run(_ context: SourceContext) async throws {
        desk.open()
        defer { desk.close() }
        taskDesk.open()
        defer { taskDesk.close() }
        let loop =
            keeper.take()
            ?? FilesystemLoop(
                endpoints: endpoints, settingsDesk: settingsDesk, context: context, desk: desk,
                taskDesk: taskDesk)
        defer { keeper.bringBack(loop) }
        try await loop.run(context)
    }

    /// Has the source work by other settings from its next round on, which begins at once; what is sized or opened by a
    /// setting stays. Callable from any thread.
    package func adjust(to settings: FilesystemSourceSettings) {
        settingsDesk.put(settings)
        endpoints.watcher.interrupt()
    }

    package func checkHealth() async -> Health { desk.health }

    package func closeAccount() async -> SourceAccount? {
        await desk.request { self.endpoints.watcher.interrupt() }
    }

    package func perform(_ task: SourceTask) async throws(TaskError) -> TaskAnswer {
        try await taskDesk.perform(task) { self.endpoints.watcher.interrupt() }
    }
}

extension [UInt8] {
    /// Whether the path is that of `folder`, or below it; the root of all is empty.
    func isBelow(_ folder: [UInt8]) -> Bool {
        starts(with: folder) && (count == folder.count || self[folder.count] == 0x2f)
    }
}

extension [any RootedDirectory] {
    /// The innermost root that a path lies below, and the path from there; `nil` for one that is not below any.
    func place(of path: [UInt8]) -> (root: any RootedDirectory, path: [UInt8])? {
        let roots = filter { path.count > $0.path.count && path.isBelow($0.path) }
        guard let root = roots.max(by: { $0.path.count < $1.path.count }) else { return nil }
        return (root, [UInt8](path.dropFirst(root.path.count + 1)))
    }
}
