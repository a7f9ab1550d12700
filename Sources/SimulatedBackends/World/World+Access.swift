import Backends
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// Who may look at what (`ptrace_may_access`, `fs/proc/base.c`).
extension World {
    /// `PTRACE_MODE_READ`: the right to look into a process.
    func mayTrace(_ process: ProcessState) -> Bool {
        if mayTraceAll || process.pid == ownProcessID { return true }
        let own = configuration.ownUserID
        guard own == process.realUID, own == process.effectiveUID else { return false }
        return process.isDumpable || process.memory == nil
    }

    /// Whether `/proc` lists a process.
    func isListed(_ process: ProcessState) -> Bool {
        hidepid == .off || hidepid == .noAccess || mayTrace(process)
    }

    /// Whether the folder of a process can be opened as a path (`O_PATH`): that alone needs no permission.
    func canFind(_ process: ProcessState) -> Bool { hidepid != .ptraceable || mayTrace(process) }

    /// Whether anything below the folder of a process can be reached (`proc_pid_permission`).
    func checkEntry(_ process: ProcessState) throws(Errno) {
        guard hidepid != .off, !mayTrace(process) else { return }
        throw hidepid == .noAccess ? .notPermitted : .noSuchFileOrDirectory
    }

    /// Whether a file opens.
    func checkOpen(_ file: ProcessFile, of process: ProcessState) throws(Errno) {
        switch file {
        case .environ:
            guard mayReadOwnersFile(of: process), mayTrace(process) else { throw .permissionDenied }
            try checkMemory(of: process)
        case .io:
            guard mayReadOwnersFile(of: process) else { throw .permissionDenied }
        case .maps:
            guard mayTrace(process) else { throw .permissionDenied }
        case .smapsRollup:
            guard mayTrace(process) else { throw .permissionDenied }
            try checkMemory(of: process)
        case .stat, .status, .cmdline, .comm, .cgroup, .statm, .limits, .wchan, .oomScore:
            break
        }
    }

    private func checkMemory(of process: ProcessState) throws(Errno) {
        guard process.visibleMemory == nil, configuration.kernel.refusesMissingMemory else { return }
        throw .noSuchProcess
    }

    /// A file of mode 0400 belongs to the process's user, or to root if the process is not dumpable.
    private func mayReadOwnersFile(of process: ProcessState) -> Bool {
        if mayReadAnyFile { return true }
        return configuration.ownUserID == (process.isDumpable ? process.effectiveUID : UserID(0))
    }

    // MARK: Links

    /// The program that a process executes.
    func program(of process: ProcessState) throws(Errno) -> SimulatedFile {
        guard !process.isReaped else { throw .noSuchProcess }
        try checkEntry(process)
        guard mayTrace(process) else { throw .permissionDenied }
        guard let program = process.visibleMemory?.program else { throw .noSuchFileOrDirectory }
        return program
    }

    /// What a magic link leads to.
    func target(
        of link: ProcessLink, _ process: ProcessState
    ) throws(Errno) -> (text: [UInt8], status: LinkTargetStatus) {
        guard !process.isReaped else { throw .noSuchProcess }
        try checkEntry(process)
        guard mayTrace(process) else { throw .permissionDenied }
        switch link {
        case .exe:
            guard let file = process.visibleMemory?.program else { throw .noSuchFileOrDirectory }
            return (
                file.linkText,
                LinkTargetStatus(
                    device: file.device, inode: file.inode, linkCount: file.linkCount, size: file.byteCount,
                    mode: file.mode, uid: file.owner)
            )
        case .cwd, .root:
            // Kernel threads have a working directory, the dead have none.
            guard !process.isLeaderDead else { throw .noSuchFileOrDirectory }
            return ([0x2f], Self.rootDirectory)
        case .pidNamespace:
            return namespace(.pid, process.pidNamespace)
        case .networkNamespace:
            guard !process.isLeaderDead else { throw .noSuchFileOrDirectory }
            return namespace(.net, ProcessState.networkNamespace)
        }
    }

    private static let rootDirectory = LinkTargetStatus(
        device: 0xfe01, inode: 2, linkCount: 20, size: 4_096, mode: 0o040755, uid: UserID(0))

    private func namespace(_ kind: NamespaceLink.Kind, _ inode: UInt64) -> (
        text: [UInt8], status: LinkTargetStatus
    ) {
        let status = LinkTargetStatus(
            device: 4, inode: inode, linkCount: 1, size: 0, mode: 0o100444, uid: UserID(0))
        return (text(of: NamespaceLink(kind: kind, inode: inode)), status)
    }
}
