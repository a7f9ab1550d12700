import ArgumentParser
import CMimalloc
import Glibc

/// Measures the collector beside its peers on this host, and compares with the floors.
@main
struct CollectorBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collector-bench",
        abstract: "Measures the collector beside its peers on this host, and compares with the floors.",
        discussion: """
            Benchmarks: \(Benchmark.allCases.map(\.rawValue).joined(separator: ", ")). Those that watch the real kernel \
            need root; those with a peer skip the comparison when the peer is not installed.

            Exit codes: 0 every floor is met, 1 a floor is missed, 64 usage, 70 a benchmark failed.
            """)

    @Flag(
        help: """
            Fewer repetitions. On an unknown host, ratios to a peer then fail when they miss their floor one and a half \
            times over, times and rates by themselves three times; the share of a core and the slowest round trips are \
            only reported. Counts and bytes fail as ever.
            """)
    var short = false

    @Flag(help: "One JSON object a line instead of a table.")
    var json = false

    @Option(help: "The collectord to measure (default: the one beside this executable).")
    var collectord: String?

    @Option(help: "How long exec-rate lasts, in seconds, 1 to 86400 (default: 20, with --short 8).")
    var seconds: Int?

    @Argument(help: "Which benchmarks to run (default: all).")
    var benchmarks: [Benchmark] = []

    func validate() throws {
        if let seconds, !(1...86_400).contains(seconds) {
            throw ValidationError("--seconds \(seconds): expected 1 to 86400")
        }
    }

    func run() async throws {
        // A child that ends early must be an error of the write to it, not the end of this process.
        _ = signal(SIGPIPE, SIG_IGN)
        let setup: Setup
        do {
            setup = try Setup(effort: short ? .short : .full, seconds: seconds, collectord: collectord)
        } catch {
            complain("\(error)")
            throw ExitCode(70)
        }
        defer { setup.removeScratchFolder() }
        var rows: [Row] = []
        var hasFailed = false
        for benchmark in benchmarks.isEmpty ? Benchmark.allCases : benchmarks {
            complain("\(benchmark.rawValue) ...")
            do {
                rows += try await benchmark.measure(setup)
            } catch let skip as Skip {
                rows.append(Row(benchmark, skipped: skip.reason))
            } catch {
                complain("\(benchmark.rawValue): \(error)")
                hasFailed = true
            }
        }
        let report = Report(rows: rows, effort: setup.effort)
        print(json ? report.json : report.table, terminator: "")
        if hasFailed { throw ExitCode(70) }
        if report.isFloorMissed { throw ExitCode(1) }
    }
}

extension Benchmark: ExpressibleByArgument {}

/// The benchmarks, in the order in which they run: those that need quiet first.
enum Benchmark: String, CaseIterable {
    case pipeline, rules, ipc, formats, json, scan, simulation
    case execRate = "exec-rate"
    case storm, files, hash

    func measure(_ setup: Setup) async throws -> [Row] {
        switch self {
        case .pipeline: try await PipelineBenchmark(setup).measure()
        case .rules: try RulesBenchmark(setup).measure()
        case .ipc: try await IPCBenchmark(setup).measure()
        case .formats: try FormatBenchmark(setup).measure()
        case .json: JSONBenchmark(setup).measure()
        case .scan: try ScanBenchmark(setup).measure()
        case .simulation: try SimulationBenchmark(setup).measure()
        case .execRate: try ExecRateBenchmark(setup).measure()
        case .storm: try StormBenchmark(setup).measure()
        case .files: try FilesBenchmark(setup).measure()
        case .hash: try HashBenchmark(setup).measure()
        }
    }
}

/// Why a benchmark cannot be run here: not a failure.
struct Skip: Error {
    var reason: String
}

/// What makes a measurement impossible that should have been possible.
struct BenchmarkError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Progress and problems go to standard error, so that standard output is the report alone.
func complain(_ message: String) {
    let line = Array("collector-bench: \(message)\n".utf8)
    // If standard error is gone, nobody can be told.
    _ = unsafe line.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
}
