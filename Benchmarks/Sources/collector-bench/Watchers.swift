import EventModel
import Glibc

/// A `collectord` that runs as a process of its own.
struct WatchingDaemon {
    /// Beyond the benchmark's own time; a daemon whose benchmark was killed ends by itself.
    static let spareSeconds = 120

    let process: Child
    let eventFile: String
    private let errorFile: String

    /// Starts the daemon and waits until it watches.
    ///
    /// - Parameters:
    ///   - format: `json` writes to ``eventFile``, `none` discards.
    ///   - seconds: How long it will be needed, about.
    ///   - settings: Further settings, as `KEY=VALUE`.
    init(_ setup: Setup, format: String, seconds: Int, settings: [String] = []) throws {
        eventFile = "\(setup.scratchFolder)/events"
        errorFile = "\(setup.scratchFolder)/errors"
        let state = "\(setup.scratchFolder)/state"
        unsafe mkdir(state, 0o700)
        process = try Child(
            setup.collectord(),
            [
                "run", "--events", format, "--for", "\(seconds + Self.spareSeconds)s", "--set",
                "state.directory=\(state)", "--set", "ipc.socket=",
            ] + settings.flatMap { ["--set", $0] },
            output: format == "none" ? .nothing : .file(eventFile), errors: errorFile)
        try waitUntilReady()
    }

    /// The daemon is ready once its thread for the source has looked at everything and waits.
    private func waitUntilReady() throws {
        var quietRounds = 0
        var former: Int64 = -1
        // Ten seconds is the daemon's own time-out for a start.
        for _ in 0..<100 {
            pause(milliseconds: 100)
            let now = try process.usage().cpuNanoseconds
            quietRounds = now == former ? quietRounds + 1 : 0
            former = now
            if quietRounds >= 3, now > 0 { return }
        }
    }

    /// Lets it drain and say its accounts.
    func stop() throws {
        process.send(SIGTERM)
        let end = process.wait()
        guard end.isSuccess else {
            let message = String(decoding: try FileBytes.read(errorFile), as: UTF8.self)
            throw BenchmarkError(
                "collectord ended with the status \(end.status): \(TerminalText.escape(message))")
        }
    }
}

/// The peer: `forkstat -e fork,exec,exit`, with the file or nothing at its output.
struct WatchingPeer {
    let process: Child

    /// - Returns: `nil` when it is not installed.
    init?(_ setup: Setup, output: Child.Output, seconds: Int) throws {
        guard let path = Setup.program("forkstat") else { return nil }
        process = try Child(
            path, ["-e", "fork,exec,exit", "-D", "\(seconds + WatchingDaemon.spareSeconds)"], output: output)
        pause(milliseconds: 500)
    }

    /// Ends it as a user would, so that it writes out what it holds back.
    func stop() {
        process.send(SIGINT)
        _ = process.wait()
    }

    static let missing = (name: "no forkstat; apt-get install forkstat", quantity: Quantity?.none)
}

/// What the kernel takes from whoever looks at every execution: the system calls alone, from C (`Workload/bare.c`).
struct BareWatcher {
    /// As the daemon's own tick under load.
    private static let tickMicroseconds = 1_000

    let process: Child

    /// What it has seen.
    struct Counts {
        var executions: Int
        /// Those of which it could read everything.
        var verified: Int

        var verifiedPercent: Double { Double(verified) / Double(max(executions, 1)) * 100 }
    }

    init(_ setup: Setup, seconds: Int) throws {
        process = try Child(
            setup.workload(),
            ["bare", "\(seconds + WatchingDaemon.spareSeconds)", "\(Self.tickMicroseconds)"], output: .pipe)
        pause(milliseconds: 200)
    }

    /// Ends it and reads its counts.
    ///
    /// - Parameter count: The executions of the load: whoever has missed one has had less to do.
    func stop(afterExecutions count: Int) throws -> Counts {
        process.send(SIGTERM)
        let words = (process.readLine() ?? "").split(separator: " ").compactMap { Int($0) }
        guard process.wait().isSuccess, words.count == 4 else {
            throw BenchmarkError("the bare watcher gave no result")
        }
        let counts = Counts(executions: words[1], verified: words[2])
        guard counts.executions >= count else {
            throw BenchmarkError("the bare watcher saw \(counts.executions) of \(count) executions")
        }
        return counts
    }
}

/// CPU time of watchers over an interval.
struct Interval {
    private let process: Child
    private let cpuBefore: Int64
    private let timeBefore: Int64
    let residentBefore: Int64

    init(_ process: Child) throws {
        self.process = process
        (cpuBefore, residentBefore) = try process.usage()
        timeBefore = monotonicNanoseconds()
    }

    struct Cost {
        var cpuNanoseconds: Int64
        var nanoseconds: Int64
        var residentAfter: Int64

        /// Of one CPU.
        var percent: Double { Double(cpuNanoseconds) / Double(nanoseconds) * 100 }
        var cpuMilliseconds: Double { Double(cpuNanoseconds) / 1_000_000 }
    }

    func cost() throws -> Cost {
        let (cpu, resident) = try process.usage()
        return Cost(
            cpuNanoseconds: cpu - cpuBefore, nanoseconds: monotonicNanoseconds() - timeBefore,
            residentAfter: resident)
    }
}
