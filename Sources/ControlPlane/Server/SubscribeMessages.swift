import EventModel
package import WireMessages

extension EventFeed.Request {
    /// The most credit that is taken at a time.
    private static let creditLimit: UInt32 = 1_048_576
    /// The most sources of a position.
    private static let positionSourceCount = 64

    /// - Throws: ``MessageError``: a filter or a position that makes no sense.
    package init(_ message: WireSubscribe, name: String) throws(MessageError) {
        guard message.credit <= Self.creditLimit else {
            throw MessageError(field: "credit", expected: "at most \(Self.creditLimit)")
        }
        let filter = try EventFilter(message.filter)
        var after: FeedPosition?
        if message.hasAfter {
            guard message.after.sources.count <= Self.positionSourceCount else {
                throw MessageError(
                    field: "after.sources", expected: "at most \(Self.positionSourceCount) sources")
            }
            after = try FeedPosition(message.after)
        }
        let endsWhenSlow: Bool
        switch message.whenSlow {
        case .skip: endsWhenSlow = false
        case .end: endsWhenSlow = true
        case .UNRECOGNIZED:
            throw MessageError(field: "when_slow", expected: "a policy that this version knows")
        }
        self.init(
            name: name, filter: filter, after: after, endsWhenSlow: endsWhenSlow,
            credit: UInt64(message.credit), eventLimit: message.eventLimit == 0 ? nil : message.eventLimit)
    }
}

extension FeedPosition {
    /// - Throws: ``MessageError``: no run, a source without a name or named twice.
    package init(_ message: WirePosition) throws(MessageError) {
        self.init(run: try RunContext(message.run), sources: [])
        for source in message.sources {
            let name = try SourceName(source.source, "position.sources.source")
            guard !sources.contains(where: { $0.name == name }) else {
                throw MessageError(field: "position.sources", expected: "each source once")
            }
            sources.append(Source(name: name, sequence: source.sequence))
        }
    }
}

extension WirePosition {
    package init(_ position: FeedPosition) {
        self.init()
        run = WireRun(position.run)
        sources = position.sources.map { source in
            var message = WireSourcePosition()
            message.source = source.name.rawValue
            message.sequence = source.sequence
            return message
        }
    }
}
