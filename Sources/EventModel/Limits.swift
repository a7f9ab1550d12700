/// Every bound on what the outside can make a collector hold: name, unit, reason. Policies and counters stand
/// where used.
public enum Limits {
    /// Longest `comm` in bytes without its NUL (`TASK_COMM_LEN`, `include/linux/sched.h`).
    public static let commByteCount = 15
    /// Most bytes kept of `/proc/PID/cmdline` in an event: what `execve(2)` takes with the usual 8 MiB of
    /// stack.
    public static let commandLineByteCount = 2_097_152
    /// Most arguments kept of a command line in an event.
    public static let argumentCount = 16_384
    /// Most bytes of a command line that are kept for later events of a process and of its children.
    public static let trackedCommandLineByteCount = 4_096
    /// Largest executable that is hashed when somebody asks, in bytes: about half a second of work.
    public static let hashedExecutableByteCount: UInt64 = 268_435_456
    /// Most requests to verify an executable that wait in one source; more are refused.
    public static let waitingVerificationCount = 16
    /// Most entries of one page of a task's answer.
    public static let taskPageCount = 1_000
    /// Most bytes of one page of a task's answer, roughly: it must fit into a frame.
    public static let taskPageByteCount = 786_432
    /// Longest path in bytes (`PATH_MAX`).
    public static let pathByteCount = 4_096
    /// Longest path of a Unix socket in bytes without its NUL (`sun_path`, `unix(7)`).
    public static let socketPathByteCount = 107
    /// Most bytes read of any other file in `/proc`.
    public static let procFileByteCount = 65_536
    /// Most bytes read of `/proc/stat`: what matters stands behind a line with a number for each interrupt.
    public static let systemStatByteCount = 1_048_576
    /// Most ancestors carried by a process event.
    public static let ancestorCount = 8
    /// Most processes tracked at a time (`PID_MAX_LIMIT` would be 4 194 304); beyond it, events are not
    /// enriched.
    public static let trackedProcessCount = 131_072
    /// Most processors whose sequences are tracked (`NR_CPUS` of distribution kernels is at most 8 192).
    public static let processorCount = 8_192
    /// Most distinct causes of loss that one subscriber's pending gap records keep apart; further ones are
    /// merged.
    public static let pendingGapCount = 64
    /// Most metadata entries of a trigger request.
    public static let triggerMetadataCount = 100
    /// Longest text in a trigger request, in bytes: a path (`PATH_MAX`) must fit.
    public static let triggerTextByteCount = 4_096
    /// Longest topic or topic pattern in bytes.
    public static let topicByteCount = 128
    /// Most levels of a topic pattern; topics of events have three.
    public static let topicLevelCount = 8
    /// Most pids, and most user ids, of one filter.
    public static let filterValueCount = 1_024
    /// Longest name of a file in bytes (`NAME_MAX`).
    public static let fileNameByteCount = 255
    /// Most packages that a transaction names.
    public static let transactionPackageCount = 256
    /// Most files and folders that the index of one filesystem source holds; what lies beyond is counted.
    public static let indexedFileCount = 16_777_216
    /// Deepest folder below a root that is watched (a path of `PATH_MAX` bytes has at most 2 048 components).
    public static let folderDepth = 2_048
}
