import CollectorCore
import EventModel
import Testing

private typealias Machine = SupervisionStateMachine

private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

private func makeMachine(
    _ policy: RestartPolicy = .always, limit: Int = 3, first: Duration = .seconds(1)
) -> SupervisionStateMachine {
    SupervisionStateMachine(
        policy: policy,
        schedule: RestartSchedule(
            firstDelay: first, longestDelay: .seconds(8), limit: limit, window: .seconds(100)),
        startupTimeout: .seconds(10), grace: .seconds(15))
}

extension [SupervisionStateMachine.Action] {
    fileprivate var states: [SourceStatus.State] {
        compactMap { if case .announce(let state, _, _, _) = $0 { state } else { nil } }
    }
    fileprivate var reasons: [String] {
        compactMap { if case .announce(_, let reason, _, _) = $0 { reason } else { nil } }
    }
    fileprivate var timer: (number: Int, at: Instant)? {
        for case .setTimer(let number, let time) in self { return (number, time) }
        return nil
    }
    fileprivate var launches: Bool { contains { if case .launch = $0 { true } else { false } } }
    fileprivate var isFinished: Bool { contains(.finish) }
}

private let failure = SupervisionStateMachine.RunEnd.threw(reason: "broken", mayPass: true)

@Suite struct RestartScheduleTests {
    @Test func `delays double up to the longest`() {
        let schedule = RestartSchedule(
            firstDelay: .seconds(1), longestDelay: .seconds(60), limit: 9, window: .seconds(600))
        #expect(
            (0..<8).map { schedule.delay(after: $0) } == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
        #expect(schedule.delay(after: .max) == .seconds(60))
    }
}

@Suite struct SupervisionTests {
    @Test func `a source that throws runs again after a delay, and the gap is since its end`() {
        var machine = makeMachine()
        #expect(machine.start(at: at(0)).launches == true)
        #expect(machine.noteReady(1, at: at(1)).states == [.ready])
        let actions = machine.noteEnd(1, failure, at: at(2))
        #expect(actions.states == [.restarting])
        #expect(actions.timer?.at == at(3))
        #expect(machine.failure == "broken")
        let again = machine.noteTimer(actions.timer?.number ?? 0, isHeldUp: false, at: at(3))
        #expect(
            again.contains(.launch(attempt: 2, interruption: Interruption(since: at(2), reason: "broken"))))
        #expect(machine.noteReady(2, at: at(4)).states == [.ready])
        #expect(machine.restartCount == 1 && machine.failure == nil)
    }

    @Test func `the budget is within a sliding window, then the source has failed for good`() {
        var machine = makeMachine(limit: 3)
        _ = machine.start(at: at(0))
        var delays: [Duration] = []
        var time: Int64 = 0
        for attempt in 1...3 {
            let actions = machine.noteEnd(attempt, failure, at: at(time))
            guard let timer = actions.timer else { break }
            delays.append(at(time).duration(to: timer.at))
            time = timer.at.nanoseconds / 1_000_000_000
            _ = machine.noteTimer(timer.number, isHeldUp: false, at: timer.at)
        }
        #expect(delays == [.seconds(1), .seconds(2), .seconds(4)])
        let last = machine.noteEnd(4, failure, at: at(time))
        #expect(last.states == [.failed] && last.isFinished)
        #expect(last.reasons.first?.hasPrefix("broken; gave up after 3 restarts") == true)
        #expect(machine.start(at: at(500)) == [])
    }

    @Test func `a source that fails now and then lives for ever, with the first delay each time`() {
        var machine = makeMachine(limit: 1)
        _ = machine.start(at: at(0))
        for attempt in 1...50 {
            let time = at(Int64(attempt) * 101)
            let actions = machine.noteEnd(attempt, failure, at: time)
            #expect(actions.states == [.restarting])
            #expect(actions.timer?.at == time.advanced(by: .seconds(1)))
            _ = machine.noteTimer(
                actions.timer?.number ?? 0, isHeldUp: false, at: time.advanced(by: .seconds(1)))
        }
    }

    @Test func `what returning means is the policy's`() {
        var always = makeMachine(.always)
        _ = always.start(at: at(0))
        #expect(always.noteEnd(1, .returned, at: at(1)).states == [.restarting])
        var onFailure = makeMachine(.onFailure)
        _ = onFailure.start(at: at(0))
        #expect(onFailure.noteEnd(1, .returned, at: at(1)).states == [.stopped])
        var never = makeMachine(.never)
        _ = never.start(at: at(0))
        #expect(never.noteEnd(1, failure, at: at(1)).states == [.failed])
    }

    @Test func `an error that does not pass is final at once`() {
        var machine = makeMachine()
        _ = machine.start(at: at(0))
        let actions = machine.noteEnd(1, .threw(reason: "refused", mayPass: false), at: at(1))
        #expect(actions.states == [.failed] && actions.reasons == ["refused"])
    }

    @Test func `a source that is not ready in time is cancelled, and runs again when it has ended`() {
        var machine = makeMachine()
        let timer = machine.start(at: at(0)).timer
        #expect(timer?.at == at(10))
        let actions = machine.noteTimer(timer?.number ?? 0, isHeldUp: false, at: at(10))
        #expect(actions.contains(.cancelRun) && actions.states == [.stopping])
        #expect(machine.noteReady(1, at: at(11)) == [], "too late")
        #expect(machine.noteEnd(1, .cancelled, at: at(12)).states == [.restarting])
    }

    @Test func `a start that waits for its subscribers has time`() {
        var machine = makeMachine()
        let timer = machine.start(at: at(0)).timer
        let actions = machine.noteTimer(timer?.number ?? 0, isHeldUp: true, at: at(10))
        #expect(actions.timer?.at == at(20) && actions.states.isEmpty)
    }

    @Test func `a run that ignores its cancellation is abandoned, and only its end makes way for the next`() {
        var machine = makeMachine()
        _ = machine.start(at: at(0))
        _ = machine.noteReady(1, at: at(1))
        let hang = machine.noteHang(1, "its thread does not answer", at: at(60))
        #expect(hang.states == [.stopping] && hang.timer?.at == at(75))
        let actions = machine.noteTimer(hang.timer?.number ?? 0, isHeldUp: false, at: at(75))
        #expect(actions.states == [.abandoned] && !actions.launches && !actions.isFinished)
        #expect(machine.ending == nil)
        #expect(machine.noteEnd(1, .cancelled, at: at(1_000)).states == [.restarting])
    }

    @Test func `a stop does not wait for a run that was abandoned`() {
        var machine = makeMachine()
        _ = machine.start(at: at(0))
        _ = machine.noteReady(1, at: at(1))
        let hang = machine.noteHang(1, "stuck", at: at(60))
        _ = machine.noteTimer(hang.timer?.number ?? 0, isHeldUp: false, at: at(75))
        #expect(machine.stop(at: at(80)) == [.finish])
        #expect(machine.ending == .abandoned(reason: "stuck; ignores its cancellation"))
        #expect(machine.noteEnd(1, failure, at: at(90)) == [])
    }

    @Test func `a stop while waiting for the next run ends it with the failure`() {
        var machine = makeMachine()
        _ = machine.start(at: at(0))
        let timer = machine.noteEnd(1, failure, at: at(1)).timer
        #expect(machine.stop(at: at(1)).states == [.failed])
        #expect(machine.noteTimer(timer?.number ?? 0, isHeldUp: false, at: at(2)) == [])
        #expect(machine.ending == .failed(reason: "broken"))
    }

    @Test func `what is reported of an earlier run, or by an old timer, means nothing`() {
        var machine = makeMachine()
        let old = machine.start(at: at(0)).timer
        let timer = machine.noteEnd(1, failure, at: at(1)).timer
        _ = machine.noteTimer(timer?.number ?? 0, isHeldUp: false, at: at(2))
        #expect(machine.noteReady(1, at: at(3)) == [])
        #expect(machine.noteEnd(1, failure, at: at(3)) == [])
        #expect(machine.noteHang(1, "stuck", at: at(3)) == [])
        #expect(machine.noteTimer(old?.number ?? 0, isHeldUp: false, at: at(10)) == [])
        #expect(machine.phase == .starting)
    }

    /// Whatever happens in whatever order: one run at a time, one end, no more restarts than the budget allows.
    @Test(arguments: [RestartPolicy.always, .onFailure, .never])
    func `no history of events breaks the invariants`(_ policy: RestartPolicy) {
        for seed in UInt64(1)...500 {
            var random = SplitMix64(seed)
            var history = History(machine: makeMachine(policy, limit: 2))
            for _ in 0..<60 { history.step(&random) }
            history.finish()
            #expect(history.problems.isEmpty, "seed \(seed): \(history.problems)")
        }
    }
}

/// Drives a machine with random events, and notes what it must not do.
private struct History {
    var machine: SupervisionStateMachine
    var now = at(0)
    var runningAttempt: Int?
    var timer: (number: Int, at: Instant)?
    var launches: [Instant] = []
    var finishCount = 0
    var problems: [String] = []

    init(machine: SupervisionStateMachine) { self.machine = machine }

    mutating func step(_ random: inout SplitMix64) {
        now = now.advanced(by: .milliseconds(Int64(random.next() % 20_000)))
        let attempt = random.next() % 8 == 0 ? machine.attempt - 1 : machine.attempt
        switch random.next() % 8 {
        case 0: apply(machine.start(at: now))
        case 1: apply(machine.noteReady(attempt, at: now))
        case 2, 3:
            guard runningAttempt == attempt else { return }
            runningAttempt = nil
            let ends: [Machine.RunEnd] = [.returned, .cancelled, failure]
            apply(machine.noteEnd(attempt, ends[Int(random.next() % 3)], at: now))
        case 4, 5:
            guard let due = timer else { return }
            now = max(now, due.at)
            timer = nil
            apply(machine.noteTimer(due.number, isHeldUp: random.next() % 4 == 0, at: now))
        case 6: apply(machine.noteHang(attempt, "stuck", at: now))
        default: if random.next() % 16 == 0 { apply(machine.stop(at: now)) }
        }
    }

    mutating func finish() {
        apply(machine.stop(at: now))
        apply(machine.giveUp(at: now.advanced(by: .seconds(15))))
        if machine.ending == nil { problems.append("a stop does not end it") }
        if finishCount != 1 { problems.append("finished \(finishCount) times") }
    }

    private mutating func apply(_ actions: [Machine.Action]) {
        for action in actions {
            if finishCount > 0 { problems.append("acts after its end: \(action)") }
            switch action {
            case .launch(let attempt, let interruption):
                if runningAttempt != nil { problems.append("two runs at a time") }
                if (interruption == nil) != (attempt == 1) {
                    problems.append("a gap is forgotten or invented")
                }
                runningAttempt = attempt
                launches.append(now)
                if launches.filter({ $0.duration(to: now) < .seconds(92) }).count > 3 {
                    problems.append("more restarts than the budget")
                }
            case .setTimer(let number, let time): timer = (number, time)
            case .clearTimer: timer = nil
            case .finish: finishCount += 1
            case .cancelRun: if runningAttempt == nil { problems.append("cancels what does not run") }
            case .announce: break
            }
        }
    }
}

struct SplitMix64 {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
