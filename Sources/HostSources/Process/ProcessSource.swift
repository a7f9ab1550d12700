package import Backends
package import CollectorCore
package import EventModel
import KernelFormats

/// Watches the processes of the host through the proc connector and `/proc`, or through `/proc` alone.
///
/// Its unit of account is one connector message; see ``SequenceLedger`` for how the kernel's own count is known. Without
/// the connector there are no messages, and its bounds on what was lost are in forks; see ``UnseenForks``.
package final class ProcessSource: EventSource {
    /// What was opened before privileges were dropped; reused when the source runs again.
    package struct Endpoints: Sendable {
        package var procfs: any ProcFileSystem
        /// Bound to the proc connector's group, with its receive buffer set: growing it takes a privilege, later.
        /// `nil` where there is none, or none is wanted: then processes are polled for.
        package var connector: (any NetlinkSocket)?
        /// Why there is none, for a person; `nil` where none was wanted.
        package var pollingReason: String?
        package var fence: any ProcessorFence
        /// Keeps the last sequences across runs; `nil` when nothing shall be kept.
        package var cursor: (any DurableFile)?

        package init(
            procfs: any ProcFileSystem, connector: (any NetlinkSocket)?, pollingReason: String? = nil,
            fence: any ProcessorFence, cursor: (any DurableFile)?
        ) {
            self.procfs = procfs
            self.connector = connector
            self.pollingReason = pollingReason
            self.fence = fence
            self.cursor = cursor
        }
    }

    package let descriptor: SourceDescriptor
    /// Where messages come from, and what wakes the loop; silent where there is no connector.
    private let socket: any NetlinkSocket
    private let endpoints: Endpoints
    private let settingsDesk: SettingsDesk<ProcessSourceSettings>
    private let desk: AccountDesk
    private let taskDesk = TaskDesk()
    private let keeper = LoopKeeper<ProcessLoop>()

    /// - Parameter clock: Times the answer to ``closeAccount()``.
    package init(endpoints: Endpoints, settings: ProcessSourceSettings, clock: any SystemClock) {
        self.endpoints = endpoints
        socket = endpoints.connector ?? SilentSocket(clock: clock)
        descriptor = SourceDescriptor(
            name: .process, capabilities: endpoints.capabilities, overflowPolicy: .block,
            restartPolicy: .always, restartGap: .bySource, tasks: ProcessLoop.tasks)
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
            ?? ProcessLoop(
                endpoints: endpoints, socket: socket, settingsDesk: settingsDesk, context: context,
                desk: desk,
                taskDesk: taskDesk)
        defer { keeper.bringBack(loop) }
        try await loop.run(context)
    }

    /// Has the source work by other settings from its next round on, which begins at once; what is sized or opened by a
    /// setting stays. Callable from any thread.
    package func adjust(to settings: ProcessSourceSettings) {
        settingsDesk.put(settings)
        socket.interrupt()
    }

    package func checkHealth() async -> Health { desk.health }

    /// What the source held when it last made up its account.
    package var memory: ProcessSourceMemory { desk.memory }

    package func closeAccount() async -> SourceAccount? {
        await desk.request { self.socket.interrupt() }
    }

    package func perform(_ task: SourceTask) async throws(TaskError) -> TaskAnswer {
        try await taskDesk.perform(task) { self.socket.interrupt() }
    }
}

extension ProcessSource.Endpoints {
    /// What can be seen with them: without the connector nothing is told by the kernel, or at once.
    fileprivate var capabilities: SourceCapabilities {
        if connector != nil { return [.process, .realtime, .kernelLevel, .systemWide] }
        return isInInitialPIDNamespace ? [.process, .systemWide] : .process
    }

    /// Whether `/proc` shows the processes of the whole host; the connector answers nobody for whom it does not.
    private var isInInitialPIDNamespace: Bool {
        do {
            var bytes: [UInt8] = []
            try procfs.readLink(.pidNamespace, in: try procfs.openProcess(fence.ownProcessID), into: &bytes)
            return try NamespaceLink(parsing: bytes.span).inode == ProcessTracker.initialPIDNamespace
        } catch {
            // What cannot be shown is not claimed.
            return false
        }
    }
}
