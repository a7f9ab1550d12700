import Backends
import CollectorCore
import ControlPlane
import EventModel
import Glibc
import LinuxBackends
import Wire
import WireMessages

/// The control socket: events to one subscriber, the time that a question takes, what clients cost.
///
/// Server and client run in this process, each on a thread of its own, over a real socket.
struct IPCBenchmark {
    private static let idleClientCount = 200
    private static let hostileClientCount = 16
    private let setup: Setup
    private let eventCount: Int
    private let repetitions: Int
    private let questionCount: Int

    init(_ setup: Setup) {
        self.setup = setup
        eventCount = setup.repetitions(short: 60_000, full: 200_000)
        repetitions = setup.repetitions(short: 3, full: 7)
        questionCount = setup.repetitions(short: 500, full: 2_000)
    }

    func measure() async throws -> [Row] {
        [try await streamRow()] + (try await questionRows()) + (try await memoryRows())
    }

    /// A collector with its server, and the threads of both.
    private final class Host: Sendable {
        let threads: [LinuxThread]
        let collector: Collector
        let server: ControlServer
        let path: String

        init(_ setup: Setup, source: (any EventSource)?, historyByteCount: Int) throws {
            threads = try ["bench-runtime", "bench-source", "bench-control", "bench-client"].map {
                try LinuxThread(name: $0)
            }
            path = "\(setup.scratchFolder)/ipc.sock"
            collector = try Collector(
                configuration: CollectorConfiguration(),
                run: RunContext(bootID: BootID(high: 1, low: 1), runID: RunID(1)), thread: threads[0])
            if let source { try collector.register(source, on: threads[1]) }
            var limits = ControlServer.Limits()
            limits.historyByteCount = historyByteCount
            limits.connectionCount = 1_024
            server = ControlServer(
                listener: try LinuxTransportListener(path: path, mode: 0o600, on: threads[2]), path: path,
                collector: collector, settings: FixedSettings(WireSettings()), limits: limits,
                thread: threads[2]
            ) { _ in .control }
            try server.subscribe()
        }

        var client: LinuxThread { threads[3] }

        func connect() async throws -> ControlClient {
            let connector = try LinuxTransportConnector(path: path, on: client)
            return try await ControlClient.connect(
                connector, name: "bench", on: client, until: client.clock.monotonic.advanced(by: .seconds(10))
            )
        }

        func end() async {
            collector.requestStop()
            server.stop("done")
            _ = await server.waitUntilStopped(until: client.clock.monotonic.advanced(by: .seconds(10)))
            for thread in threads { thread.stop() }
        }
    }

    // MARK: - Events

    private func streamRow() async throws -> Row {
        var wall = Samples()
        var cpu = Samples()
        for _ in 0...repetitions {
            let (seconds, cost) = try await passEvents()
            wall.add(seconds)
            cpu.add(cost)
        }
        let rate = Quantity(Double(eventCount) / wall.quietest, .count)
        return Row(
            .ipc, "events/s from a source to one subscriber of the socket", rate,
            bar: Row.Bar(judged: rate, floor: .atLeast(200_000), target: .atLeast(400_000), kind: .time),
            remark:
                "CPU \(Quantity(cpu.quietest, .nanoseconds).text) per event over all threads of both sides, "
                + "making the event included; \(repetitions + 1) runs of \(eventCount) events")
    }

    /// - Returns: Seconds until the client has everything, and CPU nanoseconds per event.
    private func passEvents() async throws -> (seconds: Double, cost: Double) {
        // All events fit the history: what is measured is the way, not the loss.
        let host = try Host(setup, source: BurstSource(eventCount: eventCount), historyByteCount: 1 << 30)
        let serving = Task(executorPreference: host.threads[2]) { await host.server.run() }
        let client = try await host.connect()
        var subscribe = WireSubscribe()
        subscribe.credit = 1_048_576
        subscribe.eventLimit = UInt64(eventCount)
        let request = try client.begin(.subscribe(subscribe))
        guard case .message? = try await client.next(request, until: nil) else {
            throw BenchmarkError("no answer to a subscription")
        }
        let begin = (monotonicNanoseconds(), processCPUNanoseconds())
        let running = Task(executorPreference: host.threads[0]) { try? await host.collector.run() }
        let received = try await host.client.run { try await Self.count(client, request) }
        let end = (monotonicNanoseconds(), processCPUNanoseconds())
        await host.end()
        _ = await running.value
        await serving.value
        guard received == eventCount else {
            throw BenchmarkError("\(received) events of \(eventCount) arrived")
        }
        return (Double(end.0 - begin.0) / 1e9, Double(end.1 - begin.1) / Double(eventCount))
    }

    private static func count(_ client: ControlClient, _ request: UInt64) async throws -> Int {
        var count = 0
        while let part = try await client.next(request, until: nil) {
            if case .events(let batch, _) = part { count += batch.events.count }
        }
        return count
    }

    // MARK: - Questions

    private func questionRows() async throws -> [Row] {
        let host = try Host(setup, source: nil, historyByteCount: 1 << 20)
        let serving = Task(executorPreference: host.threads[2]) { await host.server.run() }
        let running = Task(executorPreference: host.threads[0]) { try? await host.collector.run() }
        let client = try await host.connect()
        let count = questionCount
        var tail = Samples()
        var middle = Samples()
        for _ in 0...repetitions {
            let times = try await host.client.run { try await Self.ask(client, count, host.client) }.sorted()
            tail.add(Double(times[count * 99 / 100]) / 1e6)
            middle.add(Double(times[count / 2]) / 1e6)
        }
        await host.end()
        _ = await running.value
        await serving.value
        let p99 = Quantity(tail.quietest, .milliseconds)
        let p50 = Quantity(middle.median, .milliseconds)
        return [
            Row(
                .ipc, "round trip of a status request at 1 000/s, 99th percentile", p99,
                bar: Row.Bar(judged: p99, floor: .atMost(1), target: .atMost(0.25), kind: .report),
                remark:
                    "99th percentile of the quietest of \(repetitions + 1) turns of \(questionCount) requests"
            ),
            Row(
                .ipc, "round trip of a status request at 1 000/s, median", p50,
                bar: Row.Bar(judged: p50, floor: .atMost(1), target: .atMost(0.25), kind: .time)),
        ]
    }

    /// - Returns: Nanoseconds of each round trip; a question a millisecond.
    private static func ask(_ client: ControlClient, _ count: Int, _ thread: LinuxThread) async throws
        -> [Int64]
    {
        var times: [Int64] = []
        var next = thread.clock.monotonic
        for _ in 0..<count {
            next = next.advanced(by: .milliseconds(1))
            try await thread.clock.sleep(until: next)
            let begin = monotonicNanoseconds()
            _ = try await client.ask(
                .status(WireStatusRequest()), until: thread.clock.monotonic.advanced(by: .seconds(5)))
            times.append(monotonicNanoseconds() - begin)
        }
        return times
    }

    // MARK: - Memory

    private func memoryRows() async throws -> [Row] {
        let host = try Host(setup, source: nil, historyByteCount: 4 << 20)
        let serving = Task(executorPreference: host.threads[2]) { await host.server.run() }
        let running = Task(executorPreference: host.threads[0]) { try? await host.collector.run() }
        // What a first client makes the process allocate once is not the price of one more.
        let first = try await host.connect()
        Self.fill(host.server.feed)
        let before = try residentByteCount()
        var clients: [any TransportConnection] = []
        for _ in 0..<Self.idleClientCount { clients.append(try await greet(host)) }
        let each = Double(try residentByteCount() - before) / Double(Self.idleClientCount) / 1_048_576
        for client in clients { client.close() }
        let hostile = try await hostileGrowth(host)
        first.close()
        await host.end()
        _ = await running.value
        await serving.value
        let perClient = Quantity(each, .mebibytes)
        let growth = Quantity(hostile / Double(Self.hostileClientCount), .mebibytes)
        return [
            Row(
                .ipc, "resident memory of an idle client, both ends", perClient,
                bar: Row.Bar(
                    judged: perClient, floor: .atMost(0.0625), target: .atMost(0.03), kind: .exact)),
            Row(
                .ipc, "resident memory that a hostile client adds", growth,
                bar: Row.Bar(judged: growth, floor: .atMost(2), target: .atMost(0.25), kind: .exact),
                remark:
                    "\(Self.hostileClientCount) of them added \(Quantity(hostile, .mebibytes).text); each has begun a frame of 64 KiB and reads nothing of a subscription to everything"
            ),
        ]
    }

    /// Says hello and waits for the answer to begin.
    private func greet(_ host: Host) async throws -> any TransportConnection {
        let connection = try LinuxTransportConnector(path: host.path, on: host.client).connect()
        var session = ClientSession()
        var bytes: [UInt8] = []
        session.hello(client: "bench").appendFrame(to: &bytes)
        _ = try connection.send(bytes, from: 0)
        _ = await connection.ready(
            for: .receiving, until: host.client.clock.monotonic.advanced(by: .seconds(5)))
        var answer: [UInt8] = []
        _ = try connection.receive(count: 4_096, into: &answer)
        return connection
    }

    private func hostileGrowth(_ host: Host) async throws -> Double {
        let before = try residentByteCount()
        var clients: [any TransportConnection] = []
        for _ in 0..<Self.hostileClientCount {
            let connection = try await greet(host)
            var session = ClientSession()
            _ = session.hello(client: "bench")
            var subscribe = WireSubscribe()
            subscribe.credit = 1_048_576
            var bytes: [UInt8] = []
            session.begin(.subscribe(subscribe)).appendFrame(to: &bytes)
            // A frame that claims the most that is allowed, and is never completed.
            bytes += [0, 0, 1, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 60_000)
            _ = try connection.send(bytes, from: 0)
            clients.append(connection)
        }
        for _ in 0..<20 {
            Self.fill(host.server.feed)
            pause(milliseconds: 20)
        }
        let growth = Double(try residentByteCount() - before) / 1_048_576
        for client in clients { client.close() }
        return growth
    }

    /// More than the history holds.
    private static func fill(_ feed: EventFeed) {
        let template = EventTemplate()
        var sequence: UInt64 = 0
        for _ in 0..<100 {
            var events: ContiguousArray<Event> = []
            for number in 0..<100 {
                var event = template.mixed(number)
                sequence += 1
                event.sequence = sequence
                events.append(event)
            }
            let batch = EventBatch(
                run: RunContext(bootID: BootID(high: 1, low: 1), runID: RunID(1)), source: .process,
                events: events)
            feed.append(.events(SelectedEvents(batch: batch, indices: nil)))
        }
    }

    private func residentByteCount() throws -> Int {
        let words = String(decoding: try FileBytes.read("/proc/self/statm"), as: UTF8.self).split(
            separator: " ")
        guard words.count > 1, let pages = Int(words[1]) else { throw BenchmarkError("cannot read statm") }
        return pages * 4_096
    }
}
