import Backends
import EventModel
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// Names, queues, and who may connect.
@Suite struct ListenerTests {
    private let host = SimulatedHost(plainConfiguration())

    private func connector(_ path: String = socketPath) throws -> SimulatedTransportConnector {
        try host.transportConnector(path: path, as: operatorCredentials)
    }

    private func open(_ path: String = socketPath) -> Errno? {
        failure { try host.transportListener(path: path).close() }
    }

    @Test func `nobody there, nobody listening and no room are told apart`() throws {
        #expect(failure { _ = try connector().connect() } == .noSuchFileOrDirectory)
        host.kernel.placeSocketName(socketPath, .remains)
        #expect(failure { _ = try connector().connect() } == .connectionRefused)
        host.kernel.placeSocketName(socketPath, .file)
        #expect(failure { _ = try connector().connect() } == .connectionRefused)
        host.kernel.placeSocketName(socketPath, .listener(operatorCredentials, backlog: 2))
        var clients: [any TransportConnection] = []
        for _ in 0..<3 { clients.append(try connector().connect()) }
        #expect(failure { _ = try connector().connect() } == .resourceTemporarilyUnavailable)
    }

    @Test func `accepting makes room in the queue`() throws {
        let listener = try host.transportListener(
            path: socketPath, permissions: SocketPermissions(mode: 0o666), backlog: 0)
        #expect(failure { _ = try listener.accept() } == .resourceTemporarilyUnavailable)
        let client = try connector().connect()
        #expect(failure { _ = try connector().connect() } == .resourceTemporarilyUnavailable)
        let server = try listener.accept()
        let other = try connector().connect()
        _ = try client.send([1], from: 0)
        #expect(try server.received() == [1])
        withExtendedLifetime(other) {}
    }

    @Test func `who may write to the name may connect`() throws {
        let listener = try host.transportListener(
            path: socketPath,
            permissions: SocketPermissions(mode: 0o460, owner: UserID(5), group: GroupID(27)))
        var credentials = operatorCredentials
        func mayConnect() throws -> Bool {
            let connector = try host.transportConnector(path: socketPath, as: credentials)
            return failure { _ = try connector.connect() } != .permissionDenied
        }
        #expect(try mayConnect(), "by a supplementary group")
        credentials.groups = []
        #expect(try !mayConnect())
        credentials.gid = GroupID(27)
        #expect(try mayConnect(), "by its group")
        credentials.uid = UserID(5)
        #expect(try !mayConnect(), "the owner's bits go before the group's")
        credentials.uid = UserID(0)
        #expect(try mayConnect(), "root")
        listener.close()
    }

    @Test func `credentials are those of the time of connecting`() throws {
        host.addShell()
        let child = try host.addSleeper()
        let listener = try host.transportListener(
            path: socketPath, permissions: SocketPermissions(mode: 0o666))
        let credentials = host.kernel.credentials(of: child)
        let peer = try host.kernel.connectPeer(to: socketPath, as: credentials)
        #expect(host.kernel.exit(child))
        let server = try listener.accept()
        #expect(server.peer == credentials && server.peer.uid == UserID(1_000) && server.peer.pid == child)
        #expect(peer.peer.pid == host.kernel.ownProcessID)
    }

    @Test func `a second listener and a live stranger are refused, remains are replaced`() throws {
        let listener = try host.transportListener(path: socketPath)
        #expect(open() == .addressInUse)
        host.kernel.removeSocketName(socketPath)
        #expect(open() == .addressInUse, "the lock is kept")
        listener.close()
        host.kernel.placeSocketName(socketPath, .remains)
        #expect(open() == nil)
        host.kernel.placeSocketName(socketPath, .listener(operatorCredentials, backlog: 0))
        #expect(open() == .addressInUse)
        host.kernel.placeSocketName(socketPath, .file)
        #expect(open() == .notSocket)
        #expect(host.kernel.hasSocketName(socketPath))
    }

    @Test func `a path that no socket can have is refused`() throws {
        #expect(open("/" + String(repeating: "n", count: 107)) == .fileNameTooLong)
        #expect(open("/" + String(repeating: "n", count: 106)) == nil)
        #expect(open("control") == .invalidArgument)
        #expect(failure { _ = try connector("") } == .invalidArgument)
    }

    @Test func `closing removes the name unless it is another's, and refuses who waits`() throws {
        let listener = try host.transportListener(path: socketPath)
        let peer = try host.kernel.connectPeer(
            to: socketPath, as: host.kernel.credentials(of: pid(1)))
        listener.close()
        #expect(!host.kernel.hasSocketName(socketPath))
        #expect(failure { _ = try peer.receive() } == .connectionReset)
        #expect(failure { _ = try peer.send([1]) } == .brokenPipe)
        #expect(failure { _ = try listener.accept() } == .socketNotConnected)
        let second = try host.transportListener(path: socketPath)
        host.kernel.placeSocketName(socketPath, .remains)
        second.close()
        #expect(host.kernel.hasSocketName(socketPath))
    }

    @Test func `a collector that is killed leaves its name, and its connections end`() throws {
        let listener = try host.transportListener(path: socketPath)
        let peer = try host.kernel.connectPeer(
            to: socketPath, as: host.kernel.credentials(of: pid(1)))
        let server = try listener.accept()
        _ = try server.send([1], from: 0)
        host.kernel.restartCollector()
        #expect(host.kernel.hasSocketName(socketPath))
        #expect(try peer.receive() == [1])
        #expect(try peer.receive() == [])
        #expect(open() == nil)
    }

    @Test func `without a free descriptor a client waits in the queue`() throws {
        var configuration = plainConfiguration()
        configuration.descriptorLimit = 2
        let host = SimulatedHost(configuration)
        let listener = try host.transportListener(path: socketPath)
        let root = host.kernel.credentials(of: pid(1))
        let peers = try (0..<2).map { _ in try host.kernel.connectPeer(to: socketPath, as: root) }
        let first = try listener.accept()
        #expect(failure { _ = try listener.accept() } == .tooManyOpenFiles)
        #expect(failure { _ = try listener.accept() } == .tooManyOpenFiles)
        first.close()
        _ = try peers[1].send([2])
        #expect(try listener.accept().received() == [2])
    }

    @Test func `a client that has left is accepted all the same`() throws {
        let host = SimulatedHost(
            plainConfiguration(), faults: FaultPlan([FaultRule(.transportAccept, .diesBeforeRead)]))
        let listener = try host.transportListener(path: socketPath)
        let peer = try host.kernel.connectPeer(
            to: socketPath, as: host.kernel.credentials(of: pid(1)))
        #expect(try listener.accept().received() == [])
        #expect(failure { _ = try peer.send([1]) } == .socketNotConnected)
    }

    @Test func `opening and connecting can fail`() throws {
        let host = SimulatedHost(
            plainConfiguration(),
            faults: FaultPlan([
                FaultRule(.transportListen, .errno(.readOnlyFileSystem)),
                FaultRule(.transportConnect, .errno(.noMemory)),
            ]))
        #expect(failure { _ = try host.transportListener(path: socketPath) } == .readOnlyFileSystem)
        #expect(!host.kernel.hasSocketName(socketPath))
        let connector = try host.transportConnector(path: socketPath, as: operatorCredentials)
        #expect(failure { _ = try connector.connect() } == .noMemory)
    }

    @Test func `waiting for clients ends with one, the deadline, an interruption or the close`() {
        let report = simulate(plainConfiguration()) { host in
            let listener = try host.transportListener(path: socketPath)
            let peers = Shared<[SimulatedPeer]>([])
            let soon = host.clock.monotonic.advanced(by: .milliseconds(1))
            #expect(await listener.acceptable(until: soon) == .deadlinePassed)
            host.kernel.schedule(at: soon.advanced(by: .milliseconds(1))) { kernel in
                let peer = try? kernel.connectPeer(to: socketPath, as: kernel.credentials(of: pid(1)))
                peers.change { $0 += [peer].compactMap { $0 } }
            }
            #expect(await listener.acceptable(until: nil) == .readable)
            _ = try listener.accept()
            listener.interrupt()
            #expect(await listener.acceptable(until: nil) == .interrupted)
            let later = host.clock.monotonic.advanced(by: .milliseconds(1))
            host.kernel.schedule(at: later) { _ in listener.close() }
            #expect(await listener.acceptable(until: nil) == .readable)
            #expect(failure { _ = try listener.accept() } == .socketNotConnected)
            #expect(peers.value.count == 1)
        }
        #expect(report.ending == .completed)
    }
}
