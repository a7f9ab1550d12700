import Backends
import CollectorCore
import ControlPlane
import EventModel
import SimulatedBackends
import Synchronization
import Testing
import WireMessages

import struct SystemPackage.Errno

/// Hostile clients in virtual time, under random schedules, while the calls of the server fail at random.
@Suite struct SimulatedHostileTests {
    private static let goodCredentials = PeerCredentials(
        pid: ProcessID(2_000), uid: UserID(1_000), gid: GroupID(1_000), groups: [])
    private static let hostileCredentials = PeerCredentials(
        pid: ProcessID(3_000), uid: UserID(1_001), gid: GroupID(1_001), groups: [])

    /// What a server must live with: nothing of it breaks a connection that is good.
    private static var nuisances: FaultPlan {
        FaultPlan(
            [
                (BackendOperation.transportAccept, FaultBehaviour.errno(.tooManyOpenFiles), 0.1),
                (.transportAccept, .errno(.resourceTemporarilyUnavailable), 0.1),
                (.transportAccept, .errno(.connectionAbort), 0.05),
                (.transportReceive, .short(7), 0.1),
                (.transportReceive, .errno(.resourceTemporarilyUnavailable), 0.1),
                (.transportSend, .short(5), 0.1),
                (.transportSend, .errno(.resourceTemporarilyUnavailable), 0.1),
                (.transportWait, .spurious, 0.05),
            ].map { operation, behaviour, probability in
                var rule = FaultRule(operation, behaviour)
                rule.probability = probability
                return rule
            })
    }

    /// Runs `body` with a stage on a host of its own, and looks afterwards whether anything is left.
    private func perform(
        seed: UInt64, faults: FaultPlan = Self.nuisances,
        _ body: @escaping @Sendable (Stage, SimulatedHost) async throws -> Void
    ) {
        play(seed: seed, faults: faults) { stage, host in
            try await body(stage, host)
            await stage.expectAllIsWell()
            await stage.strike()
        }
    }

    /// Runs `body`, which strikes the stage itself.
    private func play(
        seed: UInt64, faults: FaultPlan,
        _ body: @escaping @Sendable (Stage, SimulatedHost) async throws -> Void
    ) {
        let host = SimulatedHost(WorldConfiguration(seed: seed), faults: faults)
        let report = Simulation.run(host.pump) {
            let listener = try host.transportListener(
                path: Stage.path, permissions: SocketPermissions(mode: 0o666))
            let stage = try await Stage(
                listener, limits: ControlServer.Limits(), serverThread: host.pump, thread: host.pump,
                connector: host.transportConnector(path: Stage.path, as: Self.hostileCredentials),
                good: host.transportConnector(path: Stage.path, as: Self.goodCredentials))
            stage.source.emit(5)
            try await body(stage, host)
            #expect(host.kernel.socketCount == 0, "a socket is left")
        }
        #expect(report.ending == .completed, "seed \(seed)")
    }

    @Test(arguments: HostileBehaviour.allCases)
    func `nobody else notices`(behaviour: HostileBehaviour) {
        for seed: UInt64 in 1...20 {
            perform(seed: seed) { stage, _ in
                try await behaviour.run(stage, seed: seed)
                if let reason = behaviour.reason {
                    await stage.until("\(reason) is counted") { stage.ended(reason) > 0 }
                }
            }
        }
    }

    /// All at a time, while whoever they are is reset at random as well.
    @Test(arguments: 1...20) func `nobody notices a crowd of them`(seed: UInt64) {
        perform(seed: seed) { stage, host in
            var random = SplitMix(state: seed)
            var tasks: [Task<Void, Never>] = []
            for _ in 0..<30 {
                let (kind, start) = (random.next() % 6, Duration.milliseconds(Int64(random.next() % 3_000)))
                let word = random.next()
                tasks.append(
                    spawn(on: host.pump) {
                        try? await host.clock.sleep(until: host.clock.monotonic.advanced(by: start))
                        try? await Self.misbehave(kind, word, stage)
                    })
            }
            for _ in 0..<20 {
                stage.source.emit(Int(random.next() % 200))
                try await host.clock.sleep(until: host.clock.monotonic.advanced(by: .milliseconds(400)))
            }
            for task in tasks { await task.value }
        }
    }

    /// Something short and rude, which may end at any point; what the server answers is not looked at.
    private static func misbehave(_ kind: UInt64, _ word: UInt64, _ stage: Stage) async throws {
        let peer = try await stage.connect()
        var random = SplitMix(state: word)
        if kind > 0 { await peer.send(1, RawPeer.hello()) }
        switch kind {
        case 0: await peer.send((0..<100).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        case 1: await peer.send(2, RawPeer.subscribe(credit: UInt32(random.next() % 500)))
        case 2: for id: UInt64 in 2..<30 { await peer.send(id, RawPeer.list(pageSize: 2)) }
        case 3: await peer.send(RawPeer.frame(2, RawPeer.list()).dropLast(Int(random.next() % 9)))
        case 4: for id: UInt64 in 2..<9 { await peer.send(id, .status(WireStatusRequest())) }
        default:
            await peer.send(2, RawPeer.subscribe())
            await peer.send(3, RawPeer.cancel(2))
        }
        await peer.pause(.milliseconds(Int64(random.next() % 8_000)))
        peer.close()
    }

    @Test(arguments: 1...20) func `descriptors that are sent along are not taken`(seed: UInt64) {
        perform(seed: seed) { stage, host in
            let before = host.kernel.socketCount
            let peer = try host.kernel.connectPeer(to: Stage.path, as: Self.hostileCredentials)
            for byte in RawPeer.frame(1, RawPeer.hello()) { _ = try peer.sendDescriptor(with: [byte]) }
            await stage.until("it is greeted") { (try? peer.receive())?.isEmpty == false }
            #expect(host.kernel.socketCount == before + 1)
            peer.close()
        }
    }

    @Test(arguments: 1...20) func `a client whose process has ended is served like any other`(seed: UInt64) {
        perform(seed: seed) { stage, host in
            let gone = host.kernel.credentials(of: ProcessID(31_999))
            let connector = try host.transportConnector(path: Stage.path, as: gone)
            var peer = RawPeer(try connector.connect(), on: host.pump)
            try await peer.hello()
            await peer.send(2, RawPeer.list())
            #expect(try await peer.answer(to: 2)?.taskResult.processes.count == NumberSource.processCount)
            peer.close()
        }
    }

    @Test(arguments: 1...20) func `a process that dies takes its connection along`(seed: UInt64) {
        perform(seed: seed) { stage, host in
            let number = ProcessID(77)
            host.kernel.addProcess(number, ProcessTemplate(path: "/usr/bin/bash", uid: UserID(1_001)))
            let peer = try host.kernel.connect(number, to: Stage.path)
            _ = try peer.send(RawPeer.frame(1, RawPeer.hello()) + RawPeer.frame(2, RawPeer.subscribe()))
            await stage.until("it reads") { stage.server.feed.accounts.count == 2 }
            host.kernel.exit(number)
        }
    }

    @Test(arguments: 1...20) func `resets at any time end only who is reset`(seed: UInt64) {
        // The good client is accepted before.
        var rule = FaultRule(.transportAccept, .diesBeforeRead)
        rule.probability = 0.5
        rule.during = Instant(nanoseconds: 1_000_000_000)..<Instant(nanoseconds: .max)
        perform(seed: seed, faults: FaultPlan([rule] + Self.nuisances.rules)) { stage, host in
            try await host.clock.sleep(until: Instant(nanoseconds: 1_500_000_000))
            for _ in 0..<50 {
                var peer = try await stage.connect()
                await peer.send(1, RawPeer.hello())
                _ = try await peer.next(within: .seconds(1))
                peer.close()
            }
            await stage.until("each is counted") { stage.ended("closed") + stage.ended("reset") >= 50 }
        }
    }

    /// A client may be in the middle of a frame at any time, as long as each comes in time.
    @Test func `a client that always has the next frame begun is not slow`() {
        perform(seed: 1, faults: FaultPlan()) { stage, _ in
            var peer = try await stage.welcomed()
            var bytes = RawPeer.frame(2, RawPeer.nextPage(9))
            for id: UInt64 in 3..<20 {
                let next = RawPeer.frame(id, RawPeer.nextPage(9))
                await peer.send(bytes + next.prefix(1))
                bytes = Array(next.dropFirst())
                await peer.pause(.seconds(1))
            }
            await peer.send(bytes)
            #expect(try await peer.answer(to: 19)?.failure.code == .notFound)
            peer.close()
        }
    }

    @Test func `a client that takes nothing does not hold up the end`() {
        play(seed: 1, faults: FaultPlan()) { stage, _ in
            let peer = try await stage.welcomed()
            await peer.send(2, RawPeer.subscribe())
            await stage.until("it reads") { stage.server.feed.accounts.count == 2 }
            stage.source.emit(3_000)
            await stage.until("the good client has all") { stage.goodCount == stage.source.wantedCount }
            // It is the server that must end the other one.
            await stage.strike()
            peer.close()
        }
    }
}
