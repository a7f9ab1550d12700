import Glibc

/// What 1 000 executions a second cost the daemon, with enrichment and a null sink; beside `forkstat` in the same interval.
///
/// Which share of them is enriched is measured in a second interval, with JSON, because a null sink shows nothing.
struct ExecRateBenchmark {
    private static let perSecond = 1_000

    private let setup: Setup
    private let seconds: Int
    private let enrichmentSeconds: Int

    init(_ setup: Setup) {
        self.setup = setup
        seconds = setup.seconds ?? setup.repetitions(short: 8, full: 20)
        enrichmentSeconds = setup.repetitions(short: 3, full: 5)
    }

    func measure() throws -> [Row] {
        try measureCost() + [try measureEnrichment()]
    }

    private func measureCost() throws -> [Row] {
        let daemon = try WatchingDaemon(setup, format: "none", seconds: seconds)
        let peer = try WatchingPeer(setup, output: .nothing, seconds: seconds)
        let load = try startLoad(seconds: seconds)
        let ours = try Interval(daemon.process)
        let theirs = try peer.map { try Interval($0.process) }
        load.release()
        let (count, duration) = try load.readCount()
        let cost = try ours.cost()
        let peerCost = try theirs?.cost()
        peer?.stop()
        try daemon.stop()
        let rate = Double(count) / Double(duration) * 1_000_000_000
        let percent = Quantity(cost.percent, .percent)
        return beside(cost, peerCost) + [
            Row(
                .execRate, "CPU of one core at 1 000 exec/s", percent,
                peer: peerCost.map { ("forkstat", Quantity($0.percent, .percent)) } ?? WatchingPeer.missing,
                ratio: peerCost.map { cost.percent / $0.percent },
                bar: Row.Bar(judged: percent, floor: .atMost(5), target: .atMost(3), isNoisy: true),
                remark: "\(count) executions at \(Quantity(rate, .count).text)/s, that is "
                    + "\(Quantity(Double(cost.cpuNanoseconds) / Double(count) / 1_000, .count).text) us of CPU each"
            ),
            Row(
                .execRate, "resident memory at the start",
                Quantity(Double(ours.residentBefore) / 1_048_576, .mebibytes)),
            Row(
                .execRate, "resident memory after \(count) executions",
                Quantity(Double(cost.residentAfter) / 1_048_576, .mebibytes),
                bar: Row.Bar(
                    judged: Quantity(Double(cost.residentAfter) / 1_048_576, .mebibytes), floor: .atMost(40),
                    target: .atMost(24), isNoisy: false)),
        ]
    }

    /// Both watch the same executions on the same host at the same time, so their ratio holds on any host.
    private func beside(_ cost: Interval.Cost, _ peerCost: Interval.Cost?) -> [Row] {
        guard let peerCost else { return [] }
        let ratio = Quantity(cost.percent / peerCost.percent, .times)
        return [
            Row(
                .execRate, "CPU beside forkstat, which enriches less", ratio,
                bar: Row.Bar(judged: ratio, floor: .atMost(1.25), target: .atMost(0.5), isNoisy: false))
        ]
    }

    private func measureEnrichment() throws -> Row {
        let daemon = try WatchingDaemon(setup, format: "json", seconds: enrichmentSeconds)
        let load = try startLoad(seconds: enrichmentSeconds)
        load.release()
        let count = try load.readCount().count
        pause(milliseconds: 500)
        try daemon.stop()
        var enrichedCount = 0
        try FileBytes.forEachLine(of: daemon.eventFile) { bytes in
            let line = EventLine(bytes)
            guard line.contains(#""kind":"process.exec""#), line.number(behind: #""ppid":"#) == Int(load.pid)
            else { return }
            if line.contains(#""exe":"verified""#), line.contains(#""cmdline":"verified""#) {
                enrichedCount += 1
            }
        }
        return Row(
            .execRate, "executions with verified exe and cmdline",
            Quantity(Double(enrichedCount) / Double(count) * 100, .percent))
    }

    private func startLoad(seconds: Int) throws -> Child {
        try Child(
            setup.workload(), ["rate", "\(Self.perSecond)", "\(Self.perSecond * seconds)"], output: .pipe)
    }
}
