import Glibc

/// CPU time of all threads of this process, in nanoseconds.
func processCPUNanoseconds() -> Int64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

/// CPU time of the calling thread, in nanoseconds.
func threadCPUNanoseconds() -> Int64 { nanoseconds(CLOCK_THREAD_CPUTIME_ID) }

/// `CLOCK_MONOTONIC`, in nanoseconds.
func monotonicNanoseconds() -> Int64 { nanoseconds(CLOCK_MONOTONIC) }

private func nanoseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    let result = unsafe clock_gettime(clock, &time)
    precondition(result == 0, "the host has every one of these clocks")
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Blocks the calling thread: benchmarks of other processes have nothing else to do.
func pause(milliseconds: Int64) {
    var time = timespec(tv_sec: Int(milliseconds / 1_000), tv_nsec: Int(milliseconds % 1_000) * 1_000_000)
    var rest = timespec()
    // A signal cuts the sleep short.
    while unsafe nanosleep(&time, &rest) != 0 { time = rest }
}

/// Makes the optimiser believe that somebody needs `value`.
@inline(never)
func keep<Value>(_ value: borrowing Value) { _ = withExtendedLifetime(value) { 0 } }

/// The results of one measurement repeated.
struct Samples {
    private(set) var values: [Double] = []

    mutating func add(_ value: Double) { values.append(value) }

    /// The sample that the rest of the host disturbed least: what is compared with floors.
    var quietest: Double { values.min() ?? .nan }

    var median: Double {
        guard !values.isEmpty else { return .nan }
        return values.sorted()[values.count / 2]
    }

    /// Calls `body` for `repetitions` rounds of `count` operations each, after one round that does not count.
    ///
    /// - Returns: CPU nanoseconds of the calling thread per operation.
    static func perOperation(repetitions: Int, count: Int, _ body: () throws -> Void) rethrows -> Samples {
        try body()
        var samples = Samples()
        for _ in 0..<repetitions {
            let begin = threadCPUNanoseconds()
            try body()
            samples.add(Double(threadCPUNanoseconds() - begin) / Double(count))
        }
        return samples
    }
}
