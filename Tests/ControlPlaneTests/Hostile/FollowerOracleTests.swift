import Backends
import CollectorCore
import ControlPlane
import EventModel
import SimulatedBackends
import Synchronization
import Testing
import WireMessages

import struct SystemPackage.Errno

/// What a follower has got must add up, however often its connection breaks and however little is kept for it.
@Suite struct FollowerOracleTests {
    private static let credentials = PeerCredentials(
        pid: ProcessID(2_000), uid: UserID(1_000), gid: GroupID(1_000), groups: [])

    /// Breaks connections in both directions, and makes calls do less than they could.
    private static var faults: FaultPlan {
        FaultPlan(
            [
                (BackendOperation.transportSend, FaultBehaviour.diesBeforeRead, 0.02),
                (.transportReceive, .diesBeforeRead, 0.005),
                (.transportAccept, .errno(.tooManyOpenFiles), 0.1),
                (.transportSend, .short(40), 0.2),
                (.transportSend, .errno(.resourceTemporarilyUnavailable), 0.1),
                (.transportReceive, .short(7), 0.1),
            ].map { operation, behaviour, probability in
                var rule = FaultRule(operation, behaviour)
                rule.probability = probability
                if operation != .transportAccept { rule.file = "server" }
                return rule
            })
    }

    /// What one follower has got, against what there was.
    private struct Record {
        var sequences: [UInt64] = []
        var lostAtLeast: UInt64 = 0
        var lostAtMost: UInt64 = 0
        var resumeCount = 0
        var gapCount = 0

        mutating func take(_ item: EventFollower.Item) {
            switch item {
            case .events(let batch): sequences += batch.events.map(\.sequence)
            case .gap(let gap):
                gapCount += 1
                lostAtLeast += gap.lost ?? gap.lostBounds.atLeast
                lostAtMost += gap.lost ?? gap.lostBounds.atMost ?? 1 << 40
            case .connected: resumeCount += 1
            default: break
            }
        }
    }

    private final class Course: Sendable {
        /// The last sequence there will be, once that is known.
        let last = Mutex<UInt64?>(nil)
        let records = Mutex<[(isEverything: Bool, record: Record)]>([])
    }

    @Test(arguments: 1...40)
    func `events and gaps account for every event once`(seed: UInt64) throws {
        let host = SimulatedHost(WorldConfiguration(seed: seed), faults: Self.faults)
        let course = Course()
        let report = Simulation.run(host.pump) { try await Self.play(seed, host, course) }
        #expect(report.ending == .completed)
        let last = try #require(course.last.withLock { $0 })
        let records = course.records.withLock { $0 }
        #expect(records.count == 5)
        for (isEverything, record) in records {
            let got = UInt64(record.sequences.count)
            #expect(zip(record.sequences, record.sequences.dropFirst()).allSatisfy { $0 < $1 }, "twice")
            if isEverything {
                #expect(got + record.lostAtLeast == last && got + record.lostAtMost == last)
            } else {
                #expect(record.sequences.allSatisfy { $0 % 3 == 0 })
                #expect(got + record.lostAtLeast <= last / 3 && last / 3 <= got + record.lostAtMost)
            }
        }
    }

    private static func play(_ seed: UInt64, _ host: SimulatedHost, _ course: Course) async throws {
        let run = RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(3))
        let source = NumberSource(clock: host.clock)
        let collector = try Collector(
            configuration: CollectorConfiguration(), run: run, thread: host.pump)
        try collector.register(source, on: host.pump)
        var limits = ControlServer.Limits()
        limits.historyByteCount = 30_000
        let server = ControlServer(
            listener: try host.transportListener(
                path: Stage.path, permissions: SocketPermissions(mode: 0o666)),
            path: Stage.path, collector: collector, settings: FixedSettings(WireSettings()), limits: limits,
            thread: host.pump
        ) { _ in .read }
        try server.subscribe()
        let running = [
            spawn(on: host.pump) { await server.run() },
            spawn(on: host.pump) { _ = try? await collector.run() },
        ]
        let followers = (0..<5).map { number in
            spawn(on: host.pump) {
                await Self.follow(number % 2 == 0, SplitMix(state: seed * 8 + UInt64(number)), host, course)
            }
        }
        var random = SplitMix(state: seed)
        for _ in 0..<60 {
            source.emit(Int(random.next() % 60))
            await pause(host, milliseconds: random.next() % 200)
        }
        // The last event passes every filter.
        let rest = 3 + (3 - source.wantedCount % 3) % 3
        course.last.withLock { $0 = UInt64(source.wantedCount + rest) }
        source.emit(rest)
        for follower in followers { await follower.value }
        collector.requestStop()
        server.stop("over")
        for task in running { await task.value }
        #expect(host.kernel.socketCount == 0 && server.feed.accounts.isEmpty)
    }

    private static func follow(
        _ isEverything: Bool, _ seed: SplitMix, _ host: SimulatedHost, _ course: Course
    ) async {
        var random = seed
        guard let connector = try? host.transportConnector(path: Stage.path, as: credentials) else { return }
        var filter = WireFilter()
        if !isEverything { filter.topics = ["events.process.exec"] }
        // From the beginning: what is gone already is a gap.
        let beginning = FeedPosition(
            run: RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(3)), sources: [])
        let makeFollower = { (position: FeedPosition?) in
            EventFollower(
                connector, name: "follower", filter: filter, after: position, isPatient: true, on: host.pump,
                entropy: host.entropy)
        }
        var follower = makeFollower(beginning)
        var record = Record()
        do {
            while let item = try await follower.next() {
                record.take(item)
                if case .disconnected(_, let pause) = item { await follower.wait(pause) }
                let last = course.last.withLock { $0 }
                if let last, record.sequences.last ?? 0 >= last { break }
                if random.next() % 20 == 0 { follower.close() }
                // Another program that goes on where this one stopped, right behind a gap as well.
                let isGap = if case .gap = item { true } else { false }
                if random.next() % (isGap ? 2 : 20) == 0 {
                    follower.close()
                    follower = makeFollower(follower.position)
                }
                if random.next() % 5 == 0 { await pause(host, milliseconds: random.next() % 300) }
            }
        } catch {
            Issue.record("a follower gave up: \(error)")
        }
        follower.close()
        course.records.withLock { $0.append((isEverything, record)) }
    }

    private static func pause(_ host: SimulatedHost, milliseconds: UInt64) async {
        try? await host.clock.sleep(
            until: host.clock.monotonic.advanced(by: .milliseconds(Int64(milliseconds))))
    }
}
