import Backends
import CollectorCore
import Dispatch
import EventModel
import LinuxBackends
import Synchronization
import Testing

/// Blocks a thread until it is told to go on, as a system call that hangs would.
private final class Jam: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func block() { semaphore.wait() }
    func release() { semaphore.signal() }
}

/// What a subscriber has seen, and a way to wait for it.
private final class Watcher: Sendable {
    private let state = Mutex((received: Received(), conditions: [Condition]()))

    private struct Condition: Sendable {
        var isMet: @Sendable (Received) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    var received: Received { state.withLock { $0.received } }

    func take(_ delivery: Delivery) {
        let met = state.withLock { state in
            state.received.take(delivery)
            let received = state.received
            let met = state.conditions.filter { $0.isMet(received) }
            state.conditions.removeAll { $0.isMet(received) }
            return met
        }
        for condition in met { condition.continuation.resume() }
    }

    /// Ends without the condition when the time limit of the suite cancels the test.
    func wait(until isMet: @escaping @Sendable (Received) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isAlready = state.withLock { state in
                    if isMet(state.received) || Task.isCancelled { return true }
                    state.conditions.append(Condition(isMet: isMet, continuation: continuation))
                    return false
                }
                if isAlready { continuation.resume() }
            }
        } onCancel: {
            let conditions = state.withLock { state in
                defer { state.conditions = [] }
                return state.conditions
            }
            for condition in conditions { condition.continuation.resume() }
        }
    }

    func wait(for state: SourceStatus.State, of source: SourceName, times: Int = 1) async {
        await wait { $0.states(of: source).count { $0 == state } >= times }
    }
}

/// A collector on threads of the operating system, with short time-outs.
private struct RealRun {
    let collector: Collector
    let watcher = Watcher()
    let runtime: LinuxThread
    let sink: LinuxThread

    init(_ change: (inout CollectorConfiguration) -> Void = { _ in }) throws {
        var configuration = CollectorConfiguration()
        configuration.startupTimeout = .seconds(30)
        configuration.shutdownTimeout = .seconds(30)
        configuration.healthCheckInterval = .seconds(1)
        configuration.telemetryInterval = .milliseconds(50)
        configuration.restartDelay = .milliseconds(10)
        configuration.maxRestarts = 3
        change(&configuration)
        runtime = try LinuxThread(name: "test-runtime")
        sink = try LinuxThread(name: "test-sink")
        collector = try Collector(
            configuration: configuration, run: sampleRun, thread: runtime, meter: LinuxResourceMeter())
    }

    /// Runs the collector while `body` watches, then stops it.
    func perform(_ body: @escaping @Sendable (Watcher) async throws -> Void) async throws -> CollectorReport {
        let subscription = try collector.subscribe(
            SubscriptionOptions(name: "sink", filter: .everything, queueLimit: 1_000, overflowPolicy: .block))
        async let taken: Void = sink.run { [watcher] in
            while let delivery = await subscription.next() { watcher.take(delivery) }
        }
        async let report = runtime.run { [collector] in try await collector.run() }
        try await body(watcher)
        collector.requestStop()
        let made = try await report
        try await taken
        runtime.stop()
        sink.stop()
        return made
    }
}

/// A source that does its work: numbered events until it is cancelled.
private func goodSource() -> ScriptedSource {
    ScriptedSource("good", restart: .always) { context in
        context.ready()
        var number = 0
        while !Task.isCancelled {
            number += 1
            await context.emitter.emit(makeEvent(number))
            try? await context.clock.sleep(until: context.clock.monotonic.advanced(by: .milliseconds(1)))
        }
    }
}

/// Sources that misbehave in every way, on the threads they run on in production. No test waits for a fixed time.
@Suite(.serialized, .timeLimit(.minutes(10))) struct MisbehaviourTests {
    @Test func `a source that throws is restarted, then failed, and another works on`() async throws {
        let run = try RealRun()
        let threads = try [LinuxThread(name: "test-a"), LinuxThread(name: "test-b")]
        defer { for thread in threads { thread.stop() } }
        try run.collector.register(ScriptedSource("bad") { _ in throw Breakdown() }, on: threads[0])
        try run.collector.register(goodSource(), on: threads[1])
        let report = try await run.perform { watcher in
            await watcher.wait(for: .failed, of: "bad")
            let count = watcher.received.sequences.count
            await watcher.wait { $0.sequences.count > count + 20 }
        }
        let received = run.watcher.received
        #expect(received.states(of: "bad").count { $0 == .restarting } == 3)
        #expect(report.failures.map(\.source) == ["bad"])
        #expect(received.states(of: "good") == [.starting, .ready, .stopped])
        #expect(received.misplaced.isEmpty && report.isWithinTimeout)
        #expect(report.accounts.streams.allSatisfy { $0.isBalanced && $0.inFlight == 0 })
    }

    @Test func `a source that returns early is restarted with a gap`() async throws {
        let run = try RealRun()
        let thread = try LinuxThread(name: "test-a")
        defer { thread.stop() }
        try run.collector.register(
            ScriptedSource("early", restart: .always) { context in
                context.ready()
                await context.emitter.emit(makeEvent())
                if context.attempt > 1 { await untilCancelled(context) }
            }, on: thread)
        let report = try await run.perform { watcher in
            await watcher.wait { $0.sequences.count == 2 }
        }
        #expect(run.watcher.received.gaps.map(\.cause) == [.notRunning])
        #expect(run.watcher.received.sequences == [1, 2])
        #expect(report.failures.isEmpty && report.isWithinTimeout)
    }

    @Test func `a source that never becomes ready is cancelled, restarted, then failed`() async throws {
        let run = try RealRun {
            $0.maxRestarts = 1; $0.startupTimeout = .milliseconds(500)
        }
        let threads = try [LinuxThread(name: "test-a"), LinuxThread(name: "test-b")]
        defer { for thread in threads { thread.stop() } }
        try run.collector.register(ScriptedSource("slow") { await untilCancelled($0) }, on: threads[0])
        try run.collector.register(goodSource(), on: threads[1])
        let report = try await run.perform { await $0.wait(for: .failed, of: "slow") }
        #expect(
            run.watcher.received.states(of: "slow") == [
                .starting, .stopping, .restarting, .starting, .stopping, .failed,
            ])
        #expect(report.failures.first?.reason.contains("not ready within") == true)
    }

    @Test
    func `a thread that hangs is noticed, given up, delays nobody, and its end makes way for a restart`()
        async throws
    {
        let run = try RealRun { $0.shutdownTimeout = .seconds(4) }
        let threads = try [LinuxThread(name: "test-a"), LinuxThread(name: "test-b")]
        defer { for thread in threads { thread.stop() } }
        let jam = Jam()
        try run.collector.register(
            ScriptedSource("stuck", restart: .always) { context in
                context.ready()
                if context.attempt == 1 { jam.block() }
                await untilCancelled(context)
            }, on: threads[0])
        try run.collector.register(goodSource(), on: threads[1])
        let report = try await run.perform { watcher in
            await watcher.wait(for: .abandoned, of: "stuck")
            let count = watcher.received.sequences.count
            await watcher.wait { $0.sequences.count > count + 20 }
            #expect(await run.collector.health() >= .failed(reason: ""))
            jam.release()
            await watcher.wait(for: .ready, of: "stuck", times: 2)
        }
        let received = run.watcher.received
        #expect(
            received.states(of: "stuck").starts(with: [.starting, .ready, .stopping, .abandoned, .restarting])
        )
        #expect(
            received.healthReports.contains { $0.health == .failed(reason: "its thread does not answer") })
        #expect(received.misplaced.isEmpty)
        #expect(report.abandoned.isEmpty && report.isWithinTimeout)
    }

    @Test func `a thread that ignores the stop is left behind within the time-out`() async throws {
        let run = try RealRun {
            $0.shutdownTimeout = .seconds(2); $0.healthCheckInterval = .seconds(60)
        }
        let threads = try [LinuxThread(name: "test-a"), LinuxThread(name: "test-b")]
        defer { for thread in threads { thread.stop() } }
        let jam = Jam()
        let hasEnded = Latch()
        try run.collector.register(
            ScriptedSource("deaf") { context in
                await context.emitter.emit(makeEvent())
                context.ready()
                jam.block()
                await context.emitter.emit(makeEvent())
                hasEnded.open()
            }, on: threads[0])
        try run.collector.register(goodSource(), on: threads[1])
        let report = try await run.perform { watcher in
            await watcher.wait(for: .ready, of: "deaf")
            await watcher.wait { $0.sequences.count > 20 }
        }
        #expect(report.abandoned == ["deaf"] && !report.isWithinTimeout)
        #expect(report.shutdownDuration < .seconds(30))
        #expect(run.watcher.received.states(of: "good") == [.starting, .ready, .stopped])
        #expect(report.accounts.streams.allSatisfy { $0.isBalanced && $0.inFlight == 0 })
        jam.release()
        _ = await hasEnded.wait(until: nil, on: threads[1].clock)
    }

    @Test func `a subscriber that stalls loses its own events only`() async throws {
        let run = try RealRun()
        let thread = try LinuxThread(name: "test-a")
        defer { thread.stop() }
        try run.collector.register(goodSource(), on: thread)
        let stalled = try run.collector.subscribe(
            SubscriptionOptions(
                name: "stalled", filter: .everything, queueLimit: 10, overflowPolicy: .dropOldest))
        let report = try await run.perform { watcher in
            await watcher.wait { $0.sequences.count > 300 }
            #expect(watcher.received.misplaced.isEmpty && watcher.received.gaps.isEmpty)
            stalled.abandon()
        }
        let account = try #require(report.accounts.streams.first { $0.subscriber == "stalled" })
        #expect(account.isBalanced && account.delivered == 0 && account.dropped["queue/oldest"] > 0)
        #expect(stalled.peakCount <= 100)
        #expect(report.isWithinTimeout)
    }

    @Test func `telemetry measures this process`() async throws {
        let run = try RealRun()
        let thread = try LinuxThread(name: "test-a")
        defer { thread.stop() }
        try run.collector.register(goodSource(), on: thread)
        _ = try await run.perform { watcher in
            await watcher.wait { $0.telemetry.count >= 2 && $0.sequences.count > 50 }
            await watcher.wait { $0.telemetry.last?.subscribers.first?.deliveredCount ?? 0 > 50 }
        }
        let last = try #require(run.watcher.received.telemetry.last)
        let resources = try #require(last.resources)
        #expect(resources.residentByteCount > 1 << 20 && resources.descriptorCount > 3)
        #expect(resources.threadCount >= 3 && resources.cpuTime > .zero)
        #expect(last.cpuPercent.map { $0 >= 0 } == true)
        let sink = try #require(last.subscribers.first { $0.subscriber == "sink" })
        #expect(sink.latency.count > 0 && sink.latency.median > 0 && sink.latency.median <= sink.latency.p99)
        #expect(sink.batchSize.count == sink.latency.count)
    }
}
