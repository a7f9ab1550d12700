/// A call into the simulated host, by the name that fault rules and traces use.
package enum BackendOperation: String, Hashable, Sendable, CaseIterable {
    case procfsList = "procfs.list"
    /// Opening `/proc/PID` itself.
    case procfsDirectory = "procfs.directory"
    /// Opening a file, of a process or of the system.
    case procfsOpen = "procfs.open"
    case procfsRead = "procfs.read"
    case procfsReadLink = "procfs.readlink"
    case procfsStatus = "procfs.status"
    case procfsThreads = "procfs.threads"
    case procfsPIDFD = "procfs.pidfd"
    case netlinkOpen = "netlink.open"
    case netlinkReceive = "netlink.recv"
    case netlinkSend = "netlink.send"
    /// Waiting for datagrams.
    case netlinkWait = "netlink.wait"
    case netlinkBuffer = "netlink.rcvbuf"
    case fenceProcessors = "fence.processors"
    case fenceAnnounce = "fence.announce"
    case fileRead = "file.read"
    case fileReplace = "file.replace"
    /// A timer of the collector.
    case clockTimer = "clock.timer"
    /// Waiting for a signal.
    case signalsNext = "signals.next"
    case entropyWord = "entropy.word"
    /// `inotify_init1(2)`.
    case watchOpen = "watch.open"
    case watchAdd = "watch.add"
    case watchRemove = "watch.remove"
    case watchRead = "watch.read"
    /// Waiting for records.
    case watchWait = "watch.wait"
    /// Opening a file or folder below a root, or the root itself.
    case rootOpen = "root.open"
    case rootStatus = "root.status"
    case rootList = "root.list"
    case rootRead = "root.read"
    /// Making a socket, its name and its queue: from `socket(2)` to `listen(2)`.
    case transportListen = "transport.listen"
    case transportAccept = "transport.accept"
    case transportConnect = "transport.connect"
    case transportReceive = "transport.recv"
    case transportSend = "transport.send"
    /// Waiting for a client, for bytes, or for room.
    case transportWait = "transport.wait"
    /// Opening the program of a process.
    case imageOpen = "image.open"
    case imageRead = "image.read"
    /// Asking what the open program is, or what its path names now.
    case imageStatus = "image.status"

    /// Position among all operations.
    ///
    /// Spelled out because every call asks for it.
    package var index: UInt64 {
        switch self {
        case .procfsList: 0
        case .procfsDirectory: 1
        case .procfsOpen: 2
        case .procfsRead: 3
        case .procfsReadLink: 4
        case .procfsStatus: 5
        case .procfsThreads: 6
        case .procfsPIDFD: 7
        case .netlinkOpen: 8
        case .netlinkReceive: 9
        case .netlinkSend: 10
        case .netlinkWait: 11
        case .netlinkBuffer: 12
        case .fenceProcessors: 13
        case .fenceAnnounce: 14
        case .fileRead: 15
        case .fileReplace: 16
        case .clockTimer: 17
        case .signalsNext: 18
        case .entropyWord: 19
        case .watchOpen: 20
        case .watchAdd: 21
        case .watchRemove: 22
        case .watchRead: 23
        case .watchWait: 24
        case .rootOpen: 25
        case .rootStatus: 26
        case .rootList: 27
        case .rootRead: 28
        case .transportListen: 29
        case .transportAccept: 30
        case .transportConnect: 31
        case .transportReceive: 32
        case .transportSend: 33
        case .transportWait: 34
        case .imageOpen: 35
        case .imageRead: 36
        case .imageStatus: 37
        }
    }

    init?(index: UInt64) {
        guard index < UInt64(Self.allCases.count) else { return nil }
        self = Self.allCases[Int(index)]
    }
}
