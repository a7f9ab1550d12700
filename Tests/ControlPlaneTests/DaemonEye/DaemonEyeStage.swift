import Backends
import CollectorCore
import ControlPlane
import EventModel
import SwiftProtobuf
import Testing
import Wire
import WireMessages

import struct SystemPackage.Errno

/// A collector with a server for DaemonEye clients.
struct DaemonEyeStage: Sendable {
    static let path = "/run/collector/daemoneye"

    let source: TableSource
    let server: DaemonEyeServer
    let limits: DaemonEyeServer.Limits
    let thread: any ExecutionThread
    private let connector: any TransportConnector
    private let collector: Collector
    private let serverRun: Task<Void, Never>
    private let collectorRun: Task<Void, Never>

    /// - Parameters:
    ///   - serverThread: Carries the collector and its server.
    ///   - thread: Carries the clients.
    init(
        _ processes: [ProcessEvent], _ listener: any TransportListener, limits: DaemonEyeServer.Limits,
        role: WireWelcome.Role, serverThread: any ExecutionThread, thread: any ExecutionThread,
        connector: any TransportConnector
    ) async throws {
        let run = RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(3))
        let source = TableSource(processes, clock: serverThread.clock)
        let collector = try Collector(configuration: CollectorConfiguration(), run: run, thread: serverThread)
        try collector.register(source, on: serverThread)
        let server = DaemonEyeServer(
            listener: listener, path: Self.path, collector: collector, limits: limits, thread: serverThread
        ) { _ in role }
        self.source = source
        self.server = server
        self.limits = limits
        self.thread = thread
        self.connector = connector
        self.collector = collector
        serverRun = spawn(on: serverThread) { await server.run() }
        collectorRun = spawn(on: serverThread) { _ = try? await collector.run() }
        await until("the source is ready") { source.isReady }
    }

    /// Connects; waits while the queue of the listener is full.
    func connect() async throws -> DaemonEyePeer {
        while true {
            do throws(Errno) {
                return DaemonEyePeer(try connector.connect(), on: thread)
            } catch .resourceTemporarilyUnavailable {
                try await thread.clock.sleep(until: thread.clock.monotonic.advanced(by: .milliseconds(5)))
            }
        }
    }

    /// How often connections have ended, or were refused, for a reason.
    func ended(_ reason: String) -> UInt64 {
        server.listenerStatus.ended.first { $0.reason == reason }?.count ?? 0
    }

    /// Waits for a condition that other tasks bring about.
    func until(_ what: String, _ condition: () -> Bool) async {
        let deadline = thread.clock.monotonic.advanced(by: .seconds(60))
        while !condition() {
            guard thread.clock.monotonic < deadline else { return #expect(Bool(false), "never: \(what)") }
            try? await thread.clock.sleep(until: thread.clock.monotonic.advanced(by: .milliseconds(5)))
        }
    }

    /// Whoever behaves is served, and nothing is left of those who do not.
    func expectAllIsWell() async throws {
        await until("everybody has left") { server.listenerStatus.connections == 0 }
        await until("no task is under way") { source.performing.now == 0 && server.taskCount == 0 }
        source.take(.zero)
        let task = DaemonEyePeer.task(.enumerateProcesses, id: "good") { $0.processFilter.pids = [3] }
        // Those who have left may still stand before it in the listener's queue, and count as its user's.
        for _ in 0..<100 {
            var peer = try await connect()
            await peer.send(DaemonEyePeer.frame(task))
            let payload = try await peer.next()
            peer.close()
            guard let payload else { continue }
            let result = try DaemonEyeDetectionResult(serializedBytes: payload)
            if result.errorMessage.contains("too many") { continue }
            #expect(result.success && result.taskID == "good" && result.processes.map(\.pid) == [3])
            return await until("it has left") { server.listenerStatus.connections == 0 }
        }
        #expect(Bool(false), "whoever behaves is not served")
    }

    /// Ends everything.
    func strike() async {
        collector.requestStop()
        await collectorRun.value
        server.stop("the test is over")
        #expect(await server.waitUntilStopped(until: thread.clock.monotonic.advanced(by: .seconds(30))))
        await serverRun.value
        #expect(server.listenerStatus.connections == 0)
    }
}
