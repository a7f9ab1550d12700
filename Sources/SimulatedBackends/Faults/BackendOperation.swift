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
        }
    }

    init?(index: UInt64) {
        guard index < UInt64(Self.allCases.count) else { return nil }
        self = Self.allCases[Int(index)]
    }
}
