import CollectorCore
import EventModel
import Testing

@Suite struct HealthBoardTests {
    private func supervision(
        _ source: SourceName, _ phase: SupervisionStateMachine.Phase, attempt: Int = 1
    ) -> SourceSupervision {
        SourceSupervision(
            source: source, phase: phase, since: Instant(nanoseconds: 0), attempt: attempt,
            restartCount: attempt - 1)
    }

    private func at(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }

    @Test func `the worst source decides, and a change is told once`() {
        var board = HealthBoard()
        let isNews = [
            board.note(supervision("a", .ready), at: at(1)), board.note(supervision("b", .ready), at: at(1)),
            board.note(.degraded(reason: "slow"), of: "a", attempt: 1, at: at(2)),
            board.note(.degraded(reason: "slow"), of: "a", attempt: 1, at: at(3)),
            board.note(.failed(reason: "mute"), of: "b", attempt: 1, at: at(4)),
        ]
        #expect(isNews == [false, false, true, false, true])
        #expect(board.overall == .failed(reason: "mute"))
        #expect(board.sources.map(\.since) == [at(2), at(4)])
    }

    @Test func `what a source said of one run is nothing about the next`() {
        var board = HealthBoard()
        _ = board.note(supervision("a", .ready), at: at(1))
        _ = board.note(.failed(reason: "stuck"), of: "a", attempt: 1, at: at(2))
        _ = board.note(supervision("a", .waiting(reason: "stuck")), at: at(3))
        #expect(board.overall == .degraded(reason: "will run again: stuck"))
        _ = board.note(supervision("a", .ready, attempt: 2), at: at(4))
        let isNews = board.note(.failed(reason: "late answer"), of: "a", attempt: 1, at: at(5))
        #expect(!isNews && board.overall == .healthy)
    }

    @Test func `a source that is gone counts no more`() {
        var board = HealthBoard()
        _ = board.note(supervision("a", .abandoned(reason: "deaf")), at: at(1))
        #expect(board.overall == .failed(reason: "deaf"))
        let wasIll = board.remove("a")
        #expect(wasIll && board.overall == .healthy && board.sources.isEmpty)
    }

    @Test(arguments: [
        (SupervisionStateMachine.Phase.idle, SourceLifeState.registered), (.starting, .starting),
        (.ready, .ready),
        (.stopping(.request(failure: nil)), .stopping), (.waiting(reason: "r"), .restarting),
        (.abandoned(reason: "r"), .abandoned), (.ended(.stopped), .stopped),
        (.ended(.failed(reason: "r")), .failed),
        (.ended(.abandoned(reason: "r")), .abandoned),
    ])
    func `every phase has its name`(phase: SupervisionStateMachine.Phase, state: SourceLifeState) {
        #expect(supervision("a", phase).state == state)
    }
}
