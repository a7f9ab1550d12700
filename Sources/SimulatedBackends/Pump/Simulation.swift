package import EventModel

/// Runs asynchronous code on a pump.
package enum Simulation {
    /// Runs `body` to its end in virtual time, then everything that is still ready at that instant.
    ///
    /// Call it on the thread that made the pump. Tasks that are still suspended when the body has ended stay so for ever.
    package static func run(
        _ pump: Pump, _ body: @escaping @Sendable () async throws -> Void
    ) -> SimulationReport {
        let result = BodyResult()
        let confined = ThreadConfined(result)
        _ = Task(executorPreference: pump) {
            do {
                try await body()
                confined.value.finish(throwing: nil)
            } catch {
                confined.value.finish(throwing: String(describing: error))
            }
        }
        var ending = pump.state.run { result.isFinished }
        if ending == .completed, let error = result.error { ending = .threw(description: error) }
        return SimulationReport(ending: ending, pump: pump)
    }

    private final class BodyResult {
        private(set) var isFinished = false
        private(set) var error: String?

        func finish(throwing error: String?) {
            isFinished = true
            self.error = error
        }
    }
}

/// How a simulation went; equal reports mean equal runs.
package struct SimulationReport: Hashable, Sendable {
    /// Why the simulation ended.
    package enum Ending: Hashable, Sendable {
        case completed
        case threw(description: String)
        /// The body has not ended and nothing will ever happen again.
        case deadlock(description: String)
        /// Jobs run for ever at one instant.
        case livelock(description: String)
        case jobLimit
        case timeLimit
    }

    package var ending: Ending
    /// Hash over all steps: see ``Trace``.
    package var hash: UInt64
    package var stepCount: Int
    package var checkpoints: [UInt64]
    package var jobCount: Int
    /// `CLOCK_MONOTONIC` at the end.
    package var end: Instant
    /// The last steps, for a report of a failure.
    package var recent: [TraceRecord]
    /// The steps that `WorldConfiguration.captureRange` asked for.
    package var captured: [TraceRecord]

    init(ending: Ending, pump: Pump) {
        self.ending = ending
        let trace = pump.trace
        hash = trace.hash
        stepCount = trace.stepCount
        checkpoints = trace.checkpoints
        jobCount = pump.state.jobCount
        end = pump.now
        recent = trace.recent
        captured = trace.captured
    }

    /// The number of the first checkpoint interval in which two runs differ; `nil` when they are equal.
    ///
    /// The first differing step lies in steps `n * 1 024 ..< (n + 1) * 1 024`.
    package func firstDifferingInterval(from other: SimulationReport) -> Int? {
        guard hash != other.hash || stepCount != other.stepCount else { return nil }
        let common = min(checkpoints.count, other.checkpoints.count)
        return (0..<common).first { checkpoints[$0] != other.checkpoints[$0] } ?? common
    }
}
