import Backends
import CollectorCore
import CollectorSimulation
import EventModel
import SimulatedBackends
import Synchronization

import struct SystemPackage.Errno

extension SourceDefinition {
    /// The same source, whose first run throws an error some time after it began.
    func throwing(after delay: Duration) -> SourceDefinition {
        SourceDefinition(name, settings: settings) { host in
            try makeSource(on: host).map { InterruptedSource(base: $0, delay: delay) }
        }
    }

    /// The kinds of calls that the source can make with what it opens.
    func calls(in scenario: Scenario, seed: UInt64) -> [BackendOperation] {
        let families = Mutex<Set<String>>(["clock"])
        let note: @Sendable (String) -> Void = { family in families.withLock { _ = $0.insert(family) } }
        let watched = SourceDefinition(name, settings: settings) { host in
            try makeSource(on: WitnessedHost(base: host, note: note))
        }
        _ = ScenarioRunner.run(scenario, seed: seed, sources: [watched])
        let known = families.withLock { $0 }
        return BackendOperation.allCases.filter { call in
            known.contains(String(call.rawValue.prefix { $0 != "." }))
        }
    }
}

private struct PlannedInterruption: Error, CustomStringConvertible {
    var description: String { "interrupted, to see it run again" }
}

/// A source whose first run ends with an error in the middle of whatever it does.
private struct InterruptedSource: EventSource {
    let base: any EventSource
    let delay: Duration

    var descriptor: SourceDescriptor { base.descriptor }
    func checkHealth() async -> Health { await base.checkHealth() }
    func closeAccount() async -> SourceAccount? { await base.closeAccount() }
    func perform(_ task: SourceTask) async throws(TaskError) -> TaskAnswer { try await base.perform(task) }

    func run(_ context: SourceContext) async throws {
        guard context.attempt == 1 else { return try await base.run(context) }
        let deadline = context.clock.monotonic.advanced(by: delay)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await base.run(context) }
            group.addTask {
                try await context.clock.sleep(until: deadline)
                throw PlannedInterruption()
            }
            try await group.next()
            group.cancelAll()
        }
    }
}

/// A host that notes what a source opens of it.
private struct WitnessedHost: SourceHost {
    let base: any SourceHost
    let note: @Sendable (String) -> Void

    var settings: SettingsValues { base.settings }
    var clock: any SystemClock { base.clock }
    var procfs: any ProcFileSystem {
        note("procfs")
        return base.procfs
    }

    func rootedDirectory(_ path: String) throws(SourceSetupError) -> any RootedDirectory {
        note("root")
        return try base.rootedDirectory(path)
    }

    func fileWatcher() throws(SourceSetupError) -> any FileWatcher {
        note("watch")
        return try base.fileWatcher()
    }

    func connectorSocket() throws(SourceSetupError) -> any NetlinkSocket {
        note("netlink")
        return try base.connectorSocket()
    }

    func durableFile(named name: String) throws(SourceSetupError) -> any DurableFile {
        note("file")
        return try base.durableFile(named: name)
    }
}
