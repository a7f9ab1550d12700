import Backends
import CollectorCore
import ControlPlane
import EventModel
import Synchronization
import Testing
import Wire
import WireMessages

import struct SystemPackage.Errno

/// A collector with a control server, a client that behaves, and the place where others do not.
struct Stage: Sendable {
    static let path = "/run/collector/hostile"

    let source: NumberSource
    let server: ControlServer
    let limits: ControlServer.Limits
    let thread: any ExecutionThread
    private let connector: any TransportConnector
    private let collector: Collector
    private let good: GoodClient
    private let goodRun: Task<Void, Never>
    private let serverRun: Task<Void, Never>
    private let collectorRun: Task<Void, Never>

    /// - Parameters:
    ///   - serverThread: Carries the collector and its server.
    ///   - thread: Carries the clients.
    ///   - good: The way of the client that behaves.
    init(
        _ listener: any TransportListener, limits: ControlServer.Limits, serverThread: any ExecutionThread,
        thread: any ExecutionThread, connector: any TransportConnector, good: any TransportConnector
    ) async throws {
        let run = RunContext(bootID: BootID(high: 1, low: 2), runID: RunID(3))
        let source = NumberSource(clock: serverThread.clock)
        let collector = try Collector(configuration: CollectorConfiguration(), run: run, thread: serverThread)
        try collector.register(source, on: serverThread)
        let server = ControlServer(
            listener: listener, path: Self.path, collector: collector,
            settings: FixedSettings(WireSettings()),
            limits: limits, thread: serverThread
        ) { _ in .read }
        try server.subscribe()
        self.source = source
        self.server = server
        self.limits = limits
        self.thread = thread
        self.connector = connector
        self.collector = collector
        serverRun = spawn(on: serverThread) { await server.run() }
        collectorRun = spawn(on: serverThread) { _ = try? await collector.run() }
        let client = try await GoodClient(good, on: thread)
        self.good = client
        goodRun = spawn(on: thread) { await client.read() }
    }

    /// Events that the good client has got.
    var goodCount: Int { good.received.count }

    /// Connects; waits while the queue of the listener is full.
    func connect() async throws -> RawPeer {
        while true {
            do throws(Errno) {
                return RawPeer(try connector.connect(), on: thread)
            } catch .resourceTemporarilyUnavailable {
                try await thread.clock.sleep(until: thread.clock.monotonic.advanced(by: .milliseconds(5)))
            }
        }
    }

    func welcomed() async throws -> RawPeer {
        var peer = try await connect()
        try await peer.hello()
        return peer
    }

    /// How often connections have ended, or were refused, for a reason.
    func ended(_ reason: String) -> UInt64 {
        server.listenerStatus.ended.first { $0.reason == reason }?.count ?? 0
    }

    /// Waits for a condition that other tasks bring about.
    func until(_ what: String, within duration: Duration = .seconds(60), _ condition: () -> Bool) async {
        let deadline = thread.clock.monotonic.advanced(by: duration)
        while !condition() {
            guard thread.clock.monotonic < deadline else { return #expect(Bool(false), "never: \(what)") }
            try? await thread.clock.sleep(until: thread.clock.monotonic.advanced(by: .milliseconds(5)))
        }
    }

    /// Nobody but the good client is left, and that one has lost nothing.
    func expectAllIsWell() async {
        await until("everybody else has left") { server.listenerStatus.connections == 1 }
        await until("no task is under way") { source.performing.now == 0 && server.taskCount == 0 }
        source.emit(7)
        let count = source.wantedCount
        await until("the good client gets all \(count) events") { good.received.count >= count }
        #expect(good.received == Array(1...UInt64(count)))
        #expect(good.gapCount == 0)
        #expect(server.feed.byteCount <= limits.historyByteCount)
        #expect(server.feed.accounts.count == 1, "no reader is left")
        for account in server.feed.accounts {
            #expect(account.isBalanced && account.inFlight == 0)
            #expect(account.delivered == UInt64(count) && account.dropped.total == 0)
        }
    }

    /// Ends everything, which must not take longer than the slowest client may.
    func strike() async {
        collector.requestStop()
        await collectorRun.value
        server.stop("the test is over")
        #expect(await server.waitUntilStopped(until: thread.clock.monotonic.advanced(by: .seconds(30))))
        await serverRun.value
        await goodRun.value
        #expect(server.listenerStatus.connections == 0)
        #expect(good.goodbye != nil, "it was not told why")
        let total = UInt64(source.wantedCount)
        #expect(good.account?.delivered == total && good.account?.offered == total)
    }
}

/// Subscribes to everything and takes it at once.
final class GoodClient: Sendable {
    private struct State {
        var received: [UInt64] = []
        var gapCount = 0
        var account: WireStreamAccount?
        var goodbye: String?
    }

    private let state = Mutex(State())
    private let client: ControlClient
    private let request: UInt64

    init(_ connector: any TransportConnector, on thread: any ExecutionThread) async throws {
        client = try await ControlClient.connect(
            connector, name: "good", on: thread, until: thread.clock.monotonic.advanced(by: .seconds(30)))
        request = try client.begin(RawPeer.subscribe())
        // The stream begins before anything happens.
        _ = try await client.next(request, until: thread.clock.monotonic.advanced(by: .seconds(30)))
    }

    var received: [UInt64] { state.withLock { $0.received } }
    var gapCount: Int { state.withLock { $0.gapCount } }
    var account: WireStreamAccount? { state.withLock { $0.account } }
    var goodbye: String? { state.withLock { $0.goodbye } }

    /// Takes what comes until the end.
    func read() async {
        while let part = try? await client.next(request, until: nil) {
            switch part {
            case .events(let batch, _):
                state.withLock { $0.received += batch.events.map(\.sequence) }
                client.remark(RawPeer.credit(request, UInt32(batch.events.count)))
            case .message(let message): take(message)
            }
        }
        client.close()
    }

    private func take(_ message: WireServerMessage) {
        state.withLock { state in
            switch message.body {
            case .gap: state.gapCount += 1
            case .streamEnd(let end):
                state.account = end.account
                state.goodbye = end.reason.message
            default: return
            }
        }
    }
}
