package import EventModel
import KernelFormats

#if MUTANTS
    import CollectorCore
#endif

/// What is known of one live incarnation.
package final class TrackedProcess {
    /// Everything an event about it carries; `exit`, `modifiedFields` and `suspicion` stay empty here.
    package var event: ProcessEvent {
        didSet { decision = nil }
    }
    /// What the rules say about it; `nil` when something has changed since they were asked.
    var decision: ProcessRules.Decision?
    /// The executable of the process that made it, as it was known then, or when both had been found.
    var parentPath: String?
    /// Names of fields of ``event`` whose text is escaped.
    package var escaped: [String]
    /// Other threads than the leader that are known to live.
    package var otherThreadCount: Int
    /// There may be more of them: it was found by something that does not tell.
    var mayHaveMoreThreads = false
    /// The leader thread has ended while other threads lived on: the process ends with the last of them.
    package var leaderExitCode: UInt32?
    /// When a scan last saw it alive; messages stamped earlier were queued while the scan ran.
    var scannedAt: Instant?
    /// A scan was faster than the FORK message, which may still be queued.
    var isBirthUntold = false
    /// Exact or, before a read, derived from the FORK message's stamp.
    package var startTicks: UInt64
    package var isStartTicksExact: Bool
    /// 0 when not read or not unique on this kernel.
    package var pidFDInode: UInt64
    /// Losses that had happened when it was found: only a later one can have swallowed its EXIT message.
    var lossCountAtBirth = 0
    /// The last time that doubt about who has a pid grew and this one was beyond it.
    var lossEpoch = 0
    /// The same for the number of its threads.
    var threadEpoch = 0
    /// The look that last counted its threads found it dead.
    var wasDeadWhenScanned = false
    /// FORK messages that had been seen when its own was; `nil` when its own was not.
    var birthTurn: UInt64?
    /// Since when it is in doubt whether it still has its pid, when a resync could not find out.
    package var doubtedSince: Instant?
    /// Later looks that did not find it, though no EXIT message had come.
    package var missedLookCount = 0
    /// Later looks in a row at which something could not be read.
    var failedLookCount = 0
    /// When the next look is due because something could not be read.
    var retryDue: Instant?
    /// What the next later look is to read: at first everything, then what could not be read.
    package var unread = ProcessReading.Depth.full
    /// User and system time in clock ticks, and when they were read.
    var cpuTicks: (ticks: UInt64, at: Instant)?

    /// What ``ancestorsOfChildren`` has given; empty before.
    private(set) var sharedAncestors: [ProcessIdentity] = []

    init(event: ProcessEvent, escaped: [String], startTicks: UInt64, isStartTicksExact: Bool) {
        self.event = event
        self.escaped = escaped
        self.startTicks = startTicks
        self.isStartTicksExact = isStartTicksExact
        otherThreadCount = 0
        pidFDInode = 0
    }

    /// Takes the number of threads from a look at `aliveAt`; messages stamped earlier are counted in it.
    func noteThreads(_ stat: ProcessStat, at aliveAt: Instant, epoch: Int) {
        scannedAt = aliveAt
        otherThreadCount = max(0, Int(clamping: stat.threadCount) - 1)
        mayHaveMoreThreads = false
        wasDeadWhenScanned = stat.state == .zombie && otherThreadCount == 0
        // The leader's EXIT message may be among what was lost.
        if stat.state == .zombie, otherThreadCount > 0, leaderExitCode == nil {
            leaderExitCode = UInt32(bitPattern: stat.exitCode)
        }
        threadEpoch = epoch
    }

    /// Whether a look that counted its threads came after a message.
    func isScanned(since message: ConnectorMessage) -> Bool {
        scannedAt.map { message.timestamp <= $0 } ?? false
    }

    /// Whether its control group, its namespace and the common id that follows from it have been read.
    var isPlaceKnown: Bool {
        event.cpid != nil && event.provenance.pidNamespace.isRead && event.provenance.cgroup.isRead
    }

    /// Itself and its ancestors: made once and shared by all children.
    var ancestorsOfChildren: [ProcessIdentity] {
        if sharedAncestors.isEmpty {
            sharedAncestors = [event.identity] + event.ancestors.prefix(Limits.ancestorCount - 1)
        }
        return sharedAncestors
    }

    /// Takes over a parent that was not known when it was found.
    package func adopt(by parent: TrackedProcess) {
        event.parent = parent.event.identity
        parentPath = parent.event.executablePath
        event.ancestors = parent.ancestorsOfChildren
        sharedAncestors = []
    }

    /// Marks or unmarks a text field as escaped.
    func setEscaped(_ field: String, _ isEscaped: Bool) {
        #if MUTANTS
            if Mutation.escapeUnmarked.isActive { return }
        #endif
        let index = escaped.firstIndex(of: field)
        switch (isEscaped, index) {
        case (true, nil): escaped.append(field)
        case (false, let index?): escaped.remove(at: index)
        default: break
        }
    }
}

extension Provenance {
    fileprivate var isRead: Bool { self == .verified || self == .lateRead }
}
