package import Backends
import EventModel

package import struct SystemPackage.Errno

/// Reaches the listener at one path of this host.
package struct LinuxTransportConnector: TransportConnector {
    private let path: [UInt8]
    private let thread: LinuxThread

    /// Waits of its connections run on `thread`.
    ///
    /// - Throws: `ENAMETOOLONG` for a path of more than ``Limits/socketPathByteCount`` bytes, `EINVAL` for an empty one or
    ///   one with a NUL.
    package init(path: String, on thread: LinuxThread) throws(Errno) {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, !bytes.contains(0) else { throw .invalidArgument }
        guard bytes.count <= Limits.socketPathByteCount else { throw .fileNameTooLong }
        self.path = bytes
        self.thread = thread
    }

    package func connect() throws(Errno) -> any TransportConnection {
        let socket = try Syscall.openStream()
        try Syscall.connect(socket.rawValue, to: path)
        return try LinuxTransportConnection(socket, on: thread)
    }
}
