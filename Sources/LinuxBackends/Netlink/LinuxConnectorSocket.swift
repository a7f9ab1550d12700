package import Backends
package import EventModel
import Synchronization

package import struct SystemPackage.Errno

/// A socket on the kernel's process connector, bound to its multicast group.
///
/// Binding subscribes to nothing: the caller sends the `LISTEN` operation, and `IGNORE` before it lets go, because the
/// kernel never notices that a listener died (`drivers/connector/cn_proc.c`).
package final class LinuxConnectorSocket: NetlinkSocket {
    /// `NETLINK_CONNECTOR` (`linux/netlink.h`).
    private static let connectorProtocol: Int32 = 11
    /// The bit of group `CN_IDX_PROC`, number 1 (`linux/connector.h`).
    private static let processGroup: UInt32 = 1

    /// Room for a call that is likely to find few datagrams, because the last one did: to prepare it costs, too.
    private static let fewDatagrams = 16

    private let socket: ReadableDescriptor
    /// An overrun that came to light behind datagrams of the same call.
    private let postponedError = Mutex<Errno?>(nil)

    /// Opens the socket; waits for it run on `thread`.
    ///
    /// - Throws: `EPERM` before Linux 6.6 without `CAP_NET_ADMIN`, `EPROTONOSUPPORT` without the connector.
    package init(on thread: LinuxThread) throws(Errno) {
        socket = try ReadableDescriptor(
            Syscall.openNetlink(protocol: Self.connectorProtocol, groups: Self.processGroup), on: thread)
    }

    package func send(_ message: [UInt8]) throws(Errno) {
        try Syscall.send(socket.descriptor.rawValue, message)
    }

    package func receive(into batch: inout DatagramBatch) throws(Errno) {
        var room = batch.datagrams.count < Self.fewDatagrams ? Self.fewDatagrams : Syscall.datagramBatch
        batch.datagrams.removeAll(keepingCapacity: true)
        batch.isDrained = false
        if let error = postponedError.withLock({ $0.take() }) { throw error }
        while batch.datagrams.count < batch.capacity {
            do {
                let wanted = min(batch.capacity - batch.datagrams.count, room)
                let count = try Syscall.receive(socket.descriptor.rawValue, atMost: wanted, into: &batch)
                room = Syscall.datagramBatch
                guard count < wanted else { continue }
                batch.isDrained = true
                return
            } catch {
                if batch.datagrams.isEmpty { throw error }
                // As recvmmsg(2) itself does: first what was received, then the error.
                if error != .resourceTemporarilyUnavailable { postponedError.withLock { $0 = error } }
                return
            }
        }
    }

    package func readable(until deadline: Instant?) async -> Readiness {
        if postponedError.withLock({ $0 != nil }) { return .readable }
        return await socket.readable(until: deadline)
    }

    package func interrupt() { socket.interrupt() }

    package func setReceiveBuffer(byteCount: Int) throws(Errno) -> Int {
        let descriptor = socket.descriptor.rawValue
        let wanted = Int32(clamping: byteCount)
        do {
            try Syscall.forceReceiveBuffer(descriptor, byteCount: wanted)
        } catch .notPermitted {
            try Syscall.setReceiveBuffer(descriptor, byteCount: wanted)
        }
        return try Syscall.receiveBuffer(descriptor)
    }
}
