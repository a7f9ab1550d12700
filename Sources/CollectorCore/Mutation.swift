#if MUTANTS
    import Synchronization

    /// A bug that is compiled in on purpose, to show that an oracle catches it. Exists only with the trait `Mutants`.
    ///
    /// Each is one that somebody could really write: a limit that is off by one, something forgotten, something believed.
    public enum Mutation: String, CaseIterable, Sendable {
        // The accounts.

        /// A full subscriber queue forgets to count what it drops.
        case uncountedDrop = "uncounted-drop"
        /// What a subscriber's queue drops is counted twice.
        case dropCountedTwice = "drop-counted-twice"
        /// Messages about threads are not counted.
        case threadUncounted = "thread-uncounted"
        /// The fence that opens an interval is counted into it.
        case fenceOffByOne = "fence-off-by-one"
        /// A closing account takes the fence of the opening for its own.
        case tailForgotten = "tail-forgotten"

        // Gaps.

        /// A loss is counted, and no record says so.
        case forgottenGap = "forgotten-gap"
        /// A gap record says one message more than was lost.
        case lossOffByOne = "loss-off-by-one"
        /// A gap record begins where the loss was noticed, not where the last message before it was.
        case gapTooShort = "gap-too-short"
        /// Merging two gap records keeps only the later one's number.
        case mergedLossForgotten = "merged-loss-forgotten"
        /// The cursor for the next run is as old as the last sample.
        case cursorTooEarly = "cursor-too-early"

        /// What polling cannot have seen is not counted.
        case unseenForgotten = "unseen-forgotten"

        // Identity and attributes.

        /// A process is identified by its pid alone.
        case pidOnlyIdentity = "pid-only-identity"
        /// What was read is believed whatever the next messages say.
        case staleReadBelieved = "stale-read-believed"
        /// A process that executes twice in a round is read once, for both.
        case supersededReadBelieved = "superseded-read-believed"
        /// A reading is taken for the tracked process whatever its start time.
        case startTimeIgnored = "start-time-ignored"
        /// A child gets its parent's parent.
        case parentOfParent = "parent-of-parent"
        /// A child's user is said to be inherited, and is not there.
        case userNotInherited = "user-not-inherited"
        /// An escaped text is not marked as escaped.
        case escapeUnmarked = "escape-unmarked"
        /// Arguments are told as they are, secrets included.
        case secretsTold = "secrets-told"
        /// The run id is used without being kept first, and so is given twice.
        case runIDNotKept = "run-id-not-kept"

        // Inventions.

        /// A sequence that was seen already is a message again.
        case repeatedSequence = "repeated-sequence"
        /// A datagram is believed whoever sent it.
        case forgedSenderBelieved = "forged-sender-believed"
        /// The end of the main thread is the end of the process.
        case leaderExitIsDeath = "leader-exit-is-death"
        /// A process that is not found has ended.
        case absenceIsDeath = "absence-is-death"
        /// The collector reports what it does itself.
        case ownEvents = "own-events"

        // Order and convergence.

        /// Messages that had to wait for a reading come after all others of their round.
        case execDeferred = "exec-deferred"
        /// A resync that is too early is dropped, not postponed.
        case resyncForgotten = "resync-forgotten"
        /// A resync looks only at what is there.
        case absentForgotten = "absent-forgotten"
        /// A resync takes a zombie whose end was reported for a new process.
        case zombieReadopted = "zombie-readopted"
        /// The end of the last thread after the main thread is not the end of the process.
        case lastThreadForgotten = "last-thread-forgotten"
        /// The threads that an exec ends are still counted.
        case threadsSurviveExec = "threads-survive-exec"

        // Bounds, liveness, determinism.

        /// A queue with room for one event takes a whole batch.
        case batchSizeIgnored = "batch-size-ignored"
        /// A full queue drops one old batch for a new one, however large that is.
        case oneBatchDropped = "one-batch-dropped"
        /// A subscriber that has taken everything does not say so to who waits for it.
        case drainUnannounced = "drain-unannounced"
        /// A subscriber that is not woken at once is not woken later either.
        case lostWakeup = "lost-wakeup"
        /// An overflow of the kernel's queue ends the source.
        case overflowIsFatal = "overflow-is-fatal"
        /// Processes are looked at in the order of a dictionary.
        case unorderedSample = "unordered-sample"

        // Files.

        /// What a full queue of the watches dropped is not looked for.
        case fileResyncForgotten = "file-resync-forgotten"
        /// A new file is known, and nobody is told.
        case fileCreationUntold = "file-creation-untold"
        /// What has the name of a file is opened to be hashed, whatever it is.
        case specialFileOpened = "special-file-opened"

        private static let active = Mutex<Mutation?>(nil)

        /// Plants this bug, and no other, for the rest of the process's life.
        public func activate() { Self.active.withLock { $0 = self } }

        package var isActive: Bool { Self.active.withLock { $0 == self } }
    }
#endif
