import Glibc

/// What 1 000 executions a second cost the daemon, with enrichment and a null sink.
///
/// Beside the bare system calls right before and after, each alone, because who looks at a process first pays for what the
/// kernel then keeps for the others; beside `forkstat` in a second interval, both at once; and which share of them is
/// enriched in a third one, with JSON, because a null sink shows nothing.
struct ExecRateBenchmark {
    private static let perSecond = 1_000
    /// How long others are watched at most: only the daemon is watched for longer when `--seconds` asks for it.
    private static let companionSeconds = 20

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
        let before = try measureBare()
        let daemon = try WatchingDaemon(setup, format: "none", seconds: seconds)
        let load = try startLoad(seconds: seconds)
        let interval = try Interval(daemon.process)
        load.release()
        let (count, duration) = try load.readCount()
        let cost = try interval.cost()
        try daemon.stop()
        let bare = try before.joined(with: measureBare())
        let rate = Double(count) / Double(duration) * 1_000_000_000
        return [share(cost, bare, count: count, rate: rate), beside(cost, bare)]
            + [try measureBesidePeer()]
            + memory(before: interval.residentBefore, after: cost.residentAfter, count: count)
    }

    /// What the bare system calls took in one interval or several.
    private struct BareCost {
        var cpuNanoseconds: Int64
        var nanoseconds: Int64
        var count: Int
        var counts: BareWatcher.Counts

        var percent: Double { Double(cpuNanoseconds) / Double(nanoseconds) * 100 }
        var microseconds: Quantity {
            Quantity(Double(cpuNanoseconds) / Double(count) / 1_000, .count)
        }

        func joined(with other: BareCost) -> BareCost {
            BareCost(
                cpuNanoseconds: cpuNanoseconds + other.cpuNanoseconds,
                nanoseconds: nanoseconds + other.nanoseconds, count: count + other.count,
                counts: BareWatcher.Counts(
                    executions: counts.executions + other.counts.executions,
                    verified: counts.verified + other.counts.verified))
        }
    }

    /// Half as long as the daemon, once before it and once after it.
    private func measureBare() throws -> BareCost {
        let seconds = max(1, min(seconds, Self.companionSeconds) / 2)
        let bare = try BareWatcher(setup, seconds: seconds)
        let load = try startLoad(seconds: seconds)
        let interval = try Interval(bare.process)
        load.release()
        let count = try load.readCount().count
        let cost = try interval.cost()
        return BareCost(
            cpuNanoseconds: cost.cpuNanoseconds, nanoseconds: cost.nanoseconds, count: count,
            counts: try bare.stop(afterExecutions: count))
    }

    /// Both watch the same executions on the same host at the same time.
    private func measureBesidePeer() throws -> Row {
        let what = "CPU beside forkstat, which enriches less"
        let seconds = min(seconds, Self.companionSeconds)
        let daemon = try WatchingDaemon(setup, format: "none", seconds: seconds)
        let peer = try WatchingPeer(setup, output: .nothing, seconds: seconds)
        let load = try startLoad(seconds: seconds)
        let ours = try Interval(daemon.process)
        let theirs = try peer.map { try Interval($0.process) }
        load.release()
        _ = try load.readCount()
        let percent = try ours.cost().percent
        let peerPercent = try theirs?.cost().percent
        peer?.stop()
        try daemon.stop()
        guard let peerPercent else {
            return Row(.execRate, what, Quantity(percent, .percent), peer: WatchingPeer.missing)
        }
        let ratio = Quantity(percent / peerPercent, .times)
        return Row(
            .execRate, what, ratio, peer: ("forkstat", Quantity(peerPercent, .percent)),
            bar: Row.Bar(judged: ratio, floor: .atMost(1.25), target: .atMost(0.5), kind: .ratio))
    }

    /// The absolute number, and what of it no software can save on this host.
    private func share(_ cost: Interval.Cost, _ bare: BareCost, count: Int, rate: Double) -> Row {
        let percent = Quantity(cost.percent, .percent)
        let price = Quantity(bare.percent, .percent)
        let ratio = cost.percent / bare.percent
        let each = Quantity(Double(cost.cpuNanoseconds) / Double(count) / 1_000, .count)
        return Row(
            .execRate, "CPU of one core at 1 000 exec/s", percent, peer: ("bare system calls", price),
            ratio: ratio,
            bar: Row.Bar(
                judged: percent, floor: .atMost(5), target: .atMost(3), kind: .report,
                kernelPrice: KernelPrice(quantity: price, ratio: ratio)),
            remark: "\(count) executions at \(Quantity(rate, .count).text)/s, that is "
                + "\(each.text) us of CPU each; the bare system calls took \(bare.microseconds.text) us, and found "
                + "\(Quantity(bare.counts.verifiedPercent, .percent).text) of the processes still there")
    }

    private func beside(_ cost: Interval.Cost, _ bare: BareCost) -> Row {
        let ratio = Quantity(cost.percent / bare.percent, .times)
        return Row(
            .execRate, "CPU beside the bare system calls", ratio,
            bar: Row.Bar(
                judged: ratio, floor: .atMost(KernelPrice.ratioFloor),
                target: .atMost(KernelPrice.ratioTarget), kind: .ratio))
    }

    private func memory(before: Int64, after: Int64, count: Int) -> [Row] {
        let mebibytes = { (bytes: Int64) in Quantity(Double(bytes) / 1_048_576, .mebibytes) }
        return [
            Row(.execRate, "resident memory at the start", mebibytes(before)),
            Row(
                .execRate, "resident memory after \(count) executions", mebibytes(after),
                bar: Row.Bar(
                    judged: mebibytes(after), floor: .atMost(40), target: .atMost(24), kind: .exact)),
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
