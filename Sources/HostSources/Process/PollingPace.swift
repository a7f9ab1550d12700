package import EventModel

/// Says when `/proc` may be looked at without the connector: as often as wanted, never faster than the rate allows.
///
/// A bucket of tokens, one for each file of `/proc` opened, that fills at the rate up to what ``sliceInterval`` brings. Work
/// begins when it is full and ends when it is empty, so that there is a slice of work at most every ``sliceInterval``,
/// however much there is to do. What has begun is finished: a look may leave a debt of a few tokens, a listing one of
/// as many as it cost.
package struct PollingPace {
    /// Time between two slices of work: short beside an interval, long beside the cost of waking up.
    package static let sliceInterval = Duration.milliseconds(50)
    /// Entries of `/proc` that cost as much to list as one file costs to open and read (measured on Linux 6.18: 1.2 µs and 9.2 µs).
    package static let entriesPerToken = 8
    /// A look takes up to eight.
    private static let leastCapacity = 8.0

    package private(set) var interval: Duration
    /// Tokens per second.
    private var rate: Double
    private var tokens: Double
    private var refilledAt: Instant
    /// When `/proc` is wanted to be listed next.
    private var listingDue: Instant
    /// What the last listing cost, less what looks have cost since then.
    private var listingLead = 0.0

    /// A pace whose bucket is full and whose first listing is due after an interval.
    ///
    /// - Parameter rate: Tokens per second, at least 1.
    package init(interval: Duration, rate: Int, at now: Instant) {
        self.interval = interval
        self.rate = Double(max(rate, 1))
        tokens = 0
        refilledAt = now
        listingDue = now.advanced(by: interval)
        tokens = capacity
    }

    private var capacity: Double { max(rate / 20, Self.leastCapacity) }

    /// Goes on with another interval and rate.
    package mutating func adopt(interval: Duration, rate: Int, at now: Instant) {
        guard interval != self.interval || Double(max(rate, 1)) != self.rate else { return }
        refill(at: now)
        self.interval = interval
        self.rate = Double(max(rate, 1))
        tokens = min(tokens, capacity)
        listingDue = min(listingDue, now.advanced(by: interval))
    }

    package mutating func refill(at now: Instant) {
        let elapsed = Double(refilledAt.duration(to: now).wholeNanoseconds) / 1e9
        tokens = min(capacity, tokens + max(0, elapsed) * rate)
        refilledAt = max(refilledAt, now)
    }

    /// Whether one more look may begin.
    package var mayLook: Bool { tokens >= 1 }

    /// Pays for what was opened.
    package mutating func spend(_ openCount: Int) {
        tokens -= Double(openCount)
        listingLead -= Double(openCount)
    }

    // MARK: - Listings

    /// Whether `/proc` may and should be listed.
    ///
    /// While looks are still wanted, they get as many tokens as listings: however low the rate, neither starves the other.
    package func isListingDue(at now: Instant, hasLooks: Bool) -> Bool {
        listingDue <= now && mayLook && (!hasLooks || listingLead <= 0)
    }

    /// Pays for a listing, and sets the time of the next one.
    package mutating func noteListing(of entryCount: Int, at now: Instant) {
        let cost = Double(1 + entryCount / Self.entriesPerToken)
        tokens -= cost
        listingLead = cost
        listingDue = max(listingDue.advanced(by: interval), now)
    }

    /// A listing failed: it is tried again after a while.
    package mutating func noteFailedListing(retryAfter delay: Duration, at now: Instant) {
        tokens -= 1
        listingDue = now.advanced(by: delay)
    }

    /// A listing is wanted at once.
    package mutating func demandListing(at now: Instant) { listingDue = min(listingDue, now) }

    // MARK: - Waking up

    /// When to work next.
    package func nextWork(hasLooks: Bool) -> Instant {
        if hasLooks { return time(ofTokens: capacity) }
        return max(listingDue, time(ofTokens: 1))
    }

    /// When the bucket will hold so many.
    private func time(ofTokens wanted: Double) -> Instant {
        guard tokens < wanted else { return refilledAt }
        // Rounded up, so that they are there by then.
        return refilledAt.advanced(by: .nanoseconds(Int64((wanted - tokens) / rate * 1e9) + 1_000))
    }
}
