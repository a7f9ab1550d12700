import CollectorCore

/// Paths as a client describes them: byte by byte, `*` for any bytes, none and `/` included.
struct PathPattern: Hashable {
    /// The longest pattern, in bytes: with the longest path it bounds what a comparison costs.
    static let byteCountLimit = 256

    /// What stands before, between and behind the stars; at least one, which may be empty.
    private let parts: [[UInt8]]

    /// - Throws: ``TaskError``: too long.
    init(_ text: String) throws(TaskError) {
        guard text.utf8.count <= Self.byteCountLimit else {
            throw TaskError(
                .invalid, "process_filter.executable_pattern has at most \(Self.byteCountLimit) bytes")
        }
        parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(
            Array.init)
    }

    /// What every path that matches begins with.
    var prefix: String { String(decoding: parts[0], as: UTF8.self) }

    func matches(_ path: String) -> Bool {
        var rest = Array(path.utf8)[...]
        guard rest.starts(with: parts[0]) else { return false }
        rest = rest.dropFirst(parts[0].count)
        guard parts.count > 1 else { return rest.isEmpty }
        // The first place is as good as any later one: it leaves the most to what follows.
        for part in parts[1..<(parts.count - 1)] {
            guard let begin = Self.first(part, in: rest) else { return false }
            rest = rest[(begin + part.count)...]
        }
        let last = parts[parts.count - 1]
        return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
    }

    private static func first(_ part: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= part.count else { return nil }
        for begin in bytes.startIndex...(bytes.endIndex - part.count)
        where bytes[begin..<(begin + part.count)].elementsEqual(part) {
            return begin
        }
        return nil
    }
}
