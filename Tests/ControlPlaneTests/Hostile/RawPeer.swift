import Backends
import CollectorCore
import EventModel
import SwiftProtobuf
import Testing
import Wire
import WireMessages

import struct SystemPackage.Errno

/// A client that knows how frames are made, and keeps to no rule that it does not want to keep.
struct RawPeer {
    let connection: any TransportConnection
    private let thread: any ExecutionThread
    private var reader = FrameReader(payloadLimit: Frame.serverPayloadByteCount)
    /// The server has ended the connection.
    private(set) var isOver = false

    init(_ connection: any TransportConnection, on thread: any ExecutionThread) {
        self.connection = connection
        self.thread = thread
    }

    static func frame(_ id: UInt64, _ body: WireClientMessage.OneOf_Body?) -> [UInt8] {
        var message = WireClientMessage()
        message.requestID = id
        message.body = body
        return frame((try? message.serializedBytes()) ?? [])
    }

    static func frame(_ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        Frame.append(to: &bytes) { $0 += payload }
        return bytes
    }

    func after(_ duration: Duration) -> Instant { thread.clock.monotonic.advanced(by: duration) }

    func pause(_ duration: Duration) async { try? await thread.clock.sleep(until: after(duration)) }

    /// Sends all of it, as far as the server still takes any.
    func send(_ bytes: [UInt8]) async {
        var sent = 0
        while sent < bytes.count {
            do throws(Errno) {
                sent += try connection.send(bytes, from: sent)
            } catch .resourceTemporarilyUnavailable {
                guard await connection.ready(for: .sending, until: after(.seconds(60))) == .readable else {
                    return
                }
            } catch {
                return
            }
        }
    }

    func send(_ id: UInt64, _ body: WireClientMessage.OneOf_Body?) async { await send(Self.frame(id, body)) }

    /// The next message; `nil` when the server has ended the connection, or says nothing for so long.
    mutating func next(within duration: Duration = .seconds(60)) async throws -> WireServerMessage? {
        let deadline = after(duration)
        while true {
            if let payload = try reader.next() { return try WireServerMessage(serializedBytes: payload) }
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

    /// Everything up to the end of the connection.
    mutating func rest(within duration: Duration = .seconds(120)) async throws -> [WireServerMessage] {
        var messages: [WireServerMessage] = []
        let deadline = after(duration)
        while thread.clock.monotonic < deadline, let message = try await next(within: duration) {
            messages.append(message)
        }
        #expect(isOver, "the server does not end the connection")
        return messages
    }

    /// The next message that is no announcement and answers the request.
    mutating func answer(to id: UInt64) async throws -> WireServerMessage? {
        while let message = try await next() {
            if message.requestID == id { return message }
        }
        return nil
    }

    mutating func hello(_ versions: [UInt32] = [1]) async throws {
        await send(1, Self.hello(versions))
        let answer = try await next()
        #expect(answer?.welcome.version == 1)
    }

    static func hello(_ versions: [UInt32] = [1]) -> WireClientMessage.OneOf_Body {
        var hello = WireHello()
        hello.versions = versions
        hello.client = "hostile"
        return .hello(hello)
    }

    static func subscribe(credit: UInt32 = 1_048_576) -> WireClientMessage.OneOf_Body {
        var subscribe = WireSubscribe()
        subscribe.credit = credit
        return .subscribe(subscribe)
    }

    static func list(pageSize: UInt32 = 0, pid: UInt32? = nil) -> WireClientMessage.OneOf_Body {
        var task = WireDetectionTask()
        task.type = .enumerateProcesses
        task.pageSize = pageSize
        if let pid { task.processFilter.pids = [pid] }
        return .task(task)
    }

    static func cancel(_ id: UInt64) -> WireClientMessage.OneOf_Body {
        var cancel = WireCancel()
        cancel.requestID = id
        return .cancel(cancel)
    }

    static func credit(_ id: UInt64, _ events: UInt32) -> WireClientMessage.OneOf_Body {
        var credit = WireCredit()
        credit.requestID = id
        credit.events = events
        return .credit(credit)
    }

    static func nextPage(_ id: UInt64) -> WireClientMessage.OneOf_Body {
        var next = WireNextPage()
        next.requestID = id
        return .nextPage(next)
    }

    func close() { connection.close() }
}
