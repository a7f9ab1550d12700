package import Backends
package import EventModel

package import struct SystemPackage.Errno

/// One end of a connection over a Unix stream socket.
///
/// Calls may come from any thread; a wait is ended on the thread that the connection was made for.
package final class LinuxTransportConnection: TransportConnection {
    package let peer: PeerCredentials
    private let socket: SharedSocket

    /// Takes a socket that is connected.
    init(_ descriptor: consuming OwnedDescriptor, on thread: LinuxThread) throws(Errno) {
        peer = try Syscall.peer(descriptor.rawValue)
        socket = try SharedSocket(descriptor, on: thread)
    }

    package func receive(count: Int, into bytes: inout [UInt8]) throws(Errno) -> Int {
        precondition(count > 0, "to ask for nothing would look like the end")
        return try socket.use { (descriptor) throws(Errno) in
            try Syscall.receive(descriptor, atMost: count, into: &bytes)
        }
    }

    package func send(_ bytes: [UInt8], from offset: Int) throws(Errno) -> Int {
        precondition(offset < bytes.count, "to send nothing would look like an end")
        return try socket.use { (descriptor) throws(Errno) in
            try Syscall.send(descriptor, bytes, from: offset)
        }
    }

    /// Waits until one of what is asked for is possible, or broken, the deadline passes, or ``interrupt()`` is called.
    ///
    /// There is room to send once a quarter of the buffer or less is taken (`unix_writable`, `net/unix/af_unix.c`).
    package func ready(for interest: TransportInterest, until deadline: Instant?) async -> Readiness {
        var events: PollEvents = []
        if interest.contains(.receiving) { events.insert(.readable) }
        if interest.contains(.sending) { events.insert(.writable) }
        return await socket.ready(for: events, until: deadline)
    }

    package func interrupt() { socket.interrupt() }

    package func close() { socket.close() }
}
