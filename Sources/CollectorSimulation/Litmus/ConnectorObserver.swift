import Backends
import EventModel
import KernelFormats

import struct SystemPackage.Errno

/// Listens on one connector socket and remembers what came, in order.
final class ConnectorObserver {
    /// One thing that a receive call gave.
    enum Item {
        case message(ConnectorMessage)
        /// Sent by user space: its port is not the kernel's.
        case forged
        case unreadable
        case overrun
    }

    /// What one line of a case has received.
    struct News {
        var items: [Item] = []

        var messages: [ConnectorMessage] {
            items.compactMap { if case .message(let message) = $0 { message } else { nil } }
        }

        /// Successes and errors in order, repetitions left out.
        var outcomes: String {
            var words: [String] = []
            for item in items {
                let word = if case .overrun = item { "ENOBUFS" } else { "messages" }
                if words.last != word { words.append(word) }
            }
            return (words + ["EAGAIN"]).joined(separator: ", ")
        }
    }

    private let socket: any NetlinkSocket
    private var all = News()
    /// The last number of each processor, and how many numbers were missing so far.
    private var lastSequences: [UInt32: UInt32] = [:]
    private var lostCount: UInt64 = 0
    private var overrunCount = 0

    /// Room for twenty thousand messages, so that other processes of a busy host do not disturb a case.
    private static let defaultBufferByteCount = 8 << 20

    /// Subscribes `socket`, after asking for room.
    init(_ socket: any NetlinkSocket, bufferByteCount: Int?) throws(Errno) {
        self.socket = socket
        _ = try socket.setReceiveBuffer(byteCount: bufferByteCount ?? Self.defaultBufferByteCount)
        try socket.send(ConnectorRequest(.listen).bytes)
    }

    func ignore() throws(Errno) { try socket.send(ConnectorRequest(.ignore).bytes) }

    /// What the kernel grants.
    func room(_ byteCount: Int) throws(Errno) -> Int { try socket.setReceiveBuffer(byteCount: byteCount) }

    /// A FORK message as the kernel writes it, of a child that does not exist.
    static func forgedMessage(parent: ProcessID) -> [UInt8] {
        let child = ConnectorTask(leaderOf: ProcessID(Int32.max))
        let event = ConnectorEvent.fork(parent: ConnectorTask(leaderOf: parent), child: child)
        return ConnectorMessage(
            processor: 0, sequence: 1, acknowledgement: 0, timestamp: Instant(nanoseconds: 1), event: event
        ).bytes
    }

    // MARK: - Receiving

    /// Receives what is queued, once, without waiting.
    func receiveQueued() throws(Errno) -> News {
        var news = News()
        var batch = Self.makeBatch()
        try drain(&batch, into: &news)
        all.items += news.items
        return news
    }

    /// Waits until something is queued, at most until `deadline`.
    func waitForMore(until deadline: Instant) async { _ = await socket.readable(until: deadline) }

    /// Receives until nothing has come for a while.
    func receive(quietly clock: any SystemClock) async throws -> News {
        var news = News()
        var batch = Self.makeBatch()
        for _ in 0..<LitmusLimits.quietCount {
            try drain(&batch, into: &news)
            let deadline = clock.monotonic.advanced(by: LitmusLimits.quietTime)
            let readiness = await socket.readable(until: deadline)
            guard readiness == .readable else { break }
        }
        try drain(&batch, into: &news)
        all.items += news.items
        return news
    }

    private static func makeBatch() -> DatagramBatch { DatagramBatch(capacity: 64, slotByteCount: 512) }

    private func drain(_ batch: inout DatagramBatch, into news: inout News) throws(Errno) {
        while news.items.count < LitmusLimits.datagramCount {
            do throws(Errno) {
                try socket.receive(into: &batch)
            } catch .resourceTemporarilyUnavailable {
                return
            } catch .noBufferSpace {
                news.items.append(.overrun)
                overrunCount += 1
                continue
            }
            for (slot, datagram) in batch.datagrams.enumerated() {
                news.items.append(item(of: datagram, at: slot * batch.slotByteCount, in: batch.bytes))
            }
        }
    }

    private func item(of datagram: Datagram, at offset: Int, in bytes: [UInt8]) -> Item {
        guard datagram.senderPort == 0 else { return .forged }
        guard let message = try? ConnectorMessage(parsing: bytes.span, at: offset, count: datagram.byteCount)
        else {
            // Whatever is wrong with it: the answer shows that it was unreadable.
            return .unreadable
        }
        count(message)
        return .message(message)
    }

    /// Every processor numbers its messages without a gap, those it could not deliver included.
    private func count(_ message: ConnectorMessage) {
        guard message.isNumbered else { return }
        if let last = lastSequences[message.processor] { lostCount += UInt64(message.sequence &- last &- 1) }
        lastSequences[message.processor] = message.sequence
    }

    // MARK: - Summaries

    /// The answers to the subscription so far, each different one once: those to other listeners of the host come too.
    var acknowledgements: String {
        var errors: [String] = []
        for message in all.messages {
            guard case .acknowledgement(let error) = message.event else { continue }
            if !errors.contains("error=\(error)") { errors.append("error=\(error)") }
        }
        return errors.isEmpty ? "none" : errors.joined(separator: ", ")
    }

    /// Counts over everything received so far.
    ///
    /// `lost` is `0` or `some`: other processes of the host have a part in it. `order` tells whether the time stamps
    /// arrived in order.
    func tally(_ fields: [String], names: ProcessNames) -> String {
        let description = MessageDescription(names: names, isDetailed: false)
        let kinds = description.relevant(all).map { MessageDescription.kind(of: $0.event) }
        let texts = fields.map { field -> String in
            switch field {
            case "lost": return "lost=\(lostCount == 0 ? "0" : "some")"
            case "overruns": return "overruns=\(overrunCount == 0 ? "0" : "some")"
            case "order": return "order=\(isInOrder ? "ascending" : "inverted")"
            case "forged": return "forged=\(all.items.count { if case .forged = $0 { true } else { false } })"
            default: return "\(field)=\(kinds.count { $0 == field })"
            }
        }
        return texts.joined(separator: " ")
    }

    private var isInOrder: Bool {
        let stamps = all.messages.map(\.timestamp)
        return zip(stamps, stamps.dropFirst()).allSatisfy { $0 <= $1 }
    }
}

extension ConnectorMessage {
    /// The task that the message is about; for a fork, the child.
    var task: ConnectorTask? {
        switch event {
        case .acknowledgement, .unknown: nil
        case .fork(_, let child): child
        case .exec(let task), .session(let task): task
        case .uid(let task, _, _): task
        case .gid(let task, _, _): task
        case .ptrace(let task, _): task
        case .comm(let task, _): task
        case .coredump(let task, _): task
        case .exit(let task, _, _, _): task
        }
    }
}
