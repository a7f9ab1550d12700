/// What one netlink message of a connector datagram is.
package enum ConnectorItem: Hashable, Sendable {
    /// A message of the proc connector.
    case message(ConnectorMessage)
    /// `NLMSG_NOOP`: nothing.
    case noop
    /// `NLMSG_ERROR`: a positive `errno`, or 0 for an acknowledgement at the level of netlink.
    case error(UInt32)
    /// `NLMSG_DONE` without a connector message.
    case done
    /// `NLMSG_OVERRUN`: data were lost.
    case overrun
    /// A well-formed message of another protocol, by its netlink type.
    case foreign(type: UInt16)
}

/// Steps through the netlink messages of one datagram without copying it.
///
/// The kernel sends one message per datagram today; `netlink(7)` allows several, each aligned to four bytes.
package struct ConnectorDatagramReader: Hashable, Sendable {
    private var offset: Int
    private let end: Int

    /// A reader of the `count` bytes from `offset` of the array that each ``next(in:)`` is given.
    package init(at offset: Int, count: Int) {
        self.offset = max(offset, 0)
        end = self.offset.addingReportingOverflow(max(count, 0)).overflow ? .max : self.offset + max(count, 0)
    }

    /// The next message; `nil` at the end.
    ///
    /// - Throws: As ``ConnectorMessage/init(parsing:at:count:)`` does. When the length of the message is sound, the
    ///   next call goes on behind it, else the datagram ends.
    package mutating func next(in bytes: Span<UInt8>) throws(FormatError) -> ConnectorItem? {
        guard offset < end else { return nil }
        let start = offset
        let remaining = min(end, bytes.count) - start
        // Until the length is known to be sound nothing can follow.
        offset = end
        guard remaining >= ConnectorLayout.netlinkHeaderByteCount else {
            throw FormatError(
                .netlinkMessage, at: max(remaining, 0), .truncated, expected: "16 bytes of nlmsghdr")
        }
        let header = bytes.extracting(start..<(start + ConnectorLayout.netlinkHeaderByteCount))
        let length = Int(header.word(at: 0))
        guard length >= ConnectorLayout.netlinkHeaderByteCount else {
            throw FormatError(.netlinkMessage, at: 0, .malformed, expected: "nlmsg_len of at least 16")
        }
        guard length <= remaining else {
            throw FormatError(
                .netlinkMessage, at: remaining, .truncated, expected: "nlmsg_len within the datagram")
        }
        offset = min(start + (length + 3) & ~3, end)
        return try Self.item(
            type: header.halfWord(at: 4), message: bytes.extracting(start..<(start + length)))
    }

    @inline(__always)
    private static func item(type: UInt16, message: Span<UInt8>) throws(FormatError) -> ConnectorItem {
        switch type {
        case NetlinkMessageType.done:
            guard message.count >= ConnectorLayout.headersByteCount else { return .done }
            guard message.word(at: 16) == ConnectorLayout.index, message.word(at: 20) == ConnectorLayout.value
            else { return .foreign(type: type) }
            return .message(try ConnectorMessage(message: message))
        case NetlinkMessageType.noop:
            return .noop
        case NetlinkMessageType.error:
            guard message.count >= 20 else {
                throw FormatError(
                    .netlinkMessage, at: message.count, .truncated, expected: "4 bytes of nlmsgerr")
            }
            return .error(0 &- message.word(at: 16))
        case NetlinkMessageType.overrun:
            return .overrun
        default:
            return .foreign(type: type)
        }
    }
}

/// The types that every netlink protocol shares (`include/uapi/linux/netlink.h`).
enum NetlinkMessageType {
    static let noop: UInt16 = 1
    static let error: UInt16 = 2
    /// Also the type of every connector message.
    static let done: UInt16 = 3
    static let overrun: UInt16 = 4
}

/// The `nlmsghdr` of a connector message.
struct NetlinkHeader {
    var byteCount: Int
    var sequence: UInt32
    /// The sender's port; 0 is the kernel.
    var port: UInt32 = 0

    func append(to bytes: inout OutputSpan<UInt8>) {
        bytes.append(word: UInt32(truncatingIfNeeded: byteCount))
        bytes.append(halfWord: NetlinkMessageType.done)
        bytes.append(halfWord: 0)
        bytes.append(word: sequence)
        bytes.append(word: port)
    }
}
