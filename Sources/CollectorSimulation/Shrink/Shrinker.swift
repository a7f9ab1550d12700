/// Makes a failing scenario small: first fewer lines, then simpler ones.
///
/// Lines are total (whatever refers to nothing is skipped), so any subset of a scenario is one. Passes run in the order
/// of what they save: what cannot matter, whole sections, the time after and before the failure, everything about one
/// process at a time, single lines and keys; then counts, texts and times. They repeat until nothing changes or the time
/// is over; the smallest scenario so far is a valid result at every moment.
///
/// Lines are removed in chunks that are halved from round to round and never tested the other way round, as
/// counter-based delta debugging does (Zhang et al., "Toward a Better Understanding of Probabilistic Delta Debugging",
/// ICSE 2025): the complements of ddmin cost more runs than they save.
package struct Shrinker {
    private enum Means {
        case workers(WorkerPair)
        case runner(any ShrinkRunner)
    }

    private let means: Means
    private let options: ShrinkOptions

    /// Runs candidates in workers, one in each.
    package init(workers: WorkerPair, options: ShrinkOptions) {
        means = .workers(workers)
        self.options = options
        if let mutant = options.mutant { workers.plant(mutant: mutant) }
    }

    package init(runner: any ShrinkRunner, options: ShrinkOptions) {
        means = .runner(runner)
        self.options = options
    }

    /// Shrinks a scenario that fails.
    ///
    /// - Parameters:
    ///   - path: The scenario's name for messages.
    ///   - seed: A seed with which it fails.
    ///   - failure: What to keep; a smaller scenario that fails only in another way does not count.
    ///   - progress: Called after every pass.
    package func shrink(
        _ document: SceneDocument, path: String, seed: UInt64, failure: Failure,
        progress: (ShrinkProgress) -> Void
    ) throws(WorkerError) -> ShrinkResult {
        let runner: any ShrinkRunner
        switch means {
        case .workers(let workers):
            runner = WorkerRunner(
                workers: workers, path: path, isComparing: failure.oracle == .determinism)
        case .runner(let given): runner = given
        }
        let trial = ShrinkTrial(
            FailureTarget(failure, in: document), runner: runner, path: path,
            timeLimitSeconds: options.timeLimitSeconds)
        let reduction = Reduction(
            document, seed: seed, failure: failure, trial: trial, scheduleCount: options.scheduleCount)
        // That a situation did not arise is true of an empty scenario too: there is nothing to shrink.
        if failure.verdict != .uncovered {
            try run(reduction, progress)
        }
        return ShrinkResult(
            document: reduction.best, failure: reduction.failure, seed: reduction.seed,
            scheduleCount: options.scheduleCount, triedCount: trial.triedCount,
            wallNanoseconds: trial.wallNanoseconds, isReproduced: reduction.isReproduced)
    }

    private func run(
        _ reduction: Reduction, _ progress: (ShrinkProgress) -> Void
    ) throws(WorkerError) {
        func report(_ phase: String) { progress(reduction.progress(phase)) }
        guard try reduction.confirm() else { return }
        report("reproduced")
        try reduction.removeOrnaments()
        report("ornaments")
        try reduction.simplifySchedule()
        try reduction.cutTime()
        report("time")
        try reduction.removeProcesses()
        report("processes")
        var size = -1
        while reduction.size != size, !reduction.isOver {
            size = reduction.size
            try reduction.removeLines()
            report("lines")
            try reduction.simplifyValues()
            report("values")
            try reduction.simplifyTimes()
            report("times")
        }
        try reduction.simplifySchedule()
        try reduction.canonicalSeed()
        report("done")
    }
}
