/// A text or a message of the kernel as a value: one type reads it and writes it.
///
/// Reading is total: any bytes either give a value or throw, nothing traps, and what is allocated is bounded by the
/// input and by ``FormatLimits``. Writing a value that ``init(parsing:)`` has returned and reading it again gives an
/// equal value, unless a limit has cut it.
package protocol KernelFormat: Hashable, Sendable {
    /// Reads the whole of `bytes`.
    init(parsing bytes: Span<UInt8>) throws(FormatError)

    /// Appends the bytes that the kernel would give.
    func append(to bytes: inout [UInt8])
}

extension KernelFormat {
    /// Reads the whole of `bytes`.
    package init(parsing bytes: [UInt8]) throws(FormatError) {
        try self.init(parsing: bytes.span)
    }

    /// The bytes that the kernel would give.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }
}

/// Why bytes are not what a format demands: which format, where, and what was expected there.
package struct FormatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What distinguishes errors for those who count them.
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        /// The bytes end too early: a short read or a small buffer.
        case truncated
        /// A byte contradicts the format.
        case malformed
        /// A number does not fit the type that the kernel gives it.
        case outOfRange
        /// More elements or bytes than ``FormatLimits`` allows.
        case tooLong
        /// A well-formed message of another protocol.
        case foreign
    }

    package var format: FormatName
    /// Where the error lies, in bytes from the beginning of the file or message.
    package var offset: Int
    package var reason: Reason
    /// What should stand at ``offset``, in a few words.
    package var expected: String

    package init(_ format: FormatName, at offset: Int, _ reason: Reason, expected: String) {
        self.format = format
        self.offset = offset
        self.reason = reason
        self.expected = expected
    }

    package var description: String {
        "\(format.rawValue): byte \(offset): \(reason.rawValue), expected \(expected)"
    }
}

/// The formats of this module, by the names that `proc(5)` and the kernel's headers give them.
package enum FormatName: String, Hashable, Sendable, CaseIterable {
    case processStat = "/proc/PID/stat"
    case processStatus = "/proc/PID/status"
    case comm = "/proc/PID/comm"
    case cgroup = "/proc/PID/cgroup"
    case executableLink = "/proc/PID/exe"
    case namespaceLink = "/proc/PID/ns"
    case systemStat = "/proc/stat"
    case uptime = "/proc/uptime"
    case bootID = "/proc/sys/kernel/random/boot_id"
    case pidMaximum = "/proc/sys/kernel/pid_max"
    case netlinkMessage = "nlmsghdr"
    case connectorMessage = "cn_proc"
    case connectorRequest = "cn_proc request"
    case inotifyEvent = "inotify_event"
    case directoryEntry = "linux_dirent64"
}

/// Bounds on what one file or message can make a reader hold. Beyond a bound reading throws `tooLong`.
package enum FormatLimits {
    /// Longest name of a task in `stat` and `status`: kernel threads and workers show more than `TASK_COMM_LEN`
    /// (`char tcomm[64]` of `proc_task_name`, `fs/proc/array.c`).
    package static let taskNameByteCount = 63
    /// Most nested pid namespaces, the initial one included (`MAX_PID_NS_LEVEL` is 32).
    package static let pidNamespaceDepth = 33
    /// Most lines of `/proc/PID/cgroup`: one per hierarchy; distributions mount about 14.
    package static let cgroupHierarchyCount = 128
}
