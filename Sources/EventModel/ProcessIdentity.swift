/// What distinguishes one incarnation of a pid from every other one of the same boot.
@frozen
public enum ProcessBirth: Hashable, Sendable {
    /// The FORK message of the proc connector that announced it: unique, because `sequence` is counted per
    /// CPU.
    ///
    /// `timestamp` is the kernel's stamp of the message on `CLOCK_MONOTONIC`.
    case fork(processor: UInt32, sequence: UInt32, timestamp: Instant)
    /// Found by a scan: start time in clock ticks since boot (`proc(5)`, field 22 of `stat`) and the pidfd's
    /// inode.
    ///
    /// Start ticks are 0 when `stat` could not be read, and the inode alone tells. The inode is unique per process since
    /// Linux 6.9 (pidfs) and 0 where the kernel has none; then two
    /// incarnations of a pid within one tick cannot be told apart, and events say so
    /// (``ProcessEvent/isAmbiguous``).
    case scan(startTicks: UInt64, pidFDInode: UInt64)
    /// The first message that spoke of it, because its FORK message was lost or came before the collector
    /// ran.
    case seen(processor: UInt32, sequence: UInt32, timestamp: Instant)
}

/// The identity of a process within one boot: the pid it had and how it was born.
public struct ProcessIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The pid it had; another incarnation may have it by now.
    public var pid: ProcessID
    /// What tells it from other incarnations of the pid.
    public var birth: ProcessBirth

    /// Makes an identity from its parts.
    public init(pid: ProcessID, birth: ProcessBirth) {
        self.pid = pid
        self.birth = birth
    }

    /// `<pid>@f<cpu>.<sequence>.<ns>` (fork), `<pid>@s<ticks>.<inode>` (scan) or
    /// `<pid>@m<cpu>.<sequence>.<ns>` (seen): injective, stable, and short enough for a column.
    public var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the text form.
    package func append(to bytes: inout [UInt8]) {
        bytes.appendDecimal(Int64(pid.rawValue))
        bytes.append(0x40)
        switch birth {
        case .fork(let processor, let sequence, let timestamp):
            bytes.append(0x66)
            Self.append(processor, sequence, timestamp, to: &bytes)
        case .scan(let startTicks, let inode):
            bytes.append(0x73)
            bytes.appendDecimal(startTicks)
            bytes.append(0x2e)
            bytes.appendDecimal(inode)
        case .seen(let processor, let sequence, let timestamp):
            bytes.append(0x6d)
            Self.append(processor, sequence, timestamp, to: &bytes)
        }
    }

    private static func append(
        _ processor: UInt32, _ sequence: UInt32, _ timestamp: Instant, to bytes: inout [UInt8]
    ) {
        bytes.appendDecimal(UInt64(processor))
        bytes.append(0x2e)
        bytes.appendDecimal(UInt64(sequence))
        bytes.append(0x2e)
        bytes.appendDecimal(timestamp.nanoseconds)
    }
}
