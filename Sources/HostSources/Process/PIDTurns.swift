package import EventModel

/// The order in which the kernel gives out pids, and which of them others may have been given unseen.
///
/// `alloc_pid` takes the next free number after the last one, for threads too, up to `pid_max`, and then begins again at 300
/// (`idr_alloc_cyclic` and `RESERVED_PIDS`, `kernel/pid.c`). So after a loss of messages only the pids that follow the last
/// one seen may have changed hands: as many as there were forks. Whoever may choose pids (`clone3(2)` with `set_tid`, or
/// `ns_last_pid`, which CRIU uses) breaks this order; once that has shown, no pid is beyond doubt after a loss.
package struct PIDTurns {
    /// Where the kernel begins again after the maximum.
    private static let reservedCount: Int32 = 300
    /// Most places by which messages of several processors may be out of order.
    private static let disorder = 16

    /// How many pids there are before their turn comes again; `nil` when not known.
    private var lap: Int?
    /// The pid that was given out last, as far as was seen.
    private var last: Int32?
    /// The pid after which doubt began, and how many have been given out since.
    private var doubt: (after: Int32?, count: Int)?
    /// Pids that may have been given out unseen since the last one was seen.
    private var unseenCount = 0
    /// Somebody has been given a pid out of turn.
    package private(set) var isBroken = false

    package init() {}

    /// Takes over `pid_max`; `nil` when it could not be read.
    package mutating func setMaximum(_ maximum: UInt32?) {
        lap = maximum.flatMap { $0 > UInt32(Self.reservedCount) ? Int($0) - Int(Self.reservedCount) : nil }
    }

    /// Takes note of a pid that was just given to a process or a thread, as a FORK message says.
    ///
    /// - Parameter usedCount: Pids in use, which the kernel passes over.
    package mutating func note(_ pid: ProcessID, usedCount: Int) {
        guard let lap, let present = last else {
            if pid.rawValue >= Self.reservedCount { last = pid.rawValue }
            return
        }
        guard let distance = distance(from: present, to: pid.rawValue) else { return isBroken = true }
        // Messages of two processors may come in the wrong order.
        guard distance < lap - min(Self.disorder, lap / 8) else { return }
        let (allowance, isEndless) = (slack + usedCount).addingReportingOverflow(unseenCount)
        guard isEndless || distance <= allowance else { return isBroken = true }
        last = pid.rawValue
        // From here on it is known again where the turns are.
        if doubt == nil { unseenCount = 0 }
    }

    /// Pids given to forks that failed afterwards, of which no message tells.
    private var slack: Int { min(1_024, (lap ?? 0) / 8) }

    /// How many turns after `start` it is a pid's turn; `nil` for one that has none.
    private func distance(from start: Int32, to pid: Int32) -> Int? {
        guard let lap, pid >= Self.reservedCount, Int(pid - Self.reservedCount) < lap else { return nil }
        let distance = (Int(pid) - Int(start)) % lap
        return distance < 0 ? distance + lap : distance
    }

    // MARK: - Doubt

    package var isInDoubt: Bool { doubt != nil }

    /// Messages were lost after the last one noted.
    package mutating func beginDoubt() {
        if doubt == nil { doubt = (last, 0) }
    }

    /// Since doubt began so many pids have been given out, seen or unseen; `nil` when nobody can tell.
    ///
    /// - Parameter usedCount: Pids in use, which the kernel passes over.
    package mutating func extendDoubt(to forkCount: Int?, usedCount: Int) {
        guard let present = doubt else { return }
        let count = forkCount.map { $0 + usedCount + slack } ?? .max
        doubt = (present.after, max(present.count, count))
        unseenCount = max(unseenCount, count)
    }

    package mutating func endDoubt() { doubt = nil }

    /// Whether a pid may have had its turn again of which it is known that `forkCount` pids were given out since its last one,
    /// those of the time of doubt not counted.
    package func mayHaveLapped(since forkCount: Int64) -> Bool {
        guard let doubt else { return false }
        guard let lap, !isBroken else { return true }
        return Int64(doubt.count).addingClamped(forkCount) >= Int64(lap - slack)
    }

    /// Whether a pid that was somebody's before doubt began may be another's by now.
    package func mayHaveChanged(_ pid: ProcessID) -> Bool {
        guard let doubt else { return false }
        guard !mayHaveLapped(since: 0), let lap, let after = doubt.after else { return true }
        // Those below 300 are given out once, at the boot.
        guard let distance = distance(from: after, to: pid.rawValue) else { return false }
        return distance <= doubt.count || distance >= lap - min(Self.disorder, lap / 8)
    }
}
