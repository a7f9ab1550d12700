#if MUTANTS
    import CollectorCore
#endif

/// How many processes may have lived between two looks at `/proc`, from the kernel's own count of forks.
///
/// `processes` of `/proc/stat` counts every process and every thread that was ever made (`total_forks`, `kernel/fork.c`), but not
/// what became of them. Of all forks since ``open(with:)``, those of processes that were found since then are known; the
/// others were threads, or processes that nobody has seen: at most so many. No lower bound can be had.
package struct UnseenForks {
    /// The count when the account began; `nil` when it could not be read.
    private var opening: UInt64?
    private var isOpen = false
    /// Processes that were found, and that were certainly made after the account began.
    private(set) var foundCount: UInt64 = 0
    /// How many have been said to be missing at most.
    package private(set) var announced: UInt64 = 0
    /// Nothing can be said about the most that may be missing, as the count could not be read when it mattered.
    package private(set) var isUnbounded = false
    private var isTold = false

    package init() {}

    /// Opens the account, before `/proc` is listed for the first time.
    package mutating func open(with count: UInt64?) {
        precondition(!isOpen, "an account is opened once")
        isOpen = true
        opening = count
        isUnbounded = count == nil
    }

    /// Takes note of processes that were found and that were certainly made after the account began.
    package mutating func noteFound(_ count: UInt64 = 1) { foundCount += count }

    /// Forks up to `count` that are not known to be processes that were found.
    private func unseen(at count: UInt64) -> UInt64? {
        guard let opening, count >= opening else { return nil }
        #if MUTANTS
            if Mutation.unseenForgotten.isActive { return 0 }
        #endif
        return (count - opening).subtractingReportingOverflow(foundCount).overflow
            ? 0 : count - opening - foundCount
    }

    /// What a gap record has to say.
    package enum Missing: Hashable, Sendable {
        case nothing
        case atMost(UInt64)
        case unknown
    }

    /// Takes note of the count, as it was before `/proc` was listed, and of the listing.
    ///
    /// - Parameter waitingCount: Processes on the list that are still to be looked at: they are not missing yet.
    /// - Returns: What is missing and has not been said yet.
    package mutating func settle(at count: UInt64, waitingCount: Int) -> Missing {
        guard !isUnbounded, let unseen = unseen(at: count) else { return giveUp() }
        let (missing, isNone) = unseen.subtractingReportingOverflow(announced &+ UInt64(waitingCount))
        guard !isNone, missing > 0 else { return .nothing }
        announced += missing
        return .atMost(missing)
    }

    /// The count was not to be had when it mattered, or runs backwards: said once, and again at the end.
    private mutating func giveUp() -> Missing {
        isUnbounded = true
        defer { isTold = true }
        return isTold ? .nothing : .unknown
    }

    /// At most so many are missing; `nil` when that cannot be said.
    ///
    /// - Parameter count: The count now; without it nothing is known of what happened since the last one.
    package func bound(at count: UInt64?) -> UInt64? {
        guard !isUnbounded, let count, let unseen = unseen(at: count) else { return nil }
        return max(unseen, announced)
    }

    /// Closes the account: says what remains.
    package mutating func close(at count: UInt64?) -> Missing {
        guard let bound = bound(at: count) else {
            isUnbounded = true
            return .unknown
        }
        guard bound > announced else { return .nothing }
        defer { announced = bound }
        return .atMost(bound - announced)
    }
}
