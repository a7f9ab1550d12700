#if PROBES
    import Synchronization
#endif

/// A rare situation that the code is written for: one that no run meets is one that nothing has tested.
///
/// Marked in the code by ``sometimes(_:)``. Only builds with the trait `Probes` look; `collector-sim cover` shows which have
/// been met.
@usableFromInline
package enum Probe: String, CaseIterable, Sendable {
    // MARK: The socket

    /// The kernel has dropped messages: what follows must be a gap and a resync.
    case receiveOverflow = "receive-overflow"
    /// More was queued than one round takes: what is read meanwhile proves nothing for certain.
    case roundFull = "round-full"
    /// A process sent what only the kernel should send.
    case senderForged = "sender-forged"
    /// A datagram was longer than its slot: nothing of it may be believed.
    case datagramTruncated = "datagram-truncated"
    /// A datagram of the kernel that makes no sense: it must be counted, and end nothing.
    case datagramMalformed = "datagram-malformed"
    /// A sequence came that its processor had passed: it must not be counted twice.
    case sequenceRepeated = "sequence-repeated"
    /// The socket gave an error that passes: the source must outlive it.
    case receiveFailed = "receive-failed"

    // MARK: Opening and closing the account

    /// The acknowledgement may be among dropped messages: the subscription is asked for again.
    case acknowledgementLost = "acknowledgement-lost"
    /// The request could not be sent at first.
    case requestFailed = "request-failed"
    /// A fence was not heard everywhere at once: its messages were lost, or are behind many others.
    case fenceRepeated = "fence-repeated"
    /// A processor was never heard: the account must say so, not guess.
    case fenceIncomplete = "fence-incomplete"
    /// The thread may not run on a processor.
    case fenceRefused = "fence-refused"
    /// The list of processors could not be had: the ones known before must do.
    case processorsUnknown = "processors-unknown"
    /// A processor was heard that no fence had opened.
    case processorUnfenced = "processor-unfenced"
    /// Messages came faster than the account could be closed.
    case accountStormed = "account-stormed"
    /// The source did not answer in time: its last account stands in.
    case accountLate = "account-late"
    /// The collector was stopped while losses had not been made good.
    case stoppedUncertain = "stopped-uncertain"

    // MARK: Between runs

    /// The first run of its kind: there is nothing to compare with.
    case cursorMissing = "cursor-missing"
    /// The cursor is of another boot: its numbers mean nothing.
    case cursorStale = "cursor-stale"
    /// The cursor is damaged: it must not become a gap with wrong numbers.
    case cursorDamaged = "cursor-damaged"
    /// The cursor could not be read, or not be written.
    case cursorUnreadable = "cursor-unreadable"
    case cursorUnsaved = "cursor-unsaved"
    /// An earlier run of the same boot has left a cursor: what was missed is stated.
    case restartedWithinBoot = "restarted-within-boot"

    // MARK: Resync

    case resyncBegun = "resync-begun"
    case resyncCompleted = "resync-completed"
    /// Messages were lost again while `/proc` was scanned: the scan proves less than it should.
    case resyncOverrun = "resync-overrun"
    /// Losses came too fast: the next scan waits, so that a storm of losses is not a storm of scans.
    case resyncPostponed = "resync-postponed"
    /// `/proc` could not be listed: the scan must be tried again.
    case scanFailed = "scan-failed"
    /// The scan found what no message had told.
    case birthMissed = "birth-missed"
    /// The scan found another process under a pid: an end and a birth were lost.
    case reuseFoundByScan = "reuse-found-by-scan"
    /// A look found another process under a pid right after a loss, before any scan.
    case reuseBehindLoss = "reuse-behind-loss"
    /// A process is gone and nothing had said so.
    case endInferred = "end-inferred"
    /// A process that could have been replaced unseen is marked so.
    case identityAmbiguous = "identity-ambiguous"
    /// A pidfd's inode told two processes apart that started in the same tick.
    case inodeToldApart = "inode-told-apart"

    // MARK: Polling

    /// There is no connector, and processes are polled for.
    case pollingBegun = "polling-begun"
    /// More was forked between two looks than processes were found.
    case unseenTold = "unseen-told"
    /// The rate does not allow to look at all processes as often as it is wanted.
    case turnStretched = "turn-stretched"

    // MARK: Readings of /proc

    /// The process had exited or executed again by the time its exec was to be read.
    case readingTooLate = "reading-too-late"
    /// The pid had been recycled between the exec and the reading.
    case readingReused = "reading-reused"
    /// The process executed again while it was read.
    case readingSuperseded = "reading-superseded"
    /// The process had vanished when it was looked at.
    case readingVanished = "reading-vanished"
    /// A reading failed for a reason that passes, such as too many open files: it is tried again later.
    case readingFailed = "reading-failed"
    /// The arguments changed between two parts of a reading.
    case readingTorn = "reading-torn"
    /// The process was about to end when it was read again: what it was is known better from before.
    case readingOfDying = "reading-of-dying"
    /// A later look came when the process was gone, and another may have its pid.
    case lateLookStale = "late-look-stale"
    /// Messages arrived during a later look that speak of the same process.
    case lateLookContradicted = "late-look-contradicted"
    /// Later looks never found the process: it is left to its EXIT message.
    case lateLooksGivenUp = "late-looks-given-up"
    case procHidden = "proc-hidden"

    // MARK: Lives of processes

    /// A message about a process that nobody has announced.
    case birthUnseen = "birth-unseen"
    /// A thread other than the first executed: the EXIT of the leader before it is no death.
    case execByThread = "exec-by-thread-seen"
    /// The leader ended while other threads live on.
    case leaderExitedFirst = "leader-exited-first"
    /// The process ended with its last thread, after its leader.
    case lastThreadEnded = "last-thread-ended"
    /// A scan found a dead leader whose threads live.
    case zombieLeaderScanned = "zombie-leader-scanned"
    /// The table of processes is full: events go on without enrichment.
    case trackerFull = "tracker-full"
    /// The host was suspended: start ticks of that time are unknown.
    case suspendNoticed = "suspend-noticed"

    // MARK: Files

    /// The kernel's queue of file records was full: what follows must be a gap and a rescan.
    case watchQueueOverflowed = "watch-queue-overflow"
    /// The queue could not be read for a while: what was in it may be gone.
    case watchReadFailed = "watch-read-failed"
    /// A folder could not be watched: it is looked at from time to time.
    case watchRefused = "watch-refused"
    /// A folder could not be opened or listed though it is there: it is left for later.
    case folderPostponed = "folder-postponed"
    /// A folder that was watched under another path has come to a new one before any record of that.
    case watchAliased = "watch-aliased"
    /// The name is another file's by now, as later records say: what is there must not be told of this one.
    case lookSuperseded = "look-superseded"
    /// A record tells what a listing has told already.
    case recordDoubted = "record-doubted"
    /// What could not be looked at when it was announced was found later.
    case fileLearntLate = "file-learnt-late"
    /// Only one half of a rename lies below the roots, or has come in time.
    case renameHalved = "rename-halved"
    /// Two names were exchanged.
    case namesExchanged = "names-exchanged"
    /// A file is told without a hash, because the budget cannot serve it in time.
    case hashBeyondBudget = "hash-beyond-budget"
    /// A file is told without a hash, because its time was over while it waited or was read.
    case hashExpired = "hash-expired"
    /// The file changed while it was read.
    case hashChanging = "hash-changing"
    /// A root is gone or out of reach.
    case rootLost = "root-lost"
    /// An earlier run has left an index: what has changed since is told.
    case indexCompared = "index-compared"

    // MARK: The pipeline

    /// The source's buffer was full: its source waits.
    case bufferFull = "buffer-full"
    case bufferDroppedOldest = "buffer-dropped-oldest"
    case bufferDroppedNewest = "buffer-dropped-newest"
    /// A source emitted after its buffer had been closed under it.
    case emittedAfterEnd = "emitted-after-end"
    /// A gap joined one that was still waiting.
    case gapMerged = "gap-merged"
    /// A partly filled batch was handed out because it had waited long enough.
    case batchTimedOut = "batch-timed-out"
    /// A subscriber with the policy `block` made its publisher wait.
    case subscriberBlocked = "subscriber-blocked"
    case queueDroppedOldest = "queue-dropped-oldest"
    case queueDroppedNewest = "queue-dropped-newest"
    /// A batch larger than a whole queue was let in.
    case batchBeyondQueue = "batch-beyond-queue"

    // MARK: The runtime

    case sourceFailed = "source-failed"
    /// A source was not ready in time.
    case startTimedOut = "start-timed-out"
    /// A source did not stop in time: its thread is left behind.
    case sourceAbandoned = "source-abandoned"
    /// A source did not answer a question in time.
    case answerTimedOut = "answer-timed-out"
    /// Not everything could be handed out before the time-out of the shutdown.
    case drainTimedOut = "drain-timed-out"

    /// Why scenarios need not meet it; `nil` for one that they must.
    package var rarity: String? {
        switch self {
        case .trackerFull: "takes 131 072 processes at a time; see ProcessTrackerTests"
        case .roundFull: "takes 65 536 queued messages; see RoundTests"
        case .datagramMalformed: "the kernel sends none; see KernelFormats' tests"
        case .accountStormed: "takes a storm that outlasts 64 rounds"
        case .sourceAbandoned, .emittedAfterEnd, .answerTimedOut, .accountLate, .startTimedOut:
            "takes a source that hangs; see CollectorTests"
        case .sourceFailed: "takes a host that refuses for good; see ProcessSourceTests"
        case .drainTimedOut: "takes a subscriber that hangs; see CollectorTests"
        case .datagramTruncated: "the kernel's datagrams fit three times over"
        case .cursorStale: "takes a second boot; see ProcessSourceTests"
        case .fenceIncomplete: "takes sixteen fences in a row that are lost"
        case .inodeToldApart: "takes a pid recycled within a tick and both messages lost; see ReconcileTests"
        case .bufferDroppedOldest, .bufferDroppedNewest:
            "the process source's policy is to wait; see SourceBufferTests"
        default: nil
        }
    }

    /// Whether this build looks for probes.
    package static var isWatched: Bool {
        #if PROBES
            true
        #else
            false
        #endif
    }
}

/// Marks a rare situation; compiles to nothing unless the build has the trait `Probes`.
@inlinable
@inline(__always)
package func sometimes(_ probe: @autoclosure () -> Probe) {
    #if PROBES
        ProbeHits.note(probe())
    #endif
}

/// Marks a situation that is rare only when a condition holds, which is looked at only in builds with the trait `Probes`.
@inlinable
@inline(__always)
package func sometimes(_ probe: @autoclosure () -> Probe, when condition: @autoclosure () -> Bool) {
    #if PROBES
        if condition() { ProbeHits.note(probe()) }
    #endif
}

/// The probes that this process has met; empty in builds without the trait `Probes`.
@usableFromInline
package enum ProbeHits {
    #if PROBES
        private static let met = Mutex<Set<Probe>>([])

        @usableFromInline
        package static func note(_ probe: Probe) { met.withLock { _ = $0.insert(probe) } }
    #endif

    /// What has been met since ``reset()``, in the order of declaration.
    package static var all: [Probe] {
        #if PROBES
            let met = met.withLock { $0 }
            return Probe.allCases.filter(met.contains)
        #else
            return []
        #endif
    }

    /// Forgets everything: to be called before a run.
    package static func reset() {
        #if PROBES
            met.withLock { $0 = [] }
        #endif
    }
}
