public import EventModel

/// Something that a source is asked to do once, beside watching.
public enum SourceTask: Hashable, Sendable {
    /// The processes that pass the filter, in ascending order of pid: at most `limit`, of those behind `after`.
    case enumerateProcesses(ProcessSelection, after: ProcessID?, limit: Int)
    /// The process and all that descend from it, likewise; `notFound` when there is no such process.
    case processTree(ProcessID, after: ProcessID?, limit: Int)
    /// What a process executes, with the digest of that very file, and whether its path still names it.
    ///
    /// `notFound` when there is no such process or it ends meanwhile, `invalid` for a thread of the kernel.
    case verifyExecutable(ProcessID)
    /// The digest of a regular file below a watched root.
    case checkHash(path: String, HashAlgorithm)
    /// The files below watched roots whose path begins so, in ascending order of their path's bytes: at most `limit`, of those
    /// behind `after` (a ``TaskAnswer/fileCursor``).
    ///
    /// As known while the page is made: a name that stays is told once, one that comes, goes or is renamed meanwhile may be
    /// missing.
    case listFiles(prefix: String, after: [UInt8]?, limit: Int)

    public var kind: TaskKind {
        switch self {
        case .enumerateProcesses: .enumerateProcesses
        case .processTree: .processTree
        case .verifyExecutable: .verifyExecutable
        case .checkHash: .checkHash
        case .listFiles: .listFiles
        }
    }
}

/// The kinds of ``SourceTask``.
public enum TaskKind: String, Hashable, Sendable, CaseIterable {
    case enumerateProcesses = "enumerate_processes"
    case processTree = "process_tree"
    case checkHash = "check_hash"
    case verifyExecutable = "verify_executable"
    case listFiles = "list_files"
}

/// Which processes are meant: conditions that must all hold; one that is `nil` is not asked.
public struct ProcessSelection: Hashable, Sendable {
    public var pids: Set<ProcessID>?
    /// Effective user ids.
    public var uids: Set<UserID>?
    /// Whole names (`comm`), compared byte by byte.
    public var names: Set<String>?
    /// The bytes that the executable's path begins with.
    public var executablePrefix: String?

    public init() {}

    /// Whether all conditions hold; a process that lacks what is asked for does not match.
    public func matches(_ process: ProcessEvent) -> Bool {
        if let pids, !pids.contains(process.pid) { return false }
        if let uids {
            guard let uid = process.uid, uids.contains(uid) else { return false }
        }
        if let names {
            guard let name = process.name, names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else {
                return false
            }
        }
        if let executablePrefix {
            guard let path = process.executablePath, path.utf8.starts(with: executablePrefix.utf8) else {
                return false
            }
        }
        return true
    }
}

/// What came of a ``SourceTask``.
public struct TaskAnswer: Hashable, Sendable {
    public var processes: [ProcessEvent] = []
    public var files: [FilesystemEvent] = []
    public var hash: HashAnswer?
    /// How many there are in all, those before and behind the ones above included; of files an upper bound: all names that the
    /// source knows, whatever they begin with.
    public var totalCount = 0
    /// Whether more lie behind the last one.
    public var hasMore = false
    /// Behind which path's bytes more files lie, as texts of ``files`` need not be the bytes; `nil` without files.
    public var fileCursor: [UInt8]?
    /// When all of it was so; of files, when the last of them was.
    public var monotonic: Instant

    public init(monotonic: Instant) { self.monotonic = monotonic }
}

/// What the path of a running program names now.
public enum ImageOnDisk: String, Hashable, Sendable, CaseIterable {
    /// The file that runs.
    case same
    /// Another file, be its contents the same.
    case replaced
    /// Nothing.
    case missing
}

/// A digest, or why there is none.
public struct HashAnswer: Hashable, Sendable {
    public var path: String
    public var algorithm: HashAlgorithm
    /// Lower-case hexadecimal.
    public var digest: String?
    public var obstacle: HashObstacle?
    /// Of a program that runs: what its path names for the process itself; `nil` when that could not be told.
    public var onDisk: ImageOnDisk?

    public init(path: String, algorithm: HashAlgorithm, digest: String?, obstacle: HashObstacle?) {
        self.path = path
        self.algorithm = algorithm
        self.digest = digest
        self.obstacle = obstacle
    }
}

/// Why a task was not carried out.
public struct TaskError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// Nobody here can do that.
        case unsupported
        /// The task makes no sense.
        case invalid
        /// What it is about does not exist (any more).
        case notFound = "not_found"
        /// It took too long.
        case timedOut = "timed_out"
        /// Too much is asked at a time.
        case exhausted
        /// Something broke.
        case failed
    }

    public var code: Code
    /// One line, for a person.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
