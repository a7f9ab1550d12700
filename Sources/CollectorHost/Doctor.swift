import Backends
import CollectorCore
import Configuration
import EventModel
import Hardening
import HostSources
import LinuxBackends
import Synchronization

import struct SystemPackage.Errno

/// What this kernel and these privileges allow, found out by trying, and what to do about the rest.
public struct DoctorReport: Hashable, Sendable {
    /// One thing that was tried.
    public struct Finding: Hashable, Sendable {
        /// What is concerned: `process`, `filesystem`, `state`, `control`, `configuration`.
        public var subject: String
        /// Names the check within its subject.
        public var check: String
        public var state: State
        /// What was found, for a person.
        public var found: String
        /// What is missing without it; `nil` when nothing is.
        public var effect: String?
        /// The command or setting that changes it.
        public var fix: String?
    }

    /// How a finding is.
    public enum State: String, Hashable, Sendable, CaseIterable {
        case ok
        /// Not asked for by the settings.
        case off
        /// It works, and something is not seen or not done.
        case limited
        /// `collectord run` would not start, or not see anything of the kind.
        case missing
    }

    public var findings: [Finding] = []

    /// 0 when everything asked for works, 1 when something is limited, 69 when something is missing.
    public var exitCode: Int32 {
        let states = findings.map(\.state)
        if states.contains(.missing) { return HostError.Code.unavailable.exitCode }
        return states.contains(.limited) ? 1 : 0
    }
}

extension CollectorHost {
    /// Tries everything that `run` would need, gives up nothing, and changes nothing but making the folder for state.
    ///
    /// To be called on the process's first thread, before any other exists; takes some seconds at most.
    public static func examine(_ query: SettingsQuery) -> DoctorReport {
        var doctor = Doctor()
        doctor.values = HostSettings.table(adding: query.sources).defaults
        do throws(SettingsError) {
            doctor.values = try query.reader.read()
            doctor.note("configuration", "settings", .ok, "every layer is sound")
        } catch {
            for problem in error.problems {
                doctor.note(
                    "configuration", "settings", .missing, "\(problem)", effect: "collectord does not start",
                    fix: "collectord config check")
            }
        }
        doctor.examinePrivileges()
        doctor.examineProcesses()
        doctor.examineFiles()
        for definition in query.sources { doctor.examine(definition) }
        doctor.examineSockets()
        return doctor.report
    }
}

/// Collects findings.
private struct Doctor {
    var values = HostSettings.table.defaults
    var report = DoctorReport()

    mutating func note(
        _ subject: String, _ check: String, _ state: DoctorReport.State, _ found: String,
        effect: String? = nil,
        fix: String? = nil
    ) {
        report.findings.append(
            DoctorReport.Finding(
                subject: subject, check: check, state: state, found: found, effect: effect, fix: fix))
    }

    // MARK: - Privileges

    mutating func examinePrivileges() {
        let uid = HostProcess.effectiveUserID
        guard let privileges = try? PrivilegeReport.ofThread() else { return }
        let wanted = values[HostSettings.capabilities].compactMap { Capability(name: $0) }
        let absent = wanted.filter { !privileges.effective.contains($0) }
        guard HostProcess.isInFirstUserNamespace else {
            return note(
                "privileges", "capabilities", .limited, "user \(uid) is one of a user namespace of its own",
                effect: "its capabilities count for nothing that is outside: processes, sockets, files",
                fix: Remedy.hostNamespace)
        }
        guard !absent.isEmpty else {
            return note(
                "privileges", "capabilities", .ok, "user \(uid) has all that hardening.capabilities names")
        }
        note(
            "privileges", "capabilities", .limited,
            "user \(uid) has not \(absent.map(\.description).joined(separator: ", "))",
            effect: "what each allows is told by: collectord config explain hardening.capabilities",
            fix: Remedy.forCapabilities(absent))
    }

    // MARK: - Processes

    mutating func examineProcesses() {
        guard values[HostSettings.processEnabled] else {
            return note(
                "process", "source", .off, "sources.process.enabled is false",
                fix: "--set sources.process.enabled=true")
        }
        examineVisibility()
        do throws(HostError) {
            let trial = try ProcessTrial(values)
            let result = trial.run()
            noteReceiveBuffer(of: trial)
            switch result {
            case .ready(let count, let time) where trial.isPolling:
                notePolling(
                    trial, "\(count) processes found by looking, ready after \(DurationText.format(time))")
            case .ready(let count, let time):
                note(
                    "process", "connector", .ok,
                    "\(count) processes found, ready after \(DurationText.format(time))")
            case .failed(let reason):
                note(
                    "process", "connector", .missing, reason,
                    effect: "no process is watched",
                    fix: "run in the host's own network, pid and user namespaces, with CAP_NET_ADMIN")
            }
        } catch {
            note(
                "process", "connector", .missing, error.message, effect: "no process is watched",
                fix: error.code == .permission ? Remedy.asRoot : "a kernel with CONFIG_PROC_EVENTS=y")
        }
    }

    private mutating func noteReceiveBuffer(of trial: ProcessTrial) {
        guard !trial.isPolling else { return }
        // The kernel counts each message as more than its size, and doubles what it is asked for (socket(7)).
        let isWhole = trial.granted >= 2 * trial.requested
        note(
            "process", "receive_buffer", isWhole ? .ok : .limited,
            "\(ByteCount(bytes: trial.granted / 2)) of \(ByteCount(bytes: trial.requested)) granted",
            effect: isWhole ? nil : "bursts overrun it sooner; each loss is told",
            fix: isWhole ? nil : "sysctl -w net.core.rmem_max=\(trial.requested), or CAP_NET_ADMIN")
    }

    private mutating func notePolling(_ trial: ProcessTrial, _ found: String) {
        let reason = trial.pollingReason
        note(
            "process", "connector", .limited,
            (reason ?? "\(HostSettings.processMode.key) is poll") + "; " + found,
            effect: "processes that live shorter than the interval between two looks "
                + "(\(HostSettings.pollInterval.key)) are not seen; how many is told",
            fix: reason == nil
                ? "--set \(HostSettings.processMode.key)=auto"
                : "run in the host's own network, pid and user namespaces, with CAP_NET_ADMIN, "
                    + "on a kernel with CONFIG_PROC_EVENTS=y")
    }

    /// Whether the processes of others can be looked at.
    private mutating func examineVisibility() {
        var processes: [ProcessID] = []
        var refusedCount = 0
        do throws(Errno) {
            let procfs = try LinuxProcFileSystem()
            try procfs.processIDs(into: &processes)
            for process in processes where Self.isRefused(process, procfs) { refusedCount += 1 }
        } catch {
            return note(
                "process", "executables", .limited, "/proc cannot be listed: \(error)",
                effect: "processes are known from messages alone", fix: "mount -t proc proc /proc")
        }
        if !processes.contains(ProcessID(1)) {
            note(
                "process", "visibility", .limited,
                "/proc shows \(processes.count) processes, not all (hidepid)",
                effect: "those that are hidden are not looked at", fix: "mount -o remount,hidepid=off /proc")
        }
        guard refusedCount > 0 else {
            return note("process", "executables", .ok, "the executable of every process can be read")
        }
        note(
            "process", "executables", .limited,
            "\(refusedCount) of \(processes.count) processes do not let their executable be read",
            effect: "their events have no path of the executable, and say so",
            fix: Remedy.forExecutables)
    }

    private static func isRefused(_ process: ProcessID, _ procfs: LinuxProcFileSystem) -> Bool {
        var bytes: [UInt8] = []
        do throws(Errno) {
            try procfs.readLink(.exe, in: try procfs.openProcess(process), into: &bytes)
            return false
        } catch {
            // Threads of the kernel have none, and others have ended meanwhile.
            return error == .permissionDenied || error == .notPermitted
        }
    }

    // MARK: - Files

    mutating func examineFiles() {
        let roots = values[HostSettings.fileRoots]
        guard !roots.isEmpty else {
            return note(
                "filesystem", "source", .off, "no folder is watched",
                fix: "--set \(HostSettings.fileRoots.key)=/etc,/usr/bin")
        }
        var areThere = true
        for root in roots {
            do throws(Errno) {
                _ = try LinuxRootedDirectory(path: Array(root.utf8))
                note("filesystem", "root", .ok, "\(root) can be watched")
            } catch {
                areThere = false
                note(
                    "filesystem", "root", .missing, "\(root) cannot be opened: \(error)",
                    effect: "collectord does not start", fix: Remedy.forRoot(error))
            }
        }
        // Whatever else is to be opened, it would not come to that.
        if areThere { examineWatches() }
    }

    private mutating func examineWatches() {
        do throws(HostError) {
            guard let files = try OpenedFiles.open(values) else { return }
            let wanted = values[HostSettings.fileMaxWatches]
            guard let limit = OpenedFiles.watchLimits.min(by: { $0.value < $1.value }),
                limit.value < UInt64(wanted), files.kernelWatchLimit != nil
            else {
                return note("filesystem", "inotify", .ok, "at most \(wanted) folders are watched")
            }
            note(
                "filesystem", "inotify", .limited, "the kernel allows \(limit.value) watches for each user",
                effect: "folders beyond are looked at every \(HostSettings.filePollInterval.key)",
                fix: "sysctl -w \(limit.name)=\(wanted)")
        } catch {
            note(
                "filesystem", "inotify", .missing, error.message, effect: "collectord does not start",
                fix: error.fix ?? Remedy.forFiles(error.cause))
        }
    }

    // MARK: - Sources of others

    mutating func examine(_ definition: SourceDefinition) {
        let name = definition.name.rawValue
        do throws(HostError) {
            guard try OpenedSource.open(definition, values) != nil else {
                return note(name, "source", .off, "it has nothing to do by its settings")
            }
            note(name, "source", .ok, "all that it needs can be opened")
        } catch {
            note(
                name, "source", .missing, error.message, effect: "collectord does not start",
                fix: "collectord config explain sources.\(name)")
        }
    }

    // MARK: - Where it leaves things

    mutating func examineSockets() {
        do throws(HostError) {
            let folder = values[HostSettings.stateDirectory]
            _ = try OpenedHost.stateFile("run", in: folder)
            if let refusal = HostProcess.refusal(ofFilesIn: folder) {
                throw HostError(
                    .permission, "\(folder) cannot be written to: \(refusal)", cause: refusal,
                    fix: Remedy.forState(refusal))
            }
            noteRoom(in: folder)
        } catch {
            note(
                "state", "directory", .missing, error.message, effect: "collectord does not start",
                fix: error.fix ?? Remedy.forState(error.cause))
        }
        examineSocket("control", HostSettings.controlSocket)
        examineSocket("daemoneye", HostSettings.daemonEyeSocket)
    }

    private mutating func noteRoom(in folder: String) {
        guard let free = HostProcess.freeByteCount(in: folder), free < Remedy.leastStateByteCount else {
            return note("state", "directory", .ok, "\(folder) can be written to")
        }
        note(
            "state", "directory", .limited, "\(folder) has no more than \(free) bytes left",
            effect: "what is known cannot be kept, so that the next run cannot say what it missed",
            fix: "free some space there, or --set \(HostSettings.stateDirectory.key)=PATH")
    }

    private mutating func examineSocket(_ name: String, _ setting: TypedSetting<String>) {
        let path = values[setting]
        guard !path.isEmpty else {
            return note(
                name, "socket", .off, "there is no \(name) socket", fix: "--set \(setting.key)=PATH")
        }
        do throws(HostError) {
            let control = try OpenedControl.open(setting, on: name, values)
            control?.listener.close()
            note(name, "socket", .ok, "\(path) can be listened at")
        } catch {
            note(
                name, "socket", .missing, error.message, effect: "collectord does not start",
                fix: error.fix ?? "--set \(setting.key)=PATH")
        }
    }
}
