import EventModel

/// How far looking at all processes has come, where there is no connector.
///
/// Three kinds of looks wait after a listing of `/proc`, the most urgent first: at processes that the list does not show any more,
/// at those that are new, and, in turn, at all the others, of which nothing else would tell that they have changed.
struct PollingProgress {
    var pace: PollingPace
    var forks = UnseenForks()
    /// Whether the baseline has been told.
    var hasBegun = false
    /// When to work next; `nil` with the connector.
    var due: Instant?
    /// When the account was opened.
    var openedAt = Instant(nanoseconds: 0)
    /// When the count of forks was read last.
    var settledAt = Instant(nanoseconds: 0)
    /// Listings that failed in a row.
    var failedListingCount = 0

    /// Latest first, so that the next one is taken from the end.
    private var absent: [Int32] = []
    private var newcomers: [ProcessID] = []
    private var turn: [ProcessID] = []
    private var turnBegan = Instant(nanoseconds: 0)
    private var isInTurn = false

    init(pace: PollingPace) { self.pace = pace }

    /// One look that waits.
    enum Look {
        case absent(Int32)
        case newcomer(ProcessID)
        case known(ProcessID)
    }

    var hasLooks: Bool { !absent.isEmpty || !newcomers.isEmpty || !turn.isEmpty }

    mutating func nextLook() -> Look? {
        if let pid = absent.popLast() { return .absent(pid) }
        if let pid = newcomers.popLast() { return .newcomer(pid) }
        return turn.popLast().map { .known($0) }
    }

    /// Takes over a new listing. A turn that has begun is finished first; who comes or goes meanwhile is seen to anyway.
    mutating func takeListing(absent: [Int32], newcomers: [ProcessID], known: [ProcessID], at now: Instant) {
        self.absent = absent.reversed()
        self.newcomers = newcomers.reversed()
        guard turn.isEmpty else { return }
        turn = known.reversed()
        turnBegan = now
        isInTurn = true
    }

    /// How long the turn has taken that has just ended; `nil` when none has.
    mutating func endTurn(at now: Instant) -> Duration? {
        guard isInTurn, turn.isEmpty else { return nil }
        isInTurn = false
        return turnBegan.duration(to: now)
    }
}
