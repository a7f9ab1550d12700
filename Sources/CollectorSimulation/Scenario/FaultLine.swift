/// A line of `fault`: which backend calls go wrong, and how.
package struct FaultLine: Hashable, Sendable {
    package var number: Int
    /// Such as `procfs.read`.
    package var operation: String
    package var pid: Int32?
    /// Name of the file or the magic link, as in `ProcessFile` and `ProcessLink`.
    package var file: String?
    /// Only the n-th matching call, from 1.
    package var nth: UInt64?
    /// Every n-th matching call.
    package var every: UInt64?
    /// Each matching call with this probability, in millionths.
    package var millionths: UInt32?
    /// Only calls within these scenario times, in nanoseconds.
    package var during: ClosedRange<Int64>?
    package var behaviour: FaultBehaviourLine
}

/// How a call goes wrong.
package enum FaultBehaviourLine: Hashable, Sendable {
    /// The name of an errno, such as `EACCES`.
    case error(String)
    /// At most this many bytes are transferred.
    case short(Int)
    /// The call takes this much longer, in nanoseconds.
    case stall(Int64)
    /// The process ends and is reaped within the call, before anything is read.
    case diesBeforeRead
    /// The datagram is delivered twice.
    case duplicate
    /// Power fails while a file is being replaced.
    case crash
}

extension FaultLine {
    static let operations = [
        "procfs.list", "procfs.directory", "procfs.open", "procfs.read", "procfs.readlink", "procfs.status",
        "procfs.threads", "procfs.pidfd", "netlink.open", "netlink.recv", "netlink.send", "netlink.wait",
        "netlink.rcvbuf", "fence.processors", "fence.announce", "file.read", "file.replace",
    ]
    static let errors = [
        "EACCES", "EAGAIN", "EINTR", "EINVAL", "EIO", "EMFILE", "ENFILE", "ENOBUFS", "ENOENT", "ENOMEM",
        "ENOSPC",
        "ENOSYS", "EPERM", "EROFS", "ESRCH",
    ]

    init(_ reader: inout LineReader) throws(ScenarioError) {
        number = reader.line
        try reader.refuseTime()
        operation = try reader.verb(of: Self.operations)
        pid = try reader.pid(key: "pid")
        file = try reader.parsed("file", "the name of a file") { $0 }
        nth = try reader.integer(key: "nth", in: 1...1_000_000_000)
        every = try reader.integer(key: "every", in: 1...1_000_000_000)
        during = try reader.parsed("during", "a range such as @1s..@2s", Self.range)
        millionths = try reader.parsed("p", "a probability between 0 and 1", Self.probability)
        try reader.arrow()
        behaviour = try FaultBehaviourLine(&reader)
        try reader.finish()
    }

    private static func range(_ text: String) -> ClosedRange<Int64>? {
        guard let separator = text.firstRange(of: "..") else { return nil }
        func time(_ text: Substring) -> Int64? {
            text.first == "@" ? Quantity.nanoseconds(text.dropFirst(), defaultUnit: "s") : nil
        }
        guard let low = time(text[..<separator.lowerBound]), let high = time(text[separator.upperBound...]),
            low <= high
        else { return nil }
        return low...high
    }

    /// Reads a decimal fraction with at most six places exactly, so that no binary fraction decides a run.
    private static func probability(_ text: String) -> UInt32? {
        guard let millionths = Quantity.nanoseconds(text, defaultUnit: "ms"),
            (0...1_000_000).contains(millionths),
            text.utf8.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: ".") })
        else { return nil }
        return UInt32(millionths)
    }
}

extension FaultBehaviourLine {
    init(_ reader: inout LineReader) throws(ScenarioError) {
        if let count = try reader.byteCount(key: "short") {
            self = .short(count)
        } else if let time = try reader.duration(key: "stall") {
            self = .stall(time)
        } else {
            let known = ["dies-before-read", "duplicate", "crash"] + FaultLine.errors
            switch try reader.word(of: known) {
            case "dies-before-read": self = .diesBeforeRead
            case "duplicate": self = .duplicate
            case "crash": self = .crash
            case let name: self = .error(name)
            }
        }
    }
}
