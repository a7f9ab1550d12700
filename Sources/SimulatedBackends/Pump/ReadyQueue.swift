import DequeModule

/// How the pump chooses among the jobs that are ready.
package enum SchedulingPolicy: Hashable, Sendable {
    /// The job that became ready first: one schedule only.
    case fifo
    /// Any ready job, each equally likely.
    case random
    /// Probabilistic concurrency testing: always the chain of the highest priority, with `depth` - 1 changes of priority
    /// at random moments; finds a bug that takes `depth` ordering constraints with a known probability.
    ///
    /// Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs" (2010). Jobs have no
    /// thread here, so the chains are causal ones (Ozkan et al., "Randomized testing of distributed systems with
    /// probabilistic guarantees", 2018): the first job that a running job makes ready continues its chain, any further
    /// one begins a new chain.
    case pct(depth: Int)
}

/// The jobs that are ready, and the seeded choice among them.
package struct ReadyQueue: Sendable {
    /// The priority changes of ``SchedulingPolicy/pct(depth:)`` are spread over 2^`n` picks, `n` drawn from this range:
    /// the length of a run is not known in advance, and short ones want changes too.
    package static let priorityChangeHorizonExponents: ClosedRange<Int64> = 4...16

    private struct Entry: Sendable {
        var job: ReadyJob
        /// Only for ``SchedulingPolicy/pct(depth:)``.
        var priority: UInt64
    }

    private let policy: SchedulingPolicy
    private var generator: SeededGenerator
    private var entries: Deque<Entry> = []
    private var pickCount: UInt64 = 0
    /// Picks at which the chosen chain drops below all others, ascending.
    private var priorityChanges: [UInt64] = []
    /// Priority of the running chain while nothing has continued it yet.
    private var continuation: UInt64?

    package init(policy: SchedulingPolicy, seed: UInt64) {
        self.policy = policy
        generator = SeededGenerator(seed: seed, stream: .schedule)
        if case .pct(let depth) = policy {
            let changeCount = max(0, min(depth, 64) - 1)
            let horizon: UInt64 = 1 << UInt64(generator.draw(Self.priorityChangeHorizonExponents))
            priorityChanges = (0..<changeCount).map { _ in generator.below(horizon) }.sorted()
        }
    }

    package var isEmpty: Bool { entries.isEmpty }
    package var count: Int { entries.count }

    package mutating func enqueue(_ job: ReadyJob) {
        guard case .pct = policy else { return entries.append(Entry(job: job, priority: 0)) }
        // Low numbers are kept for chains that were demoted.
        let priority = continuation ?? (generator.next() | 1 << 63)
        continuation = nil
        entries.append(Entry(job: job, priority: priority))
    }

    /// Takes the next job out.
    ///
    /// - Returns: The job and its index among the ready ones; `nil` when none is ready.
    package mutating func pick() -> (job: ReadyJob, index: Int)? {
        guard !entries.isEmpty else { return nil }
        pickCount += 1
        switch policy {
        case .fifo:
            return (entries.removeFirst().job, 0)
        case .random:
            let index = Int(generator.below(UInt64(entries.count)))
            entries.swapAt(index, entries.count - 1)
            return (entries.removeLast().job, index)
        case .pct:
            while let change = priorityChanges.first, change < pickCount {
                entries[indexOfHighest()].priority = UInt64(priorityChanges.count)
                priorityChanges.removeFirst()
            }
            let index = indexOfHighest()
            let entry = entries.remove(at: index)
            continuation = entry.priority
            return (entry.job, index)
        }
    }

    /// Tells that the job picked last has suspended or ended: whatever becomes ready now begins a chain of its own.
    package mutating func endChain() { continuation = nil }

    private func indexOfHighest() -> Int {
        var best = 0
        for index in entries.indices where entries[index].priority > entries[best].priority { best = index }
        return best
    }
}
