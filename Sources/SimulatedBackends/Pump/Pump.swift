package import Backends
package import EventModel

/// The executor of a simulation: one thread, a seeded choice among the ready jobs, and virtual time.
///
/// Virtual time is the host's `CLOCK_MONOTONIC`. It goes on by what backend calls cost and, when no job is ready, to the
/// next timer or world event; so a day of waiting takes no time at all. A job enqueued from another thread traps: it would
/// be an influence from outside that no seed can reproduce.
package final class Pump: ExecutionThread {
    private let confined: ThreadConfined<PumpState>

    /// A pump on the calling thread.
    package init(_ configuration: WorldConfiguration) {
        confined = ThreadConfined(PumpState(configuration))
    }

    var state: PumpState { confined.value }

    package func enqueue(_ job: consuming ExecutorJob) { state.enqueue(ReadyJob(job)) }

    package var clock: any SystemClock { SimulatedClock(pump: self) }

    /// Does nothing: the pump ends with its simulation. Threads made by ``SimulatedThreads`` can be stopped.
    package func stop() {}

    /// Virtual time: `CLOCK_MONOTONIC`.
    package var now: Instant { state.now }

    /// Folds a word into the trace hash, such as a digest of bytes that were emitted.
    package func fold(_ word: UInt64) { state.trace.record(.output, at: state.now, word) }

    /// Folds bytes into the trace hash.
    package func fold(_ bytes: [UInt8]) {
        var digest = Digest()
        digest.fold(bytes.span)
        fold(digest.value)
    }

    package var trace: Trace { state.trace }

    /// Lets virtual time pass: world events that become due happen meanwhile, timers do not fire before the present
    /// job suspends.
    func spend(_ duration: Duration) { state.spend(duration.wholeNanoseconds) }

    func scheduleWorldEvent(at time: Instant, _ action: @escaping () -> Void) {
        state.scheduleWorldEvent(at: time, action)
    }

    func park(_ what: String) -> Int { state.park(what) }
    func unpark(_ token: Int) { state.unpark(token) }
}

/// What the pump holds; only its thread comes here.
final class PumpState {
    let configuration: WorldConfiguration
    var now: Instant
    var trace: Trace
    var ready: ReadyQueue
    var timers = TimerHeap<TimerToken>()
    private var actions = TimerActions()
    private var worldEvents = TimerHeap<() -> Void>()
    private var script: WorldScript?
    /// When the next world event is due, the end of time if none is.
    private var nextWorldEvent = Instant(nanoseconds: .max)
    var wall: WallClockState
    var jobCount = 0
    var callCountOfJob = 0
    private var jobCountAtInstant = 0
    private var instant = Instant(nanoseconds: .min)
    private let timerLateness: ClosedRange<Int64>
    private var timerGenerator: SeededGenerator
    private var parked: [(token: Int, what: String)] = []
    private var nextParkToken = 0

    init(_ configuration: WorldConfiguration) {
        self.configuration = configuration
        now = configuration.start
        trace = Trace(capturing: configuration.captureRange)
        ready = ReadyQueue(policy: configuration.policy, seed: configuration.seed)
        wall = WallClockState(configuration)
        timerLateness = configuration.timerLateness.wholeNanoseconds
        timerGenerator = SeededGenerator(seed: configuration.seed, stream: .timer)
    }

    func enqueue(_ job: ReadyJob) { ready.enqueue(job) }

    // MARK: Timers

    func schedule(at deadline: Instant, _ action: @escaping @Sendable () -> Void) -> TimerToken {
        let lateness = timerGenerator.draw(timerLateness)
        let token = actions.insert(action)
        timers.insert(token, at: Instant(nanoseconds: deadline.nanoseconds.addingClamped(lateness)))
        return token
    }

    func cancel(_ token: TimerToken) {
        _ = actions.remove(token)
        // Cancelled timers stay in the heap until their time; many of them would be a leak.
        if timers.count > 64, timers.count > 2 * actions.count {
            timers.removeAll { !actions.contains($0) }
        }
    }

    private func fireDueTimers() {
        while let deadline = timers.nextDeadline, deadline <= now, let entry = timers.popEarliest() {
            if let action = actions.remove(entry.payload) { action() }
        }
    }

    private func dropCancelledTimers() {
        while let entry = timers.earliest, !actions.contains(entry.payload) { _ = timers.popEarliest() }
    }

    // MARK: World events

    func scheduleWorldEvent(at time: Instant, _ action: @escaping () -> Void) {
        worldEvents.insert(action, at: time)
        nextWorldEvent = min(nextWorldEvent, time)
    }

    /// Lets a script happen: its steps come before other world events of the same time.
    ///
    /// There is one script at a time.
    func play(_ script: WorldScript) {
        precondition(self.script == nil, "one script at a time")
        guard script.nextTime != nil else { return }
        self.script = script
        noteNextWorldEvent()
    }

    private func noteNextWorldEvent() {
        nextWorldEvent = Instant(nanoseconds: .max)
        if let time = script?.nextTime { nextWorldEvent = time }
        if let time = worldEvents.nextDeadline { nextWorldEvent = min(nextWorldEvent, time) }
    }

    private var hasWorldEvents: Bool { !worldEvents.isEmpty || script != nil }

    private func runWorldEvents(through end: Instant) {
        while nextWorldEvent <= end, hasWorldEvents {
            now = max(now, nextWorldEvent)
            if let time = script?.nextTime, time <= nextWorldEvent {
                let step = script?.takeStep()
                if script?.nextTime == nil { script = nil }
                noteNextWorldEvent()
                if let step { step.perform(step.index) }
            } else if let event = worldEvents.popEarliest() {
                noteNextWorldEvent()
                event.payload()
            }
        }
    }

    // MARK: Time

    func spend(_ nanoseconds: Int64) {
        let end = Instant(nanoseconds: now.nanoseconds.addingClamped(nanoseconds))
        if nextWorldEvent <= end { runWorldEvents(through: end) }
        now = max(now, end)
    }

    /// Goes to the next timer or world event; the world comes first when both are due.
    ///
    /// - Returns: `false` when there is neither, or only beyond the end of the simulation.
    private func advance() -> IdleResult {
        dropCancelledTimers()
        let next: Instant
        switch (timers.nextDeadline, hasWorldEvents) {
        case (nil, false): return .nothingToDo
        case (let timer?, false): next = timer
        case (nil, true): next = nextWorldEvent
        case (let timer?, true): next = min(timer, nextWorldEvent)
        }
        guard next <= configuration.limits.end else { return .pastEnd }
        if next > now {
            trace.record(.jump, at: now, UInt64(bitPattern: next.nanoseconds &- now.nanoseconds))
            now = next
        }
        runWorldEvents(through: now)
        return .advanced
    }

    private enum IdleResult { case advanced, nothingToDo, pastEnd }

    // MARK: Running

    /// Runs until `isDone`, then what is ready without letting time pass.
    func run(until isDone: () -> Bool) -> SimulationReport.Ending {
        while !isDone() {
            fireDueTimers()
            if ready.isEmpty {
                switch advance() {
                case .advanced: continue
                case .nothingToDo:
                    return .deadlock(description: stuckDescription("nothing is runnable, no timer is set"))
                case .pastEnd: return .timeLimit
                }
            }
            if let ending = runOneJob() { return ending }
        }
        while !ready.isEmpty {
            if let ending = runOneJob() { return ending }
        }
        return .completed
    }

    private func runOneJob() -> SimulationReport.Ending? {
        if now != instant {
            instant = now
            jobCountAtInstant = 0
        }
        guard jobCountAtInstant < configuration.limits.jobCountPerInstant else {
            return .livelock(
                description: stuckDescription("\(jobCountAtInstant) jobs ran without virtual time going on"))
        }
        guard jobCount < configuration.limits.jobCount else { return .jobLimit }
        guard now <= configuration.limits.end else { return .timeLimit }
        let readyCount = ready.count
        guard let (job, index) = ready.pick() else { return nil }
        jobCount += 1
        jobCountAtInstant += 1
        callCountOfJob = 0
        trace.record(.pick, at: now, UInt64(readyCount), UInt64(index))
        job.run()
        ready.endChain()
        return nil
    }

    // MARK: Who waits

    func park(_ what: String) -> Int {
        nextParkToken += 1
        parked.append((nextParkToken, what))
        return nextParkToken
    }

    func unpark(_ token: Int) {
        if let index = parked.firstIndex(where: { $0.token == token }) { parked.remove(at: index) }
    }

    private func stuckDescription(_ what: String) -> String {
        let waiting =
            parked.isEmpty
            ? "nobody waits for a backend" : "waiting: \(parked.map(\.what).joined(separator: ", "))"
        return "\(what) at \(now.nanoseconds) ns after \(jobCount) jobs; \(waiting)"
    }
}

extension ClosedRange<Duration> {
    /// The bounds in nanoseconds, never negative.
    var wholeNanoseconds: ClosedRange<Int64> {
        let low = Swift.max(0, lowerBound.wholeNanoseconds)
        return low...Swift.max(low, upperBound.wholeNanoseconds)
    }
}
