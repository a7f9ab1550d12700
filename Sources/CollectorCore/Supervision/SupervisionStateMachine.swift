package import EventModel

/// Decides what becomes of one source: when it runs, is cancelled, runs again, is given up.
///
/// Pure state. Each method takes what happened and `now`, and returns what is to be done, in order. There are never two
/// runs at a time, because both would use the same endpoints: a run that ignores its cancellation is *abandoned* (its
/// thread is left alone and subscribers are told), and only its end makes way for the next one.
package struct SupervisionStateMachine: Sendable {
    /// Where a source is in its life.
    package enum Phase: Hashable, Sendable {
        case idle
        /// Runs, and has not said that it is ready.
        case starting
        case ready
        /// Cancelled, not ended yet.
        case stopping(Cause)
        /// Cancelled, and did not end in time.
        case abandoned(reason: String)
        /// Waits for its next run.
        case waiting(reason: String)
        case ended(Ending)
    }

    /// Why a run was cancelled.
    package enum Cause: Hashable, Sendable {
        /// The source shall end for good; `failure`: it was being cancelled for this reason already.
        case request(failure: String?)
        case failure(reason: String)
    }

    /// How a source's life ended.
    package enum Ending: Hashable, Sendable {
        case stopped
        case failed(reason: String)
        /// Its run goes on, and nobody listens to it any more.
        case abandoned(reason: String)
    }

    /// How one run ended.
    package enum RunEnd: Hashable, Sendable {
        case returned
        case cancelled
        case threw(reason: String, mayPass: Bool)
    }

    package enum Action: Hashable, Sendable {
        /// Run the source; `interruption` says what lies between the former run and this one.
        case launch(attempt: Int, interruption: Interruption?)
        case cancelRun
        /// Call ``noteTimer(_:isHeldUp:at:)`` with this number at that time; replaces an earlier timer.
        case setTimer(Int, at: Instant)
        case clearTimer
        case announce(SourceStatus.State, reason: String?, attempt: Int, retryDelay: Duration?)
        /// Nothing more will come: close the buffer.
        case finish
    }

    private let policy: RestartPolicy
    private let schedule: RestartSchedule
    private let startupTimeout: Duration
    /// How long a cancelled run may take to end before it is abandoned.
    private let grace: Duration
    package private(set) var phase = Phase.idle
    /// Since when ``phase`` is what it is.
    package private(set) var since = Instant(nanoseconds: 0)
    /// The number of the present or last run, from 1.
    package private(set) var attempt = 0
    /// When the restarts that still count against the budget were decided; at most `schedule.limit`.
    private var restarts: [Instant] = []
    private var lastEnd: Instant?
    private var timer = 0

    package init(
        policy: RestartPolicy, schedule: RestartSchedule, startupTimeout: Duration, grace: Duration
    ) {
        self.policy = policy
        self.schedule = schedule
        self.startupTimeout = startupTimeout
        self.grace = grace
    }

    /// Runs that followed a failure.
    package var restartCount: Int { max(0, attempt - 1) }

    package var ending: Ending? {
        if case .ended(let ending) = phase { ending } else { nil }
    }

    /// Why it does not observe at the moment, for a source that should.
    package var failure: String? {
        switch phase {
        case .stopping(.failure(let reason)), .abandoned(let reason), .waiting(let reason),
            .ended(.failed(let reason)), .ended(.abandoned(let reason)):
            reason
        case .idle, .starting, .ready, .stopping(.request), .ended(.stopped): nil
        }
    }

    // MARK: - What happens

    package mutating func start(at now: Instant) -> [Action] {
        guard phase == .idle else { return [] }
        return launch(after: nil, at: now)
    }

    /// The run `attempt` observes.
    package mutating func noteReady(_ attempt: Int, at now: Instant) -> [Action] {
        guard attempt == self.attempt, phase == .starting else { return [] }
        enter(.ready, at: now)
        return [.clearTimer, .announce(.ready, reason: nil, attempt: attempt, retryDelay: nil)]
    }

    /// The run `attempt` ended.
    package mutating func noteEnd(_ attempt: Int, _ end: RunEnd, at now: Instant) -> [Action] {
        guard attempt == self.attempt else { return [] }
        lastEnd = now
        switch phase {
        case .idle, .waiting, .ended:
            return []
        case .stopping(.request(let failure)):
            return finish(failure.map { .failed(reason: $0) } ?? requestedEnding(of: end), at: now)
        case .stopping(.failure(let reason)), .abandoned(let reason):
            return fail(reason, mayPass: true, at: now)
        case .starting, .ready:
            switch end {
            case .threw(let reason, let mayPass): return fail(reason, mayPass: mayPass, at: now)
            case .returned where policy == .always:
                return fail("ended, though nobody had asked it to", mayPass: true, at: now)
            case .returned, .cancelled: return finish(.stopped, at: now)
            }
        }
    }

    /// The timer with this number has fired.
    ///
    /// - Parameter isHeldUp: The source waits for room in its buffer, which is not its fault.
    package mutating func noteTimer(_ number: Int, isHeldUp: Bool, at now: Instant) -> [Action] {
        guard number == timer else { return [] }
        switch phase {
        case .starting where isHeldUp:
            return [setTimer(at: now.advanced(by: startupTimeout))]
        case .starting:
            return cancel("was not ready within \(startupTimeout)", at: now)
        case .stopping(.failure(let reason)):
            let reason = "\(reason); ignores its cancellation"
            enter(.abandoned(reason: reason), at: now)
            return [.announce(.abandoned, reason: reason, attempt: attempt, retryDelay: nil)]
        case .waiting(let reason):
            return launch(after: reason, at: now)
        case .idle, .ready, .stopping(.request), .abandoned, .ended:
            return []
        }
    }

    /// The run hangs, or says of itself that it has failed.
    package mutating func noteHang(_ attempt: Int, _ reason: String, at now: Instant) -> [Action] {
        guard attempt == self.attempt, phase == .ready else { return [] }
        return cancel(reason, at: now)
    }

    /// The source is to end for good.
    package mutating func stop(at now: Instant) -> [Action] {
        switch phase {
        case .idle: return finish(.stopped, at: now)
        case .waiting(let reason): return finish(.failed(reason: reason), at: now)
        case .starting, .ready:
            enter(.stopping(.request(failure: nil)), at: now)
            return [.clearTimer, .cancelRun]
        case .stopping(.failure(let reason)):
            enter(.stopping(.request(failure: reason)), at: now)
            return [.clearTimer]
        case .abandoned(let reason):
            enter(.ended(.abandoned(reason: reason)), at: now)
            return [.finish]
        case .stopping(.request), .ended: return []
        }
    }

    /// The time for stopping is over.
    package mutating func giveUp(at now: Instant) -> [Action] {
        if ending != nil { return [] }
        let reason = "did not stop within the time-out"
        enter(.ended(.abandoned(reason: reason)), at: now)
        return [
            .clearTimer, .announce(.abandoned, reason: reason, attempt: attempt, retryDelay: nil), .finish,
        ]
    }

    // MARK: - Transitions

    private mutating func launch(after reason: String?, at now: Instant) -> [Action] {
        attempt += 1
        enter(.starting, at: now)
        let interruption = reason.map { Interruption(since: lastEnd ?? now, reason: $0) }
        return [
            .announce(.starting, reason: nil, attempt: attempt, retryDelay: nil),
            setTimer(at: now.advanced(by: startupTimeout)),
            .launch(attempt: attempt, interruption: interruption),
        ]
    }

    private mutating func cancel(_ reason: String, at now: Instant) -> [Action] {
        enter(.stopping(.failure(reason: reason)), at: now)
        return [
            .announce(.stopping, reason: reason, attempt: attempt, retryDelay: nil),
            setTimer(at: now.advanced(by: grace)), .cancelRun,
        ]
    }

    private mutating func fail(_ reason: String, mayPass: Bool, at now: Instant) -> [Action] {
        restarts.removeAll { $0.duration(to: now) >= schedule.window }
        guard policy != .never, mayPass else { return finish(.failed(reason: reason), at: now) }
        guard restarts.count < schedule.limit else {
            let verdict = "gave up after \(schedule.limit) restarts within \(schedule.window)"
            return finish(.failed(reason: schedule.limit == 0 ? reason : "\(reason); \(verdict)"), at: now)
        }
        let delay = schedule.delay(after: restarts.count)
        restarts.append(now)
        enter(.waiting(reason: reason), at: now)
        return [
            .announce(.restarting, reason: reason, attempt: attempt, retryDelay: delay),
            setTimer(at: now.advanced(by: delay)),
        ]
    }

    /// A run that was told to stop, and failed at it, has lost something that it knew.
    private func requestedEnding(of end: RunEnd) -> Ending {
        if case .threw(let reason, _) = end { .failed(reason: reason) } else { .stopped }
    }

    private mutating func finish(_ ending: Ending, at now: Instant) -> [Action] {
        let wasIdle = phase == .idle
        enter(.ended(ending), at: now)
        let announcement: Action
        switch ending {
        case .stopped:
            if wasIdle { return [.finish] }
            announcement = .announce(.stopped, reason: nil, attempt: attempt, retryDelay: nil)
        case .failed(let reason):
            announcement = .announce(.failed, reason: reason, attempt: attempt, retryDelay: nil)
        case .abandoned(let reason):
            announcement = .announce(.abandoned, reason: reason, attempt: attempt, retryDelay: nil)
        }
        return [.clearTimer, announcement, .finish]
    }

    private mutating func enter(_ phase: Phase, at now: Instant) {
        self.phase = phase
        since = now
    }

    private mutating func setTimer(at time: Instant) -> Action {
        timer += 1
        return .setTimer(timer, at: time)
    }
}
