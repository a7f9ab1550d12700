import EventModel

/// `/proc/stat`: CPU times, the boot time and the count of forks (`fs/proc/stat.c`).
package struct SystemStat: Hashable, Sendable {
    /// CPU time by kind, in clock ticks; 0 for kinds that the kernel is too old to print.
    package struct Times: Hashable, Sendable {
        package var user: UInt64 = 0
        package var nice: UInt64 = 0
        package var system: UInt64 = 0
        package var idle: UInt64 = 0
        package var iowait: UInt64 = 0
        package var irq: UInt64 = 0
        package var softirq: UInt64 = 0
        package var steal: UInt64 = 0
        package var guest: UInt64 = 0
        package var guestNice: UInt64 = 0

        package init() {}

        /// In the order of the file.
        static let fields: [any WritableKeyPath<Times, UInt64> & Sendable] = [
            \.user, \.nice, \.system, \.idle, \.iowait, \.irq, \.softirq, \.steal, \.guest, \.guestNice,
        ]
    }

    /// The times of one CPU that is online.
    package struct Processor: Hashable, Sendable {
        /// The kernel's number of the CPU; numbers of CPUs that are offline are missing.
        package var id: UInt32
        package var times: Times

        package init(id: UInt32, times: Times = Times()) {
            self.id = id
            self.times = times
        }
    }

    /// All CPUs together.
    package var total: Times?
    /// At most ``Limits/processorCount``.
    package var processors: [Processor] = []
    /// All interrupts since boot; the counts of single ones are skipped.
    package var interruptCount: UInt64?
    /// `ctxt`: context switches since boot.
    package var contextSwitchCount: UInt64?
    /// `btime`: when the host booted, in seconds since 1970; moves when the wall clock is stepped.
    package var bootTime: UInt64?
    /// `processes`: forks since boot, of threads too.
    package var forkCount: UInt64?
    /// `procs_running`.
    package var runningCount: UInt64?
    /// `procs_blocked`.
    package var blockedCount: UInt64?
    package var softInterruptCount: UInt64?

    package init() {}
}

extension SystemStat: KernelFormat {
    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        self.init()
        var cursor = ByteCursor(.systemStat)
        while cursor.position < bytes.count {
            guard let end = bytes.firstIndex(of: Ascii.newline, in: cursor.position..<bytes.count) else {
                throw FormatError(.systemStat, at: bytes.count, .truncated, expected: "a newline")
            }
            try readLine(&cursor, bytes, end: end)
            cursor.position = end + 1
        }
    }

    private mutating func readLine(
        _ cursor: inout ByteCursor, _ bytes: Span<UInt8>, end: Int
    ) throws(FormatError) {
        if bytes.has("cpu", at: cursor.position) {
            cursor.position += 3
            // A name that only begins so is a line of a newer kernel.
            guard cursor.isAtDigit(in: bytes) || bytes[cursor.position] == Ascii.space else { return }
            try readTimes(&cursor, bytes, end: end)
            return
        }
        for (name, field) in Self.counters where bytes.has(name, at: cursor.position) {
            cursor.position += name.utf8.count
            self[keyPath: field] = try cursor.unsigned(in: bytes)
            // `intr` and `softirq` go on with the counts of single interrupts.
            guard cursor.position == end || bytes[cursor.position] == Ascii.space else {
                throw cursor.error(.malformed, expected: "the end of the number")
            }
            return
        }
    }

    private mutating func readTimes(
        _ cursor: inout ByteCursor, _ bytes: Span<UInt8>, end: Int
    ) throws(FormatError) {
        let id: UInt32? = cursor.isAtDigit(in: bytes) ? try cursor.unsigned(in: bytes) : nil
        var times = Times()
        for (index, field) in Times.fields.enumerated() {
            // Four kinds since ever, ten since Linux 2.6.33.
            if index >= 4, cursor.position == end { break }
            try cursor.skip(Ascii.space, in: bytes, "a blank")
            cursor.skipBlanks(in: bytes)
            times[keyPath: field] = try cursor.unsigned(in: bytes)
        }
        guard cursor.position == end || bytes[cursor.position] == Ascii.space else {
            throw cursor.error(.malformed, expected: "the end of the number")
        }
        guard let id else {
            total = times
            return
        }
        guard processors.count < Limits.processorCount else {
            throw cursor.error(.tooLong, expected: "at most \(Limits.processorCount) CPUs")
        }
        processors.append(Processor(id: id, times: times))
    }

    package func append(to bytes: inout [UInt8]) {
        if let total {
            // Two blanks, so that the columns of all CPUs stand below one another.
            bytes.append(text: "cpu ")
            bytes.append(times: total)
        }
        for processor in processors.prefix(Limits.processorCount) {
            bytes.append(text: "cpu")
            bytes.append(decimal: UInt64(processor.id))
            bytes.append(times: processor.times)
        }
        for (name, field) in Self.counters {
            guard let value = self[keyPath: field] else { continue }
            bytes.append(text: name)
            bytes.append(decimal: value)
            bytes.append(Ascii.newline)
        }
    }

    /// The lines with one number that counts, in the order of the file, each name with its blank.
    private static let counters: [(String, any WritableKeyPath<SystemStat, UInt64?> & Sendable)] = [
        ("intr ", \.interruptCount), ("ctxt ", \.contextSwitchCount), ("btime ", \.bootTime),
        ("processes ", \.forkCount), ("procs_running ", \.runningCount), ("procs_blocked ", \.blockedCount),
        ("softirq ", \.softInterruptCount),
    ]
}

extension Array where Element == UInt8 {
    fileprivate mutating func append(times: SystemStat.Times) {
        for field in SystemStat.Times.fields {
            append(Ascii.space)
            append(decimal: times[keyPath: field])
        }
        append(Ascii.newline)
    }
}
