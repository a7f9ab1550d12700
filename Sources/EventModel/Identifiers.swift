/// A process id in the init pid namespace, as the proc connector and `/proc` report it.
///
/// Range 1 ... 4 194 304 (`PID_MAX_LIMIT`); 0 stands for the kernel's idle task as a parent. A pid is
/// recycled: it is never an identity, see ``ProcessIdentity``.
public struct ProcessID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number.
    public var rawValue: Int32

    /// Wraps a number.
    public init(rawValue: Int32) { self.rawValue = rawValue }
    /// Wraps a number.
    public init(_ rawValue: Int32) { self.rawValue = rawValue }

    /// The number in decimal digits.
    public var description: String { String(rawValue) }
    /// Orders by number.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A numeric user id (`uid_t`).
public struct UserID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number.
    public var rawValue: UInt32

    /// Wraps a number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Wraps a number.
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// The number in decimal digits.
    public var description: String { String(rawValue) }
    /// Orders by number.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A numeric group id (`gid_t`).
public struct GroupID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number.
    public var rawValue: UInt32

    /// Wraps a number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Wraps a number.
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// The number in decimal digits.
    public var description: String { String(rawValue) }
    /// Orders by number.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The kernel's random id of one boot (`/proc/sys/kernel/random/boot_id`), 128 bits in network byte order.
public struct BootID: Hashable, Sendable, CustomStringConvertible {
    /// The first 8 bytes.
    public var high: UInt64
    /// The last 8 bytes.
    public var low: UInt64

    /// Makes an id from its halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the canonical text form, 8-4-4-4-12 hexadecimal digits; `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        guard let value = UUIDText.parse(text) else { return nil }
        self.init(high: value.high, low: value.low)
    }

    /// The canonical text form in lower case.
    public var description: String { UUIDText.format(high: high, low: low) }

    /// Appends the text form.
    package func append(to bytes: inout [UInt8]) { UUIDText.append(high: high, low: low, to: &bytes) }
}

/// The OCSF Common Process Identifier: a UUIDv8 that any tool on the host computes alike.
///
/// Source: `ocsf/common-process-id`. Computing it takes SHA-256 and is the work of the process source.
public struct CommonProcessID: Hashable, Sendable, CustomStringConvertible {
    /// The first 8 bytes.
    public var high: UInt64
    /// The last 8 bytes.
    public var low: UInt64

    /// Makes an identifier from its halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the canonical text form, 8-4-4-4-12 hexadecimal digits; `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        guard let value = UUIDText.parse(text) else { return nil }
        self.init(high: value.high, low: value.low)
    }

    /// The canonical text form in lower case (RFC 9562).
    public var description: String { UUIDText.format(high: high, low: low) }

    /// Appends the text form.
    package func append(to bytes: inout [UInt8]) { UUIDText.append(high: high, low: low, to: &bytes) }
}

/// The name of an event source, unique in a collector: lower-case letters, digits, `-` and `_`.
public struct SourceName: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The name's text.
    public let rawValue: String

    /// `nil` when `text` is empty, longer than 64 bytes, or holds another character.
    public init?(_ text: String) {
        let isValid = text.utf8.allSatisfy { byte in
            (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d || byte == 0x5f
        }
        guard isValid, (1...64).contains(text.utf8.count) else { return nil }
        rawValue = text
    }

    /// A name spelled in the code; one that breaks the rules traps.
    public init(stringLiteral value: String) {
        guard let name = Self(value) else { preconditionFailure("a source name must match [a-z0-9_-]{1,64}") }
        self = name
    }

    /// The name's text.
    public var description: String { rawValue }

    /// The process source.
    public static let process: SourceName = "process"
    /// The filesystem source.
    public static let filesystem: SourceName = "filesystem"
}

/// The position of a run of the collector among all runs on this host: persisted before the first event.
public struct RunID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number.
    public var rawValue: UInt64

    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Wraps a number.
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The number in decimal digits.
    public var description: String { String(rawValue) }
    /// Orders by number.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The boot and the run that events of one collector process belong to.
public struct RunContext: Hashable, Sendable {
    /// The boot.
    public var bootID: BootID
    /// The run within all boots.
    public var runID: RunID

    /// Makes a context from its parts.
    public init(bootID: BootID, runID: RunID) {
        self.bootID = bootID
        self.runID = runID
    }
}

/// The identity of an event: unique for ever, also across restarts.
public struct EventID: Hashable, Sendable, CustomStringConvertible {
    /// The boot and the run.
    public var run: RunContext
    /// The source within the run.
    public var source: SourceName
    /// Starts at 1 with each run and increases by one with each event of the source.
    public var sequence: UInt64

    /// Makes an identity from its parts.
    public init(run: RunContext, source: SourceName, sequence: UInt64) {
        self.run = run
        self.source = source
        self.sequence = sequence
    }

    /// `<boot id>/<run>/<source>/<sequence>`.
    public var description: String { "\(run.bootID)/\(run.runID)/\(source)/\(sequence)" }

    /// Appends the text form.
    package func append(to bytes: inout [UInt8]) {
        run.bootID.append(to: &bytes)
        bytes.append(0x2f)
        bytes.appendDecimal(run.runID.rawValue)
        bytes.append(0x2f)
        bytes.append(contentsOf: source.rawValue.utf8)
        bytes.append(0x2f)
        bytes.appendDecimal(sequence)
    }
}
