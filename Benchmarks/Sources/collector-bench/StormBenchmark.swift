import Glibc

/// 50 000 forks at full speed, watched by the daemon and by `forkstat` at once.
///
/// A fork is lost when a watcher did not print it. CPU time is that of the interval from before the storm until both
/// have had time to drain.
struct StormBenchmark {
    private static let forkCount = 50_000
    private static let expectedSeconds = 60
    private static let settleMilliseconds: Int64 = 2_000

    private let setup: Setup

    init(_ setup: Setup) { self.setup = setup }

    func measure() throws -> [Row] {
        let daemon = try WatchingDaemon(setup, format: "json", seconds: Self.expectedSeconds)
        let peerFile = "\(setup.scratchFolder)/peer"
        let peer = try WatchingPeer(setup, output: .file(peerFile), seconds: Self.expectedSeconds)
        let load = try Child(setup.workload(), ["storm", "\(Self.forkCount)"], output: .pipe)
        let ours = try Interval(daemon.process)
        let theirs = try peer.map { try Interval($0.process) }
        load.release()
        let (count, duration) = try load.readCount()
        pause(milliseconds: Self.settleMilliseconds)
        let cost = try ours.cost()
        let peerCost = try theirs?.cost()
        peer?.stop()
        try daemon.stop()
        guard count == Self.forkCount else { throw BenchmarkError("only \(count) forks could be made") }
        let seen = try DaemonRecord(daemon.eventFile, parent: Int(load.pid))
        let peerForks = try peer.map { _ in
            try ForkCounts(printedByForkstatTo: peerFile, parent: Int(load.pid))
        }
        let rate = Double(count) / Double(duration) * 1_000_000_000
        return rows(seen, peerForks, cost: cost, peerCost: peerCost, rate: rate)
    }

    private func rows(
        _ seen: DaemonRecord, _ peerForks: ForkCounts?, cost: Interval.Cost, peerCost: Interval.Cost?,
        rate: Double
    ) -> [Row] {
        let lost = Quantity(Double(Self.forkCount - seen.forks.total), .count)
        var rows = [
            Row(
                .storm, "forks lost of 50 000", lost, peer: WatchingPeer.missing,
                remark: "\(Quantity(rate, .count).text) forks/s; the account of all messages meanwhile: "
                    + "kernel \(seen.kernel), lost \(seen.lost), \(seen.isBalanced ? "balanced" : "NOT BALANCED")"
            ),
            Row(
                .storm, "CPU time of the storm", Quantity(cost.cpuMilliseconds, .milliseconds),
                peer: WatchingPeer.missing),
            Row(
                .storm, "unbalanced accounts", Quantity(seen.isBalanced ? 0 : 1, .count),
                bar: Row.Bar(
                    judged: Quantity(seen.isBalanced ? 0 : 1, .count), floor: .atMost(0), target: .atMost(0),
                    kind: .exact)),
        ]
        guard let peerForks, let peerCost else { return rows }
        let peerLost = Double(Self.forkCount - peerForks.total)
        // To lose less than nothing is impossible: a peer without loss is equalled.
        rows[0].peer = ("forkstat", Quantity(peerLost, .count))
        rows[0].bar = Row.Bar(
            judged: lost, floor: .atMost(max(peerLost - 1, 0)), target: .atMost(0), kind: .exact)
        let share = Double(cost.cpuNanoseconds) / Double(peerCost.cpuNanoseconds)
        rows[1].peer = ("forkstat", Quantity(peerCost.cpuMilliseconds, .milliseconds))
        rows[1].ratio = share
        rows[1].bar = Row.Bar(
            judged: Quantity(share, .times), floor: .atMost(1), target: .atMost(0.34), kind: .ratio)
        let unseen = Quantity(Double(peerForks.count(notIn: seen.forks)), .count)
        rows.append(
            Row(
                .storm, "forks that only forkstat saw", unseen,
                bar: Row.Bar(judged: unseen, floor: .atMost(0), target: .atMost(0), kind: .exact)))
        return rows
    }
}

/// How often each pid was the child of a fork: pids come round within a storm.
struct ForkCounts {
    private(set) var total = 0
    private var counts: [Int: Int] = [:]

    init() {}

    /// Reads lines such as `07:01:09 fork   3313 child           <unknown>`, of which the one before names the parent.
    init(printedByForkstatTo file: String, parent: Int) throws {
        var isOurs = false
        try FileBytes.forEachLine(of: file) { line in
            let words = line.split(separator: 0x20, maxSplits: 4, omittingEmptySubsequences: true)
            guard words.count >= 4, words[1].elementsEqual("fork".utf8),
                let pid = Int(String(decoding: words[2], as: UTF8.self))
            else { return }
            if words[3].elementsEqual("parent".utf8) {
                isOurs = pid == parent
            } else if isOurs, words[3].elementsEqual("child".utf8) {
                add(pid)
            }
        }
    }

    mutating func add(_ pid: Int) {
        counts[pid, default: 0] += 1
        total += 1
    }

    /// How many of these forks the other one does not have.
    func count(notIn other: ForkCounts) -> Int {
        counts.reduce(0) { sum, entry in sum + max(0, entry.value - other.counts[entry.key, default: 0]) }
    }
}

/// What the daemon wrote about the storm.
struct DaemonRecord {
    private(set) var forks = ForkCounts()
    private(set) var kernel = 0
    private(set) var lost = 0
    private(set) var isBalanced = false

    /// - Parameter parent: The process whose forks count.
    init(_ file: String, parent: Int) throws {
        var accountCount = 0
        var balancedCount = 0
        try FileBytes.forEachLine(of: file) { bytes in
            let line = EventLine(bytes)
            if line.contains(#""kind":"process.fork""#) {
                guard line.number(behind: #""ppid":"#) == parent, line.contains(#""origin":"emitted""#),
                    let pid = line.number(behind: #""process":{"pid":"#)
                else { return }
                forks.add(pid)
            } else if line.contains(#"{"record":"account""#) {
                accountCount += 1
                if line.contains(#""balanced":true"#) { balancedCount += 1 }
                if let count = line.number(behind: #""kernel":"#), line.contains(#""account":"source""#) {
                    kernel = count
                    lost = line.number(behind: #""lost":"#) ?? 0
                }
            }
        }
        // One of the source, one of standard output.
        isBalanced = accountCount == 2 && balancedCount == 2
    }
}
