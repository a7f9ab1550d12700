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

    /// Whether it matters who the parent is.
    var asksForParent: Bool { !parent.isEmpty }

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
        var bytes: [UInt8]
        var index: Int
    }

    /// In ascending order of their bytes.
    private var whole: [Entry] = []
    /// The same; none begins with another one, so that at most one can match.
    private var beginnings: [Entry] = []

    init(_ patterns: [(pattern: ProcessRule.TextPattern, index: Int)]) {
        let entries = patterns.map {
            (isPrefix: $0.pattern.isPrefix, Entry(bytes: Array($0.pattern.text.utf8), index: $0.index))
        }
        .sorted { a, b in
            let order = ByteOrder.compare(a.1.bytes.span, b.1.bytes.span)
            return order < 0 || order == 0 && a.1.index < b.1.index
        }
        for (isPrefix, entry) in entries {
            if !isPrefix {
                whole.append(entry)
            } else if !(beginnings.last.map { entry.bytes.starts(with: $0.bytes) } ?? false) {
                beginnings.append(entry)
            }
        }
    }

    var isEmpty: Bool { whole.isEmpty && beginnings.isEmpty }

    func match(_ text: String) -> Int? {
        guard !isEmpty else { return nil }
        let bytes = text.utf8Span.span
        let candidate = Self.last(notAfter: bytes, in: whole)
        if candidate >= 0 {
            let found = whole[candidate].bytes
            if ByteOrder.compare(found.span, bytes) == 0 { return whole[candidate].index }
        }
        let beginning = Self.last(notAfter: bytes, in: beginnings)
        guard beginning >= 0 else { return nil }
        let found = beginnings[beginning].bytes
        return ByteOrder.hasPrefix(bytes, found.span) ? beginnings[beginning].index : nil
    }

    /// By halves; -1 when all come after it.
    private static func last(notAfter text: Span<UInt8>, in entries: [Entry]) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            let entry = entries[middle].bytes
            if ByteOrder.compare(entry.span, text) <= 0 {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low - 1
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
    static func compare(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Int {
        let count = min(a.count, b.count)
        var index = 0
        while index < count, a[index] == b[index] { index += 1 }
        return index < count ? Int(a[index]) - Int(b[index]) : a.count - b.count
    }

    static func hasPrefix(_ bytes: Span<UInt8>, _ prefix: Span<UInt8>) -> Bool {
        guard bytes.count >= prefix.count else { return false }
        for index in prefix.indices where bytes[index] != prefix[index] { return false }
        return true
    }
}
