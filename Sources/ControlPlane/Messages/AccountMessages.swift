package import EventModel
package import WireMessages

extension WireTally {
    /// The message of a tally.
    package init(_ tally: Tally) {
        self.init()
        entries = tally.entries.map { Entry($0) }
    }
}

extension WireTally.Entry {
    /// The message of one reason and its count.
    package init(_ entry: Tally.Entry) {
        self.init()
        reason = entry.reason
        count = entry.count
    }
}

extension Tally {
    /// Reads a tally: each reason once.
    package init(_ message: WireTally) throws(MessageError) { try self.init(message.entries) }

    /// Reads the entries of a tally.
    package init(_ entries: [WireTally.Entry]) throws(MessageError) {
        self.init()
        guard entries.count <= MessageLimits.tallyEntryCount else {
            throw MessageError(
                field: "entries", expected: "at most \(MessageLimits.tallyEntryCount) entries")
        }
        for entry in entries {
            guard self[entry.reason] == 0 else {
                throw MessageError(field: "entries.reason", expected: "each reason once")
            }
            add(try count(entry.count, "entries.count"), to: entry.reason)
        }
    }
}

/// A count that can be added to others without overflow.
private func count(_ value: UInt64, _ field: String) throws(MessageError) -> UInt64 {
    try number(value, field, upTo: MessageLimits.count)
}

extension WireSourceAccount {
    /// The message of a source's account.
    package init(_ account: SourceAccount) {
        self.init()
        source = account.source.rawValue
        kernel = account.kernel
        emitted = account.emitted
        filtered = WireTally(account.filtered)
        coalesced = account.coalesced
        dropped = WireTally(account.dropped)
        if let lost = account.lost { self.lost = lost }
        lostAtLeast = account.lostBounds.atLeast
        if let most = account.lostBounds.atMost { lostAtMost = most }
        overflows = account.overflows
        syntheticDropped = account.syntheticDropped
        processors = account.processors.map { share in
            var message = Processor()
            message.processor = share.processor
            message.isFenced = share.isFenced
            message.kernel = share.kernel
            message.lost = share.lost
            return message
        }
        if let check = account.forkCheck {
            var message = ForkCheck()
            message.forks = check.forks
            message.atLeast = check.atLeast
            message.atMost = check.atMost
            forkCheck = message
        }
    }
}

extension SourceAccount {
    /// Reads a source's account; whether it balances is not asked.
    package init(_ message: WireSourceAccount) throws(MessageError) {
        self.init(source: try SourceName(message.source, "source"))
        kernel = try count(message.kernel, "kernel")
        emitted = try count(message.emitted, "emitted")
        filtered = try within("filtered") { () throws(MessageError) in try Tally(message.filtered) }
        coalesced = try count(message.coalesced, "coalesced")
        dropped = try within("dropped") { () throws(MessageError) in try Tally(message.dropped) }
        lost = message.hasLost ? try count(message.lost, "lost") : nil
        lostBounds = LostBounds(
            atLeast: message.lostAtLeast, atMost: message.hasLostAtMost ? message.lostAtMost : nil)
        overflows = message.overflows
        syntheticDropped = message.syntheticDropped
        processors = try converted(message.processors, "processors", atMost: Limits.processorCount) {
            (share) throws(MessageError) in
            ProcessorAccount(
                processor: share.processor, isFenced: share.isFenced, kernel: share.kernel, lost: share.lost)
        }
        if message.hasForkCheck {
            let check = message.forkCheck
            forkCheck = ForkCheck(forks: check.forks, atLeast: check.atLeast, atMost: check.atMost)
        }
    }
}

extension WireStreamAccount {
    /// The message of a subscriber's account.
    package init(_ account: StreamAccount) {
        self.init()
        subscriber = account.subscriber
        offered = account.offered
        emitted = account.emitted
        baseline = account.baseline
        resync = account.resync
        derived = account.derived
        delivered = account.delivered
        filtered = WireTally(account.filtered)
        dropped = WireTally(account.dropped)
        inFlight = account.inFlight
    }
}

extension StreamAccount {
    /// Reads a subscriber's account; whether it balances is not asked.
    package init(_ message: WireStreamAccount) throws(MessageError) {
        self.init(subscriber: message.subscriber)
        offered = try count(message.offered, "offered")
        emitted = try count(message.emitted, "emitted")
        baseline = try count(message.baseline, "baseline")
        resync = try count(message.resync, "resync")
        derived = try count(message.derived, "derived")
        delivered = try count(message.delivered, "delivered")
        filtered = try within("filtered") { () throws(MessageError) in try Tally(message.filtered) }
        dropped = try within("dropped") { () throws(MessageError) in try Tally(message.dropped) }
        inFlight = try count(message.inFlight, "in_flight")
    }
}
