/// A set of event kinds, compiled from topic patterns: asking for a kind is one bit test.
public struct TopicSet: Hashable, Sendable {
    /// Bit ``EventKind/index`` is set for each member.
    private var bits: UInt64

    /// No kind at all.
    public static let none = TopicSet(bits: 0)
    /// Every kind.
    public static let all = TopicSet(EventKind.allCases)

    private init(bits: UInt64) { self.bits = bits }

    /// The given kinds.
    public init(_ kinds: some Sequence<EventKind>) {
        bits = kinds.reduce(0) { $0 | Self.bit($1) }
    }

    /// The kinds whose topic at least one of the patterns matches.
    ///
    /// ``isEmpty`` then means that no event can ever come, which is most likely a mistake of the asker.
    public init(matching patterns: some Sequence<TopicPattern>) {
        bits = 0
        for pattern in patterns {
            for kind in EventKind.allCases where pattern.matches(kind.topic) { bits |= Self.bit(kind) }
        }
    }

    /// Whether the kind is a member.
    public func contains(_ kind: EventKind) -> Bool { bits & Self.bit(kind) != 0 }

    /// Whether there is no member.
    public var isEmpty: Bool { bits == 0 }

    /// The members in the order of `EventKind.allCases`.
    public var kinds: [EventKind] { EventKind.allCases.filter(contains) }

    /// Adds the members of another set.
    public mutating func formUnion(_ other: TopicSet) { bits |= other.bits }

    /// The members of either set.
    public func union(_ other: TopicSet) -> TopicSet { TopicSet(bits: bits | other.bits) }

    /// The members of both sets.
    public func intersection(_ other: TopicSet) -> TopicSet { TopicSet(bits: bits & other.bits) }

    private static func bit(_ kind: EventKind) -> UInt64 { 1 << UInt64(kind.index) }
}
