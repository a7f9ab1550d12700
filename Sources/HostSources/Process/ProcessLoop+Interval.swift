import Backends
import CollectorCore
import EventModel
import KernelFormats

package import struct SystemPackage.Errno

extension ProcessLoop {
    /// How often a fence is repeated when its own messages were lost.
    static var fenceAttemptLimit: Int { 16 }
    /// How often saying goodbye to the kernel is tried, without waiting: the source is asked to end.
    private static var goodbyeAttemptLimit: Int { 3 }

    // MARK: - Subscription

    /// Asks for messages and waits for the kernel's acknowledgement: arriving messages prove nothing, because a
    /// listener that died without unsubscribing leaves the count of listeners raised.
    func subscribe() async throws {
        acknowledgement = nil
        for _ in 0..<Self.fenceAttemptLimit {
            ticket =
                UInt32(truncatingIfNeeded: now.nanoseconds)
                ^ UInt32(bitPattern: endpoints.fence.ownProcessID.rawValue)
            try await send(ConnectorRequest(.listen, acknowledgement: ticket).bytes)
            if try await waitForAcknowledgement() { break }
        }
        guard let error = acknowledgement else { throw ProcessSourceError.notServed }
        guard error == 0 else {
            throw ProcessSourceError.refused(Errno(rawValue: Int32(truncatingIfNeeded: error)))
        }
    }

    /// - Returns: Whether it came; `false` when it may be among messages that were dropped for want of room.
    private func waitForAcknowledgement() async throws -> Bool {
        let deadline = now.advanced(by: .seconds(2))
        while true {
            let overflowsBefore = pending.overflows
            try gather()
            if acknowledgement != nil { return true }
            if pending.overflows > overflowsBefore {
                sometimes(.acknowledgementLost)
                return false
            }
            try Task.checkCancellation()
            if receiveFailureCount > 0 { await pause(for: Self.retryDelay(after: receiveFailureCount)) }
            let readiness = await socket.readable(until: deadline)
            if readiness == .deadlinePassed { throw ProcessSourceError.notServed }
        }
    }

    func unsubscribe() {
        // The kernel forgets a dead listener's socket but not that it was counted: worth a few attempts.
        for _ in 0..<Self.goodbyeAttemptLimit {
            do throws(Errno) {
                return try socket.send(ConnectorRequest(.ignore).bytes)
            } catch {
                guard error.mayPass else { return }
            }
        }
    }

    // MARK: - Fences

    /// Opens the account: every CPU that can be fenced starts right after its fence.
    ///
    /// What came before belongs to the baseline; a CPU that cannot be fenced starts with its next message.
    func openInterval() throws {
        let before = forksSinceBoot()
        tracker.watchedSince = now
        try fence()
        fences.hasOpened = true
        openingForks = before.flatMap { before in forksSinceBoot().map { (before, $0) } }
        tracker.markForks(sinceBoot: before, unhandledCount: pending.forkCount)
        tracker.turns.setMaximum(pidMaximum())
    }

    /// Makes every CPU say its present sequence, and reads until each has been heard.
    private func fence() throws {
        let processors = try processorsToFence()
        fences.begin(seed: UInt64(bitPattern: now.nanoseconds))
        for _ in 0..<Self.fenceAttemptLimit {
            for processor in processors
            where !fences.seen.contains(processor) && !fences.refused.contains(processor) {
                do {
                    try endpoints.fence.announce(fences.token, on: processor)
                } catch {
                    sometimes(.fenceRefused)
                    fences.refused.insert(processor)
                }
            }
            try gather()
            if processors.allSatisfy({ fences.seen.contains($0) || fences.refused.contains($0) }) { return }
            // The buffer was full: it is empty now, so the next attempt will be heard unless a storm fills it again.
            if pending.messages.count >= Round.messageLimit { break }
            sometimes(.fenceRepeated)
        }
        sometimes(.fenceIncomplete)
    }

    /// Closes the account of everything up to now.
    func closeAccount() async throws -> SourceAccount {
        let before = forksSinceBoot()
        for processor in ledger.accounts { ledger.markFenced(processor: processor.processor, false) }
        #if MUTANTS
            if !Mutation.tailForgotten.isActive { try fence() }
        #else
            try fence()
        #endif
        let after = forksSinceBoot()
        for processor in fences.seen.sorted() { ledger.markFenced(processor: processor, true) }
        // What the fence read is part of the interval: handle it, and what that reads in turn. Ends because each turn
        // stops when nothing new came; under a storm after a few turns, exact up to the last message handled.
        var turns = 0
        while !pending.isEmpty, turns < 64 {
            try await handlePending()
            turns += 1
        }
        sometimes(.accountStormed, when: !pending.isEmpty)
        tracker.markForks(sinceBoot: before, unhandledCount: pending.forkCount)
        desk.memory = memory
        return account(forksBefore: before, forksAfter: after)
    }

    func account(forksBefore: UInt64?, forksAfter: UInt64?) -> SourceAccount {
        var account = SourceAccount(source: .process)
        // Messages read but not handled are not in the interval yet.
        let unhandled = UInt64(pending.messages.count) + pending.losses.reduce(0) { $0 + $1.loss.lost }
        let unhandledLoss = pending.losses.reduce(0) { $0 + $1.loss.lost }
        account.kernel = ledger.kernel - unhandled
        account.lost = ledger.lost - unhandledLoss
        account.lostBounds = .exactly(ledger.lost - unhandledLoss)
        account.filtered = tracker.filtered.tally
        account.overflows = overflows
        account.processors = ledger.accounts
        context.emitter.enterCounts(into: &account)
        if let opening = openingForks, let forksBefore, let forksAfter {
            let underWay = UInt64(account.processors.count)
            let atLeast = forksBefore &- opening.after
            account.forkCheck = ForkCheck(
                forks: tracker.forkCount, atLeast: atLeast > underWay ? atLeast - underWay : 0,
                atMost: forksAfter &- opening.before + underWay)
        }
        return account
    }

    /// `processes` of `/proc/stat`: forks since boot, threads included. `nil` when it cannot be read.
    func forksSinceBoot() -> UInt64? {
        var bytes: [UInt8] = []
        do {
            let file = try endpoints.procfs.open(.stat)
            _ = try endpoints.procfs.readAll(file, limit: Limits.systemStatByteCount, into: &bytes)
            return try SystemStat(parsing: bytes).forkCount
        } catch {
            return nil
        }
    }

    /// `pid_max`; `nil` when it cannot be read.
    func pidMaximum() -> UInt32? {
        var bytes: [UInt8] = []
        do {
            let file = try endpoints.procfs.open(.pidMaximum)
            _ = try endpoints.procfs.readAll(file, limit: Limits.procFileByteCount, into: &bytes)
            return try PIDMaximumFile(parsing: bytes).maximum
        } catch {
            return nil
        }
    }

    // MARK: - Cursor

    /// Says what was missed since the last run of the same boot.
    ///
    /// The kernel numbers messages only while somebody listens, so the difference of the sequences is a lower bound.
    func reportMissedTime() {
        let cursor: ConnectorCursor
        switch readCursor() {
        case .missing, .ofAnotherBoot: return
        case .unusable: return reportGap([], atLeast: 0)
        case .ofThisBoot(let found): cursor = found
        }
        let present = ledger.cursor
        var losses: [ProcessorLoss] = []
        for position in cursor.positions {
            guard let here = present.first(where: { $0.processor == position.processor }) else { continue }
            let advance = here.sequence &- position.sequence
            guard advance < 1 << 31 else { continue }
            losses.append(
                ProcessorLoss(
                    processor: position.processor, lost: UInt64(advance), after: position.sequence,
                    before: here.sequence))
        }
        sometimes(.restartedWithinBoot)
        reportGap(losses, atLeast: losses.reduce(0) { $0 + $1.lost })
    }

    private func reportGap(_ losses: [ProcessorLoss], atLeast lost: UInt64) {
        context.emitter.report(
            Gap(
                source: .process, cause: .notRunning, lost: nil,
                lostBounds: LostBounds(atLeast: lost, atMost: nil),
                from: Instant(nanoseconds: 0), until: now, time: context.clock.wall, processors: losses,
                subscriber: nil))
    }

    /// What the last run has left.
    private enum CursorReading {
        case missing, ofAnotherBoot
        case ofThisBoot(ConnectorCursor)
        /// There was a run, and what it knew cannot be had: damaged, or not to be read.
        case unusable
    }

    private func readCursor() -> CursorReading {
        do throws(Errno) {
            guard let bytes = try endpoints.cursor?.read() else {
                sometimes(.cursorMissing)
                return .missing
            }
            if let cursor = ConnectorCursor(parsing: bytes) {
                if cursor.bootID == context.run.bootID { return .ofThisBoot(cursor) }
                sometimes(.cursorStale)
                return .ofAnotherBoot
            }
            sometimes(.cursorDamaged)
        } catch {
            sometimes(.cursorUnreadable)
        }
        troubles.isCursorUnusable = true
        return .unusable
    }

    func saveCursor() {
        guard let file = endpoints.cursor else { return }
        do {
            try file.replace(
                with: ConnectorCursor(bootID: context.run.bootID, positions: ledger.cursor).bytes)
            troubles.cursorError = nil
            troubles.isCursorUnusable = false
        } catch {
            sometimes(.cursorUnsaved)
            troubles.cursorError = error
        }
    }
}

/// Which CPUs have answered the present fence.
struct FenceProgress {
    /// Whether the account's interval is open.
    var hasOpened = false
    var seen: Set<UInt32> = []
    /// CPUs on which the thread may not run.
    var refused: Set<UInt32> = []
    private(set) var token = ""
    private var tokenName = TaskComm([])
    private var round: UInt64 = 0

    /// Starts a fence with a name of its own, so that a late message of an earlier one is not mistaken for it.
    mutating func begin(seed: UInt64) {
        round += 1
        token = "fence-" + String((seed & 0xffff) << 8 | round & 0xff, radix: 16)
        tokenName = TaskComm(token.utf8)
        seen = []
        refused = []
    }

    func isToken(_ name: TaskComm) -> Bool { !token.isEmpty && name == tokenName }

    mutating func note(_ processor: UInt32) { seen.insert(processor) }
}

/// Why the process source cannot run.
package enum ProcessSourceError: SourceError, Hashable, CustomStringConvertible {
    /// No acknowledgement came.
    case notServed
    /// The kernel refused the subscription.
    case refused(Errno)
    /// The request could not be sent.
    case notSent(Errno)
    /// `/proc` could not be listed.
    case unlistable(Errno)

    /// What is refused or not served stays so until somebody changes the host.
    package var mayPass: Bool {
        switch self {
        case .notServed, .refused: false
        case .notSent(let error), .unlistable(let error): error.mayPass
        }
    }

    package var description: String {
        switch self {
        case .notServed:
            "the proc connector did not answer: it serves only the initial pid and user namespaces; "
                + "run outside a container, or with its host namespaces; before Linux 6.6 it also takes CAP_NET_ADMIN"
        case .refused(let error):
            "the kernel refused the proc connector (\(error)): give CAP_NET_ADMIN"
        case .notSent(let error):
            "the request to the proc connector could not be sent (\(error)): "
                + "the kernel needs CONFIG_PROC_EVENTS, and the collector CAP_NET_ADMIN before Linux 6.6"
        case .unlistable(let error):
            "/proc could not be listed (\(error)): mount it, and give the collector enough open files"
        }
    }
}
