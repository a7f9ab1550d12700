package import CollectorCore
import EventModel
package import WireMessages

/// A task as a client gave it, and how far its pages have come.
package struct TaskOrder {
    private static let defaultTimeout = Duration.seconds(5)
    private static let longestTimeout: UInt32 = 10_000
    private static let defaultPageSize = 256
    private static let largestPageSize: UInt32 = 1_000

    /// Tells a task from every other one of its connection.
    package struct Name: Hashable {
        /// As the client counts; free again after the task's end.
        var id: UInt64
        /// As the connection counts.
        var number: UInt64

        package init(id: UInt64, number: UInt64) {
            self.id = id
            self.number = number
        }
    }

    let name: Name
    /// What the source is asked for next.
    package private(set) var task: SourceTask
    let timeout: Duration
    private let type: WireTaskType
    private let expectedDigest: String?
    /// A page was asked for that has not come.
    var isUnderWay = true

    /// - Throws: ``MessageError``: a task that makes no sense.
    package init(_ message: WireDetectionTask, _ name: Name) throws(MessageError) {
        self.name = name
        guard message.timeoutMs <= Self.longestTimeout else {
            throw MessageError(field: "timeout_ms", expected: "at most \(Self.longestTimeout)")
        }
        guard message.pageSize <= Self.largestPageSize else {
            throw MessageError(field: "page_size", expected: "at most \(Self.largestPageSize)")
        }
        timeout =
            message.timeoutMs == 0 ? Self.defaultTimeout : .milliseconds(Int64(message.timeoutMs))
        let limit = message.pageSize == 0 ? Self.defaultPageSize : Int(message.pageSize)
        type = message.type
        expectedDigest = message.hashCheck.hasExpected ? try Self.digest(message.hashCheck.expected) : nil
        switch message.type {
        case .enumerateProcesses:
            task = .enumerateProcesses(
                try ProcessSelection(message.processFilter), after: nil, limit: limit)
        case .processTree:
            task = .processTree(try Self.pid(of: message), after: nil, limit: limit)
        case .verifyExecutable:
            task = .verifyExecutable(try Self.pid(of: message))
        case .checkHash:
            guard message.hasHashCheck else { throw MessageError(field: "hash_check", expected: "a path") }
            guard let algorithm = HashAlgorithm(rawValue: message.hashCheck.algorithm) else {
                throw MessageError(
                    field: "hash_check.algorithm",
                    expected: HashAlgorithm.allCases.map(\.rawValue).joined(separator: ", "))
            }
            task = .checkHash(path: message.hashCheck.path, algorithm)
        case .listFiles:
            task = .listFiles(prefix: message.fileFilter.pathPrefix, after: nil, limit: limit)
        case .unspecified, .UNRECOGNIZED:
            throw MessageError(field: "type", expected: "a task that this version knows")
        }
    }

    /// Whether the answer tells about the contents of files, which not everybody who may connect may read.
    var needsControl: Bool {
        switch task {
        case .checkHash, .verifyExecutable, .listFiles: true
        case .enumerateProcesses, .processTree: false
        }
    }

    /// What is no digest matches nothing, and would tell of a difference that is none.
    private static func digest(_ text: String) throws(MessageError) -> String {
        let isDigest = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                UInt8(ascii: "A")...UInt8(ascii: "F"):
                true
            default: false
            }
        }
        guard isDigest, text.utf8.count == 64 else {
            throw MessageError(
                field: "hash_check.expected", expected: "a SHA-256 digest, 64 hexadecimal digits")
        }
        return text.lowercased()
    }

    private static func pid(of message: WireDetectionTask) throws(MessageError) -> ProcessID {
        guard message.hasPid, let pid = Int32(exactly: message.pid), pid > 0 else {
            throw MessageError(field: "pid", expected: "a pid")
        }
        return ProcessID(pid)
    }

    /// The message for what the source has answered; the next page begins behind it.
    mutating func page(of answer: TaskAnswer) -> WireTaskResult {
        isUnderWay = false
        switch task {
        case .enumerateProcesses(let selection, _, let limit):
            task = .enumerateProcesses(selection, after: answer.processes.last?.pid, limit: limit)
        case .processTree(let root, _, let limit):
            task = .processTree(root, after: answer.processes.last?.pid, limit: limit)
        case .listFiles(let prefix, _, let limit):
            task = .listFiles(prefix: prefix, after: answer.fileCursor, limit: limit)
        case .verifyExecutable, .checkHash: break
        }
        var page = WireTaskResult()
        page.type = type
        page.processes = answer.processes.map { WireProcessEvent($0) }
        page.files = answer.files.map { WireFileEvent($0) }
        page.total = UInt64(answer.totalCount)
        page.isLast = !answer.hasMore
        page.monotonicNs = answer.monotonic.nanoseconds
        if let hash = answer.hash {
            page.hash.path = hash.path
            page.hash.algorithm = hash.algorithm.rawValue
            if let obstacle = hash.obstacle { page.hash.obstacle = obstacle.rawValue }
            if let onDisk = hash.onDisk { page.hash.onDisk = onDisk.rawValue }
            if let digest = hash.digest {
                page.hash.digest = digest
                if let expectedDigest { page.hash.isMatch = digest == expectedDigest }
            }
        }
        return page
    }
}

extension ProcessSelection {
    /// - Throws: ``MessageError``: too many values, or numbers that are no pids.
    init(_ message: WireProcessFilter) throws(MessageError) {
        self.init()
        for (field, count) in [
            ("pids", message.pids.count), ("uids", message.uids.count), ("names", message.names.count),
        ] where count > Limits.filterValueCount {
            throw MessageError(
                field: "process_filter.\(field)", expected: "at most \(Limits.filterValueCount) values")
        }
        var pids: Set<ProcessID> = []
        for value in message.pids {
            guard let pid = Int32(exactly: value) else {
                throw MessageError(field: "process_filter.pids", expected: "pids, not \(value)")
            }
            pids.insert(ProcessID(pid))
        }
        if !pids.isEmpty { self.pids = pids }
        if !message.uids.isEmpty { uids = Set(message.uids.map { UserID($0) }) }
        if !message.names.isEmpty { names = Set(message.names) }
        if message.hasExecutablePrefix { executablePrefix = message.executablePrefix }
    }
}

extension WireTaskType {
    init(_ kind: TaskKind) {
        self =
            switch kind {
            case .enumerateProcesses: .enumerateProcesses
            case .processTree: .processTree
            case .checkHash: .checkHash
            case .verifyExecutable: .verifyExecutable
            case .listFiles: .listFiles
            }
    }
}

extension WireFailure.Code {
    init(_ code: TaskError.Code) {
        self =
            switch code {
            case .unsupported: .unsupported
            case .invalid: .invalid
            case .notFound: .notFound
            case .timedOut: .deadlineExceeded
            case .exhausted: .exhausted
            case .failed: .internal
            }
    }
}
