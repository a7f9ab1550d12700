package import SimulatedBackends

package import struct SystemPackage.Errno

/// A line of `fault`: which backend calls go wrong, and how.
///
/// A line that could never strike, or that asks for what no host can do, is an error with the list of what is possible.
package struct FaultLine: Hashable, Sendable {
    package var number: Int
    package var call: BackendOperation
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
    /// How long it goes on striking once it has struck, in nanoseconds.
    package var lasting: Int64?
    /// How many calls in a row it strikes.
    package var times: UInt64?
    package var behaviour: FaultBehaviourLine
}

/// How a call goes wrong.
package enum FaultBehaviourLine: Hashable, Sendable {
    case error(Errno)
    /// At most this many bytes or datagrams are transferred at a time.
    case short(Int)
    /// The call takes this much longer, in nanoseconds.
    case stall(Int64)
    /// The process ends and is reaped within the call, before anything is read.
    case diesBeforeRead
    /// The datagram is delivered twice.
    case duplicate
    /// Power fails while a file is being replaced.
    case crash
    /// Nothing is found, as at the end of a file.
    case endOfFile
    /// One bit is wrong.
    case corrupt
    /// Neighbouring datagrams of two processors change places.
    case reorder
    /// The wait ends for nothing.
    case spurious

    var kind: FaultKind {
        switch self {
        case .error: .errno
        case .short: .short
        case .stall: .stall
        case .diesBeforeRead: .diesBeforeRead
        case .duplicate: .duplicate
        case .crash: .crash
        case .endOfFile: .endOfFile
        case .corrupt: .corrupt
        case .reorder: .reorder
        case .spurious: .spurious
        }
    }
}

extension FaultLine {
    package static let operations = BackendOperation.allCases.map(\.rawValue)

    /// Such as `procfs.read`.
    package var operation: String { call.rawValue }

    init(_ reader: inout LineReader) throws(ScenarioError) {
        number = reader.line
        try reader.refuseTime()
        call = BackendOperation(rawValue: try reader.verb(of: Self.operations)) ?? .procfsList
        let pidColumn = reader.column(ofKey: "pid")
        pid = try reader.pid(key: "pid")
        if pid != nil, !call.hasProcess {
            throw reader.error("\(call.rawValue) is about no process", column: pidColumn)
        }
        file = try Self.file(of: call, &reader)
        nth = try reader.integer(key: "nth", in: 1...1_000_000_000)
        every = try reader.integer(key: "every", in: 1...1_000_000_000)
        during = try reader.parsed("during", "a range such as @1s..@2s", Self.range)
        millionths = try reader.parsed("p", "a probability between 0 and 1", Self.probability)
        lasting = try reader.duration(key: "for")
        times = try reader.integer(key: "times", in: 1...1_000_000_000)
        try reader.arrow()
        behaviour = try FaultBehaviourLine(&reader, of: call)
        try reader.finish()
    }

    private static func file(of operation: BackendOperation, _ reader: inout LineReader)
        throws(ScenarioError) -> String?
    {
        switch operation.fileNames {
        case .any: return try reader.parsed("file", "a name") { $0 }
        case .among(let names):
            return try reader.parsed("file", "one of \(names.joined(separator: ", "))") {
                names.contains($0) ? $0 : nil
            }
        case .none:
            let column = reader.column(ofKey: "file")
            guard try reader.parsed("file", "nothing", { $0 }) != nil else { return nil }
            throw reader.error("\(operation.rawValue) is about no file", column: column)
        }
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
    fileprivate init(_ reader: inout LineReader, of operation: BackendOperation) throws(ScenarioError) {
        let column =
            reader.column(ofKey: "short") ?? reader.column(ofKey: "stall") ?? reader.column(ofKey: "late")
            ?? reader.position.column
        if let count = try reader.byteCount(key: "short") {
            self = .short(count)
        } else if let time = try reader.duration(key: "stall") {
            self = .stall(time)
        } else if let time = try reader.duration(key: "late") {
            self = .stall(time)
        } else {
            let name = try reader.word("how it goes wrong: \(Self.known(of: operation))")
            guard let behaviour = Self.named(name) else {
                throw reader.error(
                    "unknown behaviour \"\(name)\"; expected \(Self.known(of: operation))", column: column)
            }
            self = behaviour
        }
        guard isPossible(for: operation) else {
            throw reader.error(
                "\(operation.rawValue) cannot go wrong so; expected \(Self.known(of: operation))",
                column: column)
        }
    }

    private static func named(_ name: String) -> FaultBehaviourLine? {
        switch FaultKind(rawValue: name) {
        case .diesBeforeRead: .diesBeforeRead
        case .duplicate: .duplicate
        case .crash: .crash
        case .endOfFile: .endOfFile
        case .corrupt: .corrupt
        case .reorder: .reorder
        case .spurious: .spurious
        case .errno, .short, .stall, nil: Errno(symbol: name).map { .error($0) }
        }
    }

    private func isPossible(for operation: BackendOperation) -> Bool {
        if case .error(let errno) = self { return operation.errors.contains(errno) }
        return operation.faultKinds.contains(kind)
    }

    /// What can be written for an operation, for messages.
    private static func known(of operation: BackendOperation) -> String {
        var words = operation.errors.map(\.symbol)
        for kind in operation.faultKinds {
            switch kind {
            case .errno: continue
            case .short: words.append("short=N")
            case .stall: words += ["stall=DURATION", "late=DURATION"]
            default: words.append(kind.rawValue)
            }
        }
        return "one of " + words.joined(separator: ", ")
    }
}
