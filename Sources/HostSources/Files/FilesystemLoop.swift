import Backends
import CollectorCore
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// The filesystem source's main loop: drain the queue, tell what it says, and look at folders in between.
///
/// The queue is read before every slice of other work, which takes about a millisecond, so that it stays short whatever
/// is scanned or hashed.
final class FilesystemLoop {
    /// Bytes of one read: some hundred records with names of the usual length.
    private static let readByteCount = 65_536
    /// Records that are told before the queue is read again.
    private static let recordSliceCount = 256
    /// How long a slice of other work may take.
    static let sliceDuration = Duration.milliseconds(1)
    /// How long the first look may take before the source says that it is ready.
    private static let baselinePatience = Duration.seconds(5)
    /// How often a lost root is looked for.
    static let rootRetryInterval = Duration.seconds(1)
    /// How often roots are looked at: they are held open, so that the kernel does not tell that one is deleted.
    static let rootCheckInterval = Duration.seconds(5)

    /// When folders without a watch are first looked at again: what was short may be there by then.
    static let firstPollDelay = Duration.seconds(1)

    let endpoints: FilesystemSource.Endpoints
    var settings: FilesystemSourceSettings
    let settingsDesk: SettingsDesk<FilesystemSourceSettings>
    /// That of the present run.
    private(set) var context: SourceContext
    let desk: AccountDesk
    var tracker: FileTracker
    var queue = RecordQueue()
    var folders = OpenFolders()
    var troubles: FilesystemTroubles
    private var toldTroubles: FilesystemTroubles?
    private var bytes: [UInt8] = []
    /// Records read since the beginning.
    private var readCount: UInt64 = 0
    var overflows: UInt64 = 0
    /// Whether the account is open: a former run of the source has begun it.
    private var hasBegun = false
    /// Reads that failed in a row.
    private var readFailureCount = 0
    /// Counts the drains that emptied the queue: tells records from before a listing from later ones.
    private(set) var generation: UInt64 = 0
    /// For each folder that was listed: records up to this drain may be older than the listing.
    var doubtfulUntil: [NodeID: UInt64] = [:]
    /// When the last drain began.
    private var lastDrain = Instant(nanoseconds: 0)
    /// When the queue was last found empty.
    private var lastEmptied = Instant(nanoseconds: 0)
    /// When it was last empty before the first overflow that was read and not told yet.
    var lossBegan: Instant?
    /// Folders of which the latest records spoke, oldest first: what was lost is most likely about them.
    var activeWatches: [Int32] = []
    private var pace = LoopPace(receiveBufferByteCount: 16 << 20)
    /// The folder that is being listed.
    var visit: FolderVisit?
    var hashing: HashJob?
    var packages: PackageMonitor?
    var budget: HashBudget
    /// When everything is to be compared again.
    var resyncDue: Instant?
    var lastResync: Instant?
    var pollDue: Instant?
    /// From ``firstPollDelay`` doubling to `settings.pollInterval`.
    var pollDelay = firstPollDelay
    /// Why the last folder could not be opened, though it may be there.
    var openFailure: Errno?
    var rootRetryDue: Instant?
    var rootCheckDue: Instant?
    var saveDue: Instant?
    /// Whether the index is as the disk was at some time.
    var isBaselineComplete = false
    /// Whether a gap says that folders have no watch.
    var hasToldUnwatched = false
    /// Whether anything was learnt since the index was kept.
    var hasIndexChanged = false
    let taskDesk: TaskDesk
    var hashTask: HashTask?
    var listTask: ListTask?

    init(
        endpoints: FilesystemSource.Endpoints, settingsDesk: SettingsDesk<FilesystemSourceSettings>,
        context: SourceContext,
        desk: AccountDesk, taskDesk: TaskDesk
    ) {
        self.endpoints = endpoints
        // What is new up to here is in.
        _ = settingsDesk.take()
        settings = settingsDesk.present
        self.settingsDesk = settingsDesk
        self.context = context
        self.desk = desk
        self.taskDesk = taskDesk
        tracker = FileTracker(settings: settings, index: FileIndex())
        budget = HashBudget(byteRate: settings.hashByteRate)
        troubles = FilesystemTroubles(kernelWatchLimit: settings.kernelWatchLimit)
        if let database = endpoints.packageDatabase {
            packages = PackageMonitor(database: database, roots: endpoints.watchedRoots)
        }
    }

    /// Observes until cancelled; may be called again after an error, and then goes on with the same account.
    func run(_ context: SourceContext) async throws {
        self.context = context
        do {
            try await observe()
        } catch {
            await settle()
            throw error
        }
    }

    var now: Instant { context.clock.monotonic }

    private func observe() async throws {
        sampleClocks()
        if hasBegun { await resume() } else { begin() }
        hasBegun = true
        saveDue = now.advanced(by: settings.saveInterval)
        rootCheckDue = now.advanced(by: Self.rootCheckInterval)
        let patience = now.advanced(by: Self.baselinePatience)
        var isReady = false
        while !Task.isCancelled {
            try await turn()
            if !isReady, isBaselineComplete || now >= patience {
                isReady = true
                context.ready()
            }
            adoptSettings()
            if desk.hasRequests { desk.answer(try await closeAccount()) }
            flushIfDue()
            tellTroubles()
            if hasWork { await Task.yield() } else { await waitForWork() }
        }
        desk.answer(try await closeAccount(isLast: true))
        saveIndex()
        tellTroubles()
        closeFolders()
    }

    /// What is open below the roots is not kept from run to run.
    private func closeFolders() {
        visit = nil
        hashing = nil
        refuseTasks()
        folders.removeAll()
    }

    /// One slice of everything.
    private func turn() async throws {
        try drain()
        await handleRecords(limit: Self.recordSliceCount)
        if queue.isEmpty { try recheckNames() }
        settleFiles()
        expireHashes()
        if queue.count < Self.recordSliceCount {
            await scanSlice()
            hashSlice()
            taskSlice()
        }
        await scheduleScans()
        await emitOutput()
        await checkPackages()
        saveIfDue()
    }

    private var hasWork: Bool {
        readFailureCount == 0
            && (heldUntil == nil && !queue.isEmpty || visit != nil || !tracker.visits.isEmpty
                || isHashingPossible || queue.isEmpty && !doubtfulUntil.isEmpty
                || packages?.isVerifying == true || hasTaskWork)
    }

    // MARK: - Queue

    /// Reads everything that is queued, up to ``RecordQueue/limit``.
    func drain() throws {
        sampleClocks()
        let begun = now
        var count = 0
        while queue.count < RecordQueue.limit {
            bytes.removeAll(keepingCapacity: true)
            do throws(Errno) {
                _ = try endpoints.watcher.read(count: Self.readByteCount, into: &bytes)
            } catch {
                pace.noteDrain(of: count, at: now)
                guard error != .resourceTemporarilyUnavailable else {
                    noteRead()
                    lastDrain = begun
                    lastEmptied = now
                    return generation += 1
                }
                if error == .interrupted { continue }
                return try noteFailedRead(error)
            }
            noteRead()
            guard !bytes.isEmpty else { break }
            count += decode()
        }
        // What is left belongs to the same drain; nothing more can be waited for.
        lastDrain = begun
        pace.noteDrain(of: count, at: now)
    }

    private func decode() -> Int {
        var reader = InotifyReader(at: 0, count: bytes.count)
        var count = 0
        let readAt = tracker.clocks.monotonic
        while !reader.isAtEnd {
            do {
                guard let record = try reader.next(in: bytes.span) else { break }
                if record.mask.contains(.queueOverflow) { lossBegan = lossBegan ?? lastEmptied }
                queue.append(record, readAt: readAt, generation: generation)
            } catch {
                troubles.strayCount += 1
                tracker.filter(.malformed)
            }
            count += 1
        }
        readCount += UInt64(count)
        return count
    }

    private func noteFailedRead(_ error: Errno) throws(FilesystemSourceError) {
        sometimes(.watchReadFailed)
        readFailureCount += 1
        troubles.readError = error
        guard readFailureCount < ProcessLoop.failureLimit, error.mayPass else { throw .unreadable(error) }
    }

    private func noteRead() {
        guard readFailureCount > 0 else { return }
        readFailureCount = 0
        troubles.readError = nil
        // What a failed read had taken out of the queue, nobody knows.
        reportGap(.watchLost, atLeast: 0)
        scheduleResync()
    }

    /// When the record that waits for the second half of its rename need not wait any more.
    var heldUntil: Instant? {
        guard let entry = queue.first, entry.record.mask.contains(.movedFrom),
            queue.partner(of: entry.record) == nil
        else { return nil }
        let due = entry.readAt.advanced(by: settings.renameWindow)
        return lastDrain >= due || queue.count >= RecordQueue.limit ? nil : due
    }

    /// Tells records in their order; stops at one whose rename is not complete.
    func handleRecords(limit: Int) async {
        var count = 0
        while count < limit, !queue.isEmpty, heldUntil == nil, let entry = queue.popFirst() {
            await handle(entry)
            count += 1
            closeRemovedFolders()
        }
        if queue.isEmpty, !doubtfulUntil.isEmpty {
            doubtfulUntil = doubtfulUntil.filter { $0.value >= generation }
        }
    }

    // MARK: - Output

    func emitOutput() async {
        guard !tracker.output.isEmpty else { return }
        hasIndexChanged = true
        var events = tracker.takeOutput()
        fold(&events)
        await emit(events)
    }

    func emit(_ events: consuming ContiguousArray<Event>) async {
        guard !events.isEmpty else { return }
        await context.emitter.emit(contentsOf: &events)
        pace.noteEmission(at: now)
    }

    /// Reports that something is missing behind everything that was put out before.
    func reportGapInOrder(_ cause: GapCause, atLeast lost: UInt64, since: Instant? = nil) async {
        await emitOutput()
        reportGap(cause, atLeast: lost, since: since)
    }

    func reportGap(_ cause: GapCause, atLeast lost: UInt64, since: Instant? = nil) {
        context.emitter.report(
            Gap(
                source: .filesystem, cause: cause, lost: nil,
                lostBounds: LostBounds(atLeast: lost, atMost: nil), from: since ?? lastEmptied, until: now,
                time: context.clock.wall, processors: [], subscriber: nil))
    }

    private func flushIfDue() {
        guard let due = pace.flushDue, due <= now else { return }
        context.emitter.flush()
        pace.noteFlush(at: now)
    }

    private func tellTroubles() {
        troubles.unwatchedCount = tracker.unwatchedCount
        troubles.foreignMountCount = tracker.foreignMounts.count
        troubles.refusedCount = tracker.index.refusedCount
        troubles.watchCount = tracker.index.watchCount
        guard troubles != toldTroubles else { return }
        toldTroubles = troubles
        desk.health = troubles.health
    }

    func sampleClocks() {
        tracker.clocks = ClockSample(
            monotonic: context.clock.monotonic, boot: context.clock.bootTime, wall: context.clock.wall)
        planHashes()
    }

    // MARK: - Waiting

    private func waitForWork() async {
        if readFailureCount > 0 {
            // The queue is readable and cannot be read: waiting for it would be a loop without a pause.
            let delay = ProcessLoop.retryDelay(after: readFailureCount)
            try? await context.clock.sleep(until: now.advanced(by: delay))
        } else if let held = heldUntil {
            // The other half may come at once: then it is read at once, since the queue is watched.
            _ = await endpoints.watcher.readable(until: held)
        } else if let tick = pace.nextTick(at: now) {
            // Under load there will be records by then. A cancelled sleep returns early, and the loop sees it.
            try? await context.clock.sleep(until: tick)
        } else {
            let deadlines = [
                tracker.settleQueue.nextDue, tracker.recheckDue, hashDue, resyncDue, pollDue,
                rootRetryDue, rootCheckDue, saveDue, pace.flushDue, packages?.lookDue,
            ]
            _ = await endpoints.watcher.readable(until: deadlines.compactMap { $0 }.min())
        }
        flushIfDue()
    }

    // MARK: - Account

    /// Closes the account of everything up to now.
    ///
    /// - Parameter isLast: Nothing waits for a second half, a quiet moment or a hash any more.
    func closeAccount(isLast: Bool = false) async throws -> SourceAccount {
        try drain()
        var turnCount = 0
        while !queue.isEmpty, turnCount < RecordQueue.limit / Self.recordSliceCount {
            if let held = heldUntil {
                guard isLast else { break }
                // Long enough for everybody who has begun a rename.
                lastDrain = max(lastDrain, held)
            }
            await handleRecords(limit: Self.recordSliceCount)
            await emitOutput()
            turnCount += 1
        }
        if isLast { tracker.releaseAll() }
        await emitOutput()
        if isLast { await settlePackages() }
        return account
    }

    private var account: SourceAccount {
        var account = SourceAccount(source: .filesystem)
        account.kernel = readCount - UInt64(queue.count) - tracker.owedCount
        account.filtered = tracker.filtered
        account.coalesced = tracker.coalesced
        account.lost = nil
        account.lostBounds = LostBounds(atLeast: overflows, atMost: overflows == 0 ? 0 : nil)
        account.overflows = overflows
        context.emitter.enterCounts(into: &account)
        return account
    }

    /// Leaves nothing behind that was read and counted.
    private func settle() async {
        guard hasBegun else { return }
        while !queue.isEmpty {
            if let held = heldUntil { lastDrain = max(lastDrain, held) }
            await handleRecords(limit: Self.recordSliceCount)
            await emitOutput()
        }
        tracker.releaseAll()
        await emitOutput()
        await settlePackages()
        context.emitter.flush()
        desk.answer(account)
        saveIndex()
        tellTroubles()
    }
}
