import Backends
import EventModel
import Foundation
import Glibc
import LinuxBackends
import Synchronization
import Testing

/// An actor without an executor of its own.
private actor Counter {
    var threads: [UInt] = []
    func note() { threads.append(currentThread()) }
    func relay(to other: Counter) async {
        note()
        await other.note()
        note()
    }
}

private final class Log<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    func append(_ element: Element) { elements.withLock { $0.append(element) } }
    var all: [Element] { elements.withLock { $0 } }
}

@Suite(.timeLimit(.minutes(10)))
struct LinuxThreadTests {
    @Test func `a task and all that it awaits run on the thread`() async throws {
        let threads = try await onLinuxThread { _ in
            var threads = [currentThread()]
            await Task.yield()
            threads.append(currentThread())
            async let child = currentThread()
            threads.append(await child)
            await withTaskGroup(of: UInt.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        await Task.yield(); return currentThread()
                    }
                }
                for await thread in group { threads.append(thread) }
            }
            let (first, second) = (Counter(), Counter())
            await first.relay(to: second)
            threads += await first.threads
            threads += await second.threads
            threads.append(currentThread())
            return threads
        }
        #expect(threads.count == 27)
        #expect(Set(threads).count == 1)
        #expect(threads[0] != currentThread())
    }

    @Test func `a nested preference moves the body there and back`() async throws {
        try await onLinuxThread(named: "outer") { _ in
            let outer = currentThread()
            let inner = try await onLinuxThread(named: "inner") { _ in
                await Task.yield()
                return currentThread()
            }
            #expect(inner != outer)
            #expect(currentThread() == outer)
        }
    }

    @Test func `a stream fed by another thread wakes its reader on the right one`() async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
        let producer = try LinuxThread(name: "producer")
        defer { producer.stop() }
        try await onLinuxThread { _ in
            let home = currentThread()
            async let feeding: Void = producer.run {
                for number in 0..<1_000 {
                    continuation.yield(number)
                    await Task.yield()
                }
                continuation.finish()
            }
            var expected = 0
            for await number in stream {
                #expect(number == expected)
                #expect(currentThread() == home)
                expected += 1
            }
            try await feeding
            #expect(expected == 1_000)
        }
    }

    /// The names of all threads of this process; other tests start and end threads meanwhile.
    private func threadNames() throws -> [String] {
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
        return tasks.compactMap { task in
            try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)
                .trimmingCharacters(in: .newlines)
        }
    }

    @Test func `the thread carries its name and starts with its first use`() async throws {
        let thread = try LinuxThread(name: "lazy-thread")
        #expect(try !threadNames().contains("lazy-thread"))
        let name = try await thread.run { threadName() }
        thread.stop()
        #expect(name == "lazy-thread")
    }

    @Test func `timers fire in order, never early, on the thread`() async throws {
        try await onLinuxThread { thread in
            let home = currentThread()
            let start = thread.now
            let log = Log<(number: Int, isLate: Bool, isHome: Bool)>()
            let delays = [3_000, 1_000, 2_000, 1_000, 0, 500, 3_000]
            await withCheckedContinuation { done in
                for (number, delay) in delays.enumerated() {
                    let deadline = start.advanced(by: .microseconds(delay))
                    _ = thread.clock.schedule(at: deadline) {
                        log.append((number, thread.now >= deadline, currentThread() == home))
                        if log.all.count == delays.count { done.resume() }
                    }
                }
            }
            #expect(log.all.map(\.number) == [4, 5, 1, 3, 2, 0, 6])
            #expect(log.all.allSatisfy { $0.isLate && $0.isHome })
        }
    }

    @Test func `a cancelled timer never fires`() async throws {
        try await onLinuxThread { thread in
            let log = Log<String>()
            let clock = thread.clock
            let doomed = clock.schedule(at: thread.after(.milliseconds(1))) { log.append("doomed") }
            clock.cancel(doomed)
            await withCheckedContinuation { done in
                _ = clock.schedule(at: thread.after(.milliseconds(2))) { done.resume() }
            }
            #expect(log.all.isEmpty)
            clock.cancel(doomed)
        }
    }

    @Test func `an earlier timer set from outside ends a longer sleep`() async throws {
        let thread = try LinuxThread(name: "sleeper")
        defer { thread.stop() }
        let clock = thread.clock
        let far = clock.schedule(at: thread.after(.seconds(3_600))) {}
        let start = thread.now
        await withCheckedContinuation { done in
            _ = clock.schedule(at: start.advanced(by: .milliseconds(2))) { done.resume() }
        }
        #expect(start.duration(to: thread.now) < .seconds(1_800))
        clock.cancel(far)
    }

    @Test func `a timer that renews itself at once does not stop the jobs`() async throws {
        try await onLinuxThread { thread in
            let isDone = Mutex(false)
            let clock = thread.clock
            @Sendable func renew() {
                if !isDone.withLock({ $0 }) { _ = clock.schedule(at: Instant(nanoseconds: 0)) { renew() } }
            }
            renew()
            for _ in 0..<100 { await Task.yield() }
            isDone.withLock { $0 = true }
        }
    }

    @Test func `a task that never pauses does not stop timers and descriptors`() async throws {
        try await onLinuxThread { thread in
            let pipe = try Pipe()
            let readable = try ReadableDescriptor(pipe.reading, on: thread)
            put([1], pipe.writing.rawValue)
            let clock = thread.clock
            let isDone = Mutex(false)
            _ = clock.schedule(at: thread.after(.milliseconds(1))) { isDone.withLock { $0 = true } }
            async let readiness = readable.readable(until: nil)
            while !isDone.withLock({ $0 }), !Task.isCancelled { await Task.yield() }
            #expect(await readiness == .readable)
        }
    }

    @Test func `jobs from many threads all run`() async throws {
        let thread = try LinuxThread(name: "target")
        let counter = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<500 {
                        try await thread.run { await counter.note() }
                    }
                }
            }
            try await group.waitForAll()
        }
        thread.stop()
        #expect(await counter.threads.count == 4_000)
    }

    @Test func `a stopped thread runs what is queued and then ends`() async throws {
        for _ in 0..<50 {
            let thread = try LinuxThread(name: "brief")
            try await thread.run {
                thread.stop()
                await Task.yield()
            }
            thread.stop()
        }
        let deadline = ContinuousClock.now + .seconds(120)
        while try threadNames().contains("brief"), ContinuousClock.now < deadline { await Task.yield() }
        #expect(try !threadNames().contains("brief"))
    }

    @Test func `work for a stopped thread traps`() async {
        await #expect(processExitsWith: .failure) {
            let thread = try LinuxThread(name: "stopped")
            thread.stop()
            _ = thread.clock.schedule(at: Instant(nanoseconds: 0)) {}
        }
    }

    @Test func `the clocks agree with their kinds`() throws {
        let clock = try LinuxThread(name: "unused").clock
        let first = clock.monotonic
        #expect(clock.monotonic >= first)
        #expect(clock.bootTime.nanoseconds >= first.nanoseconds)
        // 2020-01-01.
        #expect(clock.wall.nanoseconds > 1_577_836_800_000_000_000)
    }
}

private func threadName() -> String {
    let file = OwnedDescriptor(adopting: unsafe open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC))
    return String(decoding: take(file.rawValue).dropLast(), as: UTF8.self)
}
