import Backends
import EventModel
import Glibc
import LinuxBackends
import Testing

import struct SystemPackage.Errno

@Suite(.timeLimit(.minutes(10)))
struct ReadableDescriptorTests {
    @Test func `what is queued already ends the wait`() async throws {
        try await onLinuxThread { thread in
            let pipe = try Pipe()
            let writing = pipe.writing
            let readable = try ReadableDescriptor(pipe.reading, on: thread)
            put([1, 2], writing.rawValue)
            #expect(await readable.readable(until: nil) == .readable)
            // Level-triggered: what was not read counts again.
            #expect(await readable.readable(until: nil) == .readable)
        }
    }

    @Test func `a deadline ends the wait, and not early`() async throws {
        try await onLinuxThread { thread in
            let pipe = try Pipe()
            let writing = pipe.writing
            let readable = try ReadableDescriptor(pipe.reading, on: thread)
            let deadline = thread.after(.milliseconds(3))
            #expect(await readable.readable(until: deadline) == .deadlinePassed)
            #expect(thread.now >= deadline)
            #expect(await readable.readable(until: Instant(nanoseconds: 0)) == .deadlinePassed)
            put([1], writing.rawValue)
            #expect(await readable.readable(until: thread.after(.seconds(30))) == .readable)
        }
    }

    @Test func `a closed peer ends the wait`() async throws {
        try await onLinuxThread { thread in
            let pipe = try Pipe()
            let writing = pipe.writing
            let readable = try ReadableDescriptor(pipe.reading, on: thread)
            _ = consume writing
            #expect(await readable.readable(until: nil) == .readable)
        }
    }

    @Test func `an interruption before the wait ends it at once`() async throws {
        try await onLinuxThread { thread in
            let pipe = try Pipe()
            let writing = pipe.writing
            let readable = try ReadableDescriptor(pipe.reading, on: thread)
            readable.interrupt()
            readable.interrupt()
            #expect(await readable.readable(until: nil) == .interrupted)
            #expect(await readable.readable(until: thread.after(.milliseconds(1))) == .deadlinePassed)
            _ = consume writing
        }
    }

    @Test func `an interruption from another thread ends the wait`() async throws {
        try await onLinuxThread { thread in
            let pipe = try Pipe()
            let writing = pipe.writing
            let readable = try ReadableDescriptor(pipe.reading, on: thread)
            let other = try LinuxThread(name: "other")
            defer { other.stop() }
            _ = other.clock.schedule(at: thread.after(.milliseconds(1))) { readable.interrupt() }
            #expect(await readable.readable(until: nil) == .interrupted)
            _ = consume writing
        }
    }

    @Test func `cancelling the task ends the wait`() async throws {
        try await onLinuxThread { thread in
            let pipe = try Pipe()
            let writing = pipe.writing
            let readable = try ReadableDescriptor(pipe.reading, on: thread)
            await withTaskGroup(of: Readiness.self) { group in
                group.addTask { await readable.readable(until: nil) }
                for _ in 0..<5 { await Task.yield() }
                group.cancelAll()
                #expect(await group.next() == .interrupted)
                // A task that is cancelled before it waits does not wait at all.
                group.addTask { await readable.readable(until: nil) }
                #expect(await group.next() == .interrupted)
            }
            #expect(await readable.readable(until: thread.after(.milliseconds(1))) == .deadlinePassed)
            _ = consume writing
        }
    }

    @Test func `a wait from a task elsewhere works as well`() async throws {
        let thread = try LinuxThread(name: "watcher")
        defer { thread.stop() }
        let pipe = try Pipe()
        let writing = pipe.writing
        let readable = try ReadableDescriptor(pipe.reading, on: thread)
        put([1], writing.rawValue)
        #expect(await readable.readable(until: nil) == .readable)
    }

    @Test func `no wake-up is lost between two threads`() async throws {
        let (left, right) = (try LinuxThread(name: "left"), try LinuxThread(name: "right"))
        defer {
            left.stop()
            right.stop()
        }
        let leftPipe = try Pipe()
        let rightPipe = try Pipe()
        let leftReadable = try ReadableDescriptor(leftPipe.reading, on: left)
        let rightReadable = try ReadableDescriptor(rightPipe.reading, on: right)
        let (leftEnd, rightEnd) = (leftPipe.writing.rawValue, rightPipe.writing.rawValue)
        let rounds = 5_000
        async let echoes: Void = right.run {
            for _ in 0..<rounds {
                #expect(await rightReadable.readable(until: nil) == .readable)
                put(take(rightReadable.descriptor.rawValue), leftEnd)
            }
        }
        try await left.run {
            for round in 0..<rounds {
                put([UInt8(round & 0xff)], rightEnd)
                #expect(await leftReadable.readable(until: nil) == .readable)
                #expect(take(leftReadable.descriptor.rawValue) == [UInt8(round & 0xff)])
            }
        }
        try await echoes
    }

    @Test func `interruptions, deadlines and data that race end each wait exactly once`() async throws {
        try await onLinuxThread { thread in
            let pipe = try Pipe()
            let writing = pipe.writing
            let readable = try ReadableDescriptor(pipe.reading, on: thread)
            let other = try LinuxThread(name: "other")
            defer { other.stop() }
            let end = writing.rawValue
            for round in 0..<2_000 {
                let now = thread.now
                _ = other.clock.schedule(at: now.advanced(by: .microseconds(round % 40))) {
                    if round % 2 == 0 { readable.interrupt() } else { put([1], end) }
                }
                _ = await readable.readable(until: now.advanced(by: .microseconds(round % 60)))
                _ = take(readable.descriptor.rawValue)
            }
            _ = consume writing
        }
    }

    @Test func `a file that cannot be polled is refused`() async throws {
        let thread = try LinuxThread(name: "unused")
        #expect(throws: Errno.notPermitted) {
            let file = OwnedDescriptor(adopting: unsafe open("/etc/passwd", O_RDONLY | O_CLOEXEC))
            _ = try ReadableDescriptor(file, on: thread)
        }
    }
}
