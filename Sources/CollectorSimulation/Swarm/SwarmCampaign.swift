import CSimulation

/// What a swarm is asked to do.
package struct SwarmOptions: Sendable {
    /// Which seeds, in order.
    package var seeds: ClosedRange<UInt64> = 1...UInt64.max
    /// Real time after which no further seed is begun; `nil`: only the seeds decide.
    package var timeLimitNanoseconds: Int64?
    /// Pairs of workers.
    package var jobCount = 1
    package var stopsAtFirstFailure = false
    /// Where filed bugs are and new ones go; `nil`: neither.
    package var bugFolder: String?
    package var shrinks = true
    /// A bug to plant in every run, in a build that has them.
    package var mutant: String?

    package init() {}

    /// Half of the CPUs: a pair keeps two of them busy.
    package static var defaultJobCount: Int { max(1, Int(csim_processor_count()) / 2) }
}

/// Runs seeds of a profile until somebody or something says stop, and keeps what fails.
package final class SwarmCampaign {
    private let profile: SwarmProfile
    private let bytes: [UInt8]
    private let generator: ScenarioGenerator
    private let options: SwarmOptions
    private let showProgress: (SwarmProgress) -> Void
    private let showFinding: (SwarmFinding) -> Void
    private var summary: SwarmSummary
    private var progress = SwarmProgress()
    private var keys: [String] = []
    private var nextSeed: UInt64?
    private var begin: Int64 = 0
    /// CPU time of children that does not belong to the seeds, and real time likewise.
    private var otherProcessorNanoseconds: Int64 = 0
    private var otherWallNanoseconds: Int64 = 0
    private var isStopping = false

    /// Failures that are shrunk and filed in one campaign: a broken product fails in more ways than anybody reads.
    private static let findingLimit = 20

    /// - Parameters:
    ///   - bytes: The profile's file.
    ///   - progress: Called a few times a second.
    ///   - finding: Called once for each new failure, when its scenario is as small as it gets.
    /// - Throws: ``ScenarioError`` when the profile is wrong.
    package init(
        parsing bytes: [UInt8], path: String, options: SwarmOptions,
        progress: @escaping (SwarmProgress) -> Void, finding: @escaping (SwarmFinding) -> Void
    ) throws(ScenarioError) {
        profile = try SwarmProfile(parsing: bytes, path: path)
        self.bytes = bytes
        generator = ScenarioGenerator(profile)
        self.options = options
        showProgress = progress
        showFinding = finding
        summary = SwarmSummary(profile: profile.name)
        summary.jobCount = options.jobCount
        nextSeed = options.seeds.lowerBound
    }

    /// Replays filed bugs, then runs seeds.
    package func run() throws(WorkerError) -> SwarmSummary {
        csim_catch_interrupts()
        begin = csim_real_nanoseconds()
        try setAside { () throws(WorkerError) in try replayBugs() }
        try runSeeds()
        summary.wasInterrupted = csim_is_interrupted() == 1
        summary.wallNanoseconds = csim_real_nanoseconds() - begin - otherWallNanoseconds
        summary.processorNanoseconds =
            csim_children_processor_nanoseconds() + csim_own_processor_nanoseconds()
            - otherProcessorNanoseconds
        if summary.seedCount >= profile.required.seedCount {
            summary.missingProbes = profile.required.probes.filter { summary.probes[$0] == nil }
        }
        return summary
    }

    /// Does something whose time is not that of the seeds.
    private func setAside(_ body: () throws(WorkerError) -> Void) throws(WorkerError) {
        let wall = csim_real_nanoseconds()
        let processor = csim_children_processor_nanoseconds() + csim_own_processor_nanoseconds()
        try body()
        otherWallNanoseconds += csim_real_nanoseconds() - wall
        otherProcessorNanoseconds +=
            csim_children_processor_nanoseconds() + csim_own_processor_nanoseconds() - processor
    }

    // MARK: - Bugs filed earlier

    private func replayBugs() throws(WorkerError) {
        guard let folder = options.bugFolder else { return }
        // There is no folder before the first bug.
        guard let files = try? ScenarioFiles.expand([folder]), files != [folder], !files.isEmpty else {
            return
        }
        let workers = try WorkerPair()
        if let mutant = options.mutant { workers.plant(mutant: mutant) }
        for path in files where !shouldStop {
            summary.bugCount += 1
            guard let bytes = try? ScenarioFiles.read(path) else { continue }
            progress.activity = "replaying \(path)"
            tell()
            var failed: RunRecord?
            let result = try workers.run(bytes, path: path, seeds: .fromScenario) { record in
                summary.bugSeedCount += 1
                if record.verdict != .pass, failed == nil { failed = record }
            }
            if let problem = result.problem {
                var record = RunRecord(scenario: path, seed: 0)
                record.failures = [Failure(.progress, .scenarioError, problem)]
                failed = record
            }
            guard let failed, let failure = failed.failures.first else { continue }
            var finding = SwarmFinding(record: failed, failure: failure)
            finding.file = path
            finding.isFiledBug = true
            keep(finding)
        }
        progress.activity = ""
    }

    // MARK: - New seeds

    private var shouldStop: Bool { isStopping || csim_is_interrupted() == 1 }

    private func takeSeed() -> UInt64? {
        guard !shouldStop, let seed = nextSeed else { return nil }
        if let limit = options.timeLimitNanoseconds, csim_real_nanoseconds() - begin >= limit { return nil }
        nextSeed = seed < options.seeds.upperBound ? seed + 1 : nil
        return seed
    }

    private func runSeeds() throws(WorkerError) {
        var lanes: [SwarmLane] = []
        for _ in 0..<options.jobCount {
            lanes.append(try SwarmLane(profile: bytes, path: profile.path, mutant: options.mutant))
        }
        while true {
            for lane in lanes {
                while lane.hasRoom, let seed = takeSeed() { lane.begin(seed) }
            }
            if lanes.allSatisfy(\.isIdle) { break }
            wait(for: lanes)
            for lane in lanes {
                for answer in try lane.collect() { try count(answer) }
            }
            tell()
        }
    }

    private func wait(for lanes: [SwarmLane]) {
        guard !lanes.contains(where: \.hasAnswer) else { return }
        csim_watch_none()
        for lane in lanes where !lane.isIdle { lane.watch() }
        csim_wait_watched(200)
    }

    private func count(_ answer: SwarmLane.Answer) throws(WorkerError) {
        summary.seedCount += 1
        guard let record = answer.passed else {
            try setAside { () throws(WorkerError) in try investigate(answer) }
            return
        }
        summary.eventCount += record.eventCount
        summary.skippedLineCount += record.skippedLineCount
        summary.virtualNanoseconds += record.virtualNanoseconds
        for probe in record.probes { summary.probes[probe, default: 0] += 1 }
    }

    private func tell() {
        progress.seedCount = summary.seedCount
        progress.failedSeedCount = summary.failedSeedCount
        progress.findingCount = summary.findings.count
        progress.probeCount = summary.probes.count
        progress.wallNanoseconds = csim_real_nanoseconds() - begin - otherWallNanoseconds
        showProgress(progress)
    }

    // MARK: - Failures

    /// Runs a seed that did not pass again, to have the whole record of it, and keeps it if it is new.
    private func investigate(_ answer: SwarmLane.Answer) throws(WorkerError) {
        summary.failedSeedCount += 1
        if options.stopsAtFirstFailure { isStopping = true }
        let scenario: Scenario
        do { scenario = try generator.scenario(seed: answer.seed) } catch {
            var record = RunRecord(scenario: "\(profile.name)-\(answer.seed)", seed: answer.seed)
            record.failures = [Failure(.progress, .scenarioError, error.description)]
            return keep(SwarmFinding(record: record, failure: record.failures[0]))
        }
        let workers = try WorkerPair()
        if let mutant = options.mutant { workers.plant(mutant: mutant) }
        workers.load(Array(scenario.formatted.utf8), path: scenario.path)
        var record = try workers.run(scenario, seed: answer.seed)
        if record.failures.isEmpty || (!answer.isSameRun && record.verdict != .nonDeterminism) {
            let message =
                "two runs said different things, and did not when they were run again:\n"
                + String(decoding: answer.first, as: UTF8.self) + "\n"
                + String(decoding: answer.second, as: UTF8.self)
            record.failures.append(Failure(.determinism, .nonDeterminism, message))
        }
        // The worst is the one to look at.
        let worst = record.verdict
        guard let failure = record.failures.first(where: { $0.verdict == worst }) else { return }
        let finding = SwarmFinding(record: record, failure: failure)
        guard options.shrinks, !isKnown(finding), summary.findings.count < Self.findingLimit else {
            return keep(finding)
        }
        let filed = SwarmFiling.file(finding, scenario: scenario, with: workers, options: options) {
            activity in
            progress.activity = activity
            tell()
        }
        progress.activity = ""
        keep(filed)
    }

    private func isKnown(_ finding: SwarmFinding) -> Bool { keys.contains(SwarmFinding.key(finding.failure)) }

    private func keep(_ finding: SwarmFinding) {
        let key = SwarmFinding.key(finding.failure)
        if let index = keys.firstIndex(of: key) {
            summary.findings[index].seedCount += 1
            return
        }
        guard summary.findings.count < Self.findingLimit else { return }
        keys.append(key)
        summary.findings.append(finding)
        showFinding(finding)
    }
}
