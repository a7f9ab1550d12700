import Backends
import CollectorCore
package import EventModel
package import KernelFormats

import struct SystemPackage.Errno

/// One field that was looked for.
package enum Reading<Value> {
    case absent
    case value(Value)
    case unknown(UnknownReason)

    package var value: Value? {
        if case .value(let value) = self { value } else { nil }
    }

    var hasFailed: Bool {
        if case .unknown(.failed) = self { true } else { false }
    }
}

/// What one look at `/proc/<pid>` found.
package struct ProcessReading {
    /// What to read beside `stat`.
    package struct Depth: OptionSet, Hashable, Sendable {
        package var rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// What changes at exec: `exe` and `cmdline`.
        package static let image = Depth(rawValue: 1)
        /// `status`: who the user is, and who traces it.
        package static let status = Depth(rawValue: 2)
        /// `cgroup` and `ns/pid`, of which no message ever tells.
        package static let place = Depth(rawValue: 4)
        /// The inode of its pidfd.
        package static let inode = Depth(rawValue: 8)

        /// `stat` alone: does it live, and for how long.
        package static let probe: Depth = []
        /// After an EXEC message.
        package static let exec: Depth = .image
        /// All that messages tell of: what may be out of date when some were lost.
        package static let told: Depth = [.image, .status]
        /// Everything.
        package static let full: Depth = [.image, .status, .place, .inode]
    }

    package var pid: ProcessID
    package var depth: Depth
    /// When the process was certainly alive: after its directory was open, before `stat` was read.
    package var aliveAt = Instant(nanoseconds: .min)
    /// How the values may be labelled: `verified` once later messages have shown that the pid was not recycled.
    package var evidence = Provenance.verified
    /// The process renamed itself at about the time of the reading.
    package var isNameLate = false
    /// The process is known to have ended at about the time of the reading: an empty file then means nothing.
    package var mayHaveEnded = false
    /// Set when the process could not be identified at all; everything else is then meaningless.
    package var failure: UnknownReason?
    package var stat: ProcessStat?
    package var exe: Reading<ExecutableLink> = .absent
    /// Whether the executable still has a name; only asked when the link says "(deleted)".
    package var executableLinkCount: UInt64?
    package var commandLine: Reading<CommandLineFile> = .absent
    package var pidNamespace: Reading<UInt64> = .absent
    package var status: Reading<ProcessStatus> {
        get { if case .reading(let reading) = rareStatus { reading } else { .absent } }
        set { rareStatus = .reading(newValue) }
    }
    /// Apart from the rest: it is large, seldom read, and readings are handed on several times.
    private var rareStatus = RareStatus.none
    package var cgroup: Reading<CgroupFile> = .absent
    package var pidFDInode: UInt64 = 0

    private enum RareStatus {
        case none
        indirect case reading(Reading<ProcessStatus>)
    }

    package init(pid: ProcessID, depth: Depth) {
        self.pid = pid
        self.depth = depth
    }

    /// Whether something could not be read for a reason that passes, such as too many open files.
    package var hasFailed: Bool {
        failure == .failed || exe.hasFailed || commandLine.hasFailed || pidNamespace.hasFailed
            || status.hasFailed || cgroup.hasFailed
    }

    /// What could not be read for such a reason.
    var failedDepth: Depth {
        guard failure != .failed else { return depth }
        var failed: Depth = []
        if exe.hasFailed || commandLine.hasFailed { failed.insert(.image) }
        if cgroup.hasFailed { failed.insert(.place) }
        // Inside a namespace, the common id of a process is made from both.
        if pidNamespace.hasFailed || status.hasFailed { failed.formUnion([.status, .place]) }
        return failed
    }

    /// Only what was learnt: a later look that failed must not void what is known.
    var withoutUnknowns: ProcessReading {
        var reading = self
        if case .unknown = exe { reading.exe = .absent }
        if case .unknown = commandLine { reading.commandLine = .absent }
        if case .unknown = pidNamespace { reading.pidNamespace = .absent }
        if case .unknown = status { reading.status = .absent }
        if case .unknown = cgroup { reading.cgroup = .absent }
        return reading
    }
}

/// What was read because of an EXEC message.
package struct ExecReading {
    /// The place of the message in its round.
    package var index: Int
    package var reading: ProcessReading

    package init(index: Int, reading: ProcessReading) {
        self.index = index
        self.reading = reading
    }
}

/// Reads processes through one directory handle each, so that a recycled pid can never answer for the old process.
struct ProcessReader {
    let procfs: any ProcFileSystem
    let clock: any SystemClock
    /// `nil` when arguments are to be told as they are.
    let redaction: ArgumentRedaction?
    private var buffer: [UInt8] = []
    /// Files, links and folders of `/proc` that it has opened, or tried to.
    private(set) var openCount = 0

    init(procfs: any ProcFileSystem, clock: any SystemClock, redaction: ArgumentRedaction?) {
        self.procfs = procfs
        self.clock = clock
        self.redaction = redaction
    }

    /// The fields that vanish first are read first: the magic link and the arguments of a short-lived process.
    mutating func read(_ pid: ProcessID, depth: ProcessReading.Depth) -> ProcessReading {
        var reading = ProcessReading(pid: pid, depth: depth)
        do {
            try look(at: pid, into: &reading)
        } catch {
            reading.failure = Self.reason(for: error)
            // It is there but cannot be read: the pidfd still tells this incarnation from the next.
            if depth.contains(.inode), reading.failure != .vanished { readInode(into: &reading) }
        }
        return reading
    }

    private mutating func readInode(into reading: inout ProcessReading) {
        openCount += 1
        // Without pidfs, or when even this is refused, there is no inode: 0.
        reading.pidFDInode = (try? procfs.pidFDInode(of: reading.pid)) ?? 0
    }

    /// What tells a process from another one that may have its pid by now: when it started and, if that of the tracked one is
    /// known, the inode of its pidfd.
    mutating func readIdentity(of process: TrackedProcess) -> ProcessReading {
        var reading = read(process.event.pid, depth: .probe)
        if process.pidFDInode != 0, reading.failure == nil { readInode(into: &reading) }
        return reading
    }

    private mutating func look(at pid: ProcessID, into reading: inout ProcessReading) throws(Errno) {
        openCount += 1
        let directory = try procfs.openProcess(pid)
        reading.aliveAt = clock.monotonic
        if reading.depth.contains(.image) {
            readExecutable(in: directory, into: &reading)
            readCommandLine(in: directory, into: &reading)
        }
        try readStat(in: directory, into: &reading)
        if isLoading(reading) { reading.evidence = .lateRead }
        if reading.depth.contains(.place) { readNamespace(in: directory, into: &reading) }
        if reading.depth.contains(.status) { readStatus(in: directory, into: &reading) }
        if reading.depth.contains(.place) { readCgroup(in: directory, into: &reading) }
        if reading.depth.contains(.inode) { readInode(into: &reading) }
    }

    /// Whether the process is in the middle of an `execve(2)`: it has a program and no arguments yet.
    ///
    /// What it shows is then of a program whose EXEC message is still to come (`begin_new_exec`, `fs/exec.c`). Before Linux
    /// 5.18 a program may also have been started without any argument.
    private func isLoading(_ reading: ProcessReading) -> Bool {
        guard let stat = reading.stat, !stat.isKernelThread, stat.vsize > 0, stat.state != .zombie,
            case .value(let commandLine) = reading.commandLine
        else { return false }
        return commandLine.arguments.isEmpty
    }

    /// Reads a file into the buffer until its text says that it is whole, or until its end: a text that shows its end saves the
    /// read that would find nothing.
    private mutating func readText(
        of file: ProcessFile, in directory: borrowing ProcessDirectory, isWhole: (Span<UInt8>) -> Bool
    ) throws(Errno) {
        buffer.removeAll(keepingCapacity: true)
        openCount += 1
        let handle = try procfs.open(file, in: directory)
        while buffer.count < Limits.procFileByteCount {
            let count = try procfs.read(handle, count: Limits.procFileByteCount - buffer.count, into: &buffer)
            if count == 0 || isWhole(buffer.span) { return }
        }
    }

    private mutating func readStat(
        in directory: borrowing ProcessDirectory, into reading: inout ProcessReading
    )
        throws(Errno)
    {
        // The kernel gives the whole line at once.
        try readText(of: .stat, in: directory) { $0.count > 0 && $0[$0.count - 1] == 0x0a }
        do {
            reading.stat = try ProcessStat(parsing: buffer.span)
        } catch {
            reading.failure = .malformed
        }
    }

    private mutating func readExecutable(
        in directory: borrowing ProcessDirectory, into reading: inout ProcessReading
    ) {
        buffer.removeAll(keepingCapacity: true)
        openCount += 1
        do {
            try procfs.readLink(.exe, in: directory, into: &buffer)
            let link = try ExecutableLink(parsing: buffer.span)
            reading.exe = .value(link)
            // A file may really be named "x (deleted)": only the link count tells.
            if link.isMarkedDeleted {
                reading.executableLinkCount = try procfs.status(of: .exe, in: directory).linkCount
            }
        } catch {
            if case .absent = reading.exe { reading.exe = .unknown(Self.reason(for: error)) }
        }
    }

    private mutating func readCommandLine(
        in directory: borrowing ProcessDirectory, into reading: inout ProcessReading
    ) {
        do {
            guard let isWhole = try readCommandLine(in: directory) else {
                return reading.commandLine = .unknown(.failed)
            }
            // Before anything else sees them, and before what comes next in the buffer can be taken for them.
            let count = redactBuffer(of: reading.exe.value, isWhole: isWhole)
            var commandLine = CommandLineFile(parsing: buffer.span)
            if !isWhole { commandLine.isTruncated = true }
            commandLine.redactedCount = count
            reading.commandLine = .value(commandLine)
        } catch {
            reading.commandLine = .unknown(Self.reason(for: error))
        }
    }

    private mutating func redactBuffer(of executable: ExecutableLink?, isWhole: Bool) -> Int {
        #if MUTANTS
            if Mutation.secretsTold.isActive { return 0 }
        #endif
        return redaction?.redact(&buffer, executable: executable?.path, isCut: !isWhole) ?? 0
    }

    /// The kernel gives the arguments of one moment in one read, but not in two: behind the first part of one program's may
    /// follow the rest of the next one's (`get_mm_cmdline`, `fs/proc/base.c`). What came in parts is believed when it comes
    /// a second time.
    ///
    /// - Returns: Whether the buffer holds the whole command line; `nil` when it changed all the time.
    private mutating func readCommandLine(in directory: borrowing ProcessDirectory) throws(Errno) -> Bool? {
        var last: [UInt8] = []
        for attempt in 0..<Self.commandLineAttemptLimit {
            buffer.removeAll(keepingCapacity: true)
            openCount += 1
            let handle = try procfs.open(.cmdline, in: directory)
            let count = try procfs.read(handle, count: Limits.commandLineByteCount, into: &buffer)
            guard count > 0 else { return true }
            let isWhole = try procfs.readAll(
                handle, limit: Limits.commandLineByteCount - count, into: &buffer)
            sometimes(.readingTorn, when: attempt > 0 && buffer != last)
            if buffer.count == count || attempt > 0 && buffer == last { return isWhole }
            last = buffer
        }
        return nil
    }

    /// A process that changes its arguments that often while it is looked at is looked at later.
    private static var commandLineAttemptLimit: Int { 4 }

    private mutating func readNamespace(
        in directory: borrowing ProcessDirectory, into reading: inout ProcessReading
    ) {
        buffer.removeAll(keepingCapacity: true)
        openCount += 1
        do {
            try procfs.readLink(.pidNamespace, in: directory, into: &buffer)
            let link = try NamespaceLink(parsing: buffer.span)
            reading.pidNamespace = .value(link.inode)
        } catch {
            reading.pidNamespace = .unknown(Self.reason(for: error))
        }
    }

    private mutating func readStatus(
        in directory: borrowing ProcessDirectory, into reading: inout ProcessReading
    ) {
        do {
            try readText(of: .status, in: directory, isWhole: ProcessStatus.isWhole)
            reading.status = .value(try ProcessStatus(parsing: buffer.span))
        } catch {
            reading.status = .unknown(Self.reason(for: error))
        }
    }

    private mutating func readCgroup(
        in directory: borrowing ProcessDirectory, into reading: inout ProcessReading
    ) {
        do {
            try readText(of: .cgroup, in: directory, isWhole: CgroupFile.isWhole)
            reading.cgroup = .value(try CgroupFile(parsing: buffer.span))
        } catch {
            reading.cgroup = .unknown(Self.reason(for: error))
        }
    }

    /// Classifies an error once: a vanished process is normal, a denied one is a fact, the rest is a failure.
    static func reason(for error: any Error) -> UnknownReason {
        guard let error = error as? Errno else { return .malformed }
        return switch error {
        case .noSuchFileOrDirectory, .noSuchProcess: .vanished
        case .permissionDenied, .notPermitted: .denied
        case .noFunction: .unsupported
        default: .failed
        }
    }
}
