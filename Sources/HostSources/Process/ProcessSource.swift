package import Backends
package import CollectorCore
package import EventModel

/// Watches the processes of the host through the proc connector and `/proc`.
///
/// Its unit of account is one connector message; see ``SequenceLedger`` for how the kernel's own count is known.
package final class ProcessSource: EventSource {
    /// What was opened before privileges were dropped; reused when the source runs again.
    package struct Endpoints: Sendable {
        package var procfs: any ProcFileSystem
        /// Bound to the proc connector's group, with its receive buffer set: growing it takes a privilege, later.
        package var connector: any NetlinkSocket
        package var fence: any ProcessorFence
        /// Keeps the last sequences across runs; `nil` when nothing shall be kept.
        package var cursor: (any DurableFile)?

        package init(
            procfs: any ProcFileSystem, connector: any NetlinkSocket, fence: any ProcessorFence,
            cursor: (any DurableFile)?
        ) {
            self.procfs = procfs
            self.connector = connector
            self.fence = fence
            self.cursor = cursor
        }
    }

    package let descriptor = SourceDescriptor(
        name: .process, capabilities: [.process, .realtime, .kernelLevel, .systemWide],
        overflowPolicy: .block, restartPolicy: .always, restartGap: .bySource, tasks: ProcessLoop.tasks)
    private let endpoints: Endpoints
    private let settingsDesk: SettingsDesk<ProcessSourceSettings>
    private let desk: AccountDesk
    private let taskDesk = TaskDesk()
    private let keeper = LoopKeeper<ProcessLoop>()

    /// - Parameter clock: Times the answer to ``closeAccount()``.
    package init(endpoints: Endpoints, settings: ProcessSourceSettings, clock: any SystemClock) {
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
            ?? ProcessLoop(
                endpoints: endpoints, settingsDesk: settingsDesk, context: context, desk: desk,
                taskDesk: taskDesk)
        defer { keeper.bringBack(loop) }
        try await loop.run(context)
    }

    /// Has the source work by other settings from its next round on, which begins at once; what is sized or opened by a
    /// setting stays. Callable from any thread.
    package func adjust(to settings: ProcessSourceSettings) {
        settingsDesk.put(settings)
        endpoints.connector.interrupt()
    }

    package func checkHealth() async -> Health { desk.health }

    /// What the source held when it last made up its account.
    package var memory: ProcessSourceMemory { desk.memory }

    package func closeAccount() async -> SourceAccount? {
        await desk.request { self.endpoints.connector.interrupt() }
    }

    package func perform(_ task: SourceTask) async throws(TaskError) -> TaskAnswer {
        try await taskDesk.perform(task) { self.endpoints.connector.interrupt() }
    }
}
