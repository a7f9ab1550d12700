import Backends
import CLinux
import EventModel

import struct SystemPackage.Errno

extension Syscall {
    /// A new Unix stream socket, in non-blocking mode.
    static func openStream() throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(adopting: try check { clinux_stream_open() })
    }

    /// Makes a socket's name; `EADDRINUSE` when it is taken, by whatever.
    static func bind(_ descriptor: Int32, to path: [UInt8]) throws(Errno) {
        _ = try check { unsafe clinux_stream_bind(descriptor, path.count, path) }
    }

    static func listen(_ descriptor: Int32, backlog: Int32) throws(Errno) {
        _ = try check { clinux_stream_listen(descriptor, backlog) }
    }

    static func connect(_ descriptor: Int32, to path: [UInt8]) throws(Errno) {
        _ = try check { unsafe clinux_stream_connect(descriptor, path.count, path) }
    }

    /// A datagram socket that sends to `path` without waiting.
    static func openNotification(to path: [UInt8]) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(adopting: try check { unsafe clinux_notification_open(path.count, path) })
    }

    /// Takes the first client of the queue, and gives the bare descriptor; `EAGAIN` when there is none.
    static func accept(_ descriptor: Int32) throws(Errno) -> Int32 {
        try check { clinux_stream_accept(descriptor) }
    }

    /// One `recv(2)`, appended to `bytes`; 0 at the end.
    static func receive(
        _ descriptor: Int32, atMost count: Int, into bytes: inout [UInt8]
    ) throws(Errno) -> Int {
        try unsafe append(to: &bytes, atMost: count) { address, capacity in
            unsafe clinux_stream_receive(descriptor, capacity, address)
        }
    }

    /// One `send(2)` of what follows `offset`; may take less.
    static func send(_ descriptor: Int32, _ bytes: [UInt8], from offset: Int) throws(Errno) -> Int {
        precondition(offset <= bytes.count, "the offset lies within the bytes")
        return try check {
            unsafe bytes.withUnsafeBufferPointer { buffer in
                guard let address = buffer.baseAddress else { return 0 }
                return unsafe clinux_stream_send(descriptor, buffer.count - offset, address + offset)
            }
        }
    }

    /// Who is at the other end of a connection, as the kernel knew it when it was made.
    static func peer(_ descriptor: Int32) throws(Errno) -> PeerCredentials {
        var credentials = clinux_credentials()
        _ = try check { unsafe clinux_peer_credentials(descriptor, &credentials) }
        return PeerCredentials(
            pid: ProcessID(credentials.pid), uid: UserID(credentials.uid), gid: GroupID(credentials.gid),
            groups: try peerGroups(descriptor).map { GroupID($0) })
    }

    /// Supplementary groups in ascending order; none before Linux 4.13, which does not tell them.
    private static func peerGroups(_ descriptor: Int32) throws(Errno) -> [UInt32] {
        do {
            return try peerGroups(descriptor, capacity: 64)
        } catch .outOfRange {
            return try peerGroups(descriptor, capacity: greatestGroupCount)
        } catch .protocolNotAvailable {
            return []
        }
    }

    /// `NGROUPS_MAX` (`linux/limits.h`).
    private static let greatestGroupCount = 65_536

    private static func peerGroups(_ descriptor: Int32, capacity: Int) throws(Errno) -> [UInt32] {
        var groups = [UInt32](repeating: 0, count: capacity)
        let count = try check { unsafe clinux_peer_groups(descriptor, capacity, &groups) }
        return groups.prefix(Int(count)).sorted()
    }
}
