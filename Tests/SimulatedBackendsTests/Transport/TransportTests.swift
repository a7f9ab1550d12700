import Backends
import EventModel
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

let socketPath = "/run/collector/control"

let operatorCredentials = PeerCredentials(
    pid: pid(4_000), uid: UserID(1_000), gid: GroupID(1_000), groups: [GroupID(27)])

/// A host that listens, and one connection to it.
struct Line: Sendable {
    let host: SimulatedHost
    let listener: SimulatedTransportListener
    let client: any TransportConnection
    let server: any TransportConnection

    init(_ host: SimulatedHost) throws {
        self.host = host
        listener = try host.transportListener(
            path: socketPath, permissions: SocketPermissions(mode: 0o666), backlog: 8)
        client = try host.transportConnector(path: socketPath, as: operatorCredentials).connect()
        server = try listener.accept()
    }

    func after(_ duration: Duration) -> Instant { host.clock.monotonic.advanced(by: duration) }
}

extension TransportConnection {
    func received(_ count: Int = 65_536) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try receive(count: count, into: &bytes)
        return bytes
    }

    /// Sends the same again and again until there is no room.
    func fill(_ chunkByteCount: Int) -> Int {
        let chunk = [UInt8](repeating: 7, count: chunkByteCount)
        var sum = 0
        while let count = try? send(chunk, from: 0) { sum += count }
        return sum
    }
}

/// Bytes between two ends.
@Suite struct ConnectionTests {
    private func makeLine(_ rules: FaultRule...) throws -> Line {
        try Line(SimulatedHost(plainConfiguration(), faults: FaultPlan(rules)))
    }

    @Test func `bytes arrive in order, in whatever pieces`() throws {
        let line = try makeLine()
        #expect(try line.client.send([0, 1, 2, 3], from: 1) == 3)
        #expect(try line.client.send([4], from: 0) == 1)
        var bytes: [UInt8] = [0]
        #expect(try line.server.receive(count: 2, into: &bytes) == 2)
        #expect(try line.server.receive(count: 9, into: &bytes) == 2)
        #expect(bytes == [0, 1, 2, 3, 4])
        #expect(failure { _ = try line.server.received() } == .resourceTemporarilyUnavailable)
        #expect(try line.server.send([5], from: 0) == 1)
        #expect(try line.client.received() == [5])
    }

    /// Measured on Linux 6.18 with `net.core.wmem_default` 212 992.
    @Test(arguments: [
        (1, 278), (100, 27_800), (300, 50_100), (1_000, 93_000), (1_728, 160_704), (1_729, 84_721),
        (3_776, 185_024), (3_777, 166_188), (4_096, 180_224), (8_192, 196_608), (16_384, 212_992),
        (36_544, 219_264), (65_536, 233_152), (1_048_576, 219_264),
    ])
    func `a peer that never reads gets as much as on Linux`(chunkByteCount: Int, sum: Int) throws {
        let line = try makeLine()
        #expect(line.client.fill(chunkByteCount) == sum)
        #expect(failure { _ = try line.client.send([1], from: 0) } == .resourceTemporarilyUnavailable)
        #expect(try line.server.send([1], from: 0) == 1, "the other direction has a buffer of its own")
    }

    @Test func `room is announced when three quarters of the buffer are free`() throws {
        simulate(plainConfiguration()) { host in
            let line = try Line(host)
            #expect(line.client.fill(16_384) == 13 * 16_384)
            for _ in 0..<9 {
                #expect(try line.server.received(16_384).count == 16_384)
                let soon = line.after(.milliseconds(1))
                #expect(await line.client.ready(for: .sending, until: soon) == .deadlinePassed)
            }
            // A part of a piece frees nothing.
            #expect(try line.server.received(16_383).count == 16_383)
            let soon = line.after(.milliseconds(1))
            #expect(await line.client.ready(for: .sending, until: soon) == .deadlinePassed)
            #expect(try line.client.send([1], from: 0) == 1, "there is room long before")
            #expect(try line.server.received(1).count == 1)
            #expect(await line.client.ready(for: .sending, until: nil) == .readable)
        }
    }

    @Test func `what was sent before a close arrives, then the end`() throws {
        let line = try makeLine()
        _ = try line.client.send([1, 2], from: 0)
        line.client.close()
        #expect(try line.server.received() == [1, 2])
        #expect(try line.server.received() == [])
        #expect(failure { _ = try line.server.send([1], from: 0) } == .brokenPipe)
    }

    @Test func `a peer that closes without reading resets the connection`() throws {
        let line = try makeLine()
        _ = try line.client.send([8], from: 0)
        _ = try line.server.send([1, 2], from: 0)
        line.client.close()
        #expect(failure { _ = try line.server.send([1], from: 0) } == .brokenPipe)
        #expect(try line.server.received() == [8], "what had arrived comes first")
        #expect(failure { _ = try line.server.received() } == .connectionReset)
        #expect(try line.server.received() == [], "a reset is told once")
    }

    @Test func `a peer that sends no more may still receive`() throws {
        let host = SimulatedHost(plainConfiguration())
        let listener = try host.transportListener(path: socketPath)
        let peer = try host.kernel.connectPeer(to: socketPath, as: host.kernel.credentials(of: pid(1)))
        let server = try listener.accept()
        #expect(try peer.send([1]) == 1)
        peer.shutDownSending()
        #expect(failure { _ = try peer.send([1]) } == .brokenPipe)
        #expect(try server.received() == [1])
        #expect(try server.received() == [])
        #expect(try server.send([2], from: 0) == 1)
        #expect(try peer.receive() == [2])
    }

    @Test func `a receive ends behind bytes with which a descriptor came`() throws {
        let host = SimulatedHost(plainConfiguration())
        let listener = try host.transportListener(path: socketPath)
        let peer = try host.kernel.connectPeer(to: socketPath, as: host.kernel.credentials(of: pid(1)))
        let server = try listener.accept()
        _ = try peer.send([1])
        _ = try peer.sendDescriptor(with: [2, 3])
        _ = try peer.send([4])
        #expect(try server.received() == [1, 2, 3])
        #expect(try server.received() == [4])
    }

    @Test func `the end of a process closes its connection`() throws {
        let host = SimulatedHost(plainConfiguration())
        host.addShell()
        let child = try host.addSleeper()
        let listener = try host.transportListener(
            path: socketPath, permissions: SocketPermissions(mode: 0o666))
        let peer = try host.kernel.connect(child, to: socketPath)
        let server = try listener.accept()
        #expect(failure { _ = try server.received() } == .resourceTemporarilyUnavailable)
        #expect(host.kernel.exit(child))
        #expect(try server.received() == [])
        #expect(failure { _ = try peer.send([1]) } == .socketNotConnected)
        #expect(failure { _ = try host.kernel.connect(child, to: socketPath) } == .noSuchProcess)
    }

    @Test func `a peer that nobody holds any more has closed`() throws {
        let host = SimulatedHost(plainConfiguration())
        let listener = try host.transportListener(path: socketPath)
        do {
            let peer = try host.kernel.connectPeer(to: socketPath, as: host.kernel.credentials(of: pid(1)))
            _ = try peer.send([1])
        }
        let server = try listener.accept()
        #expect(try server.received() == [1])
        #expect(try server.received() == [])
    }

    @Test func `after a close every call says that there is no connection`() async throws {
        simulate(plainConfiguration()) { host in
            let line = try Line(host)
            line.client.close()
            line.client.close()
            #expect(failure { _ = try line.client.send([1], from: 0) } == .socketNotConnected)
            #expect(failure { _ = try line.client.received() } == .socketNotConnected)
            #expect(await line.client.ready(for: [], until: nil) == .readable)
        }
    }

    @Test func `waiting ends with what was asked for, the deadline, an interruption or the peer's end`() {
        let report = simulate(plainConfiguration()) { host in
            let line = try Line(host)
            #expect(await line.server.ready(for: [.sending, .receiving], until: nil) == .readable)
            _ = try line.server.send([1], from: 0)
            let soon = line.after(.milliseconds(1))
            #expect(await line.client.ready(for: [], until: soon) == .deadlinePassed)
            #expect(await line.client.ready(for: .receiving, until: nil) == .readable)
            _ = try line.client.received()
            host.kernel.schedule(at: line.after(.milliseconds(1))) { _ in line.client.interrupt() }
            #expect(await line.client.ready(for: .receiving, until: nil) == .interrupted)
            await withTaskGroup(of: Readiness.self) { group in
                group.addTask { await line.client.ready(for: .receiving, until: nil) }
                await sleep(for: .milliseconds(1), on: host.clock)
                group.cancelAll()
                #expect(await group.next() == .interrupted)
            }
            host.kernel.schedule(at: line.after(.milliseconds(1))) { _ in line.server.close() }
            #expect(await line.client.ready(for: [], until: nil) == .readable)
        }
        #expect(report.ending == .completed)
    }

    // MARK: Faults

    @Test func `short calls move a part, and nothing is lost`() throws {
        var (sending, receiving) = (
            FaultRule(.transportSend, .short(2)), FaultRule(.transportReceive, .short(1))
        )
        sending.file = "client"
        receiving.file = "server"
        let line = try makeLine(sending, receiving)
        #expect(try line.client.send([1, 2, 3], from: 0) == 2)
        #expect(try line.server.received() == [1])
        #expect(try line.server.received() == [2])
        #expect(try line.server.send([1, 2, 3], from: 0) == 3, "rules name whose call they strike")
        #expect(try line.client.received() == [1, 2, 3])
    }

    @Test func `each call can fail, take long, or find its peer dead`() throws {
        var dead = FaultRule(.transportReceive, .diesBeforeRead)
        dead.nth = 3
        let line = try makeLine(
            FaultRule(.transportSend, .errno(.noBufferSpace)), dead,
            FaultRule(.transportReceive, .stall(.seconds(1))))
        #expect(failure { _ = try line.client.send([1], from: 0) } == .noBufferSpace)
        let before = line.host.kernel.now
        #expect(failure { _ = try line.server.received() } == .resourceTemporarilyUnavailable)
        #expect(line.host.kernel.now >= before.advanced(by: .seconds(1)))
        #expect(failure { _ = try line.server.received() } == .resourceTemporarilyUnavailable)
        #expect(try line.server.received() == [])
    }

    @Test func `a wait may end for nothing`() throws {
        simulate(
            plainConfiguration(), faults: FaultPlan([FaultRule(.transportWait, .spurious)])
        ) { host in
            let line = try Line(host)
            #expect(await line.server.ready(for: .receiving, until: nil) == .readable)
            #expect(failure { _ = try line.server.received() } == .resourceTemporarilyUnavailable)
        }
    }

    @Test func `the same seed gives the same bytes at the same times`() {
        func run(_ seed: UInt64) -> SimulationReport {
            var short = FaultRule(.transportSend, .short(3))
            short.probability = 0.5
            return simulate(WorldConfiguration(seed: seed), faults: FaultPlan([short])) { host in
                let line = try Line(host)
                async let echo: Void = {
                    var bytes: [UInt8] = []
                    while bytes.count < 100 {
                        _ = await line.server.ready(for: .receiving, until: nil)
                        _ = try line.server.receive(count: 7, into: &bytes)
                    }
                    host.pump.fold(bytes)
                }()
                var offset = 0
                let bytes = (0..<100).map { UInt8($0) }
                while offset < 100 { offset += try line.client.send(bytes, from: offset) }
                try await echo
            }
        }
        #expect(run(3) == run(3))
        #expect(run(3).hash != run(4).hash)
    }
}
