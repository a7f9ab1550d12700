package import EventModel
package import WireMessages

extension WireGap {
    /// The message of a gap.
    ///
    /// - Parameter through: The last sequence that the gap tells of, when it is about events that had one.
    package init(_ gap: Gap, through: UInt64? = nil) {
        self.init()
        if let through { self.through = through }
        source = gap.source.rawValue
        cause = gap.cause.rawValue
        if let lost = gap.lost { self.lost = lost }
        lostAtLeast = gap.lostBounds.atLeast
        if let most = gap.lostBounds.atMost { lostAtMost = most }
        fromMonotonicNs = gap.from.nanoseconds
        untilMonotonicNs = gap.until.nanoseconds
        timeUnixNs = gap.time.nanoseconds
        processors = gap.processors.map { loss in
            var message = ProcessorLoss()
            message.processor = loss.processor
            message.lost = loss.lost
            message.after = loss.after
            message.before = loss.before
            return message
        }
        if let subscriber = gap.subscriber { self.subscriber = subscriber }
    }
}

extension Gap {
    /// Reads a gap.
    package init(_ message: WireGap) throws(MessageError) {
        let losses = try converted(message.processors, "processors", atMost: Limits.processorCount) {
            (loss) throws(MessageError) in
            ProcessorLoss(
                processor: loss.processor, lost: loss.lost, after: loss.after, before: loss.before)
        }
        self.init(
            source: try SourceName(message.source, "source"), cause: try named(message.cause, "cause"),
            lost: message.hasLost ? message.lost : nil,
            lostBounds: LostBounds(
                atLeast: message.lostAtLeast, atMost: message.hasLostAtMost ? message.lostAtMost : nil),
            from: Instant(nanoseconds: message.fromMonotonicNs),
            until: Instant(nanoseconds: message.untilMonotonicNs),
            time: WallTime(nanoseconds: message.timeUnixNs), processors: losses,
            subscriber: message.hasSubscriber ? message.subscriber : nil)
    }
}
