import CollectorCore
import EventModel
import SimulatedBackends

/// A long run on a simulated host whose processes come and go, to see that nothing grows with it.
///
/// The collector is the unchanged one. Neither the truth log nor what the collector says is kept: what must hold is
/// checked as it goes, and by sums at the end.
package enum Soak {
    /// How much the accounted bytes may grow by their trend, as a share of their mean: what lives varies by chance.
    static let accountedGrowthLimit = 0.1
    /// How much resident memory may grow by its trend, in bytes, where nothing else uses it.
    package static let residentGrowthLimit = 4 << 20
    /// The first share of a soak, in which everything reaches its size.
    static let warmUpShare = 0.2

    /// Runs until `eventCount` events have been delivered.
    ///
    /// - Parameters:
    ///   - residentGrowthLimit: How much resident memory may grow by its trend, in bytes; `nil` where others use this
    ///     process's memory too.
    ///   - afterEach: Called after every hundredth of the events.
    package static func run(
        eventCount: Int, seed: UInt64, residentGrowthLimit: Int?,
        afterEach: @escaping @Sendable (SoakSample) -> Void
    ) -> SoakResult {
        var configuration = WorldConfiguration(seed: seed)
        configuration.kernel = KernelVersion(major: 6, minor: 12)
        configuration.processorCount = 4
        configuration.pidMaximum = SoakWorld.pidMaximum
        configuration.truthRetention = .counts
        configuration.limits.jobCount = .max
        let host = SimulatedHost(configuration)
        let world = ThreadConfined(SoakWorld(seed: seed))
        world.value.start(on: host.kernel)
        let progress = SoakDaemon.SharedProgress()
        let daemon = SoakDaemon(
            host: host, eventCount: eventCount, sampleInterval: max(1_000, eventCount / 100),
            progress: progress,
            onEnough: { world.value.rest() }, onSample: afterEach)
        let report = Simulation.run(host.pump) { await daemon.run() }
        var result = SoakResult(progress.value, traceHash: report.hash)
        result.virtualNanoseconds =
            report.end.nanoseconds.subtractingClamped(configuration.start.nanoseconds)
        if report.ending != .completed {
            result.failures.append(Failure(.progress, .liveness, "the simulation ended: \(report.ending)"))
        }
        result.lostCount = UInt64(host.kernel.truth.count(of: .lost))
        judge(progress.value, residentGrowthLimit: residentGrowthLimit, into: &result)
        return result
    }

    private static func judge(
        _ progress: SoakDaemon.Progress, residentGrowthLimit: Int?, into result: inout SoakResult
    ) {
        guard let accounts = progress.report?.accounts, let source = accounts.sources.first,
            let stream = accounts.streams.first
        else {
            result.failures.append(Failure(.accounts, .safety, "there is no account"))
            return
        }
        func demand(
            _ holds: Bool, _ oracle: OracleName, _ verdict: Verdict, _ message: @autoclosure () -> String
        ) {
            if !holds { result.failures.append(Failure(oracle, verdict, message())) }
        }
        demand(source.isBalanced && stream.isBalanced, .accounts, .safety, "an account does not balance")
        demand(
            stream.delivered == UInt64(progress.eventCount) && stream.inFlight == 0, .accounts, .safety,
            "\(stream.delivered) events were delivered, \(progress.eventCount) were received")
        demand(
            source.lost == result.lostCount, .accounts, .safety,
            "the account says that \(source.lost ?? 0) messages were lost, the kernel lost \(result.lostCount)"
        )
        demand(
            progress.lostCount == result.lostCount, .gaps, .safety,
            "gap records say that \(progress.lostCount) messages were lost, the kernel lost \(result.lostCount)"
        )
        result.kernelMessageCount = source.kernel
        result.gapCount = progress.gapCount
        result.judgeMemory(residentGrowthLimit: residentGrowthLimit)
    }

    /// The second field of `statm`, in pages (`proc(5)`).
    static var residentByteCount: Int? {
        guard let bytes = try? ScenarioFiles.read("/proc/self/statm") else { return nil }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * 4_096 } : nil
    }
}

/// What a soak gave.
package struct SoakResult: Sendable {
    package var eventCount: Int
    package var kernelMessageCount: UInt64 = 0
    /// Messages that the kernel lost; each of them lies in a gap record unless a failure says otherwise.
    package var lostCount: UInt64 = 0
    package var gapCount = 0
    package var virtualNanoseconds: Int64 = 0
    package var traceHash: UInt64
    package var samples: [SoakSample]
    /// Bytes by which accounted memory grew after the first fifth, by its trend.
    package var accountedGrowth = 0
    /// The same of resident memory.
    package var residentGrowth = 0
    package var failures: [Failure]

    init(_ progress: SoakDaemon.Progress, traceHash: UInt64) {
        eventCount = progress.eventCount
        samples = progress.samples
        failures = progress.failures
        self.traceHash = traceHash
    }

    /// A result of which only the samples are known.
    package init(samples: [SoakSample]) {
        self.samples = samples
        eventCount = samples.last?.eventCount ?? 0
        traceHash = 0
        failures = []
    }

    package var verdict: Verdict { Verdict.overall(failures.map(\.verdict)) }

    /// Neither kind of memory may have a trend after the first fifth.
    package mutating func judgeMemory(residentGrowthLimit: Int?) {
        let steady = samples.filter {
            Double($0.eventCount) >= Soak.warmUpShare * Double(eventCount)
        }
        let accounted = steady.map { (x: Double($0.eventCount), y: Double($0.memory.totalByteCount)) }
        accountedGrowth = Int(trend(of: accounted))
        let mean = accounted.reduce(0) { $0 + $1.y } / Double(max(1, accounted.count))
        if Double(accountedGrowth) > Soak.accountedGrowthLimit * mean {
            failures.append(Failure(.bounds, .bounds, "accounted memory grew by \(accountedGrowth) bytes"))
        }
        let resident = steady.compactMap { sample in
            sample.residentByteCount.map { (x: Double(sample.eventCount), y: Double($0)) }
        }
        residentGrowth = Int(trend(of: resident))
        if let limit = residentGrowthLimit, residentGrowth > limit {
            failures.append(Failure(.bounds, .bounds, "resident memory grew by \(residentGrowth) bytes"))
        }
    }

    /// One JSON object, without a line break.
    package func json(wallNanoseconds: Int64) -> String {
        var bytes: [UInt8] = []
        JSONWriter.append(to: &bytes) { json in
            json.beginObject()
            json.member("verdict", verdict.rawValue)
            json.member("events", Int64(eventCount))
            json.member("kernel_messages", kernelMessageCount)
            json.member("lost", lostCount)
            json.member("gap_records", Int64(gapCount))
            json.member("virtual_ns", virtualNanoseconds)
            json.member("wall_ns", wallNanoseconds)
            json.member("trace_hash", JSONReport.hexadecimal(traceHash))
            json.member("accounted_growth_bytes", Int64(accountedGrowth))
            json.member("resident_growth_bytes", Int64(residentGrowth))
            json.beginArray("samples")
            for sample in samples {
                json.beginObject()
                json.member("events", Int64(sample.eventCount))
                json.member("virtual_ns", sample.virtualNanoseconds)
                json.member("accounted_bytes", Int64(sample.memory.totalByteCount))
                json.member("tracked", Int64(sample.memory.trackedCount))
                if let resident = sample.residentByteCount { json.member("resident_bytes", Int64(resident)) }
                json.endObject()
            }
            json.endArray()
            json.beginArray("failures")
            for failure in failures {
                json.beginObject()
                json.member("oracle", failure.oracle.rawValue)
                json.member("verdict", failure.verdict.rawValue)
                json.member("message", failure.message)
                json.endObject()
            }
            json.endArray()
            json.endObject()
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
