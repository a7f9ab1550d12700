import EventModel

/// Rules sorted by what they look at: finding one that matches takes a few comparisons, however many there are.
struct CompiledRules: Sendable {
    private var exe: TextTable
    private var name: TextTable
    private var uid: RangeTable
    private var gid: RangeTable
    private var cgroup: TextTable
    private var parent: TextTable

    init(_ rules: [ProcessRule]) {
        var texts: [[(ProcessRule.TextPattern, Int)]] = [[], [], [], []]
        var ranges: [[(ClosedRange<UInt32>, Int)]] = [[], []]
        for (index, rule) in rules.enumerated() {
            switch rule {
            case .exe(let pattern): texts[0].append((pattern, index))
            case .name(let pattern): texts[1].append((pattern, index))
            case .cgroup(let pattern): texts[2].append((pattern, index))
            case .parent(let pattern): texts[3].append((pattern, index))
            case .uid(let range): ranges[0].append((range, index))
            case .gid(let range): ranges[1].append((range, index))
            }
        }
        exe = TextTable(texts[0])
        name = TextTable(texts[1])
        cgroup = TextTable(texts[2])
        parent = TextTable(texts[3])
        uid = RangeTable(ranges[0])
        gid = RangeTable(ranges[1])
    }

    /// The place of a rule that matches; the cheap ones are asked first.
    func match(_ process: borrowing ProcessEvent, _ parentPath: String?) -> Int? {
        if let user = process.uid, let index = uid.match(user.rawValue) { return index }
        if let group = process.gid, let index = gid.match(group.rawValue) { return index }
        if let text = process.name, let index = name.match(text) { return index }
        if let text = process.executablePath, let index = exe.match(text) { return index }
        if let text = process.cgroup, let index = cgroup.match(text) { return index }
        if let parentPath, let index = parent.match(parentPath) { return index }
        return nil
    }
}

/// Texts and beginnings of texts, each with the place of its rule.
private struct TextTable: Sendable {
    private struct Entry: Sendable {
        var text: String
        var index: Int
    }

    /// In ascending order of their bytes.
    private var whole: [Entry] = []
    /// The same; none begins with another one, so that at most one can match.
    private var beginnings: [Entry] = []

    init(_ patterns: [(pattern: ProcessRule.TextPattern, index: Int)]) {
        let sorted = patterns.sorted {
            ByteOrder.compare($0.pattern.text, $1.pattern.text) < 0
                || ByteOrder.compare($0.pattern.text, $1.pattern.text) == 0 && $0.index < $1.index
        }
        for (pattern, index) in sorted {
            let entry = Entry(text: pattern.text, index: index)
            if !pattern.isPrefix {
                whole.append(entry)
            } else if !(beginnings.last.map { ByteOrder.hasPrefix(pattern.text, $0.text) } ?? false) {
                beginnings.append(entry)
            }
        }
    }

    func match(_ text: String) -> Int? {
        if let found = Self.last(notAfter: text, in: whole), ByteOrder.compare(found.text, text) == 0 {
            return found.index
        }
        guard let found = Self.last(notAfter: text, in: beginnings), ByteOrder.hasPrefix(text, found.text)
        else {
            return nil
        }
        return found.index
    }

    /// By halves.
    private static func last(notAfter text: String, in entries: [Entry]) -> Entry? {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if ByteOrder.compare(entries[middle].text, text) <= 0 { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? entries[low - 1] : nil
    }
}

/// Ranges of numbers, each with the place of its rule.
private struct RangeTable: Sendable {
    /// Ascending and apart: where ranges overlap, the numbers belong to the one that begins first.
    private var entries: [(range: ClosedRange<UInt32>, index: Int)] = []

    init(_ ranges: [(range: ClosedRange<UInt32>, index: Int)]) {
        let sorted = ranges.sorted {
            ($0.range.lowerBound, $0.index) < ($1.range.lowerBound, $1.index)
        }
        for (range, index) in sorted {
            guard let last = entries.last?.range.upperBound, range.lowerBound <= last else {
                entries.append((range, index))
                continue
            }
            if range.upperBound > last { entries.append((last + 1...range.upperBound, index)) }
        }
    }

    func match(_ number: UInt32) -> Int? {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].range.lowerBound <= number { low = middle + 1 } else { high = middle }
        }
        guard low > 0, number <= entries[low - 1].range.upperBound else { return nil }
        return entries[low - 1].index
    }
}

/// Comparing texts by their bytes.
private enum ByteOrder {
    /// Below 0, 0 or above 0, as `a` comes before, is, or comes after `b`.
    static func compare(_ a: String, _ b: String) -> Int {
        let (left, right) = (a.utf8Span.span, b.utf8Span.span)
        let count = min(left.count, right.count)
        for index in 0..<count where left[index] != right[index] {
            return Int(left[index]) - Int(right[index])
        }
        return left.count - right.count
    }

    static func hasPrefix(_ text: String, _ prefix: String) -> Bool {
        let (bytes, start) = (text.utf8Span.span, prefix.utf8Span.span)
        guard bytes.count >= start.count else { return false }
        for index in start.indices where bytes[index] != start[index] { return false }
        return true
    }
}
