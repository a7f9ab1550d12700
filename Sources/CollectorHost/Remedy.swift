import Configuration
import EventModel
import Hardening
import LinuxBackends

import struct SystemPackage.Errno

/// What removes the causes that ``DoctorReport`` finds: a command or a setting for each.
enum Remedy {
    /// Less room than that is told: the kept state of a large host takes some megabytes, that of most some kilobytes.
    static let leastStateByteCount: UInt64 = 1 << 20

    static let asRoot = "run as root: sudo collectord doctor"
    static let hostNamespace = "run outside of it: in the host's own user namespace"

    private static var isRoot: Bool { HostProcess.effectiveUserID == 0 }

    /// Root itself can have been given less.
    static func forCapabilities(_ absent: [Capability]) -> String {
        guard isRoot else { return asRoot }
        let names = absent.map {
            $0.description.hasPrefix("CAP_") ? String($0.description.dropFirst(4)) : $0.description
        }
        return "leave root what it has: CapabilityBoundingSet= and AmbientCapabilities= of the unit, "
            + names.map { "--cap-add=\($0)" }.joined(separator: " ") + " of the container"
    }

    static var forExecutables: String {
        if !HostProcess.isInFirstUserNamespace { return hostNamespace }
        return isRoot
            ? "CAP_SYS_PTRACE; some guard themselves against it (prctl(2), PR_SET_DUMPABLE, or a security module)"
            : asRoot
    }

    /// For a folder that is to be watched.
    static func forRoot(_ error: Errno) -> String {
        let key = HostSettings.fileRoots.key
        return switch error {
        case .noFunction: "Linux 5.6 or later, for openat2(2)"
        case .permissionDenied, .notPermitted:
            "run as root or with CAP_DAC_READ_SEARCH, or name folders that user \(HostProcess.effectiveUserID) may "
                + "read: --set \(key)=PATH"
        case .notDirectory: "name folders, not files: --set \(key)=PATH"
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem: forFiles(error)
        default: "name folders that exist: --set \(key)=PATH"
        }
    }

    /// For what the filesystem source needs beside its folders.
    static func forFiles(_ error: Errno?) -> String {
        switch error {
        case .tooManyOpenFiles: "ulimit -n 4096, or LimitNOFILE=4096 in the unit"
        case .tooManyOpenFilesInSystem: "sysctl -w fs.file-max=1048576"
        case .permissionDenied, .notPermitted: asRoot
        default: "collectord config explain sources.filesystem"
        }
    }

    static func forState(_ error: Errno?) -> String {
        let other = "--set \(HostSettings.stateDirectory.key)=PATH"
        return switch error {
        case .readOnlyFileSystem: "a file system that is not read-only: \(other)"
        case .permissionDenied, .notPermitted, nil: "run as its owner, or \(other)"
        default: other
        }
    }
}
