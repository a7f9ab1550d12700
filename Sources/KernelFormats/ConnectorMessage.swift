package import EventModel

/// One message of the proc connector: `nlmsghdr`, `cn_msg` and `proc_event` (`drivers/connector/cn_proc.c`).
///
/// The headers stand here only as far as the kernel varies them: the netlink sequence repeats ``sequence``, port and
/// flags are 0, the type is `NLMSG_DONE`.
package struct ConnectorMessage: Hashable, Sendable {
    /// The CPU that sent the message and numbered it; `UInt32.max` on acknowledgements of older kernels.
    package var processor: UInt32
    /// Counts the messages of ``processor`` since boot, one by one and modulo 2^32, whether they could be sent or not.
    ///
    /// An acknowledgement that is not ``isNumbered`` repeats the sequence of the request.
    package var sequence: UInt32
    /// `cn_msg.ack`: on an acknowledgement the request's value plus 1, else 0.
    package var acknowledgement: UInt32
    /// When the kernel made the message (`CLOCK_MONOTONIC`).
    package var timestamp: Instant
    package var event: ConnectorEvent

    package init(
        processor: UInt32, sequence: UInt32, acknowledgement: UInt32 = 0, timestamp: Instant,
        event: ConnectorEvent
    ) {
        self.processor = processor
        self.sequence = sequence
        self.acknowledgement = acknowledgement
        self.timestamp = timestamp
        self.event = event
    }

    /// Whether ``sequence`` belongs to the count of a CPU.
    ///
    /// Linux 6.18 numbers acknowledgements too (measured); older kernels send them outside the count.
    package var isNumbered: Bool { processor != .max }
}

/// Offsets and lengths within a message, in bytes.
enum ConnectorLayout {
    static let netlinkHeaderByteCount = 16
    /// `nlmsghdr` and `cn_msg`.
    static let headersByteCount = 36
    /// Where the union of `proc_event`, the payload, begins.
    static let payloadOffset = 52
    /// A message of a present kernel: its union has 24 bytes, of which most kinds use a part.
    static let messageByteCount = 76
    /// `CN_IDX_PROC` and `CN_VAL_PROC`.
    static let index: UInt32 = 1
    static let value: UInt32 = 1
}

// MARK: - Reading

extension ConnectorMessage {
    /// Reads the message that begins at `offset` and has at most `count` bytes, as `nlmsg_len` tells.
    ///
    /// Kinds that were shorter in older kernels are read as those kernels sent them; what a newer kernel appends to a
    /// known kind is ignored.
    ///
    /// - Throws: `foreign` for a message that is not of the proc connector, `truncated` when it has fewer bytes than
    ///   its headers say or its kind needs, `malformed` when its headers contradict each other.
    package init(parsing bytes: Span<UInt8>, at offset: Int, count: Int) throws(FormatError) {
        guard offset >= 0, offset <= bytes.count, count >= 0, count <= bytes.count - offset else {
            throw Self.error(at: 0, .truncated, "a range within the bytes")
        }
        try self.init(message: bytes.extracting(offset..<(offset + count)))
    }

    /// Reads the message that begins where `message` does.
    ///
    /// Every load below lies behind a comparison of the span's own count, so that one check covers many loads.
    @inline(__always)
    init(message: Span<UInt8>) throws(FormatError) {
        guard message.count >= ConnectorLayout.payloadOffset else { throw Self.tooShort(message) }
        guard message.halfWord(at: 4) == NetlinkMessageType.done,
            message.word(at: 16) == ConnectorLayout.index, message.word(at: 20) == ConnectorLayout.value
        else { throw Self.error(at: 4, .foreign, "NLMSG_DONE with CN_IDX_PROC and CN_VAL_PROC") }
        let length = Int(message.word(at: 0))
        let end = ConnectorLayout.headersByteCount + Int(message.halfWord(at: 32))
        guard length <= message.count else {
            throw Self.error(at: 0, .truncated, "nlmsg_len within the datagram")
        }
        guard end <= length else { throw Self.error(at: 32, .malformed, "cn_msg.len within nlmsg_len") }
        guard end >= ConnectorLayout.payloadOffset else {
            throw Self.error(at: 32, .truncated, "cn_msg.len of at least 16")
        }
        sequence = message.word(at: 24)
        acknowledgement = message.word(at: 28)
        processor = message.word(at: 40)
        timestamp = Instant(nanoseconds: Int64(clamping: message.doubleWord(at: 44)))
        event = try Self.event(message.word(at: 36), in: message.extracting(first: end))
    }

    /// Reads the payload of one kind from a message that ends with it.
    ///
    /// Offsets count from the beginning of the message; the payload begins at 52.
    @inline(__always)
    private static func event(_ what: UInt32, in message: Span<UInt8>) throws(FormatError) -> ConnectorEvent {
        switch ConnectorEventMask(rawValue: what) {
        case .fork:
            guard message.count >= 68 else { throw shortPayload(what, 16) }
            return .fork(parent: task(message, at: 52), child: task(message, at: 60))
        case .exec:
            guard message.count >= 60 else { throw shortPayload(what, 8) }
            return .exec(task(message, at: 52))
        case .exit:
            guard message.count >= 68 else { throw shortPayload(what, 16) }
            return .exit(
                task(message, at: 52), code: message.word(at: 60),
                signal: Int32(bitPattern: message.word(at: 64)),
                parent: parent(in: message, at: 68))
        case .uid:
            guard message.count >= 68 else { throw shortPayload(what, 16) }
            return .uid(
                task(message, at: 52), real: UserID(message.word(at: 60)),
                effective: UserID(message.word(at: 64)))
        case .gid:
            guard message.count >= 68 else { throw shortPayload(what, 16) }
            return .gid(
                task(message, at: 52), real: GroupID(message.word(at: 60)),
                effective: GroupID(message.word(at: 64)))
        case .session:
            guard message.count >= 60 else { throw shortPayload(what, 8) }
            return .session(task(message, at: 52))
        case .ptrace:
            guard message.count >= 68 else { throw shortPayload(what, 16) }
            return .ptrace(task(message, at: 52), tracer: task(message, at: 60))
        case .comm:
            guard message.count >= 76 else { throw shortPayload(what, 24) }
            let name = TaskComm(low: message.doubleWord(at: 60), high: message.doubleWord(at: 68))
            return .comm(task(message, at: 52), name: name)
        case .coredump:
            guard message.count >= 60 else { throw shortPayload(what, 8) }
            return .coredump(task(message, at: 52), parent: parent(in: message, at: 60))
        case []:
            guard message.count >= 56 else { throw shortPayload(what, 4) }
            return .acknowledgement(error: message.word(at: 52))
        default:
            return .unknown(what: what)
        }
    }

    @inline(__always)
    private static func task(_ message: Span<UInt8>, at offset: Int) -> ConnectorTask {
        ConnectorTask(
            tid: ProcessID(Int32(bitPattern: message.word(at: offset))),
            tgid: ProcessID(Int32(bitPattern: message.word(at: offset + 4))))
    }

    /// The parent that Linux 4.18 and later append; zeros mean that the kernel could not tell.
    @inline(__always)
    private static func parent(in message: Span<UInt8>, at offset: Int) -> ConnectorTask? {
        guard message.count >= offset + 8 else { return nil }
        let parent = task(message, at: offset)
        return parent.isNone ? nil : parent
    }

    private static func error(at offset: Int, _ reason: FormatError.Reason, _ expected: String) -> FormatError
    {
        FormatError(.connectorMessage, at: offset, reason, expected: expected)
    }

    private static func shortPayload(_ what: UInt32, _ byteCount: Int) -> FormatError {
        error(
            at: ConnectorLayout.payloadOffset, .truncated,
            "\(byteCount) bytes for kind 0x\(String(what, radix: 16))")
    }

    /// Tells why fewer bytes than the fixed headers are no message: a foreign protocol, or one cut short.
    private static func tooShort(_ message: Span<UInt8>) -> FormatError {
        if message.count >= 6, message.halfWord(at: 4) != NetlinkMessageType.done {
            return error(at: 4, .foreign, "NLMSG_DONE")
        }
        return error(
            at: message.count, .truncated, "the \(ConnectorLayout.payloadOffset) bytes of the headers")
    }
}

extension ConnectorMessage: KernelFormat {
    /// Reads the message at the beginning of `bytes`.
    package init(parsing bytes: Span<UInt8>) throws(FormatError) {
        try self.init(parsing: bytes, at: 0, count: bytes.count)
    }
}

// MARK: - Writing

extension ConnectorMessage {
    /// Appends the 76 bytes that a present kernel sends, whatever the kind.
    package func append(to bytes: inout [UInt8]) {
        bytes.append(addingCapacity: ConnectorLayout.messageByteCount) { append(to: &$0) }
    }

    private func append(to bytes: inout OutputSpan<UInt8>) {
        let start = bytes.count
        NetlinkHeader(byteCount: ConnectorLayout.messageByteCount, sequence: sequence).append(to: &bytes)
        bytes.append(word: ConnectorLayout.index)
        bytes.append(word: ConnectorLayout.value)
        bytes.append(word: sequence)
        bytes.append(word: acknowledgement)
        bytes.append(halfWord: UInt16(ConnectorLayout.messageByteCount - ConnectorLayout.headersByteCount))
        bytes.append(halfWord: 0)
        bytes.append(word: event.what)
        bytes.append(word: processor)
        bytes.append(doubleWord: UInt64(clamping: timestamp.nanoseconds))
        event.appendPayload(to: &bytes)
        while bytes.count - start < ConnectorLayout.messageByteCount { bytes.append(0) }
    }
}

extension ConnectorEvent {
    fileprivate func appendPayload(to bytes: inout OutputSpan<UInt8>) {
        switch self {
        case .acknowledgement(let error):
            bytes.append(word: error)
        case .fork(let parent, let child):
            bytes.append(task: parent)
            bytes.append(task: child)
        case .exec(let task), .session(let task):
            bytes.append(task: task)
        case .uid(let task, let real, let effective):
            bytes.append(task: task)
            bytes.append(word: real.rawValue)
            bytes.append(word: effective.rawValue)
        case .gid(let task, let real, let effective):
            bytes.append(task: task)
            bytes.append(word: real.rawValue)
            bytes.append(word: effective.rawValue)
        case .ptrace(let task, let tracer):
            bytes.append(task: task)
            bytes.append(task: tracer)
        case .comm(let task, let name):
            bytes.append(task: task)
            name.append(to: &bytes)
        case .coredump(let task, let parent):
            bytes.append(task: task)
            if let parent { bytes.append(task: parent) }
        case .exit(let task, let code, let signal, let parent):
            bytes.append(task: task)
            bytes.append(word: code)
            bytes.append(word: UInt32(bitPattern: signal))
            if let parent { bytes.append(task: parent) }
        case .unknown:
            break
        }
    }
}

extension OutputSpan where Element == UInt8 {
    fileprivate mutating func append(task: ConnectorTask) {
        append(word: UInt32(bitPattern: task.tid.rawValue))
        append(word: UInt32(bitPattern: task.tgid.rawValue))
    }
}
