import CollectorCore
import EventModel
import SwiftProtobuf
import Wire
import WireMessages

/// The frame of a `DetectionResult` in the making, which never grows beyond what a frame may hold.
///
/// Protobuf lets the fields of a message follow in pieces: each page of processes is written as it comes.
struct DaemonEyeAnswer {
    /// Processes that the remark on cut command lines names.
    private static let namedProcessCount = 20

    private(set) var frame: [UInt8] = Array(repeating: 0, count: Frame.headerByteCount)
    private var recordCount = 0
    private var cut: [ProcessID] = []

    init(taskID: String) {
        var head = DaemonEyeDetectionResult()
        head.taskID = taskID
        head.success = true
        append(head)
    }

    /// Adds processes.
    ///
    /// - Parameters:
    ///   - time: When they were so, by the wall clock.
    ///   - total: How many there will be at most.
    ///   - onDisk: What the path of their executable names now, where that was looked at.
    /// - Throws: ``TaskError``: there is no room for them.
    mutating func append(
        _ processes: [ProcessEvent], at time: WallTime, of total: Int, onDisk: ImageOnDisk?
    ) throws(TaskError) {
        var piece = DaemonEyeDetectionResult()
        piece.processes = processes.map { DaemonEyeProcessRecord($0, at: time, onDisk: onDisk) }
        cut += processes.lazy.filter(\.isCommandLineTruncated).map(\.pid)
        append(piece)
        guard frame.count - Frame.headerByteCount + remark.utf8.count < Self.payloadByteCount else {
            throw TaskError(
                .exhausted,
                "the answer would take more than a frame of \(Frame.serverPayloadByteCount) bytes: \(recordCount) of "
                    + "\(total) processes have room; ask for fewer by process_filter (pids, process_names, "
                    + "executable_pattern)")
        }
        recordCount += processes.count
    }

    /// Adds a digest, or why there is none.
    mutating func append(_ hash: DaemonEyeHashResult, isKnown: Bool) {
        var piece = DaemonEyeDetectionResult()
        piece.hashResult = hash
        append(piece)
        if isKnown { return }
        // The last value of a field counts, and a value that is not written changes nothing: it must be spelt out.
        frame += Self.noSuccess
        var tail = DaemonEyeDetectionResult()
        tail.errorMessage = hash.errorMessage
        append(tail)
    }

    /// The whole frame.
    mutating func finish() -> [UInt8] {
        if !cut.isEmpty {
            var tail = DaemonEyeDetectionResult()
            tail.errorMessage = remark
            append(tail)
        }
        Frame.seal(&frame, from: 0, checksum: .crc32c)
        return frame
    }

    /// A frame with a whole message.
    static func frame(_ message: some Message) -> [UInt8] {
        var frame: [UInt8] = []
        Frame.append(to: &frame, checksum: .crc32c) { $0 += bytes(message) }
        return frame
    }

    /// What is left for processes beside the last words.
    private static let payloadByteCount = Frame.serverPayloadByteCount - 16
    /// `success` (field 2) with the value `false`.
    private static let noSuccess: [UInt8] = [0x10, 0]

    /// What the records have no field for.
    private var remark: String {
        guard !cut.isEmpty else { return "" }
        let named = cut.prefix(Self.namedProcessCount).map { "\($0)" }.joined(separator: ", ")
        return "of \(cut.count) command lines only the beginning is known: those of "
            + named + (cut.count > Self.namedProcessCount ? " and others" : "")
    }

    private mutating func append(_ piece: DaemonEyeDetectionResult) { frame += Self.bytes(piece) }

    private static func bytes(_ message: some Message) -> [UInt8] {
        // Fails only for required fields, which proto3 has not, and beyond 2 GiB.
        (try? message.serializedBytes()) ?? []
    }
}

extension DaemonEyeProcessRecord {
    /// - Parameters:
    ///   - time: When the process was so.
    ///   - onDisk: What its executable's path names now, where that was looked at.
    init(_ process: ProcessEvent, at time: WallTime, onDisk: ImageOnDisk?) {
        self.init()
        pid = UInt32(clamping: process.pid.rawValue)
        if let ppid = process.ppid { self.ppid = UInt32(clamping: ppid.rawValue) }
        name = process.name ?? ""
        if let path = process.executablePath { executablePath = path }
        commandLine = process.commandLine
        if let start = process.startTime { startTime = start.nanoseconds.quotient(by: 1_000_000_000) }
        if let usage = process.cpuUsage { cpuUsage = usage }
        if let usage = process.memoryUsage { memoryUsage = usage }
        if let hash = process.executableHash { executableHash = hash }
        if let algorithm = process.hashAlgorithm { hashAlgorithm = algorithm.rawValue }
        if let uid = process.uid { userID = "\(uid.rawValue)" }
        accessible = process.isAccessible
        fileExists = process.executableExists == true
        onDiskMismatch = onDisk.map { $0 != .same } ?? (process.executableExists == false)
        collectionTime = time.nanoseconds.quotient(by: 1_000_000)
    }
}

extension DaemonEyeHashResult {
    /// - Parameter path: That of the process's executable, when the answer is about one.
    init(_ answer: HashAnswer, expected: DaemonEyeOrder.Expectation, path: String?) {
        self.init()
        filePath = answer.path
        algorithm = answer.algorithm.rawValue
        hashValue_p = answer.digest ?? ""
        if answer.digest == nil {
            errorMessage = "there is no digest of \(answer.path): \(answer.obstacle?.rawValue ?? "unknown")"
        } else if let digest = expected.digest, digest != answer.digest {
            errorMessage = "the digest is not the expected one"
        } else if let wanted = expected.path, wanted != path {
            errorMessage = "the process executes \(path ?? "a file whose path is not known"), not \(wanted)"
        } else {
            success = true
        }
    }
}

extension Int64 {
    /// Rounded down, before 1970 as well.
    fileprivate func quotient(by divisor: Int64) -> Int64 {
        let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? quotient - 1 : quotient
    }
}
