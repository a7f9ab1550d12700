import Backends
import CLinux

import struct SystemPackage.Errno

extension Syscall {
    /// Opens a datagram netlink socket and joins groups, one bit each.
    static func openNetlink(protocol number: Int32, groups: UInt32) throws(Errno) -> OwnedDescriptor {
        let socket = OwnedDescriptor(adopting: try check { clinux_netlink_open(number) })
        let descriptor = socket.rawValue
        _ = try check { clinux_netlink_bind(descriptor, groups) }
        return socket
    }

    /// Sends one message to the kernel.
    static func send(_ descriptor: Int32, _ message: [UInt8]) throws(Errno) {
        let count = try check { unsafe clinux_netlink_send(descriptor, message.count, message) }
        precondition(count == message.count, "a datagram is sent whole")
    }

    /// The most datagrams that one `recvmmsg(2)` of ours takes.
    static let datagramBatch = CLINUX_DATAGRAM_BATCH

    /// One `recvmmsg(2)` into at most `count` free slots of `batch`.
    ///
    /// - Parameter count: At most ``datagramBatch``.
    /// - Returns: How many datagrams were appended.
    /// - Throws: `EAGAIN` when none is queued, `ENOBUFS` once after an overrun.
    static func receive(
        _ descriptor: Int32, atMost count: Int, into batch: inout DatagramBatch
    ) throws(Errno) -> Int {
        let first = batch.datagrams.count
        let slotByteCount = batch.slotByteCount
        let capacity = min(batch.capacity - first, count)
        precondition(capacity <= datagramBatch, "a call takes no more than it has room for")
        precondition(batch.bytes.count == batch.capacity * slotByteCount, "a batch keeps its room")
        return try unsafe withUnsafeTemporaryAllocation(of: clinux_datagram.self, capacity: capacity) {
            (results) throws(Errno) in
            guard let results = results.baseAddress else { return 0 }
            let count = try check {
                unsafe batch.bytes.withUnsafeMutableBufferPointer { bytes in
                    guard let address = bytes.baseAddress else { return Int32(0) }
                    return unsafe clinux_receive_datagrams(
                        descriptor, capacity, slotByteCount, address + first * slotByteCount, results)
                }
            }
            for index in 0..<Int(count) {
                let result = unsafe results[index]
                batch.datagrams.append(
                    Datagram(
                        byteCount: min(Int(result.byte_count), slotByteCount), senderPort: result.sender_port,
                        isTruncated: result.is_truncated != 0))
            }
            return Int(count)
        }
    }

    /// Asks for a receive buffer, at most `net.core.rmem_max`.
    static func setReceiveBuffer(_ descriptor: Int32, byteCount: Int32) throws(Errno) {
        _ = try check { clinux_set_receive_buffer(descriptor, byteCount, 0) }
    }

    /// Asks for a receive buffer of any size; `EPERM` without `CAP_NET_ADMIN`.
    static func forceReceiveBuffer(_ descriptor: Int32, byteCount: Int32) throws(Errno) {
        _ = try check { clinux_set_receive_buffer(descriptor, byteCount, 1) }
    }

    /// The size of the receive buffer as the kernel keeps it.
    static func receiveBuffer(_ descriptor: Int32) throws(Errno) -> Int {
        Int(try check { clinux_get_receive_buffer(descriptor) })
    }
}
