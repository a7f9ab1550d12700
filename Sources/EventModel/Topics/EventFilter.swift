/// What a subscriber wants to see: conditions that must all hold.
///
/// A condition that is `nil` is not asked. An event that lacks the field a condition asks for does not match:
/// what cannot be proven to be wanted is not delivered. Text is compared byte by byte, never by what Unicode
/// considers equal, so that nobody slips past a filter, or into it, with another spelling of the same
/// letters.
public struct EventFilter: Hashable, Sendable {
    /// Matches every event.
    public static let everything = EventFilter()

    /// The kinds of events wanted.
    public var topics: TopicSet
    /// The processes wanted, by ``CollectionEvent/pid``; sorted and without repetition.
    public let pids: [ProcessID]?
    /// The effective user ids wanted; only process events have one, a file's owner is none.
    public let uids: [UserID]?
    /// The process name (`comm`) wanted, entire.
    public let name: String?
    /// The bytes that the executable's path must begin with; end it with `/` to mean a folder.
    public let executablePrefix: String?

    private let hasConditions: Bool

    /// Compiles a filter; an empty list of pids or uids matches nothing.
    ///
    /// - Precondition: At most ``Limits/filterValueCount`` pids and as many uids; check what outsiders ask
    ///   for first.
    public init(
        topics: TopicSet = .all, pids: [ProcessID]? = nil, uids: [UserID]? = nil, name: String? = nil,
        executablePrefix: String? = nil
    ) {
        precondition(
            max(pids?.count ?? 0, uids?.count ?? 0) <= Limits.filterValueCount,
            "a filter's lists must be short")
        self.topics = topics
        self.pids = pids.map(sortedWithoutRepetition)
        self.uids = uids.map(sortedWithoutRepetition)
        self.name = name
        self.executablePrefix = executablePrefix
        hasConditions = pids != nil || uids != nil || name != nil || executablePrefix != nil
    }

    /// Whether all conditions hold for the event.
    public func matches(_ event: borrowing Event) -> Bool {
        guard topics.contains(event.kind) else { return false }
        return hasConditions ? matchesSubject(event.subject) : true
    }

    private func matchesSubject(_ subject: CollectionEvent) -> Bool {
        if let pids {
            guard let pid = subject.pid, pids.containsSorted(pid) else { return false }
        }
        guard uids != nil || name != nil || executablePrefix != nil else { return true }
        guard case .process(let process) = subject else { return false }
        if let uids {
            guard let uid = process.uid, uids.containsSorted(uid) else { return false }
        }
        if let name {
            guard let other = process.name, other.utf8.elementsEqual(name.utf8) else { return false }
        }
        if let executablePrefix {
            guard let path = process.executablePath, path.utf8.starts(with: executablePrefix.utf8) else {
                return false
            }
        }
        return true
    }
}

private func sortedWithoutRepetition<Value: Hashable & Comparable>(_ values: [Value]) -> [Value] {
    var result: [Value] = []
    for value in values.sorted() where result.last != value { result.append(value) }
    return result
}

extension Array where Element: Comparable {
    /// Whether a sorted array holds a value, by bisection.
    fileprivate func containsSorted(_ value: Element) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == value
    }
}
