import Backends
import ControlPlane
import EventModel
import Foundation
import LinuxBackends
import SimulatedBackends
import SwiftProtobuf
import Testing
import Wire
import WireMessages

import struct SystemPackage.Errno

/// What a DaemonEye client may do that it should not.
enum DaemonEyeBehaviour: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case saysNothing, aByteNowAndThen, garbage, hugeFrame, emptyFrame, checksumOfTheOtherSocket
    case malformedMessage, tooManyElements, flood, stalledReader, vanishesWithinFrame, vanishesWithinTask
    case leavesWithTheNextHalfAsked, asksAndGone, reconnects

    var testDescription: String { rawValue }

    /// A long list is more than a socket takes.
    var processes: [ProcessEvent] {
        self == .stalledReader
            ? TableSource.processes(300, argumentByteCount: 1_000) : TableSource.processes(9)
    }

    /// The reason under which its end is counted, where there is just one.
    var reason: String? {
        switch self {
        case .saysNothing: "idle_timeout"
        case .aByteNowAndThen: "frame_timeout"
        case .hugeFrame: "frame_too_large"
        case .emptyFrame: "frame_empty"
        case .checksumOfTheOtherSocket: "frame_checksum"
        case .malformedMessage: "message_malformed"
        case .tooManyElements: "message_too_large"
        case .flood: "too_many_connections"
        case .stalledReader: "write_timeout"
        default: nil
        }
    }

    private static let list = DaemonEyePeer.frame(DaemonEyePeer.task(.enumerateProcesses))

    func run(_ stage: DaemonEyeStage, seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        switch self {
        case .saysNothing:
            var peer = try await stage.connect()
            #expect(try await peer.rest().map(\.success) == [false])
        case .aByteNowAndThen: try await dribble(stage)
        case .garbage: try await sendGarbage(stage, &random)
        case .hugeFrame: try await sendBad(stage, [0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4])
        case .emptyFrame: try await sendBad(stage, Array(repeating: 0, count: 8))
        case .checksumOfTheOtherSocket: try await sendBad(stage, RawPeer.frame([0x0a, 1, 0x61]))
        case .malformedMessage: try await sendBad(stage, DaemonEyePeer.frame([0xff]))
        case .tooManyElements: try await sendTooMany(stage)
        case .flood: try await flood(stage)
        case .stalledReader: try await stall(stage)
        case .vanishesWithinFrame: try await vanish(stage, &random)
        case .vanishesWithinTask: try await leaveTasks(stage)
        case .leavesWithTheNextHalfAsked: try await leaveQuestions(stage)
        case .asksAndGone, .reconnects: try await reconnect(stage)
        }
    }

    private func dribble(_ stage: DaemonEyeStage) async throws {
        var peer = try await stage.connect()
        for byte in Self.list.prefix(10) {
            await peer.send([byte])
            await peer.pause(stage.limits.times.frameTimeout / 5)
        }
        #expect(try await peer.rest().map(\.success) == [false])
    }

    private func sendGarbage(_ stage: DaemonEyeStage, _ random: inout SplitMix) async throws {
        var peer = try await stage.connect()
        let count = Int(random.next() % 20_000) + 8
        await peer.send((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        #expect(try await peer.rest().allSatisfy { !$0.success && !$0.errorMessage.isEmpty })
    }

    private func sendBad(_ stage: DaemonEyeStage, _ bytes: [UInt8]) async throws {
        var peer = try await stage.connect()
        #expect(
            try await peer.ask(DaemonEyePeer.task(.enumerateProcesses) { $0.processFilter.pids = [2] })
                .success)
        await peer.send(bytes)
        let results = try await peer.rest()
        #expect(results.map(\.success) == [false] && results.first?.errorMessage.isEmpty == false)
    }

    private func sendTooMany(_ stage: DaemonEyeStage) async throws {
        let task = DaemonEyePeer.task(.enumerateProcesses) {
            $0.processFilter.pids = Array(repeating: 1, count: MessageShape.elementLimit)
        }
        try await sendBad(stage, DaemonEyePeer.frame(task))
    }

    private func flood(_ stage: DaemonEyeStage) async throws {
        var peers: [DaemonEyePeer] = []
        var refusals = 0
        for _ in 0..<stage.limits.connectionCount * 2 {
            var peer = try await stage.connect()
            await peer.send(DaemonEyePeer.frame(DaemonEyePeer.task(.collectPerformanceMetrics)))
            // Without room for a word, the end of the connection says it alone.
            let answer = try await peer.next().map { try DaemonEyeDetectionResult(serializedBytes: $0) }
            if answer?.errorMessage.contains("too many") ?? true { refusals += 1 }
            if answer?.taskID == "task" { peers.append(peer) } else { peer.close() }
        }
        #expect(refusals > 0 && peers.count == stage.limits.connectionCountPerUser)
        for peer in peers { peer.close() }
    }

    /// Asks for more than the kernel takes, and takes nothing of it.
    private func stall(_ stage: DaemonEyeStage) async throws {
        let peer = try await stage.connect()
        let before = stage.ended("write_timeout")
        for _ in 0..<20 { await peer.send(Self.list) }
        await stage.until("the stalled reader is ended") { stage.ended("write_timeout") > before }
        peer.close()
    }

    private func vanish(_ stage: DaemonEyeStage, _ random: inout SplitMix) async throws {
        for count in 1..<Self.list.count {
            let peer = try await stage.connect()
            await peer.send(Array(Self.list.prefix(count)))
            if random.next() % 2 == 0 { await peer.pause(.milliseconds(1)) }
            peer.close()
            await stage.until("it has left") { stage.server.listenerStatus.connections == 0 }
        }
    }

    private func leaveTasks(_ stage: DaemonEyeStage) async throws {
        stage.source.take(.milliseconds(300))
        for _ in 0..<40 {
            let peer = try await stage.connect()
            await peer.send(Self.list)
            await peer.pause(.milliseconds(5))
            peer.close()
        }
        await stage.until("all tasks end") { stage.source.performing.now == 0 }
        #expect(stage.source.performing.most <= stage.limits.taskCountPerUser)
        #expect(stage.source.performing.most > 0)
    }

    /// Leaves with the next question half asked, while the first one is under way.
    private func leaveQuestions(_ stage: DaemonEyeStage) async throws {
        stage.source.take(.milliseconds(600))
        for count in 1...10 {
            let peer = try await stage.connect()
            await peer.send(Self.list + Self.list.prefix(count))
            await stage.until("it is under way") { stage.source.performing.now > 0 }
            peer.close()
            await stage.until("it is forgotten") { stage.server.listenerStatus.connections == 0 }
            await stage.until("its task ends") { stage.source.performing.now == 0 }
        }
    }

    private func reconnect(_ stage: DaemonEyeStage) async throws {
        for number in 0..<500 {
            let peer = try await stage.connect()
            if self == .asksAndGone || number % 3 == 0 { await peer.send(Self.list) }
            if number % 30 == 0 { await peer.pause(.milliseconds(1)) }
            peer.close()
        }
    }
}

/// They are ended, counted, and whoever comes after them is served.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DaemonEyeHostileTests {
    private static let credentials = PeerCredentials(
        pid: ProcessID(3_000), uid: UserID(1_001), gid: GroupID(1_001), groups: [])

    /// What a server must live with: nothing of it breaks a connection that is good.
    private static var nuisances: FaultPlan {
        FaultPlan(
            [
                (BackendOperation.transportAccept, FaultBehaviour.errno(.tooManyOpenFiles), 0.1),
                (.transportReceive, .short(7), 0.1),
                (.transportReceive, .errno(.resourceTemporarilyUnavailable), 0.1),
                (.transportSend, .short(5), 0.02),
                (.transportSend, .errno(.resourceTemporarilyUnavailable), 0.1),
                (.transportWait, .spurious, 0.05),
            ].map { operation, behaviour, probability in
                var rule = FaultRule(operation, behaviour)
                rule.probability = probability
                return rule
            })
    }

    private func perform(
        _ behaviour: DaemonEyeBehaviour, _ stage: DaemonEyeStage, seed: UInt64
    ) async throws {
        try await behaviour.run(stage, seed: seed)
        if let reason = behaviour.reason {
            await stage.until("\(reason) is counted") { stage.ended(reason) > 0 }
        }
        try await stage.expectAllIsWell()
        await stage.strike()
    }

    @Test(arguments: DaemonEyeBehaviour.allCases)
    func `nobody else notices, under any schedule`(behaviour: DaemonEyeBehaviour) {
        for seed: UInt64 in 1...5 {
            let host = SimulatedHost(WorldConfiguration(seed: seed), faults: Self.nuisances)
            let report = Simulation.run(host.pump) {
                let listener = try host.transportListener(
                    path: DaemonEyeStage.path, permissions: SocketPermissions(mode: 0o666))
                let stage = try await DaemonEyeStage(
                    behaviour.processes, listener, limits: DaemonEyeServer.Limits(), role: .read,
                    serverThread: host.pump, thread: host.pump,
                    connector: host.transportConnector(path: DaemonEyeStage.path, as: Self.credentials))
                try await perform(behaviour, stage, seed: seed)
                #expect(host.kernel.socketCount == 0, "a socket is left")
            }
            #expect(report.ending == .completed, "seed \(seed)")
        }
    }

    @Test(arguments: DaemonEyeBehaviour.allCases)
    func `nobody else notices, over real sockets`(behaviour: DaemonEyeBehaviour) async throws {
        let folder = URL(filePath: "/tmp/daemoneye-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "socket").path()
        let (server, clients) = (try LinuxThread(name: "server"), try LinuxThread(name: "clients"))
        defer {
            clients.stop()
            server.stop()
        }
        var limits = DaemonEyeServer.Limits()
        limits.times.frameTimeout = .seconds(1)
        limits.times.writeTimeout = .seconds(1)
        limits.times.idleTimeout = behaviour == .saysNothing ? .seconds(1) : .seconds(60)
        try await clients.run { [limits] in
            let stage = try await DaemonEyeStage(
                behaviour.processes, try LinuxTransportListener(path: path, mode: 0o600, on: server),
                limits: limits, role: .read, serverThread: server, thread: clients,
                connector: try LinuxTransportConnector(path: path, on: clients))
            try await perform(behaviour, stage, seed: 1)
        }
    }
}
