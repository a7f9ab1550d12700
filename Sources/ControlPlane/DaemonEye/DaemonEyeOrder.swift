package import CollectorCore
package import EventModel
package import WireMessages

/// A task of a DaemonEye client, and how far its answer has come.
package struct DaemonEyeOrder {
    /// Processes that a source is asked for at a time.
    private static let pageSize = 256
    /// Hexadecimal digits of every digest that can be asked for.
    private static let digestLength = 64

    /// What the client expects of a digest.
    struct Expectation {
        /// Lower-case hexadecimal.
        var digest: String?
        /// Of the executable of a process.
        var path: String?
    }

    let taskID: String
    /// What a source is asked for next.
    package private(set) var task: SourceTask
    private(set) var expectation = Expectation()
    /// What the answers of sources are filtered by, where they could not do it.
    private var selection = ProcessSelection()
    private var pattern: PathPattern?

    /// - Throws: ``TaskError``: a task that makes no sense, or that nobody here can carry out.
    package init(_ message: DaemonEyeDetectionTask) throws(TaskError) {
        taskID = message.taskID
        try Self.refuseForeignFilters(message)
        let filter = message.processFilter
        switch message.taskType {
        case .enumerateProcesses:
            try Self.refuse(message.hasHashCheck, "hash_check", "a list of processes")
            pattern = try Self.pattern(filter)
            var wanted = try ProcessSelection(filter)
            wanted.executablePrefix = pattern?.prefix
            task = .enumerateProcesses(wanted, after: nil, limit: Self.pageSize)
        case .monitorProcessTree:
            try Self.refuse(message.hasHashCheck, "hash_check", "a list of processes")
            pattern = try Self.pattern(filter)
            selection = try ProcessSelection(filter)
            let root = try Self.onlyPID(of: selection)
            selection.pids = nil
            task = .processTree(root, after: nil, limit: Self.pageSize)
        case .checkProcessHash, .verifyExecutable:
            let isFiltered = !filter.processNames.isEmpty || filter.hasExecutablePattern
            try Self.refuse(isFiltered, "process_filter without pids", "a digest")
            (task, expectation) = try Self.hashing(message)
        case .monitorNetworkConnections: throw Self.unsupported("MONITOR_NETWORK_CONNECTIONS")
        case .trackFileOperations: throw Self.unsupported("TRACK_FILE_OPERATIONS")
        case .collectPerformanceMetrics: throw Self.unsupported("COLLECT_PERFORMANCE_METRICS")
        case .UNRECOGNIZED(let number): throw Self.unsupported("task type \(number)")
        }
    }

    /// Whether the answer tells about the contents of files, which not everybody who may connect may read.
    var needsControl: Bool {
        switch task {
        case .checkHash, .verifyExecutable, .listFiles: true
        case .enumerateProcesses, .processTree: false
        }
    }

    /// Whether the client wants to know of the process.
    package func admits(_ process: ProcessEvent) -> Bool {
        guard selection.matches(process) else { return false }
        guard let pattern else { return true }
        return process.executablePath.map(pattern.matches) ?? false
    }

    /// Goes on behind the last process of a page.
    mutating func advance(behind last: ProcessID?) {
        switch task {
        case .enumerateProcesses(let wanted, _, let limit):
            task = .enumerateProcesses(wanted, after: last, limit: limit)
        case .processTree(let root, _, let limit): task = .processTree(root, after: last, limit: limit)
        case .verifyExecutable, .checkHash, .listFiles: break
        }
    }

    // MARK: - Reading

    private static func unsupported(_ what: String) -> TaskError {
        TaskError(.unsupported, "\(what) is unsupported: it is not carried out here")
    }

    /// A condition that is not understood must not be dropped: the answer would hold more than was asked for.
    private static func refuse(_ isThere: Bool, _ field: String, _ what: String) throws(TaskError) {
        if isThere { throw TaskError(.invalid, "\(field) has no meaning for \(what)") }
    }

    private static func refuseForeignFilters(_ message: DaemonEyeDetectionTask) throws(TaskError) {
        try refuse(message.hasNetworkFilter, "network_filter", "any task that is carried out here")
        try refuse(message.hasFilesystemFilter, "filesystem_filter", "any task that is carried out here")
        try refuse(message.hasPerformanceFilter, "performance_filter", "any task that is carried out here")
    }

    private static func pattern(_ filter: DaemonEyeProcessFilter) throws(TaskError) -> PathPattern? {
        guard !filter.executablePattern.isEmpty else { return nil }
        return try PathPattern(filter.executablePattern)
    }

    private static func onlyPID(of selection: ProcessSelection) throws(TaskError) -> ProcessID {
        guard let pids = selection.pids, pids.count == 1, let pid = pids.first, pid.rawValue > 0 else {
            throw TaskError(.invalid, "process_filter.pids must name one process")
        }
        return pid
    }

    /// The executable of a process, or without a pid the file that is named.
    private static func hashing(
        _ message: DaemonEyeDetectionTask
    ) throws(TaskError) -> (SourceTask, Expectation) {
        let check = message.hashCheck
        let name =
            check.hashAlgorithm.isEmpty ? HashAlgorithm.sha256.rawValue : check.hashAlgorithm.lowercased()
        guard let algorithm = HashAlgorithm(rawValue: name) else {
            let known = HashAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw TaskError(.invalid, "hash_check.hash_algorithm must be one of \(known)")
        }
        var expectation = Expectation()
        if !check.expectedHash.isEmpty { expectation.digest = try digest(check.expectedHash) }
        guard !message.processFilter.pids.isEmpty else {
            guard !check.executablePath.isEmpty else {
                throw TaskError(
                    .invalid,
                    "process_filter.pids must name one process, or hash_check.executable_path a file")
            }
            return (.checkHash(path: check.executablePath, algorithm), expectation)
        }
        guard algorithm == .sha256 else {
            throw TaskError(.unsupported, "the executable of a process is digested by sha256 only")
        }
        if !check.executablePath.isEmpty { expectation.path = check.executablePath }
        let pid = try onlyPID(of: try ProcessSelection(message.processFilter))
        return (.verifyExecutable(pid), expectation)
    }

    private static func digest(_ text: String) throws(TaskError) -> String {
        let digest = text.lowercased()
        guard digest.utf8.count == digestLength, digest.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw TaskError(.invalid, "hash_check.expected_hash must have \(digestLength) hexadecimal digits")
        }
        return digest
    }
}

extension ProcessSelection {
    /// - Throws: ``TaskError``: too many values, or numbers that are no pids.
    fileprivate init(_ filter: DaemonEyeProcessFilter) throws(TaskError) {
        self.init()
        guard max(filter.pids.count, filter.processNames.count) <= Limits.filterValueCount else {
            throw TaskError(
                .invalid,
                "process_filter.pids and .process_names have at most \(Limits.filterValueCount) values each")
        }
        var pids: Set<ProcessID> = []
        for value in filter.pids {
            guard let pid = Int32(exactly: value) else {
                throw TaskError(.invalid, "process_filter.pids: \(value) is no pid")
            }
            pids.insert(ProcessID(pid))
        }
        if !pids.isEmpty { self.pids = pids }
        if !filter.processNames.isEmpty { names = Set(filter.processNames) }
    }
}
