import EventModel
import KernelFormats

/// One thread of a simulated process.
struct ThreadState {
    var tid: ProcessID
    var comm: [UInt8]
    /// Where it runs at the moment.
    var processor: UInt32
    /// Only the first thread stays in the list after it has ended, for as long as the process exists.
    var hasExited = false
}

/// The memory of a program: replaced as a whole by `execve(2)`.
final class AddressSpace {
    let program: SimulatedFile
    /// Argument strings, then environment strings, each with its NUL; the process may overwrite all of it.
    private(set) var strings: [UInt8]
    /// Where the arguments end and the environment begins.
    private(set) var argumentByteCount: Int
    /// How far titles have been written.
    private var titleByteCount = 0
    /// The last user has ended or executed another program: readers of an old handle get nothing.
    var isGone = false
    /// Until the strings are in place, a reader sees no arguments.
    var areArgumentsVisible = true

    init(program: SimulatedFile, argv: [[UInt8]], environment: [[UInt8]]) {
        self.program = program
        strings = []
        for argument in argv {
            strings += argument
            strings.append(0)
        }
        argumentByteCount = strings.count
        for variable in environment {
            strings += variable
            strings.append(0)
        }
    }

    /// The memory after an `execve(2)` that passes on the environment of the program before.
    init(program: SimulatedFile, argv: [[UInt8]], environmentOf former: AddressSpace?) {
        self.program = program
        let environment = former?.environment ?? []
        strings = []
        strings.reserveCapacity(argv.reduce(environment.count + 1) { $0 + $1.count + 1 })
        for argument in argv {
            strings += argument
            strings.append(0)
        }
        argumentByteCount = strings.count
        // What a title has left of it are whole strings again: none is empty, each has its NUL.
        var isWithin = false
        for byte in environment where byte != 0 || isWithin {
            strings.append(byte)
            isWithin = byte != 0
        }
        if isWithin { strings.append(0) }
    }

    /// A copy for the child of a fork.
    init(copying other: AddressSpace) {
        program = other.program
        strings = other.strings
        argumentByteCount = other.argumentByteCount
        titleByteCount = other.titleByteCount
    }

    /// Overwrites the strings from the beginning; what is left of the arguments, and of titles before, becomes NULs.
    func overwrite(with title: [UInt8]) {
        let title = title.prefix(strings.count)
        strings.replaceSubrange(0..<title.count, with: title)
        let end = max(argumentByteCount, titleByteCount)
        for index in stride(from: title.count, to: end, by: 1) { strings[index] = 0 }
        titleByteCount = max(title.count, titleByteCount)
    }

    /// What `/proc/PID/cmdline` shows (`get_mm_cmdline`, `fs/proc/base.c`).
    ///
    /// If the last byte of the arguments is not NUL, the kernel takes it for a title that runs into the environment
    /// and shows everything up to the first NUL, at most one page.
    var commandLine: ArraySlice<UInt8> {
        guard areArgumentsVisible, argumentByteCount > 0 else { return [] }
        if strings[argumentByteCount - 1] == 0 { return strings[..<argumentByteCount] }
        let page = strings.prefix(Self.pageByteCount)
        guard let end = page.firstIndex(of: 0) else { return page }
        return page[...end]
    }

    var environment: ArraySlice<UInt8> { strings[argumentByteCount...] }

    static let pageByteCount = 4_096
}

/// One incarnation of a process: a thread group, with what `/proc` shows of it.
final class ProcessState {
    static let pageByteCount: UInt64 = 4_096

    let incarnation: IncarnationID
    let pid: ProcessID
    var ppid: ProcessID { didSet { version &+= 1 } }
    /// The parent's thread that made it (`real_parent`), as long as that lives.
    var parentThread: ProcessID
    /// The first thread first, the others ascending.
    var threads: [ThreadState] { didSet { version &+= 1 } }
    var session: ProcessID { didSet { version &+= 1 } }
    var processGroup: ProcessID { didSet { version &+= 1 } }
    var realUID = UserID(0) { didSet { version &+= 1 } }
    var effectiveUID = UserID(0) { didSet { version &+= 1 } }
    var realGID = GroupID(0) { didSet { version &+= 1 } }
    var effectiveGID = GroupID(0) { didSet { version &+= 1 } }
    var cgroup: [UInt8] = [0x2f]
    /// The pid in each namespace below the initial one.
    var innerPIDs: [ProcessID] = [] { didSet { version &+= 1 } }
    /// Inode of its pid namespace.
    var pidNamespace = ProcessState.initialPIDNamespace
    /// `nil` for kernel threads and once the last thread has ended.
    var memory: AddressSpace? { didSet { version &+= 1 } }
    let startTicks: UInt64
    /// 0 on kernels without pidfs.
    let pidFDInode: UInt64
    var isKernelThread = false { didSet { version &+= 1 } }
    var isDumpable = true
    var isSubreaper = false
    var tracer: ProcessID? { didSet { version &+= 1 } }
    /// Processes that name this one as their parent, zombies included.
    var childCount = 0
    /// How many processes this one has ever traced.
    var traceeCount = 0
    /// All threads have ended.
    var isZombie = false
    /// The pid is free again.
    var isReaped = false
    /// The word of `wait(2)`, once ended.
    var exitCode: UInt32 = 0 { didSet { version &+= 1 } }
    var virtualByteCount: UInt64 = 8_388_608 { didSet { version &+= 1 } }
    var residentPageCount: UInt64 = 512 { didSet { version &+= 1 } }
    var userTime: Duration = .zero { didSet { version &+= 1 } }
    var systemTime: Duration = .zero { didSet { version &+= 1 } }
    /// No message about this process may carry an earlier stamp: cause precedes effect.
    var stampFloor: Int64 = .min
    /// An `execve(2)` that has begun and not yet sent its message.
    var execInProgress: ExecProgress?
    /// Moves whenever something changes that `stat` or `status` show.
    private(set) var version: UInt64 = 0
    /// What `stat` said when it was last read.
    var statText = PrintedText()
    /// What `status` said when it was last read.
    var statusText = PrintedText()

    static let initialPIDNamespace: UInt64 = 4_026_531_836
    static let networkNamespace: UInt64 = 4_026_531_833

    init(
        incarnation: IncarnationID, pid: ProcessID, ppid: ProcessID, comm: [UInt8], processor: UInt32,
        startTicks: UInt64, pidFDInode: UInt64
    ) {
        self.incarnation = incarnation
        self.pid = pid
        self.ppid = ppid
        parentThread = ppid
        self.startTicks = startTicks
        self.pidFDInode = pidFDInode
        threads = [ThreadState(tid: pid, comm: comm, processor: processor)]
        session = pid
        processGroup = pid
    }

    /// The name that `/proc/PID/comm` shows: that of the first thread, even if it has ended.
    var comm: [UInt8] { threads[0].comm }

    var isAlive: Bool { !isZombie && !isReaped }

    /// What looks like a zombie: the first thread has ended, alone or with all others.
    var isLeaderDead: Bool { threads[0].hasExited }

    var threadIDs: [ProcessID] { threads.map(\.tid) }

    /// The memory that `/proc/PID` shows, which belongs to the first thread.
    var visibleMemory: AddressSpace? { isLeaderDead ? nil : memory }

    func threadIndex(_ tid: ProcessID) -> Int? { threads.firstIndex { $0.tid == tid } }

    var leaderTask: ConnectorTask { ConnectorTask(leaderOf: pid) }

    func task(_ tid: ProcessID) -> ConnectorTask { ConnectorTask(tid: tid, tgid: pid) }
}

/// The text of a file of `/proc`, kept until something changes that it shows: most processes stay as they are from one
/// look to the next.
struct PrintedText {
    /// All that a text depends on, beside what never changes.
    struct Key: Equatable {
        /// ``ProcessState/version``.
        var version: UInt64
        /// ``AddressSpace/areArgumentsVisible`` of its memory.
        var areArgumentsVisible: Bool
        /// Whether the reader has the right to look into it.
        var isTraceable: Bool
        /// Whether it is the reader itself.
        var isOwn: Bool
    }

    private var key: Key?
    private var bytes: [UInt8] = []

    /// Appends the text, if it still holds.
    ///
    /// - Returns: Whether it does.
    func append(to output: inout [UInt8], for key: Key) -> Bool {
        guard self.key == key else { return false }
        output.append(contentsOf: bytes)
        return true
    }

    mutating func keep(_ text: ArraySlice<UInt8>, for key: Key) {
        self.key = key
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: text)
    }
}

/// What is left to do of an `execve(2)`.
struct ExecProgress {
    /// Distinguishes it from later ones of the same process.
    var serial: UInt64
    var request: ExecRequest
    var memory: AddressSpace
    var comm: [UInt8]
    /// 1: the program is in place; 2: the name; 3: the arguments.
    var step: Int
}

/// The arguments of an `execve(2)`.
struct ExecRequest {
    var program: ExecutableProgram
    var argv: [[UInt8]]?
    var comm: [UInt8]?
    var duration: Duration?
    var setUserID: UserID?
}
