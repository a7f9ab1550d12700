import CollectorCore
import EventModel
import Presentation
import Testing

struct EventTableStatusTests {
    private let table = EventTable(width: 120, colours: .none)

    @Test func `sources stand below each other, with numbers to the right`() {
        #expect(
            table.sourceLines(for: MetricsFixture.health, MetricsFixture.telemetry) == [
                "SOURCE      STATE       SINCE  RESTARTS  EMITTED  DROPPED  QUEUED  HEALTH",
                "process     ready       1m 5s         0       95        3       5  healthy",
                "filesystem  restarting   1.5s         3        -        -       -  "
                    + #"degraded: a folder\n is not watched"#,
            ])
    }

    @Test func `a subscriber's name takes the columns that it shows, and is harmless`() {
        var account = StreamAccount(subscriber: "日本\u{1b}")
        account.offered = 3
        #expect(
            table.streamLines(for: [account, StreamAccount(subscriber: "stdout")]) == [
                "SUBSCRIBER  OFFERED  DELIVERED  FILTERED  DROPPED  IN FLIGHT  ACCOUNT",
                #"日本\u{1b}        3          0         0        0          0  NOT BALANCED"#,
                "stdout            0          0         0        0          0  balanced",
            ])
    }

    @Test func `sockets say how many clients there are, and why the others left`() {
        #expect(
            table.lines(for: [MetricsFixture.listener]) == [
                "SOCKET                       CLIENTS  ACCEPTED  REQUESTS  RECEIVED     SENT",
                "/run/collector/control.sock        2        12       500    4096 B  100 MiB",
                "ended at /run/collector/control.sock: closed 9, wrong_checksum 1",
            ])
    }

    @Test func `capabilities name what is observed, by whom, and the tasks`() {
        let report = CapabilityReport(
            component: "collector-core", capabilities: [.process, .realtime], sources: ["process"],
            time: WallTime(nanoseconds: 0), monotonic: Instant(nanoseconds: 0))
        #expect(
            table.lines(for: report, tasks: []) == [
                "component  collector-core", "observes   process, realtime", "sources    process",
                "tasks      none", "since      1970-01-01T00:00:00.000000000Z",
            ])
        #expect(table.lines(for: report, tasks: ["a", "b"])[3] == "tasks      a, b")
    }

    @Test func `the status is the whole in a few lines`() {
        let lines = table.statusLines(
            for: MetricsFixture.health, MetricsFixture.telemetry, [MetricsFixture.listener],
            name: "collectord 1.2.3")
        #expect(
            lines.prefix(7) == [
                "collector    collectord 1.2.3", "health       degraded: a folder is not watched",
                "up           1d 1h", "CPU          3.5s, now 2.5 %", "memory       20 MiB resident",
                "threads      4", "descriptors  30",
            ])
        #expect(lines.contains { $0.hasPrefix("SOURCE ") } && lines.contains { $0.hasPrefix("SOCKET ") })
    }
}
