/// What distinguishes one incarnation of a pid from every other one of the same boot.
@frozen
public enum ProcessBirth: Hashable, Sendable {
    /// The FORK message of the proc connector that announced it: unique, because `sequence` is counted per CPU.
    ///
    /// `timestamp` is the kernel's stamp of the message on `CLOCK_MONOTONIC`.
    case fork(processor: UInt32, sequence: UInt32, timestamp: Instant)
    /// Found by a scan: start time in clock ticks since boot (`proc(5)`, field 22 of `stat`) and the pidfd's inode.
    ///
    /// The inode is unique per process since Linux 6.9 (pidfs) and 0 where the kernel has none; then two incarnations
    /// of a pid within one tick cannot be told apart, and events say so (``ProcessEvent/isAmbiguous``).
    case scan(startTicks: UInt64, pidFDInode: UInt64)
}

/// The identity of a process within one boot: the pid it had and how it was born.
public struct ProcessIdentity: Hashable, Sendable, CustomStringConvertible {
    public var pid: ProcessID
    public var birth: ProcessBirth

    public init(pid: ProcessID, birth: ProcessBirth) {
        self.pid = pid
        self.birth = birth
    }

    /// `<pid>@f<cpu>.<sequence>.<ns>` or `<pid>@s<ticks>.<inode>`: injective, stable, and short enough for a column.
    public var description: String {
        switch birth {
        case .fork(let processor, let sequence, let timestamp):
            "\(pid)@f\(processor).\(sequence).\(timestamp.nanoseconds)"
        case .scan(let startTicks, let inode):
            "\(pid)@s\(startTicks).\(inode)"
        }
    }
}
