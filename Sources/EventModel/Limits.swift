/// Every bound on what the outside can make a collector hold: name, unit, reason. Policies and counters stand where used.
public enum Limits {
    /// Longest `comm` in bytes without its NUL (`TASK_COMM_LEN`, `include/linux/sched.h`).
    public static let commByteCount = 15
    /// Most bytes of `/proc/PID/cmdline` that are kept: `ARG_MAX` is 2 MiB and more, an event must stay small.
    public static let commandLineByteCount = 32_768
    /// Most arguments kept of a command line.
    public static let argumentCount = 1_024
    /// Longest path in bytes (`PATH_MAX`).
    public static let pathByteCount = 4_096
    /// Most bytes read of any other file in `/proc`.
    public static let procFileByteCount = 65_536
    /// Most ancestors carried by a process event.
    public static let ancestorCount = 8
    /// Most processes tracked at a time (`PID_MAX_LIMIT` would be 4 194 304); beyond it, events are not enriched.
    public static let trackedProcessCount = 131_072
    /// Most processors whose sequences are tracked (`NR_CPUS` of distribution kernels is at most 8 192).
    public static let processorCount = 8_192
    /// Most distinct causes of loss that one subscriber's pending gap records keep apart; further ones are merged.
    public static let pendingGapCount = 64
    /// Most metadata entries of a trigger request.
    public static let triggerMetadataCount = 100
}
