import Backends
import CollectorCore
import EventModel
import SwiftProtobuf
import Testing
import Wire
import WireMessages

import struct SystemPackage.Errno

/// A client that knows how frames are made, and keeps to no rule that it does not want to keep.
struct DaemonEyePeer {
    let connection: any TransportConnection
    private let thread: any ExecutionThread
    private var reader = FrameReader(payloadLimit: Frame.serverPayloadByteCount, checksum: .crc32c)
    /// The server has ended the connection.
    private(set) var isOver = false

    init(_ connection: any TransportConnection, on thread: any ExecutionThread) {
        self.connection = connection
        self.thread = thread
    }

    static func frame(_ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        Frame.append(to: &bytes, checksum: .crc32c) { $0 += payload }
        return bytes
    }

    static func frame(_ message: some Message) -> [UInt8] { frame((try? message.serializedBytes()) ?? []) }

    static func task(
        _ type: DaemonEyeTaskType, id: String = "task",
        _ change: (inout DaemonEyeDetectionTask) -> Void = { _ in }
    ) -> DaemonEyeDetectionTask {
        var task = DaemonEyeDetectionTask()
        task.taskID = id
        task.taskType = type
        change(&task)
        return task
    }

    func pause(_ duration: Duration) async {
        try? await thread.clock.sleep(until: thread.clock.monotonic.advanced(by: duration))
    }

    /// Sends all of it, as far as the server still takes any.
    func send(_ bytes: [UInt8]) async {
        var sent = 0
        while sent < bytes.count {
            do throws(Errno) {
                sent += try connection.send(bytes, from: sent)
            } catch .resourceTemporarilyUnavailable {
                let deadline = thread.clock.monotonic.advanced(by: .seconds(60))
                guard await connection.ready(for: .sending, until: deadline) == .readable else { return }
            } catch {
                return
            }
        }
    }

    /// The next payload; `nil` when the server has ended the connection, or says nothing for so long.
    mutating func next(within duration: Duration = .seconds(60)) async throws -> [UInt8]? {
        let deadline = thread.clock.monotonic.advanced(by: duration)
        while true {
            if let payload = try reader.next() { return payload }
            if isOver || thread.clock.monotonic >= deadline { return nil }
            await receive(until: deadline)
        }
    }

    private mutating func receive(until deadline: Instant) async {
        do throws(Errno) {
            let connection = connection
            let count = try reader.fill { (count, buffer) throws(Errno) in
                try connection.receive(count: count, into: &buffer)
            }
            if count == 0 { isOver = true }
        } catch .resourceTemporarilyUnavailable {
            _ = await connection.ready(for: .receiving, until: deadline)
        } catch {
            isOver = true
        }
    }

    mutating func result() async throws -> DaemonEyeDetectionResult {
        try DaemonEyeDetectionResult(serializedBytes: try #require(try await next(), "no answer"))
    }

    mutating func ask(_ task: DaemonEyeDetectionTask) async throws -> DaemonEyeDetectionResult {
        await send(Self.frame(task))
        return try await result()
    }

    /// What is said up to the end of the connection.
    mutating func rest() async throws -> [DaemonEyeDetectionResult] {
        var results: [DaemonEyeDetectionResult] = []
        while let payload = try await next(within: .seconds(1_200)) {
            results.append(try DaemonEyeDetectionResult(serializedBytes: payload))
        }
        #expect(isOver, "the server does not end the connection")
        return results
    }

    func close() { connection.close() }
}
