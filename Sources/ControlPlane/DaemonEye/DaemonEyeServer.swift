package import Backends
package import CollectorCore
import EventModel
package import Wire
package import WireMessages

/// Serves the second socket, on which programs of the DaemonEye system ask for what sources can tell at once.
package final class DaemonEyeServer: Sendable {
    package struct Limits: Sendable {
        package var times = ConnectionTimes.Limits()
        /// Clients at a time.
        package var connectionCount = 16
        /// Of one user, root and our own user excepted.
        package var connectionCountPerUser = 4
        /// Tasks that sources carry out at a time, those for clients that have left included.
        package var taskCount = 32
        /// Of one user.
        package var taskCountPerUser = 8
        /// How long a task may take.
        package var taskTimeout = Duration.seconds(10)

        package init() {}
    }

    let limits: Limits
    private let acceptor: ConnectionAcceptor<DaemonEyeConnection>
    private let slots: TaskSlots
    private let collector: Collector
    private let thread: any ExecutionThread
    private let role: @Sendable (PeerCredentials) -> WireWelcome.Role
    private let everybodyLeft = Latch()

    /// - Parameters:
    ///   - path: Names the listener in ``WireListenerStatus``.
    ///   - role: What a client may do.
    package init(
        listener: any TransportListener, path: String, collector: Collector, limits: Limits,
        thread: any ExecutionThread, role: @escaping @Sendable (PeerCredentials) -> WireWelcome.Role
    ) {
        acceptor = ConnectionAcceptor(
            listener, path: path,
            limits: ConnectionAcceptor.Limits(
                connectionCount: limits.connectionCount,
                connectionCountPerUser: limits.connectionCountPerUser,
                isPrivileged: { role($0) == .control }),
            refusal: DaemonEyeAnswer.frame(
                DaemonEyeDetectionResult.failure("too many connections; try again later", of: "")),
            thread: thread)
        slots = TaskSlots(limit: limits.taskCount, limitPerUser: limits.taskCountPerUser)
        self.limits = limits
        self.collector = collector
        self.thread = thread
        self.role = role
    }

    // MARK: - Running

    /// Serves until ``stop(_:)``, and until every client has got what it was owed, or has been too slow.
    ///
    /// Runs on the server's thread.
    package func run() async {
        await acceptor.run(
            makeClient: { connection, _ in
                DaemonEyeConnection(
                    connection, server: self, clock: thread.clock, counters: acceptor.counters)
            },
            forget: { _ in })
        everybodyLeft.open()
    }

    /// Ends every connection, after a word to those who wait for an answer; callable from any thread.
    package func stop(_ reason: String) { acceptor.stop(reason) }

    /// Waits until ``run()`` has nothing more to do.
    ///
    /// - Returns: Whether that was before the deadline.
    package func waitUntilStopped(until deadline: Instant) async -> Bool {
        await everybodyLeft.wait(until: deadline, on: thread.clock)
    }

    /// What the listener has done so far.
    package var listenerStatus: WireListenerStatus { acceptor.status }

    /// Tasks that sources carry out now.
    package var taskCount: Int { slots.count }

    // MARK: - Answers

    func negotiate(_ request: DaemonEyeCapabilityRequest) -> DaemonEyeCapabilityResponse {
        let capabilities = collector.capabilities
        var response = DaemonEyeCapabilityResponse()
        response.serverVersion = collector.configuration.componentName
        response.capabilities = DaemonEyeCollectionCapabilities(capabilities)
        let supported = response.capabilities.supportedDomains
        let missing = request.requestedDomains.filter { !supported.contains($0) }
        response.negotiationSuccess = missing.isEmpty
        if let first = missing.first {
            response.errorMessage = "\(first.label) is not watched here at present"
        }
        return response
    }

    /// Has sources carry out a task, and hands its answer to the client.
    func perform(_ task: DaemonEyeDetectionTask, for client: DaemonEyeConnection) {
        let (uid, taskID) = (client.connection.peer.uid, task.taskID)
        let order: DaemonEyeOrder
        do throws(TaskError) {
            order = try DaemonEyeOrder(task)
        } catch {
            return client.deliver(Self.failure(error.message, of: taskID))
        }
        guard !order.needsControl || role(client.connection.peer) == .control else {
            let message = "this takes the role control: root, or the collector's own user"
            return client.deliver(Self.failure(message, of: taskID))
        }
        guard slots.enter(uid) else {
            return client.deliver(Self.failure("too many tasks are under way; try again later", of: taskID))
        }
        _ = spawn(on: thread) { [self] in
            let answer = await answer(order)
            slots.leave(uid)
            client.deliver(answer)
        }
    }

    private static func failure(_ message: String, of taskID: String) -> [UInt8] {
        DaemonEyeAnswer.frame(DaemonEyeDetectionResult.failure(message, of: taskID))
    }

    /// The frame of what sources say, page after page.
    private func answer(_ start: DaemonEyeOrder) async -> [UInt8] {
        let deadline = thread.clock.monotonic.advanced(by: limits.taskTimeout)
        var order = start
        var answer = DaemonEyeAnswer(taskID: order.taskID)
        do throws(TaskError) {
            var hasMore = true
            while hasMore {
                let page = try await collector.perform(order.task, until: deadline)
                try append(page, of: order, to: &answer)
                // A page without processes cannot be gone on behind.
                hasMore = page.hasMore && !page.processes.isEmpty
                order.advance(behind: page.processes.last?.pid)
            }
            return answer.finish()
        } catch {
            return Self.failure(error.message, of: order.taskID)
        }
    }

    private func append(
        _ page: TaskAnswer, of order: DaemonEyeOrder, to answer: inout DaemonEyeAnswer
    ) throws(TaskError) {
        let age = page.monotonic.duration(to: thread.clock.monotonic)
        let time = WallTime(nanoseconds: thread.clock.wall.nanoseconds - age.wholeNanoseconds)
        try answer.append(
            page.processes.filter(order.admits), at: time, of: page.totalCount, onDisk: page.hash?.onDisk)
        guard let hash = page.hash else { return }
        let path = page.processes.first?.executablePath
        answer.append(
            DaemonEyeHashResult(hash, expected: order.expectation, path: path), isKnown: hash.digest != nil)
    }
}

extension DaemonEyeCollectionCapabilities {
    fileprivate init(_ capabilities: SourceCapabilities) {
        self.init()
        let domains: [(SourceCapabilities, DaemonEyeMonitoringDomain)] = [
            (.process, .process), (.network, .network), (.filesystem, .filesystem),
            (.performance, .performance),
        ]
        supportedDomains = domains.filter { capabilities.contains($0.0) }.map(\.1)
        advanced.kernelLevel = capabilities.contains(.kernelLevel)
        advanced.realtime = capabilities.contains(.realtime)
        advanced.systemWide = capabilities.contains(.systemWide)
    }
}

extension DaemonEyeMonitoringDomain {
    /// As the protocol's file names it.
    fileprivate var label: String {
        switch self {
        case .process: "PROCESS"
        case .network: "NETWORK"
        case .filesystem: "FILESYSTEM"
        case .performance: "PERFORMANCE"
        case .UNRECOGNIZED(let number): "domain \(number)"
        }
    }
}
