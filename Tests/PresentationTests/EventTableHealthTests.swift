import CollectorCore
import EventModel
import Presentation
import Testing

struct EventTableHealthTests {
    private let table = EventTable(width: 160, colours: .none)

    private func status(_ state: SourceStatus.State, reason: String?, delay: Duration? = nil) -> SourceStatus
    {
        SourceStatus(
            source: "process", state: state, reason: reason, attempt: 2, retryDelay: delay,
            time: WallTime(nanoseconds: 0), monotonic: Instant(nanoseconds: 0))
    }

    @Test func `a source that fails is a line, one that works is none`() {
        for state in [SourceStatus.State.starting, .ready, .stopped] {
            #expect(table.line(for: status(state, reason: nil)) == nil)
        }
        let line = table.line(for: status(.restarting, reason: "it \u{1b}[31m broke", delay: .seconds(2)))
        #expect(
            line?.hasSuffix("process: restarting in 2.0s, run 2: it \\u{1b}[31m broke") == true,
            "\(line ?? "")")
    }
}
