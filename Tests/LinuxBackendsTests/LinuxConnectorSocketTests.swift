import Backends
import EventModel
import Glibc
import LinuxBackends
import Testing

import struct SystemPackage.Errno

/// A message of the process connector, read by hand (`linux/cn_proc.h`, after headers of 16 and 20 bytes).
private struct Message {
    static let fork: UInt32 = 1
    static let exec: UInt32 = 2
    static let comm: UInt32 = 0x200
    static let exit: UInt32 = 0x8000_0000

    var sequence: UInt32
    var kind: UInt32
    var processor: UInt32
    var words: [UInt32]
    var comm: String

    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= 36 + 40 else { return nil }
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[bytes.startIndex + offset + $1]) << UInt32(8 * $1) }
        }
        sequence = word(24)
        kind = word(36)
        processor = word(40)
        words = [word(52), word(56), word(60), word(64)]
        comm = String(decoding: bytes.dropFirst(60).prefix(16).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Operation 1 subscribes, 2 unsubscribes.
    static func operation(_ number: UInt8) -> [UInt8] {
        var message = [UInt8](repeating: 0, count: 40)
        message[0] = 40
        message[4] = 3
        message[16] = 1
        message[20] = 1
        message[32] = 4
        message[36] = number
        return message
    }
}

/// A subscription of the running test.
private final class Listener: Sendable {
    let socket: LinuxConnectorSocket

    init(on thread: LinuxThread, receiveBuffer: Int = 8 << 20) throws {
        socket = try LinuxConnectorSocket(on: thread)
        _ = try socket.setReceiveBuffer(byteCount: receiveBuffer)
        try socket.send(Message.operation(1))
    }

    // The kernel keeps count of listeners; a test that failed may have lost its socket.
    deinit { try? socket.send(Message.operation(2)) }

    /// Messages until one is `last`, or until a minute has passed.
    func messages(_ thread: LinuxThread, until last: (Message) -> Bool) async throws -> [Message] {
        var batch = DatagramBatch(capacity: 100, slotByteCount: 256)
        var messages: [Message] = []
        let deadline = thread.after(.seconds(60))
        while true {
            #expect(await socket.readable(until: deadline) == .readable)
            if thread.now >= deadline { return messages }
            try socket.receive(into: &batch)
            for (index, datagram) in batch.datagrams.enumerated() {
                #expect(datagram.senderPort == 0)
                #expect(!datagram.isTruncated)
                let slot = batch.bytes[index * 256..<index * 256 + datagram.byteCount]
                guard let message = Message(slot) else { continue }
                messages.append(message)
                if last(message) { return messages }
            }
        }
    }
}

@Suite(.enabled(if: isRoot, "the proc connector takes privileges before Linux 6.6"), .timeLimit(.minutes(10)))
struct LinuxConnectorSocketTests {
    @Test func `the life of a child arrives, numbered without a gap on each processor`() async throws {
        try await onLinuxThread { thread in
            let listener = try Listener(on: thread)
            let child = try Child("/bin/true")
            let pid = UInt32(child.pid)
            child.wait()
            let messages = try await listener.messages(thread) {
                $0.kind == Message.exit && $0.words[0] == pid
            }
            let ours = messages.filter { message in
                message.kind == Message.fork ? message.words[2] == pid : message.words[0] == pid
            }
            #expect(ours.first?.kind == Message.fork)
            #expect(ours.first?.words[1] == UInt32(getpid()))
            #expect(ours.map(\.kind).contains(Message.exec))
            #expect(ours.last?.kind == Message.exit)
            let byProcessor = Dictionary(grouping: messages, by: \.processor)
            for messages in byProcessor.values {
                for (former, next) in zip(messages, messages.dropFirst()) {
                    #expect(next.sequence == former.sequence &+ 1)
                }
            }
        }
    }

    @Test func `the subscription is acknowledged`() async throws {
        try await onLinuxThread { thread in
            let listener = try Listener(on: thread)
            // PROC_EVENT_NONE with error 0.
            let messages = try await listener.messages(thread) { $0.kind == 0 }
            #expect(messages.last?.words[0] == 0)
        }
    }

    @Test func `a full buffer is reported once, before what is still queued`() async throws {
        try await onLinuxThread { thread in
            let listener = try Listener(on: thread, receiveBuffer: 4_096)
            for _ in 0..<20 { try Child("/bin/true").wait() }
            var batch = DatagramBatch(capacity: 100, slotByteCount: 256)
            #expect(await listener.socket.readable(until: thread.after(.seconds(60))) == .readable)
            #expect(throws: Errno.noBufferSpace) { try listener.socket.receive(into: &batch) }
            #expect(batch.datagrams.isEmpty)
            try listener.socket.receive(into: &batch)
            #expect(!batch.datagrams.isEmpty)
        }
    }

    @Test func `an empty queue says so`() async throws {
        let thread = try LinuxThread(name: "unused")
        let socket = try LinuxConnectorSocket(on: thread)
        var batch = DatagramBatch(capacity: 4, slotByteCount: 64)
        // A leaked listener of the kernel may let messages in at any time: drain first.
        do {
            while true { try socket.receive(into: &batch) }
        } catch {
            #expect(error == .resourceTemporarilyUnavailable)
        }
        #expect(batch.datagrams.isEmpty)
    }

    @Test func `a datagram longer than its slot is cut and marked`() async throws {
        try await onLinuxThread { thread in
            let listener = try Listener(on: thread)
            #expect(await listener.socket.readable(until: thread.after(.seconds(60))) == .readable)
            var batch = DatagramBatch(capacity: 1, slotByteCount: 40)
            try listener.socket.receive(into: &batch)
            #expect(batch.datagrams == [Datagram(byteCount: 40, senderPort: 0, isTruncated: true)])
        }
    }

    @Test func `a burst of several batches is received in one call, in order`() async throws {
        try await onLinuxThread { thread in
            let listener = try Listener(on: thread)
            for _ in 0..<60 { try Child("/bin/true").wait() }
            #expect(await listener.socket.readable(until: thread.after(.seconds(60))) == .readable)
            var batch = DatagramBatch(capacity: 150, slotByteCount: 256)
            try listener.socket.receive(into: &batch)
            #expect(batch.datagrams.count == 150)
            var last: [UInt32: UInt32] = [:]
            for (index, datagram) in batch.datagrams.enumerated() {
                let slot = batch.bytes[index * 256..<index * 256 + datagram.byteCount]
                let message = try #require(Message(slot))
                if let former = last[message.processor] { #expect(message.sequence == former &+ 1) }
                last[message.processor] = message.sequence
            }
        }
    }

    @Test func `the receive buffer is what the kernel grants`() throws {
        let socket = try LinuxConnectorSocket(on: LinuxThread(name: "unused"))
        #expect(try socket.setReceiveBuffer(byteCount: 8 << 20) == 16 << 20)
        #expect(try socket.setReceiveBuffer(byteCount: .max) > 16 << 20)
        // SOCK_MIN_RCVBUF.
        #expect(try socket.setReceiveBuffer(byteCount: 0) > 0)
    }

    @Test func `a fence names each processor with its sequence`() async throws {
        try await onLinuxThread(named: "fence-thread") { thread in
            let listener = try Listener(on: thread)
            let fence = LinuxProcessorFence()
            for processor in try fence.onlineProcessors() {
                try fence.announce("fence-test", on: processor)
                let own = UInt32(fence.ownProcessID.rawValue)
                let messages = try await listener.messages(thread) { message in
                    message.kind == Message.comm && message.words[1] == own && message.comm == "fence-thread"
                }
                let thread = messages.last?.words[0]
                let names = messages.filter { $0.kind == Message.comm && $0.words[0] == thread }.suffix(2)
                #expect(names.map(\.comm) == ["fence-test", "fence-thread"])
                #expect(names.first?.processor == processor)
            }
        }
    }
}

struct LinuxProcessorFenceTests {
    @Test func `a fence leaves name and affinity as they were`() async throws {
        try await onLinuxThread(named: "fenced") { _ in
            let fence = LinuxProcessorFence()
            let processors = try fence.onlineProcessors()
            #expect(!processors.isEmpty)
            #expect(processors == processors.sorted())
            let before = status()
            for processor in processors { try fence.announce("fence", on: processor) }
            #expect(status() == before)
            #expect(before.contains("fenced"))
        }
    }

    @Test func `a processor that does not exist is refused`() async throws {
        try await onLinuxThread(named: "fenced") { _ in
            #expect(throws: Errno.invalidArgument) { try LinuxProcessorFence().announce("fence", on: 8_191) }
            #expect(throws: Errno.invalidArgument) { try LinuxProcessorFence().announce("fence", on: .max) }
            #expect(status().contains("fenced"))
        }
    }

    /// Name and allowed processors of the calling thread.
    private func status() -> String {
        let file = OwnedDescriptor(adopting: unsafe open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC))
        let lines = String(decoding: take(file.rawValue), as: UTF8.self).split(separator: "\n")
        return lines.filter { $0.hasPrefix("Name:") || $0.hasPrefix("Cpus_allowed:") }.joined(separator: " ")
    }
}
