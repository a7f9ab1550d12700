import EventModel

/// `/proc/PID/cmdline`: the argument area of a process, each argument with a NUL behind it.
///
/// What stands there is up to the process: it may lack the last NUL, hold one title instead of arguments
/// (`setproctitle(3)`), or be empty; zombies and kernel threads have nothing.
package struct CommandLineFile: Hashable, Sendable {
    /// Raw bytes without their NULs; empty arguments are kept, `[]` where the file was empty.
    package private(set) var arguments: [[UInt8]]
    /// Whether a NUL stands behind the last argument.
    package private(set) var isTerminated: Bool
    /// Whether bytes or arguments beyond ``Limits/commandLineByteCount`` and ``Limits/argumentCount`` were dropped.
    ///
    /// A reader that stops at the limit itself sets this.
    package var isTruncated: Bool
    /// How many values ``ArgumentRedaction`` has replaced; whoever redacts sets this.
    package var redactedCount = 0

    /// The area as `execve(2)` leaves it. An empty `arguments` stands for a process without memory: since Linux 5.18
    /// an `execve` with none gets one empty argument.
    package init(arguments: [[UInt8]]) {
        self.arguments = arguments
        isTerminated = !arguments.isEmpty
        isTruncated = false
    }

    /// The area after a title without NUL was written over it; an empty title is an empty file.
    package init(title: [UInt8]) {
        arguments = title.isEmpty ? [] : [title]
        isTerminated = false
        isTruncated = false
    }

    /// The arguments without the empty ones at the end, the first excepted.
    ///
    /// Daemons that write a title over their arguments fill the rest of the area with NULs; read literally it is a
    /// row of empty arguments.
    package var argumentsWithoutPadding: ArraySlice<[UInt8]> {
        var end = arguments.count
        while end > 1, arguments[end - 1].isEmpty { end -= 1 }
        return arguments[..<end]
    }

    /// How many bytes lie behind the argument area: they come from the environment, which may hold secrets.
    ///
    /// When the last byte of the area is not NUL, the kernel takes a long title for granted and reads on until a NUL
    /// (`get_mm_proctitle` in `fs/proc/base.c`). The arguments are ``ProcessStat/argStart`` and
    /// ``ProcessStat/argEnd``; without ptrace access they are 0 and the answer is 0.
    package func overrunByteCount(argStart: UInt64, argEnd: UInt64) -> Int {
        guard argEnd > argStart else { return 0 }
        let byteCount =
            arguments.reduce(0) { $0 + $1.count + 1 } - (isTerminated || arguments.isEmpty ? 0 : 1)
        return max(0, byteCount - Int(clamping: argEnd - argStart))
    }
}

extension CommandLineFile: KernelFormat {
    /// Reads any bytes; never throws.
    package init(parsing bytes: Span<UInt8>) {
        let end = min(bytes.count, Limits.commandLineByteCount)
        arguments = []
        isTruncated = bytes.count > end
        var start = 0
        while start < end {
            guard arguments.count < Limits.argumentCount else {
                isTruncated = true
                break
            }
            let stop = bytes.firstIndex(of: Ascii.nul, in: start..<end) ?? end
            arguments.append(bytes.copy(start..<stop))
            start = stop + 1
        }
        // `start` is one behind the end exactly when the last argument ran into it.
        isTerminated = !arguments.isEmpty && start <= end
    }

    /// Appends the arguments; what was dropped by the limits is not there any more.
    package func append(to bytes: inout [UInt8]) {
        for index in arguments.indices {
            bytes.append(contentsOf: arguments[index])
            if index < arguments.count - 1 || isTerminated { bytes.append(Ascii.nul) }
        }
    }
}
