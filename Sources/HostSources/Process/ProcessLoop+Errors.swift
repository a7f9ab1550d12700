import CollectorCore
import EventModel

import struct SystemPackage.Errno

/// How the loop outlives calls that fail: it waits a little, tries again, and says so meanwhile.
///
/// What passes (too little memory, too many open files) must not end a source; what does not pass ends it with a reason,
/// for the runtime to decide.
extension ProcessLoop {
    /// Failures in a row after which an error is not believed to pass.
    static var failureLimit: Int { 12 }

    /// How long to wait after so many failures in a row: from 1 ms doubling to 1 s.
    static func retryDelay(after failureCount: Int) -> Duration {
        .milliseconds(min(1_000, 1 << min(max(failureCount - 1, 0), 10)))
    }

    /// Takes note of a receive that failed for a reason that may pass: what is queued stays queued.
    ///
    /// - Throws: The error, after too many in a row.
    func noteFailedReceive(_ error: Errno) throws(Errno) {
        sometimes(.receiveFailed)
        receiveFailureCount += 1
        troubles.receiveError = error
        guard receiveFailureCount < Self.failureLimit, error.mayPass else { throw error }
    }

    func noteReceive() {
        guard receiveFailureCount > 0 else { return }
        receiveFailureCount = 0
        troubles.receiveError = nil
    }

    /// Lets time pass before the next attempt; returns early when the task is cancelled.
    func pause(for duration: Duration) async {
        // Whoever called sees the cancellation by itself.
        try? await context.clock.sleep(until: now.advanced(by: duration))
    }

    /// Lists `/proc`.
    ///
    /// - Returns: `nil` when that fails for now.
    func listProcesses() -> [ProcessID]? {
        var pids: [ProcessID] = []
        do {
            try endpoints.procfs.processIDs(into: &pids)
            troubles.listError = nil
            return pids
        } catch {
            sometimes(.scanFailed)
            troubles.listError = error
            return nil
        }
    }

    /// The processors to fence: those that are online or, when that cannot be learnt now, those known before.
    ///
    /// - Throws: When none are known yet.
    func processorsToFence() throws(Errno) -> [UInt32] {
        do {
            let processors = try endpoints.fence.onlineProcessors()
            // A host without a processor is a list that is hidden.
            if !processors.isEmpty { knownProcessors = processors }
        } catch {
            guard !knownProcessors.isEmpty else { throw error }
            sometimes(.processorsUnknown)
        }
        return knownProcessors
    }

    /// Sends a request; tries again while the kernel has no room for it.
    func send(_ bytes: [UInt8]) async throws {
        var failureCount = 0
        while true {
            do throws(Errno) {
                return try socket.send(bytes)
            } catch {
                sometimes(.requestFailed)
                failureCount += 1
                guard error.mayPass, failureCount < Self.failureLimit, !Task.isCancelled else {
                    throw ProcessSourceError.notSent(error)
                }
            }
            await pause(for: Self.retryDelay(after: failureCount))
        }
    }
}

extension Errno {
    /// Whether the same call may succeed a moment later, as something is short that others use too.
    var mayPass: Bool {
        switch self {
        case .noMemory, .noBufferSpace, .resourceTemporarilyUnavailable, .tooManyOpenFiles,
            .tooManyOpenFilesInSystem, .ioError, .interrupted:
            true
        default: false
        }
    }
}

// MARK: - Troubles

/// What is not as it should be, though the source works.
struct ProcessTroubles: Equatable {
    /// Why processes are polled for though nobody asked for that.
    var pollingReason: String?
    /// How long looking at all processes takes, because it may not be done as fast as it is wanted.
    var turnDuration: Duration?
    var cursorError: Errno?
    /// The cursor of the last run was there but of no use.
    var isCursorUnusable = false
    /// The socket cannot be read at the moment.
    var receiveError: Errno?
    /// `/proc` cannot be listed at the moment, so what was lost is not made good.
    var listError: Errno?
    /// Datagrams that no kernel sent, or that made no sense.
    var strayCount: UInt64 = 0
    var untrackedCount: UInt64 = 0
    var droppedLookCount: UInt64 = 0
    /// How rarely `/proc` is scanned now, because messages are lost again and again.
    var resyncInterval: Duration?
    /// Scans that were put off until now, while that is so.
    var postponedScanCount: UInt64 = 0
    var isProcHidden = false

    var health: Health {
        var reasons: [String] = []
        if let pollingReason {
            reasons.append(
                "processes are looked for from time to time, as \(pollingReason); "
                    + "how many may have lived between two looks is told")
        }
        if let turnDuration {
            reasons.append("looking at all processes once takes \(turnDuration), as the rate allows no more")
        }
        if let cursorError { reasons.append("the cursor could not be saved: \(cursorError)") }
        if isCursorUnusable {
            reasons.append("what was missed since the last run is not known: its cursor is unusable")
        }
        if let receiveError { reasons.append("messages cannot be received: \(receiveError)") }
        if let listError { reasons.append("/proc cannot be listed: \(listError)") }
        if strayCount > 0 { reasons.append("\(strayCount) datagrams were ignored: forged or malformed") }
        if untrackedCount > 0 {
            reasons.append("\(untrackedCount) processes were not tracked: the table was full")
        }
        if droppedLookCount > 0 {
            reasons.append("\(droppedLookCount) later looks at processes were left out: the queue was full")
        }
        if let resyncInterval {
            reasons.append(
                "messages are lost again and again: what they told is made good every \(resyncInterval) at most "
                    + "(a scan of /proc was put off \(postponedScanCount) times)"
            )
        }
        if isProcHidden { reasons.append("/proc does not show all processes: it is mounted with hidepid") }
        return reasons.isEmpty ? .healthy : .degraded(reason: reasons.joined(separator: "; "))
    }
}
