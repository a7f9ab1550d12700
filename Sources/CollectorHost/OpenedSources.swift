import Backends
import CollectorCore
import Configuration
import EventModel
import LinuxBackends

import struct SystemPackage.Errno

/// A source of whoever composes a daemon, made of what it has opened.
struct OpenedSource {
    let source: any EventSource
    let thread: LinuxThread

    /// Makes each source that has something to do; in their order.
    static func open(_ definitions: [SourceDefinition], _ values: SettingsValues) throws(HostError) -> [Self]
    {
        var opened: [OpenedSource] = []
        for definition in definitions {
            if let source = try open(definition, values) { opened.append(source) }
        }
        return opened
    }

    static func open(
        _ definition: SourceDefinition, _ values: SettingsValues
    ) throws(HostError) -> OpenedSource? {
        let thread = try OpenedHost.attempt("a thread") { () throws(Errno) in
            // The kernel keeps 15 bytes.
            try LinuxThread(name: String("source-\(definition.name)".prefix(15)))
        }
        let procfs = try OpenedHost.attempt("/proc") { () throws(Errno) in try LinuxProcFileSystem() }
        do {
            let host = LinuxSourceHost(
                name: definition.name, thread: thread, settings: values, procfs: procfs)
            return try definition.makeSource(on: host).map { OpenedSource(source: $0, thread: thread) }
        } catch let error as HostError {
            throw error
        } catch {
            let code = (error as? SourceSetupError)?.error
            let isDenied = code == .permissionDenied || code == .notPermitted
            throw HostError(
                isDenied ? .permission : .unavailable, "source \"\(definition.name)\": \(error)")
        }
    }
}

/// The real host, as a source sees it while it is made.
private struct LinuxSourceHost: SourceHost {
    let name: SourceName
    let thread: LinuxThread
    let settings: SettingsValues
    let procfs: any ProcFileSystem
    var clock: any SystemClock { thread.clock }

    func rootedDirectory(_ path: String) throws(SourceSetupError) -> any RootedDirectory {
        do throws(Errno) { return try LinuxRootedDirectory(path: Array(path.utf8)) } catch {
            throw SourceSetupError("the folder \(path)", error)
        }
    }

    func fileWatcher() throws(SourceSetupError) -> any FileWatcher {
        do throws(Errno) { return try LinuxFileWatcher(on: thread) } catch {
            throw SourceSetupError("inotify", error)
        }
    }

    func connectorSocket() throws(SourceSetupError) -> any NetlinkSocket {
        do throws(Errno) { return try LinuxConnectorSocket(on: thread) } catch {
            throw SourceSetupError("the proc connector", error)
        }
    }

    func durableFile(named name: String) throws(SourceSetupError) -> any DurableFile {
        let path =
            settings[HostSettings.stateDirectory] + "/" + SourceDefinition.fileName(of: self.name, name)
        do throws(Errno) { return try LinuxDurableFile(path: path) } catch {
            throw SourceSetupError("the state file \(path)", error)
        }
    }
}
