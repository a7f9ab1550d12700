import Backends
import CollectorCore
import Configuration
import EventModel
import SimulatedBackends
import Synchronization

import struct SystemPackage.Errno

/// A simulated host, as a source sees it while it is made; it closes at the end of the process what was opened.
final class SimulatedSourceHost: SourceHost, Sendable {
    private struct Opened {
        var roots: [SimulatedRootedDirectory] = []
        var watchers: [SimulatedFileWatcher] = []
    }

    let settings: SettingsValues
    let clock: any SystemClock
    var procfs: any ProcFileSystem { host.procFileSystem }
    private let name: SourceName
    private let host: SimulatedHost
    private let opened = Mutex(Opened())

    init(_ name: SourceName, on host: SimulatedHost, clock: any SystemClock, settings: SettingsValues) {
        self.name = name
        self.host = host
        self.clock = clock
        self.settings = settings
    }

    func rootedDirectory(_ path: String) throws(SourceSetupError) -> any RootedDirectory {
        let root: SimulatedRootedDirectory
        do throws(Errno) { root = try host.rootedDirectory(path: Array(path.utf8)) } catch {
            throw SourceSetupError("the folder \(path)", error)
        }
        opened.withLock { $0.roots.append(root) }
        return root
    }

    func fileWatcher() throws(SourceSetupError) -> any FileWatcher {
        let watcher: SimulatedFileWatcher
        do throws(Errno) { watcher = try host.fileWatcher() } catch {
            throw SourceSetupError("inotify", error)
        }
        opened.withLock { $0.watchers.append(watcher) }
        return watcher
    }

    func connectorSocket() throws(SourceSetupError) -> any NetlinkSocket {
        do throws(Errno) { return try host.openConnectorSocket() } catch {
            throw SourceSetupError("the proc connector", error)
        }
    }

    func durableFile(named name: String) -> any DurableFile {
        host.durableFile(named: SourceDefinition.fileName(of: self.name, name))
    }

    func close() {
        let opened = opened.withLock { $0 }
        for watcher in opened.watchers { watcher.close() }
        for root in opened.roots { root.close() }
    }
}

/// Sources that are not the collector's own, and the values of their settings.
struct SourcesUnderTest: Sendable {
    var definitions: [SourceDefinition] = []
    /// `nil` when there are none.
    var values: SettingsValues?

    init() {}

    /// - Throws: ``SettingsError``: a source that is not there, or a value out of its range.
    init(_ definitions: [SourceDefinition], of scenario: Scenario) throws(SettingsError) {
        self.definitions = definitions
        values = try scenario.values(of: definitions)
    }
}

extension Scenario {
    /// The values of the settings that `config` gives to sources beside the collector's own.
    ///
    /// - Throws: ``SettingsError``: a source that is not there, or a value out of its range.
    fileprivate func values(of sources: [SourceDefinition]) throws(SettingsError) -> SettingsValues {
        var assignments: [SettingsAssignment] = []
        for text in settings.sourceSettings {
            assignments.append(try SettingsAssignment(text, option: "config"))
        }
        return try SettingsTable(sources.map(\.settings), constraints: []).values(applying: assignments)
    }
}
