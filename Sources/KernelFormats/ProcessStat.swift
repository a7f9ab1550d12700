package import EventModel

/// `/proc/PID/stat`: the 52 fields of `proc(5)`, in the kernel's order (`do_task_stat` in `fs/proc/array.c`).
///
/// Field numbers are those of `proc(5)`. Fields that are constant 0 today (21, 36, 37) are read and dropped. A reader
/// without ptrace access is shown 1 or 0 for addresses and 0 for ``exitCode``.
package struct ProcessStat: Hashable, Sendable {
    /// 1. Process id; 0 when the process lies outside the pid namespace of this `/proc`.
    package var pid: ProcessID
    /// 2. Name without the parentheses: raw bytes of any value but NUL, 15 at most, 63 for kernel threads.
    package var comm: [UInt8]
    /// 3.
    package var state = TaskState.sleeping
    /// 4. 0 also for a task that is being reaped.
    package var ppid = ProcessID(0)
    /// 5. Process group; -1 for a task that is being reaped.
    package var pgrp = ProcessID(0)
    /// 6. -1 for a task that is being reaped.
    package var session = ProcessID(0)
    /// Whether the kernel was releasing the task while it was read: parent, group and session are gone already
    /// (`do_task_stat` in `fs/proc/array.c`, without `sighand`).
    package var isBeingReaped: Bool { session.rawValue < 0 }
    /// 7. Device number of the controlling terminal, 0 for none.
    package var ttyNumber: Int32 = 0
    /// 8. Foreground process group of the terminal, -1 for none.
    package var tpgid: Int32 = -1
    /// 9. `PF_*` (`include/linux/sched.h`).
    package var flags: UInt32 = 0
    /// 10.
    package var minflt: UInt64 = 0
    /// 11.
    package var cminflt: UInt64 = 0
    /// 12.
    package var majflt: UInt64 = 0
    /// 13.
    package var cmajflt: UInt64 = 0
    /// 14. CPU time in user mode, in clock ticks.
    package var utime: UInt64 = 0
    /// 15. CPU time in kernel mode, in clock ticks.
    package var stime: UInt64 = 0
    /// 16. ``utime`` of children that were waited for.
    package var cutime: Int64 = 0
    /// 17. ``stime`` of children that were waited for.
    package var cstime: Int64 = 0
    /// 18.
    package var priority: Int64 = 20
    /// 19.
    package var nice: Int64 = 0
    /// 20.
    package var threadCount: Int64 = 1
    /// 22. Start time in clock ticks since boot (`CLOCK_BOOTTIME`).
    package var startTicks: UInt64 = 0
    /// 23. Virtual memory in bytes.
    package var vsize: UInt64 = 0
    /// 24. Resident set in pages.
    package var rssPageCount: UInt64 = 0
    /// 25. Soft limit of the resident set in bytes.
    package var rssLimit = UInt64.max
    /// 26.
    package var startcode: UInt64 = 0
    /// 27.
    package var endcode: UInt64 = 0
    /// 28.
    package var startstack: UInt64 = 0
    /// 29. Stack pointer; 0 unless the process is exiting.
    package var kstkesp: UInt64 = 0
    /// 30. Instruction pointer; 0 unless the process is exiting.
    package var kstkeip: UInt64 = 0
    /// 31.
    package var pendingSignals: UInt64 = 0
    /// 32.
    package var blockedSignals: UInt64 = 0
    /// 33.
    package var ignoredSignals: UInt64 = 0
    /// 34.
    package var caughtSignals: UInt64 = 0
    /// 35. Whether the task sleeps in the kernel (0 or 1); an address in old kernels.
    package var wchan: UInt64 = 0
    /// 38. Signal to the parent at the end; -1 for a thread that is no leader.
    package var exitSignal: Int32 = 17
    /// 39. CPU last run on.
    package var processor: Int32 = 0
    /// 40.
    package var realTimePriority: UInt32 = 0
    /// 41.
    package var policy: UInt32 = 0
    /// 42. In clock ticks; 0 unless delay accounting is on.
    package var blockIODelayTicks: UInt64 = 0
    /// 43. In clock ticks.
    package var guestTicks: UInt64 = 0
    /// 44. In clock ticks.
    package var childGuestTicks: Int64 = 0
    /// 45.
    package var startData: UInt64 = 0
    /// 46.
    package var endData: UInt64 = 0
    /// 47.
    package var startBrk: UInt64 = 0
    /// 48. First byte of the arguments.
    package var argStart: UInt64 = 0
    /// 49. Behind the last byte of the arguments; see ``CommandLineFile/overrunByteCount(argStart:argEnd:)``.
    package var argEnd: UInt64 = 0
    /// 50.
    package var envStart: UInt64 = 0
    /// 51.
    package var envEnd: UInt64 = 0
    /// 52. The word of `wait(2)`, of a zombie and with ptrace access; else 0.
    package var exitCode: Int32 = 0

    /// A sleeping process with one thread and nothing else.
    package init(pid: ProcessID, comm: [UInt8]) {
        self.pid = pid
        self.comm = comm
    }

    /// `PF_KTHREAD`: the task is a kernel thread.
    package var isKernelThread: Bool { flags & Self.kernelThreadFlag != 0 }

    /// `PF_KTHREAD` (`include/linux/sched.h`).
    package static let kernelThreadFlag: UInt32 = 0x0020_0000
}

// MARK: - Reading

extension ProcessStat: KernelFormat {
    /// Reads all 52 fields, which Linux 3.5 and later print, and the newline; fields that a newer kernel adds are
    /// ignored.
    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        var cursor = ByteCursor(.processStat)
        let pid = ProcessID(try cursor.unsigned(in: bytes))
        try cursor.skip(Ascii.space, in: bytes, "a blank")
        try cursor.skip(Ascii.leftParenthesis, in: bytes, "( before the name")
        // The name may hold anything, ") R 1" included; behind the last ) there are only numbers. As names are short,
        // the search need not begin at the end of the file.
        let limit = min(bytes.count, cursor.position + FormatLimits.taskNameByteCount + 1)
        guard let nameEnd = bytes.lastIndex(of: Ascii.rightParenthesis, in: cursor.position..<limit) else {
            throw cursor.error(
                limit == bytes.count ? .truncated : .tooLong,
                expected: "a name of at most \(FormatLimits.taskNameByteCount) bytes and )")
        }
        self.init(pid: pid, comm: bytes.copy(cursor.position..<nameEnd))
        cursor.position = nameEnd + 1
        try cursor.skip(Ascii.space, in: bytes, "a blank")
        state = TaskState(rawValue: try cursor.next(in: bytes, "a state"))
        guard TaskState.isPossible(state.rawValue) else {
            throw FormatError(
                .processStat, at: cursor.position - 1, .malformed, expected: "a letter for the state")
        }
        var numbers = try StatNumbers(from: &cursor, in: bytes)
        assignFirst(&numbers)
        assignLast(&numbers)
        try numbers.checkRanges()
        while cursor.position < bytes.count, bytes[cursor.position] == Ascii.space {
            cursor.position += 1
            let _: Int64 = try cursor.signed(in: bytes)
        }
        try cursor.skip(Ascii.newline, in: bytes, "a newline")
        try cursor.expectEnd(of: bytes)
    }

    /// Fields 4 to 23.
    private mutating func assignFirst(_ numbers: inout StatNumbers) {
        ppid = ProcessID(numbers.signed(4))
        pgrp = ProcessID(numbers.signed(5))
        session = ProcessID(numbers.signed(6))
        ttyNumber = numbers.signed(7)
        tpgid = numbers.signed(8)
        flags = numbers.unsigned(9)
        minflt = numbers.unsigned(10)
        cminflt = numbers.unsigned(11)
        majflt = numbers.unsigned(12)
        cmajflt = numbers.unsigned(13)
        utime = numbers.unsigned(14)
        stime = numbers.unsigned(15)
        cutime = numbers.signed(16)
        cstime = numbers.signed(17)
        priority = numbers.signed(18)
        nice = numbers.signed(19)
        threadCount = numbers.signed(20)
        startTicks = numbers.unsigned(22)
        vsize = numbers.unsigned(23)
    }

    /// Fields 24 to 52.
    private mutating func assignLast(_ numbers: inout StatNumbers) {
        rssPageCount = numbers.unsigned(24)
        rssLimit = numbers.unsigned(25)
        startcode = numbers.unsigned(26)
        endcode = numbers.unsigned(27)
        startstack = numbers.unsigned(28)
        kstkesp = numbers.unsigned(29)
        kstkeip = numbers.unsigned(30)
        pendingSignals = numbers.unsigned(31)
        blockedSignals = numbers.unsigned(32)
        ignoredSignals = numbers.unsigned(33)
        caughtSignals = numbers.unsigned(34)
        wchan = numbers.unsigned(35)
        exitSignal = numbers.signed(38)
        processor = numbers.signed(39)
        realTimePriority = numbers.unsigned(40)
        policy = numbers.unsigned(41)
        blockIODelayTicks = numbers.unsigned(42)
        guestTicks = numbers.unsigned(43)
        childGuestTicks = numbers.signed(44)
        startData = numbers.unsigned(45)
        endData = numbers.unsigned(46)
        startBrk = numbers.unsigned(47)
        argStart = numbers.unsigned(48)
        argEnd = numbers.unsigned(49)
        envStart = numbers.unsigned(50)
        envEnd = numbers.unsigned(51)
        exitCode = numbers.signed(52)
    }
}

/// Fields 4 to 52 of `stat`, read in one loop: no file is read more often.
private struct StatNumbers: ~Copyable {
    private static let first = 4
    private static let count = 49

    private var magnitudes = InlineArray<49, UInt64>(repeating: 0)
    /// Bit n is set when number n has a minus sign.
    private var negatives: UInt64 = 0
    /// Bit n is set when number n did not fit its field.
    private var misfits: UInt64 = 0
    private let start: Int

    /// Reads a blank and a number, 49 times.
    init(from cursor: inout ByteCursor, in bytes: Span<UInt8>) throws(FormatError) {
        start = cursor.position
        // A copy lives in registers.
        var local = cursor
        for index in 0..<Self.count {
            try local.skip(Ascii.space, in: bytes, "a blank")
            if local.position < bytes.count, bytes[local.position] == Ascii.minus {
                negatives |= 1 << UInt64(index)
                local.position += 1
            }
            magnitudes[index] = try local.magnitude(in: bytes)
        }
        cursor = local
    }

    /// The number of a field that `seq_put_decimal_ull` prints; see ``checkRanges()``.
    @inline(__always)
    mutating func unsigned<Value: FixedWidthInteger & UnsignedInteger>(_ field: Int) -> Value {
        let index = field - Self.first
        let isNegative = negatives >> UInt64(index) & 1 == 1
        if isNegative || magnitudes[index] > UInt64(Value.max) { misfits |= 1 << UInt64(index) }
        return Value(truncatingIfNeeded: magnitudes[index])
    }

    /// The number of a field that `seq_put_decimal_ll` prints; see ``checkRanges()``.
    @inline(__always)
    mutating func signed<Value: FixedWidthInteger & SignedInteger>(_ field: Int) -> Value {
        let index = field - Self.first
        let sign = negatives >> UInt64(index) & 1
        // Two's complement: the most negative value has a magnitude of its own.
        if magnitudes[index] > UInt64(Value.max) + sign { misfits |= 1 << UInt64(index) }
        return Value(truncatingIfNeeded: sign == 1 ? 0 &- magnitudes[index] : magnitudes[index])
    }

    /// Throws when a number has not fitted the field that it was asked for.
    func checkRanges() throws(FormatError) {
        guard misfits != 0 else { return }
        let field = misfits.trailingZeroBitCount + Self.first
        throw FormatError(.processStat, at: start, .outOfRange, expected: "a number that fits field \(field)")
    }
}

// MARK: - Writing

extension ProcessStat {
    package func append(to bytes: inout [UInt8]) {
        let nameByteCount = min(comm.count, FormatLimits.taskNameByteCount)
        let capacity = nameByteCount + 8 + 51 * (2 + OutputSpan<UInt8>.decimalByteCount)
        bytes.append(addingCapacity: capacity) { bytes in
            bytes.append(decimal: UInt64(clamping: pid.rawValue))
            bytes.append(Ascii.space)
            bytes.append(Ascii.leftParenthesis)
            for index in 0..<nameByteCount { bytes.append(comm[index]) }
            bytes.append(Ascii.rightParenthesis)
            bytes.append(Ascii.space)
            bytes.append(state.rawValue)
            appendFirst(to: &bytes)
            appendLast(to: &bytes)
            bytes.append(Ascii.newline)
        }
    }

    /// Fields 4 to 23.
    private func appendFirst(to bytes: inout OutputSpan<UInt8>) {
        bytes.append(signed: ppid.rawValue)
        bytes.append(signed: pgrp.rawValue)
        bytes.append(signed: session.rawValue)
        bytes.append(signed: ttyNumber)
        bytes.append(signed: tpgid)
        bytes.append(unsigned: flags)
        bytes.append(unsigned: minflt)
        bytes.append(unsigned: cminflt)
        bytes.append(unsigned: majflt)
        bytes.append(unsigned: cmajflt)
        bytes.append(unsigned: utime)
        bytes.append(unsigned: stime)
        bytes.append(signed: cutime)
        bytes.append(signed: cstime)
        bytes.append(signed: priority)
        bytes.append(signed: nice)
        bytes.append(signed: threadCount)
        bytes.append(signed: 0)
        bytes.append(unsigned: startTicks)
        bytes.append(unsigned: vsize)
    }

    /// Fields 24 to 52.
    private func appendLast(to bytes: inout OutputSpan<UInt8>) {
        bytes.append(unsigned: rssPageCount)
        bytes.append(unsigned: rssLimit)
        bytes.append(unsigned: startcode)
        bytes.append(unsigned: endcode)
        bytes.append(unsigned: startstack)
        bytes.append(unsigned: kstkesp)
        bytes.append(unsigned: kstkeip)
        bytes.append(unsigned: pendingSignals)
        bytes.append(unsigned: blockedSignals)
        bytes.append(unsigned: ignoredSignals)
        bytes.append(unsigned: caughtSignals)
        bytes.append(unsigned: wchan)
        bytes.append(signed: 0)
        bytes.append(signed: 0)
        bytes.append(signed: exitSignal)
        bytes.append(signed: processor)
        bytes.append(unsigned: realTimePriority)
        bytes.append(unsigned: policy)
        bytes.append(unsigned: blockIODelayTicks)
        bytes.append(unsigned: guestTicks)
        bytes.append(signed: childGuestTicks)
        bytes.append(unsigned: startData)
        bytes.append(unsigned: endData)
        bytes.append(unsigned: startBrk)
        bytes.append(unsigned: argStart)
        bytes.append(unsigned: argEnd)
        bytes.append(unsigned: envStart)
        bytes.append(unsigned: envEnd)
        bytes.append(signed: exitCode)
    }
}

extension OutputSpan where Element == UInt8 {
    fileprivate mutating func append(unsigned value: some UnsignedInteger) {
        append(Ascii.space)
        append(decimal: UInt64(value))
    }

    fileprivate mutating func append(signed value: some SignedInteger) {
        append(Ascii.space)
        if value < 0 { append(Ascii.minus) }
        append(decimal: UInt64(value.magnitude))
    }
}
