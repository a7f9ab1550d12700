package import Backends
package import CollectorCore
package import EventModel
import Synchronization
package import Wire
package import WireMessages

import struct SystemPackage.Errno

/// Serves the control socket: greets clients, answers them, and lets them read the events.
package final class ControlServer: Sendable {
    package struct Limits: Sendable {
        package var session = ServerSession.Limits()
        /// Clients at a time.
        package var connectionCount = 64
        /// Of one user, root and our own user excepted.
        package var connectionCountPerUser = 16
        /// Pages of tasks that sources are making at a time, those for clients that have left included.
        package var taskCount = 128
        /// Of one user.
        package var taskCountPerUser = 32
        /// Estimated bytes of events that are kept for clients.
        package var historyByteCount = 4 << 20

        package init() {}
    }

    private struct State {
        var waiting: [ServerSession.Query: [(id: UInt64, client: ServerConnection)]] = [:]
        /// Questions to which an answer is being made.
        var underWay: Set<ServerSession.Query> = []
        var subscription: Subscription?
    }

    let limits: Limits
    package let feed: EventFeed
    let encodings = BatchEncodings()
    private let acceptor: ConnectionAcceptor<ServerConnection>
    private let slots: TaskSlots
    private let collector: Collector
    private let settings: any SettingsKeeper
    private let thread: any ExecutionThread
    private let role: @Sendable (PeerCredentials) -> WireWelcome.Role
    private let otherListeners: @Sendable () -> [WireListenerStatus]
    private let state = Mutex(State())
    private let everybodyLeft = Latch()

    /// - Parameters:
    ///   - path: Names the listener in ``WireListenerStatus``.
    ///   - settings: What `settings` is answered with.
    ///   - otherListeners: What `status` tells beside this listener.
    ///   - role: What a client may do.
    package init(
        listener: any TransportListener, path: String, collector: Collector,
        settings: any SettingsKeeper,
        limits: Limits, thread: any ExecutionThread,
        otherListeners: @escaping @Sendable () -> [WireListenerStatus] = { [] },
        role: @escaping @Sendable (PeerCredentials) -> WireWelcome.Role
    ) {
        var refusal: [UInt8] = []
        WireServerMessage.failure(.exhausted, "too many connections; try again later", to: 0)
            .appendFrame(to: &refusal)
        acceptor = ConnectionAcceptor(
            listener, path: path,
            limits: ConnectionAcceptor.Limits(
                connectionCount: limits.connectionCount,
                connectionCountPerUser: limits.connectionCountPerUser,
                isPrivileged: { role($0) == .control }),
            refusal: refusal, thread: thread)
        slots = TaskSlots(limit: limits.taskCount, limitPerUser: limits.taskCountPerUser)
        self.collector = collector
        self.settings = settings
        self.limits = limits
        self.thread = thread
        self.role = role
        self.otherListeners = otherListeners
        feed = EventFeed(run: collector.run, byteLimit: limits.historyByteCount)
    }

    // MARK: - Running

    /// Begins to keep events for clients; before the collector runs, so that nothing is missing.
    ///
    /// - Throws: ``CollectorError`` when there are too many subscribers.
    package func subscribe() throws(CollectorError) {
        // The feed never waits: whoever is slow loses by itself.
        let subscription = try collector.subscribe(
            SubscriptionOptions(
                name: "ipc", filter: .everything, queueLimit: Self.queueLimit, overflowPolicy: .dropOldest))
        state.withLock { $0.subscription = subscription }
    }

    /// Events that may wait for the server's thread.
    private static let queueLimit = 65_536

    /// Serves until ``stop(_:)``, and until every client has got what it was owed, or has been too slow.
    ///
    /// Runs on the server's thread.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask(executorPreference: thread) { await self.fillFeed() }
            await acceptor.run(
                makeClient: { connection, number in
                    ServerConnection(
                        connection, number: number, server: self, clock: thread.clock,
                        counters: acceptor.counters)
                },
                forget: { self.forget($0) })
        }
        everybodyLeft.open()
    }

    /// Says goodbye to everybody; callable from any thread, once the collector has stopped.
    package func stop(_ reason: String) {
        feed.close()
        acceptor.stop(reason)
    }

    /// Waits until ``run()`` has nothing more to do.
    ///
    /// - Returns: Whether that was before the deadline.
    package func waitUntilStopped(until deadline: Instant) async -> Bool {
        await everybodyLeft.wait(until: deadline, on: thread.clock)
    }

    private func fillFeed() async {
        guard let subscription = state.withLock({ $0.subscription }) else { return }
        while let delivery = await subscription.next() {
            if case .record(let record) = delivery { announce(record) }
            feed.append(delivery)
            // Those who read as fast as this writes get their turn before the feed is full.
            await Task.yield()
        }
    }

    /// Tells every client what concerns it.
    private func announce(_ record: CollectorRecord) {
        var message = WireServerMessage()
        switch record {
        case .capabilities(let report): message.capabilities = wire(report)
        case .configuration(let report): message.reloaded = WireReloaded(report)
        case .health, .telemetry: return
        }
        for client in acceptor.clients { client.announce(message) }
    }

    /// Many may come, ask and leave while one answer is being made.
    private func forget(_ client: ServerConnection) {
        state.withLock { state in
            for query in ServerSession.Query.allCases {
                state.waiting[query]?.removeAll { $0.client === client }
            }
        }
    }

    // MARK: - Answers

    func identity(for peer: PeerCredentials) -> ServerSession.Identity {
        ServerSession.Identity(server: "collectord", run: collector.run, role: role(peer))
    }

    var capabilities: WireCapabilities {
        var message = WireCapabilities()
        message.component = collector.configuration.componentName
        message.capabilities = collector.capabilities.labels
        message.sources = collector.telemetry().sources.map(\.source.rawValue)
        message.tasks = collector.tasks.map { WireTaskType($0) }
        message.timeUnixNs = thread.clock.wall.nanoseconds
        message.monotonicNs = thread.clock.monotonic.nanoseconds
        return message
    }

    private func wire(_ report: CapabilityReport) -> WireCapabilities {
        var message = WireCapabilities(report)
        message.tasks = collector.tasks.map { WireTaskType($0) }
        return message
    }

    /// Pages of tasks that sources are making now.
    package var taskCount: Int { slots.count }

    /// What the listener has done so far.
    package var listenerStatus: WireListenerStatus { acceptor.status }

    /// Answers a question; those who ask while an answer is being made share the next one.
    func answer(_ query: ServerSession.Query, _ id: UInt64, for client: ServerConnection) {
        let isFirst = state.withLock { state in
            state.waiting[query, default: []].append((id, client))
            return state.underWay.insert(query).inserted
        }
        if isFirst { _ = spawn(on: thread) { await self.answerWaiting(query) } }
    }

    private func answerWaiting(_ query: ServerSession.Query) async {
        // Taken before an answer is made: who comes later may have seen more than it says.
        while let clients = takeWaiting(query) {
            var message = await answer(to: query)
            for (id, client) in clients {
                message.requestID = id
                client.deliver(message, finishing: id)
            }
        }
    }

    private func takeWaiting(_ query: ServerSession.Query) -> [(id: UInt64, client: ServerConnection)]? {
        state.withLock { state in
            let clients = state.waiting.removeValue(forKey: query)
            guard let clients, !clients.isEmpty else {
                state.underWay.remove(query)
                return nil
            }
            return clients
        }
    }

    private func answer(to query: ServerSession.Query) async -> WireServerMessage {
        var message = WireServerMessage()
        switch query {
        case .status: message.status = await status()
        case .accounts: message.accounts = await accounts()
        case .settings: message.settings = settings.settings
        }
        return message
    }

    private func status() async -> WireStatus {
        var status = WireStatus()
        status.health = WireHealth(await collector.healthReport())
        status.telemetry = WireTelemetry(collector.telemetry())
        status.listeners = [listenerStatus] + otherListeners()
        return status
    }

    private func accounts() async -> WireAccounts {
        var accounts = await collector.closeAccounts()
        accounts.streams += feed.accounts
        var message = WireAccounts()
        message.sources = accounts.sources.map { WireSourceAccount($0) }
        message.streams = accounts.streams.map { WireStreamAccount($0) }
        return message
    }

    /// Has the settings read anew.
    func reload(isCheck: Bool, _ id: UInt64, for client: ServerConnection) {
        _ = spawn(on: thread) { [self] in
            var message = WireServerMessage()
            do throws(TaskError) {
                message.reloaded = try await settings.reload(isCheck: isCheck)
            } catch {
                message = .failure(WireFailure.Code(error.code), error.message, to: id)
            }
            message.requestID = id
            client.deliver(message, finishing: id)
        }
    }

    /// Has a source carry out one page of a task.
    func perform(_ order: TaskOrder, for client: ServerConnection) {
        let (uid, name) = (client.connection.peer.uid, order.name)
        guard slots.enter(uid) else {
            let error = TaskError(.exhausted, "too many tasks are under way; try again later")
            return client.deliver(.failure(error), of: name)
        }
        let deadline = thread.clock.monotonic.advanced(by: order.timeout)
        let task = order.task
        _ = spawn(on: thread) { [self] in
            let result: Result<TaskAnswer, TaskError>
            do throws(TaskError) {
                result = .success(try await collector.perform(task, until: deadline))
            } catch {
                result = .failure(error)
            }
            slots.leave(uid)
            client.deliver(result, of: name)
        }
    }
}
