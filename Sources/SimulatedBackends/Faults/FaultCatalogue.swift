import Backends

package import struct SystemPackage.Errno

/// What a fault is, without its quantity.
package enum FaultKind: String, Hashable, Sendable, CaseIterable {
    case errno
    case short
    /// Also written `late`.
    case stall
    case diesBeforeRead = "dies-before-read"
    case duplicate
    case crash
    case endOfFile = "eof"
    case corrupt
    case reorder
    case spurious
}

/// What can go wrong with each call on a real host: a fault that no kernel and no neighbour can cause would only show that
/// the collector survives the impossible.
extension BackendOperation {
    /// The errors that the call can give, each from its manual page or the kernel's code; ordered by number.
    ///
    /// `EINTR` is among them where the system call has it: the backends repeat an interrupted call, so it costs time
    /// and never surfaces. That a process is gone (`ENOENT` of its folder, `ESRCH` of what lies in it) is no error to inject
    /// but a fact, which ``FaultKind/diesBeforeRead`` brings about: of a process that lives, the kernel never says so.
    /// `EBADF` and `EFAULT` would be bugs of the backend. Where a security module (`selinux(8)`) or a
    /// seccomp filter may refuse, `EACCES` and `EPERM` are.
    package var errors: [Errno] {
        switch self {
        // open(2) of /proc, then getdents64(2).
        case .procfsList:
            [
                .notPermitted, .noSuchFileOrDirectory, .interrupted, .ioError, .noMemory, .permissionDenied,
                .tooManyOpenFilesInSystem, .tooManyOpenFiles,
            ]
        // open(2), with O_PATH and below.
        case .procfsDirectory, .procfsOpen:
            [
                .notPermitted, .interrupted, .noMemory, .permissionDenied, .tooManyOpenFilesInSystem,
                .tooManyOpenFiles,
            ]
        // read(2); ENOMEM is seq_file's buffer (fs/seq_file.c).
        case .procfsRead: [.notPermitted, .interrupted, .ioError, .noMemory, .permissionDenied]
        // readlink(2); ENOENT is a process that has given up its memory, ENAMETOOLONG a path that d_path's page cannot hold.
        case .procfsReadLink:
            [
                .notPermitted, .noSuchFileOrDirectory, .ioError, .noMemory, .permissionDenied,
                .fileNameTooLong,
            ]
        // stat(2) of what the link opens, which may lie on a network file system: ESTALE, EIO.
        case .procfsStatus:
            [
                .notPermitted, .noSuchFileOrDirectory, .interrupted, .ioError, .noMemory,
                .permissionDenied, .overflow, .staleNFSFileHandle,
            ]
        // As procfs.list; a reaped process is an empty list, not an error.
        case .procfsThreads:
            [
                .notPermitted, .interrupted, .noMemory, .permissionDenied, .tooManyOpenFilesInSystem,
                .tooManyOpenFiles,
            ]
        // pidfd_open(2).
        case .procfsPIDFD:
            [
                .notPermitted, .noMemory, .operationNotSupportedByDevice, .invalidArgument,
                .tooManyOpenFilesInSystem, .tooManyOpenFiles, .noFunction,
            ]
        // socket(2), then bind(2): before Linux 6.6 EPERM without CAP_NET_ADMIN (netlink(7)).
        case .netlinkOpen:
            [
                .notPermitted, .noMemory, .permissionDenied, .invalidArgument, .tooManyOpenFilesInSystem,
                .tooManyOpenFiles, .protocolNotSupported, .addressFamilyNotSupported, .addressInUse,
                .noBufferSpace,
            ]
        // recvmmsg(2); ENOBUFS is an overrun (netlink(7)).
        case .netlinkReceive:
            [.interrupted, .resourceTemporarilyUnavailable, .noMemory, .noBufferSpace]
        // send(2); netlink_sendmsg says ENOBUFS when it cannot make the message (net/netlink/af_netlink.c).
        case .netlinkSend:
            [
                .notPermitted, .interrupted, .resourceTemporarilyUnavailable, .noMemory, .noBufferSpace,
                .connectionRefused,
            ]
        // setsockopt(2) and socket(7).
        case .netlinkBuffer:
            [.notPermitted, .noMemory, .invalidArgument, .protocolNotAvailable]
        // open(2) and read(2) of /sys/devices/system/cpu/online, which a container may hide.
        case .fenceProcessors:
            [
                .notPermitted, .noSuchFileOrDirectory, .interrupted, .ioError, .noMemory, .permissionDenied,
                .notDirectory, .tooManyOpenFilesInSystem, .tooManyOpenFiles, .badMessage,
            ]
        // sched_setaffinity(2); ENOMEM is its mask (kernel/sched/syscalls.c).
        case .fenceAnnounce:
            [.notPermitted, .noSuchProcess, .noMemory, .invalidArgument]
        // open(2) with O_NOFOLLOW, fstat(2), read(2); EINVAL and EFBIG are the backend's own refusals, ENOENT is no error.
        case .fileRead:
            [
                .notPermitted, .interrupted, .ioError, .noMemory, .permissionDenied, .invalidArgument,
                .tooManyOpenFilesInSystem, .tooManyOpenFiles, .fileTooLarge, .tooManySymbolicLinkLevels,
                .staleNFSFileHandle,
            ]
        // open(2) with O_CREAT, write(2), fsync(2), rename(2).
        case .fileReplace:
            [
                .notPermitted, .noSuchFileOrDirectory, .interrupted, .ioError, .noMemory, .permissionDenied,
                .resourceBusy, .fileExists, .tooManyOpenFilesInSystem, .tooManyOpenFiles, .fileTooLarge,
                .noSpace, .readOnlyFileSystem, .staleNFSFileHandle, .diskQuotaExceeded,
            ]
        // inotify_init1(2).
        case .watchOpen: [.noMemory, .tooManyOpenFilesInSystem, .tooManyOpenFiles]
        // inotify_add_watch(2): ENOSPC is the limit of watches.
        case .watchAdd:
            [.notPermitted, .interrupted, .noMemory, .permissionDenied, .noSpace, .staleNFSFileHandle]
        // inotify(7), read(2).
        case .watchRead: [.interrupted, .resourceTemporarilyUnavailable, .noMemory]
        // openat2(2): EAGAIN when renames never let it finish, ETIMEDOUT and ESTALE of network file systems.
        case .rootOpen:
            [
                .notPermitted, .interrupted, .ioError, .resourceTemporarilyUnavailable, .noMemory,
                .permissionDenied, .tooManyOpenFilesInSystem, .tooManyOpenFiles, .staleNFSFileHandle,
            ]
        // statx(2).
        case .rootStatus: [.interrupted, .ioError, .noMemory, .permissionDenied, .staleNFSFileHandle]
        // getdents64(2).
        case .rootList: [.interrupted, .ioError, .noMemory, .staleNFSFileHandle]
        // pread(2).
        case .rootRead: [.interrupted, .ioError, .noMemory, .staleNFSFileHandle]
        // socket(2), mkdir(2), open(2), bind(2), chown(2), chmod(2); EADDRINUSE is another listener.
        case .transportListen:
            [
                .notPermitted, .noSuchFileOrDirectory, .ioError, .noMemory, .permissionDenied,
                .tooManyOpenFilesInSystem, .tooManyOpenFiles, .noSpace, .readOnlyFileSystem, .addressInUse,
                .noBufferSpace,
            ]
        // accept(2).
        case .transportAccept:
            [
                .notPermitted, .interrupted, .resourceTemporarilyUnavailable, .noMemory, .permissionDenied,
                .tooManyOpenFilesInSystem, .tooManyOpenFiles, .connectionAbort, .noBufferSpace,
            ]
        // socket(2), connect(2), unix(7); ENOENT and ECONNREFUSED are a listener that is just being started again.
        case .transportConnect:
            [
                .notPermitted, .noSuchFileOrDirectory, .interrupted, .resourceTemporarilyUnavailable,
                .noMemory, .permissionDenied, .tooManyOpenFilesInSystem, .tooManyOpenFiles,
                .noBufferSpace, .connectionRefused,
            ]
        // recv(2). A reset is no error to inject but what a peer does, which dies-before-read brings about.
        case .transportReceive:
            [
                .notPermitted, .interrupted, .resourceTemporarilyUnavailable, .noMemory, .permissionDenied,
            ]
        // send(2); sock_alloc_send_pskb says ENOBUFS when it cannot make a buffer (net/core/sock.c).
        case .transportSend:
            [
                .notPermitted, .interrupted, .resourceTemporarilyUnavailable, .noMemory, .permissionDenied,
                .noBufferSpace,
            ]
        // open(2) of what /proc/PID/exe leads to: ENOENT is a process that has given up its memory, EAGAIN a lease that
        // is being broken, ESTALE a network file system.
        case .imageOpen:
            [
                .notPermitted, .noSuchFileOrDirectory, .interrupted, .ioError,
                .resourceTemporarilyUnavailable,
                .noMemory, .permissionDenied, .tooManyOpenFilesInSystem, .tooManyOpenFiles,
                .staleNFSFileHandle,
            ]
        // read(2).
        case .imageRead: [.interrupted, .ioError, .noMemory, .staleNFSFileHandle]
        // openat2(2) and statx(2): ENOENT and ENOTDIR are a path that leads nowhere (any more).
        case .imageStatus:
            [
                .noSuchFileOrDirectory, .interrupted, .ioError, .resourceTemporarilyUnavailable, .noMemory,
                .permissionDenied, .notDirectory, .tooManyOpenFilesInSystem, .tooManyOpenFiles, .noFunction,
                .staleNFSFileHandle,
            ]
        // Removing a watch fails only when there is none. Waits have no errors at the seam, and getrandom(2) of our kind
        // has none.
        case .watchRemove, .watchWait, .netlinkWait, .transportWait, .clockTimer, .signalsNext, .entropyWord:
            []
        }
    }

    /// What else can happen to the call, beside an error. Every call can take long: the thread loses its processor.
    package var faultKinds: [FaultKind] {
        let common: [FaultKind] = errors.isEmpty ? [.stall] : [.errno, .stall]
        return switch self {
        // A listing is no snapshot (proc(5)), but it is complete but for what comes and goes: it is never cut.
        case .procfsList: common
        case .procfsThreads: common + [.diesBeforeRead]
        case .procfsDirectory, .procfsOpen, .procfsReadLink, .procfsStatus, .procfsPIDFD:
            common + [.diesBeforeRead]
        // An empty read is what a process shows that gives up its memory; a file may come in any pieces.
        case .procfsRead: common + [.short, .endOfFile, .diesBeforeRead]
        // Two processors' messages may arrive in either order (both queue under the socket's lock, none holds the other's
        // counter); those of one processor never change places. A repeated datagram is not the kernel's doing: the
        // sequence makes it harmless all the same.
        case .netlinkReceive: common + [.short, .duplicate, .reorder]
        // A datagram is sent whole or not at all.
        case .netlinkSend, .netlinkOpen: common
        // select(2), BUGS: a descriptor may be said to be readable, and then there is nothing.
        case .netlinkWait: common + [.spurious]
        // Granted less than was asked for (net.core.rmem_max, socket(7)).
        case .netlinkBuffer: common + [.short]
        // A container may show an empty file.
        case .fenceProcessors: common + [.endOfFile]
        case .fenceAnnounce: common
        // Bits rot; a file system that lost power may have kept a part of the file, or its name alone.
        case .fileRead: common + [.short, .endOfFile, .corrupt]
        // write(2) may take a part: the rest takes further calls.
        case .fileReplace: common + [.short, .crash]
        case .clockTimer, .signalsNext, .entropyWord: common
        case .watchOpen, .watchAdd, .watchRemove, .rootOpen, .rootStatus: common
        // Whole records, but fewer than there was room for; a network file system may list in small parts.
        case .watchRead, .rootList, .rootRead: common + [.short]
        case .watchWait, .transportWait: common + [.spurious]
        case .transportListen, .transportConnect: common
        case .transportAccept: common + [.diesBeforeRead]
        // A stream has no borders: any call may move less than there is.
        case .transportReceive, .transportSend: common + [.short, .diesBeforeRead]
        case .imageOpen, .imageStatus: common + [.diesBeforeRead]
        // A file comes in any pieces, and whole: its process may end, its bytes stay.
        case .imageRead: common + [.short, .diesBeforeRead]
        }
    }

    /// Whether calls are about a process, so that a rule may name one.
    package var hasProcess: Bool {
        switch self {
        case .procfsDirectory, .procfsOpen, .procfsRead, .procfsReadLink, .procfsStatus, .procfsThreads,
            .procfsPIDFD, .imageOpen, .imageRead, .imageStatus:
            true
        default: false
        }
    }

    /// What `file=` may name in a rule; empty when the call has none.
    package var fileNames: FileNames {
        switch self {
        case .procfsOpen, .procfsRead:
            .among(ProcessFile.allCases.map(\.rawValue) + SystemFile.allCases.map(\.rawValue))
        case .imageStatus: .among([ProcessLink.exe.rawValue, ProcessLink.root.rawValue])
        case .procfsReadLink, .procfsStatus: .among(ProcessLink.allCases.map(\.rawValue))
        case .fenceAnnounce, .fileRead, .fileReplace: .any
        case .watchAdd, .rootOpen, .rootStatus, .rootList, .rootRead: .any
        case .transportReceive, .transportSend, .transportWait:
            .among(TransportSide.allCases.map(\.rawValue))
        default: .none
        }
    }

    /// The names that a rule's `file=` may give.
    package enum FileNames: Hashable, Sendable {
        case none, any
        case among([String])
    }
}
