package import SimulatedBackends

/// Fails the first, second, third ... call of every kind in every way, until a run goes by untouched.
///
/// The habit of SQLite's anomaly tests: whatever a scenario does, each of its calls is shown to be one that may fail.
package struct CallSweep {
    /// Which of the calls are failed.
    package enum Spacing: Hashable, Sendable {
        case every
        /// 1, 2, 3, 5, 8, 13 ...: for a quick look.
        case fibonacci
    }

    private struct Lane {
        var sweepCase: SweepCase
        var nth = 1
        var following = 2
    }

    private let scenario: Scenario
    private let seed: UInt64
    private let spacing: Spacing
    private let callLimit: Int
    private var waiting: [SweepCase]
    private var lanes: [Lane] = []
    package private(set) var summary = SweepSummary()

    /// - Parameters:
    ///   - callLimit: The last call of a kind to fail, for scenarios with very many.
    package init(
        _ scenario: Scenario, seed: UInt64, cases: [SweepCase], spacing: Spacing = .every,
        callLimit: Int = 100_000
    ) {
        self.scenario = scenario
        self.seed = seed
        self.spacing = spacing
        self.callLimit = callLimit
        waiting = cases.reversed()
    }

    /// Runs everything.
    ///
    /// - Parameters:
    ///   - width: How many runs to ask for at a time.
    ///   - run: Gives one record for each scenario, in their order.
    ///   - progress: Called after each round of runs.
    package mutating func run(
        width: Int, _ run: ([Scenario]) throws(WorkerError) -> [RunRecord],
        progress: (SweepSummary, SweepCase, Int) -> Void = { _, _, _ in }
    ) throws(WorkerError) {
        while fillLanes(width) {
            var scenarios: [Scenario] = []
            for lane in lanes { scenarios.append(try faulty(lane)) }
            let records = try run(scenarios)
            var next: [Lane] = []
            for (lane, record) in zip(lanes, records) {
                if let lane = note(record, of: lane) { next.append(lane) }
            }
            if let lane = lanes.first { progress(summary, lane.sweepCase, lane.nth) }
            lanes = next
        }
    }

    private mutating func fillLanes(_ width: Int) -> Bool {
        while lanes.count < width, let sweepCase = waiting.popLast() {
            lanes.append(Lane(sweepCase: sweepCase))
        }
        return !lanes.isEmpty
    }

    private func faulty(_ lane: Lane) throws(WorkerError) -> Scenario {
        do {
            return try scenario.adding(fault: lane.sweepCase.line(nth: lane.nth))
        } catch {
            throw WorkerError(message: error.description)
        }
    }

    /// - Returns: The lane's next call; `nil` when this run was not touched, or further calls are not wanted.
    private mutating func note(_ record: RunRecord, of lane: Lane) -> Lane? {
        summary.runCount += 1
        let hasCrashed = record.verdict == .crash
        guard hasCrashed || record.faultFirings.first ?? 0 > 0 else { return nil }
        summary.note(lane.sweepCase, nth: lane.nth, startProblem: record.startProblem)
        let failures = SweepVerdict.failures(of: record)
        if !failures.isEmpty {
            summary.add(
                SweepFinding(sweepCase: lane.sweepCase, nth: lane.nth, seed: seed, failures: failures))
        }
        var next = lane
        switch spacing {
        case .every: next.nth += 1
        case .fibonacci: (next.nth, next.following) = (lane.following, lane.nth + lane.following)
        }
        return next.nth <= callLimit ? next : nil
    }
}

/// One failed call that the collector did not take well.
package struct SweepFinding: Hashable, Sendable {
    package var sweepCase: SweepCase
    package var nth: Int
    package var seed: UInt64
    package var failures: [Failure]

    package var verdict: Verdict { Verdict.overall(failures.map(\.verdict)) }

    /// Equal for findings that differ only in which call it was, and in numbers.
    package var shape: String {
        "\(sweepCase.call.rawValue) \(sweepCase.behaviour) "
            + (failures.first.map { "\($0.oracle.rawValue) \($0.shape)" } ?? "")
    }
}

/// What a sweep has done so far.
package struct SweepSummary: Hashable, Sendable {
    /// One kind of call.
    package struct Calls: Hashable, Sendable {
        package var call: BackendOperation
        /// The most that a run had made when it was struck.
        package var callCount = 0
        /// Runs that were struck.
        package var strikeCount = 0
        /// Runs that could not start, and said so.
        package var unreadyCount = 0
        package var findingCount = 0
        /// The ways that were tried, in order.
        package var behaviours: [String] = []
    }

    package var runCount = 0
    /// In the order in which they came up.
    package private(set) var calls: [Calls] = []
    /// The first of each shape.
    package private(set) var findings: [SweepFinding] = []
    package private(set) var findingCount = 0
    private var shapes: Set<String> = []

    mutating func note(_ sweepCase: SweepCase, nth: Int, startProblem: String?) {
        let index = index(of: sweepCase.call)
        calls[index].callCount = max(calls[index].callCount, nth)
        calls[index].strikeCount += 1
        if startProblem != nil { calls[index].unreadyCount += 1 }
        if !calls[index].behaviours.contains(sweepCase.behaviour) {
            calls[index].behaviours.append(sweepCase.behaviour)
        }
    }

    mutating func add(_ finding: SweepFinding) {
        findingCount += 1
        calls[index(of: finding.sweepCase.call)].findingCount += 1
        if shapes.insert(finding.shape).inserted { findings.append(finding) }
    }

    package var verdict: Verdict { Verdict.overall(findings.map(\.verdict)) }

    private mutating func index(of call: BackendOperation) -> Int {
        if let index = calls.firstIndex(where: { $0.call == call }) { return index }
        calls.append(Calls(call: call))
        return calls.count - 1
    }
}
