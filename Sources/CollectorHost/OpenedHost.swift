import Backends
import CollectorCore
import Configuration
import EventModel
import HostSources
import KernelFormats
import LinuxBackends

import struct SystemPackage.Errno

/// Everything that the configuration needs from the outside, opened before privileges are given up.
struct OpenedHost {
    let main: LinuxThread
    let processThread: LinuxThread
    let sinkThread: LinuxThread
    /// Used only when the others may be stuck.
    let emergencyThread: LinuxThread
    let signals: LinuxSignals
    /// `nil` when no service manager wants to be told.
    let manager: LinuxServiceManager?
    let endpoints: ProcessSource.Endpoints
    /// `nil` when no folder is watched.
    let files: OpenedFiles?
    /// `nil` when there is no control socket.
    let control: OpenedControl?
    /// `nil` when there is no socket for DaemonEye clients.
    let daemonEye: OpenedControl?
    /// Those that are not the collector's own.
    let sources: [OpenedSource]
    let run: RunContext
    /// What the kernel granted of the receive buffer, in bytes; it counts each message as more than its size. 0 without
    /// the connector.
    let receiveBufferByteCount: Int

    /// Opens in the order in which things can fail for want of rights; starts no thread.
    static func open(
        _ values: SettingsValues, sources: [SourceDefinition]
    ) throws(HostError) -> OpenedHost {
        // The process's own name for ps(1) and pgrep(1): that of its first thread.
        let name = String(
            decoding: DaemonCommand.program.name.utf8.prefix(Limits.commByteCount), as: UTF8.self)
        let main = try attempt("a thread") { () throws(Errno) in try LinuxThread(name: name) }
        let processThread = try attempt("a thread") { () throws(Errno) in
            try LinuxThread(name: "source-process")
        }
        let sinkThread = try attempt("a thread") { () throws(Errno) in try LinuxThread(name: "sink-stdout") }
        let emergencyThread = try attempt("a thread") { () throws(Errno) in try LinuxThread(name: "emergency")
        }
        // First of all, so that every thread that is started later has the signals blocked.
        let signals = try attempt("a signal descriptor") { () throws(Errno) in try LinuxSignals(on: main) }
        let manager = try attempt("the socket of NOTIFY_SOCKET") { () throws(Errno) in
            try LinuxServiceManager.fromEnvironment()
        }
        let procfs = try attempt("/proc") { () throws(Errno) in try LinuxProcFileSystem() }
        let connector = try OpenedConnector.open(values, on: processThread)
        let files = try OpenedFiles.open(values)
        let control = try OpenedControl.open(HostSettings.controlSocket, on: "control", values)
        let daemonEye = try OpenedControl.open(HostSettings.daemonEyeSocket, on: "daemoneye", values)
        let sources = try OpenedSource.open(sources, values)
        let folder = values[HostSettings.stateDirectory]
        let counter = try stateFile("run", in: folder)
        let cursor = try stateFile("process.cursor", in: folder)
        let run = RunContext(bootID: try bootID(procfs), runID: try nextRun(counter, in: folder))
        return OpenedHost(
            main: main, processThread: processThread, sinkThread: sinkThread,
            emergencyThread: emergencyThread, signals: signals, manager: manager,
            endpoints: ProcessSource.Endpoints(
                procfs: procfs, connector: connector.socket, pollingReason: connector.pollingReason,
                fence: LinuxProcessorFence(), cursor: cursor),
            files: files, control: control, daemonEye: daemonEye, sources: sources, run: run,
            receiveBufferByteCount: connector.receiveBufferByteCount)
    }

    static func stateFile(
        _ name: String, in folder: String, byteCountLimit: Int = LinuxDurableFile.byteCountLimit
    ) throws(HostError) -> LinuxDurableFile {
        let path = folder + "/" + name
        do {
            return try LinuxDurableFile(path: path, byteCountLimit: byteCountLimit)
        } catch {
            throw HostError(
                error == .permissionDenied || error == .notPermitted ? .permission : .unavailable,
                "cannot keep state in \(path): \(error); run as the owner of \(folder), or name another folder with "
                    + "--set \(HostSettings.stateDirectory.key)=PATH", cause: error)
        }
    }

    private static func nextRun(_ file: LinuxDurableFile, in folder: String) throws(HostError) -> RunID {
        do {
            return try RunCounter.next(from: file)
        } catch {
            throw HostError(.unavailable, "\(folder)/run: \(error)")
        }
    }

    private static func bootID(_ procfs: LinuxProcFileSystem) throws(HostError) -> BootID {
        var bytes: [UInt8] = []
        do {
            let file = try procfs.open(.bootID)
            _ = try procfs.readAll(file, limit: 64, into: &bytes)
        } catch {
            throw HostError(.unavailable, "cannot read /proc/\(SystemFile.bootID.rawValue): \(error)")
        }
        let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first ?? ""
        guard let id = BootID(text) else {
            throw HostError(.internal, "/proc/\(SystemFile.bootID.rawValue) holds no boot id but \"\(text)\"")
        }
        return id
    }

    static func attempt<Value>(_ what: String, _ open: () throws(Errno) -> Value) throws(HostError)
        -> Value
    {
        do {
            return try open()
        } catch {
            let isDenied = error == .permissionDenied || error == .notPermitted
            throw HostError(
                isDenied ? .permission : .unavailable, "cannot open \(what): \(error)", cause: error)
        }
    }
}
