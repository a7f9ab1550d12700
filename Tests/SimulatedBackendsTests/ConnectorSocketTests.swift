import Backends
import EventModel
import KernelFormats
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// Subscribing to the process connector, waiting for it, and who may.
@Suite struct ConnectorSocketTests {
    // MARK: Listening

    @Test func `nothing is numbered while nobody listens`() throws {
        let host = SimulatedHost(plainConfiguration())
        host.addShell()
        host.kernel.setComm(pid(77), bytes("quiet"))
        #expect(host.kernel.nextSequences == [0, 0])
        #expect(host.kernel.truth.count(of: .notListened) == 1)
        let socket = try host.openListener()
        try socket.send(ConnectorRequest(.ignore).bytes)
        let before = host.kernel.nextSequences
        host.kernel.setComm(pid(77), bytes("quiet again"))
        #expect(host.kernel.nextSequences == before)
        #expect(try socket.drain().isEmpty)
    }

    @Test func `a listener that dies without a word is counted for ever`() throws {
        let host = SimulatedHost(plainConfiguration())
        host.addShell()
        let socket = try host.openListener()
        socket.close()
        let bound = try host.openConnectorSocket()
        host.kernel.setComm(pid(77), bytes("heard"))
        #expect(try bound.drain().count == 1)
        bound.close()
        host.kernel.setComm(pid(77), bytes("unheard"))
        #expect(host.kernel.truth.count(of: .unheard) == 1)
    }

    @Test func `another listener's acknowledgement takes a sequence and reaches us`() throws {
        let host = SimulatedHost(plainConfiguration())
        let socket = try host.openListener()
        let before = host.kernel.nextSequences.reduce(0, +)
        host.kernel.addForeignListener()
        #expect(host.kernel.nextSequences.reduce(0, +) == before + 1)
        #expect(try socket.drainEvents() == [.acknowledgement(error: 0)])
    }

    @Test func `a mask holds messages back but they are numbered`() throws {
        let host = SimulatedHost(plainConfiguration())
        host.addShell()
        let socket = try host.openConnectorSocket()
        try socket.send(ConnectorRequest(.listen, mask: .exec).bytes)
        let child = try #require(host.kernel.fork(parent: pid(77)))
        host.kernel.exec(child, .file("/bin/true"))
        #expect(try socket.drainEvents() == [.exec(ConnectorTask(leaderOf: child))])
        // The acknowledgement and the fork were numbered as well.
        #expect(host.kernel.nextSequences.reduce(0, +) == 3)
        #expect(host.kernel.truth.count(of: .filtered) == 2)
    }

    @Test func `in another namespace requests are answered by silence`() throws {
        var configuration = plainConfiguration()
        configuration.connector = .silent
        let host = SimulatedHost(configuration)
        host.addShell()
        let socket = try host.openListener()
        host.kernel.setComm(pid(77), bytes("x"))
        #expect(try socket.drain().isEmpty)
    }

    @Test func `a kernel without connector opens no socket, one without process events refuses`() throws {
        var configuration = plainConfiguration()
        configuration.connector = .missing
        #expect(
            failure { _ = try SimulatedHost(configuration).openConnectorSocket() } == .protocolNotSupported)
        configuration.connector = .refusing
        let socket = try SimulatedHost(configuration).openConnectorSocket()
        #expect(failure { try socket.send(ConnectorRequest(.listen).bytes) } == .connectionRefused)
    }

    @Test func `an old kernel denies whoever lacks the capability, a new one does not`() throws {
        for (minor, error) in [(1, UInt32(1)), (6, 0)] {
            var configuration = unprivilegedConfiguration()
            configuration.kernel = KernelVersion(major: 6, minor: minor)
            let host = SimulatedHost(configuration)
            host.kernel.addForeignListener()
            let socket = try host.openConnectorSocket()
            try socket.send(ConnectorRequest(.listen).bytes)
            #expect(try socket.drainEvents() == [.acknowledgement(error: error)])
        }
    }

    @Test func `a forged message shows its sender's port and takes room`() throws {
        let host = SimulatedHost(plainConfiguration())
        #expect(!host.kernel.forge([1, 2, 3], senderPort: 4_242))
        let socket = try host.openListener()
        #expect(host.kernel.forge([1, 2, 3], senderPort: 4_242))
        #expect(try socket.drain() == [.forged(port: 4_242)])
        #expect(!host.kernel.forge([1], senderPort: 0))
    }

    @Test func `a datagram longer than its slot is cut and marked`() throws {
        let host = SimulatedHost(plainConfiguration())
        let socket = try host.openListener()
        host.kernel.forge(Array(repeating: 7, count: 500), senderPort: 9)
        var batch = DatagramBatch(capacity: 2, slotByteCount: 100)
        try socket.receive(into: &batch)
        #expect(batch.datagrams == [Datagram(byteCount: 100, senderPort: 9, isTruncated: true)])
    }

    // MARK: Waiting

    @Test func `waiting ends with a message, at the deadline, by an interrupt or by cancellation`() {
        let report = simulate(plainConfiguration()) { host in
            host.addShell()
            let socket = try host.openListener()
            let later = host.clock.monotonic.advanced(by: .milliseconds(5))
            host.kernel.schedule(at: later) { $0.setComm(pid(77), bytes("x")) }
            #expect(await socket.readable(until: nil) == .readable)
            #expect(host.clock.monotonic >= later)
            _ = try socket.drain()
            let deadline = host.clock.monotonic.advanced(by: .milliseconds(3))
            #expect(await socket.readable(until: deadline) == .deadlinePassed)
            #expect(host.clock.monotonic >= deadline)
            #expect(await socket.readable(until: Instant(nanoseconds: 0)) == .deadlinePassed)
            socket.interrupt()
            #expect(await socket.readable(until: nil) == .interrupted)
            await withTaskGroup(of: Readiness.self) { group in
                group.addTask { await socket.readable(until: nil) }
                await sleep(for: .milliseconds(1), on: host.clock)
                socket.interrupt()
                #expect(await group.next() == .interrupted)
                group.addTask { await socket.readable(until: nil) }
                await sleep(for: .milliseconds(1), on: host.clock)
                group.cancelAll()
                #expect(await group.next() == .interrupted)
            }
        }
        #expect(report.ending == .completed)
    }

    @Test func `an overrun makes the socket readable`() {
        simulate(plainConfiguration()) { host in
            host.addShell()
            let socket = try host.openListener(bufferByteCount: 1)
            for _ in 0..<10 { host.kernel.setComm(pid(77), bytes("x")) }
            #expect(await socket.readable(until: nil) == .readable)
        }
    }
}
