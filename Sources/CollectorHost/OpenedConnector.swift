import Backends
import Configuration
import EventModel
import HostSources
import LinuxBackends

import struct SystemPackage.Errno

/// The proc connector, or why there is none.
struct OpenedConnector {
    /// `nil` where processes are polled for.
    var socket: LinuxConnectorSocket?
    /// Why, unless that was asked for.
    var pollingReason: String?
    /// What the kernel granted of the receive buffer, in bytes; it doubles what it is asked for (socket(7)).
    var receiveBufferByteCount = 0

    /// Opens it as `sources.process.mode` has it.
    static func open(
        _ values: SettingsValues, on thread: LinuxThread
    ) throws(HostError) -> OpenedConnector {
        guard values[HostSettings.processEnabled] else { return OpenedConnector() }
        let mode = values[HostSettings.processMode]
        let choice = try OpenedHost.attempt("the proc connector") { () throws(Errno) in
            try mode.choose(ticket: ticket) { () throws(Errno) in try LinuxConnectorSocket(on: thread) }
        }
        switch choice {
        case .polling(let reason): return OpenedConnector(pollingReason: reason)
        case .connector(let socket):
            let requested = values[HostSettings.receiveBuffer].bytes
            let granted = try OpenedHost.attempt("the proc connector's receive buffer") {
                () throws(Errno) in try socket.setReceiveBuffer(byteCount: requested)
            }
            return OpenedConnector(socket: socket, receiveBufferByteCount: granted)
        }
    }

    /// Marks the request among those of other listeners, whose answers come here, too.
    private static var ticket: UInt32 {
        UInt32(bitPattern: LinuxProcessorFence().ownProcessID.rawValue) ^ 0x636f_6c6c
    }
}
