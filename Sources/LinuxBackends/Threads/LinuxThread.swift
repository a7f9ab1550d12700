package import Backends
import EventModel
import Synchronization

package import struct SystemPackage.Errno

/// A thread of its own that runs jobs, timers and waits for descriptors, and idles in `epoll_pwait2(2)`.
///
/// Tasks run here by executor preference. Its operating-system thread starts with its first use, not with `init`, so
/// that privileges, which belong to threads, can be reduced in between. It receives no signals. Whoever made it calls
/// ``stop()``; without that it lives for ever.
package final class LinuxThread: ExecutionThread {
    private enum Phase { case unused, running, asleep, ended }

    private struct State: ~Copyable {
        var phase = Phase.unused
        var isStopping = false
        /// The calling thread that served as this one goes back to its own work.
        var isReleased = false
        var jobs: [UnownedJob] = []
        var timers = TimerHeap<@Sendable () -> Void>()
        var watches = WatchTable()

        /// Notes that there is something to do, and tells what makes the thread see it.
        mutating func stir() -> Stimulus {
            switch phase {
            case .unused:
                phase = .running
                return .start
            case .running:
                return .nothing
            case .asleep:
                phase = .running
                return .wakeUp
            case .ended:
                preconditionFailure("a stopped thread gets no work")
            }
        }
    }

    private enum Stimulus { case nothing, start, wakeUp }

    /// What the loop does next.
    private enum Step { case run, wait(until: Instant?), end }

    /// After so many rounds of jobs without a pause, the loop looks at descriptors.
    private static let roundsBetweenPolls = 16

    /// Shown by `ps -L` as `comm`.
    package let name: String
    private let poller: Poller
    private let state = Mutex(State())

    /// Opens the descriptors that the thread waits with.
    ///
    /// - Parameter name: At most 15 bytes.
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`.
    package init(name: String) throws(Errno) {
        precondition(name.utf8.count <= Limits.commByteCount, "the kernel keeps 15 bytes of a name")
        self.name = name
        poller = try Poller()
    }

    package var clock: any SystemClock { LinuxClock(thread: self) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        perform(
            state.withLock { state in
                state.jobs.append(job)
                return state.stir()
            })
    }

    package func stop() {
        let stimulus: Stimulus = state.withLock { state in
            state.isStopping = true
            switch state.phase {
            case .unused:
                state.phase = .ended
                return .nothing
            case .ended:
                return .nothing
            case .running, .asleep:
                return state.stir()
            }
        }
        perform(stimulus)
    }

    private func perform(_ stimulus: Stimulus) {
        switch stimulus {
        case .nothing:
            return
        case .wakeUp:
            poller.wakeUp()
        case .start:
            do {
                try Syscall.startThread { [self] in loop() }
            } catch {
                // The seam cannot report it, and a source without its thread would be silent.
                preconditionFailure("the system refuses a thread: \(error)")
            }
        }
    }
}

// MARK: - Tasks

extension LinuxThread {
    /// Runs `body` as a child task on this thread, from its first instruction on, and waits for it.
    ///
    /// `withTaskExecutorPreference` moves a body that is not isolated only after its first suspension.
    package func run<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result.self) { group in
            group.addTask(executorPreference: self) { try await body() }
            guard let result = try await group.next() else {
                preconditionFailure("a child task has one result")
            }
            return result
        }
    }
}

// MARK: - The first thread

extension LinuxThread {
    /// Makes the calling thread serve as this one until `body`, which runs on it, has returned.
    ///
    /// For the process's first thread, so that no other exists before privileges are given up. To be called at most
    /// once, before the thread has been used. What is enqueued after `body` has returned never runs: the process is
    /// about to end.
    package func serveOnCallingThread(_ body: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            precondition(state.phase == .unused, "a thread cannot serve as one that runs already")
            state.phase = .running
        }
        Task(executorPreference: self) { [self] in
            await body()
            perform(
                state.withLock { state in
                    state.isReleased = true
                    return state.stir()
                })
        }
        loop()
    }
}

// MARK: - Timers

extension LinuxThread {
    func schedule(at deadline: Instant, _ action: @escaping @Sendable () -> Void) -> TimerToken {
        let (token, stimulus) = state.withLock { state in
            let former = state.timers.earliestDeadline
            let token = state.timers.schedule(at: deadline, action)
            if let former, former <= deadline, state.phase == .asleep { return (token, Stimulus.nothing) }
            return (token, state.stir())
        }
        perform(stimulus)
        return token
    }

    func cancel(_ timer: TimerToken) {
        // The action dies outside the lock: what it holds may call back.
        _ = state.withLock { $0.timers.cancel(timer) }
    }
}

// MARK: - Descriptors

extension LinuxThread {
    /// Makes a descriptor known to the thread until ``unwatch(_:descriptor:)``.
    func watch(_ descriptor: Int32) throws(Errno) -> UInt64 {
        let watch = state.withLock { $0.watches.add() }
        do {
            try poller.add(descriptor, data: watch)
        } catch {
            _ = state.withLock { $0.watches.remove(watch) }
            throw error
        }
        return watch
    }

    func unwatch(_ watch: UInt64, descriptor: Int32) {
        poller.remove(descriptor)
        _ = state.withLock { $0.watches.remove(watch) }
    }

    /// Calls `waiter` once, on this thread, when the descriptor is ready for one of `events` or broken: now or later.
    func arm(
        _ watch: UInt64, descriptor: Int32, for events: PollEvents, _ waiter: @escaping @Sendable () -> Void
    ) {
        let stimulus: Stimulus = state.withLock { state in
            state.watches.setWaiter(waiter, for: watch)
            // A thread that sleeps sees the change through epoll itself.
            return state.phase == .asleep ? .nothing : state.stir()
        }
        perform(stimulus)
        poller.arm(descriptor, for: events, data: watch)
    }

    /// Forgets the waiter; a report that is under way is ignored.
    func disarm(_ watch: UInt64) {
        _ = state.withLock { $0.watches.takeWaiter(for: watch) }
    }
}

// MARK: - The loop

extension LinuxThread {
    private func loop() {
        Syscall.setThreadName(name)
        var batch: [UnownedJob] = []
        var reports: [UInt64] = []
        var rounds = 0
        while true {
            fireTimers()
            switch nextStep(&batch) {
            case .run:
                for job in batch { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
                batch.removeAll(keepingCapacity: true)
                rounds += 1
                if rounds % Self.roundsBetweenPolls == 0 { deliver(timeout: 0, &reports) }
            case .wait(let deadline):
                let timeout = deadline.map {
                    $0.nanoseconds.subtractingClamped(Syscall.monotonic.nanoseconds)
                }
                deliver(timeout: timeout, &reports)
            case .end:
                return
            }
        }
    }

    private func nextStep(_ batch: inout [UnownedJob]) -> Step {
        state.withLock { state in
            if state.isReleased { return .end }
            if !state.jobs.isEmpty {
                swap(&state.jobs, &batch)
                return .run
            }
            if state.isStopping {
                state.phase = .ended
                return .end
            }
            state.phase = .asleep
            return .wait(until: state.timers.earliestDeadline)
        }
    }

    private func fireTimers() {
        let (earliest, limit) = state.withLock { ($0.timers.earliestDeadline, $0.timers.scheduledCount) }
        guard let earliest else { return }
        let now = Syscall.monotonic
        if now < earliest { return }
        while let action = state.withLock({ $0.timers.takeFirst(dueAt: now, scheduledBefore: limit) }) {
            action()
        }
    }

    private func deliver(timeout: Int64?, _ reports: inout [UInt64]) {
        poller.wait(timeout: timeout, into: &reports)
        let waiters = state.withLock { state in
            state.phase = .running
            return reports.compactMap { state.watches.takeWaiter(for: $0) }
        }
        for waiter in waiters { waiter() }
    }
}
