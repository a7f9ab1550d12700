package import Backends
package import EventModel

package import struct SystemPackage.Errno

/// A stream socket of the simulated collector that waits for clients.
package final class SimulatedTransportListener: TransportListener {
    private let kernel: SimulatedKernel
    private let confined: ThreadConfined<ListeningSocket>
    private let waits: ThreadConfined<WaitPoint>

    init(
        path: String, permissions: SocketPermissions, backlog: Int, kernel: SimulatedKernel
    ) throws(Errno) {
        self.kernel = kernel
        let world = kernel.world
        let socket = try world.call(.transportListen) { (_) throws(Errno) in
            guard world.openHandleCount < world.configuration.descriptorLimit else { throw .tooManyOpenFiles }
            let socket = try world.sockets.listen(
                at: path, permissions, credentials: kernel.credentials(of: kernel.ownProcessID),
                backlog: min(max(backlog, 0), world.configuration.socketBacklogMaximum))
            return (socket, 0)
        }
        confined = ThreadConfined(socket)
        waits = ThreadConfined(socket.waits)
    }

    deinit { close() }

    package func accept() throws(Errno) -> any TransportConnection {
        let world = kernel.world
        let socket = confined.value
        let end = try world.call(.transportAccept) { (effects) throws(Errno) in
            guard socket.isOpen else { throw .socketNotConnected }
            // The kernel reserves a descriptor before it looks at the queue (`__sys_accept4_file`, net/socket.c).
            guard world.openHandleCount < world.configuration.descriptorLimit else { throw .tooManyOpenFiles }
            guard let end = socket.takeFirst() else { throw .resourceTemporarilyUnavailable }
            if effects.isPeerGone { end.endPeer() }
            world.sockets.adopt(end)
            return (end, UInt64(UInt32(bitPattern: end.peerCredentials.pid.rawValue)))
        }
        return SimulatedTransportConnection(end, .server, kernel: kernel)
    }

    package func acceptable(until deadline: Instant?) async -> Readiness {
        await kernel.wait(
            at: waits, .transportWait, file: TransportSide.server.rawValue, for: "a client", until: deadline
        ) { confined.value.condition }
    }

    package func interrupt() { waits.value.interrupt() }

    package func close() { kernel.world.sockets.close(confined.value) }
}

/// Reaches one listener of the simulated host, as a process of any kind.
package struct SimulatedTransportConnector: TransportConnector {
    private let path: String
    private let credentials: PeerCredentials
    private let kernel: SimulatedKernel

    init(path: String, credentials: PeerCredentials, kernel: SimulatedKernel) throws(Errno) {
        try SocketTable.check(path)
        self.path = path
        self.credentials = credentials
        self.kernel = kernel
    }

    package func connect() throws(Errno) -> any TransportConnection {
        let world = kernel.world
        let end = try world.call(.transportConnect) { (_) throws(Errno) in
            let end = try world.sockets.connect(
                to: path, as: credentials, sendBuffer: world.configuration.socketSendBuffer)
            return (end, 0)
        }
        return SimulatedTransportConnection(end, .client, kernel: kernel)
    }
}
