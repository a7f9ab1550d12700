import EventModel
import KernelFormats

/// Kernel bytes to values: a message of the proc connector, a line of `/proc/<pid>/stat`.
struct FormatBenchmark {
    private static let operationCount = 100_000

    private let repetitions: Int

    init(_ setup: Setup) { repetitions = setup.repetitions(short: 5, full: 25) }

    func measure() throws -> [Row] {
        let message = try messages()
        let stat = try stats()
        return [
            Row(
                .formats, "one connector message", Quantity(message.quietest, .nanoseconds),
                remark: "median of a message \(Quantity(message.median, .nanoseconds).text), of a stat line "
                    + Quantity(stat.median, .nanoseconds).text),
            Row(.formats, "one line of /proc/PID/stat, 52 fields", Quantity(stat.quietest, .nanoseconds)),
            redaction(),
        ]
    }

    /// A datagram each, as the kernel sends them: fork, exec, exit, comm in turn.
    private func messages() throws -> Samples {
        let task = ConnectorTask(leaderOf: ProcessID(4_711))
        let parent = ConnectorTask(leaderOf: ProcessID(1))
        let events: [ConnectorEvent] = [
            .fork(parent: parent, child: task), .exec(task), .comm(task, name: TaskComm("cc1plus".utf8)),
            .exit(task, code: 0, signal: 17, parent: parent),
        ]
        let datagrams = events.enumerated().map { index, event in
            var bytes: [UInt8] = []
            ConnectorMessage(
                processor: 1, sequence: UInt32(index), timestamp: Instant(nanoseconds: 1_000_000_007),
                event: event
            ).append(to: &bytes)
            return bytes
        }
        return try Samples.perOperation(repetitions: repetitions, count: Self.operationCount) {
            var sequences: UInt64 = 0
            for number in 0..<Self.operationCount {
                let bytes = datagrams[number & 3]
                var reader = ConnectorDatagramReader(at: 0, count: bytes.count)
                while let item = try reader.next(in: bytes.span) {
                    if case .message(let message) = item { sequences &+= UInt64(message.sequence) }
                }
            }
            keep(sequences)
        }
    }

    /// A compiler's command line, in which there is no secret, as in most.
    private func redaction() -> Row {
        let arguments = [
            "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus", "-quiet", "-I/usr/include", "-imultiarch",
            "-D_GNU_SOURCE=1",
            "--param=max-inline=30", "-dumpbase", "main.cc", "-mtune=generic", "-O2", "-o",
            "/var/cache/x/main.s",
        ]
        var bytes = arguments.flatMap { Array($0.utf8) + [UInt8(0)] }
        let executable = Array(arguments[0].utf8)
        let redaction = ArgumentRedaction()
        let samples = Samples.perOperation(repetitions: repetitions, count: Self.operationCount) {
            for _ in 0..<Self.operationCount {
                keep(redaction.redact(&bytes, executable: executable[...], isCut: false))
            }
        }
        let cost = Quantity(samples.quietest, .nanoseconds)
        return Row(
            .formats, "secrets looked for in \(bytes.count) bytes of arguments", cost,
            bar: Row.Bar(judged: cost, floor: .atMost(2_000), target: .atMost(1_000), kind: .time))
    }

    /// This process's own line, so that the numbers are as long as they are in life.
    private func stats() throws -> Samples {
        let bytes = try FileBytes.read("/proc/self/stat")
        return try Samples.perOperation(repetitions: repetitions, count: Self.operationCount) {
            for _ in 0..<Self.operationCount { keep(try ProcessStat(parsing: bytes.span)) }
        }
    }
}

/// Events to JSON lines.
struct JSONBenchmark {
    private static let operationCount = 20_000

    private let repetitions: Int

    init(_ setup: Setup) { repetitions = setup.repetitions(short: 5, full: 25) }

    func measure() -> [Row] {
        let template = EventTemplate()
        let batch = EventBatch(
            run: RunContext(bootID: BootID(high: 1, low: 1), runID: RunID(1)), source: "bench",
            events: ContiguousArray((0..<100).map { template.event($0, kind: .processExec, uid: UserID(0)) }))
        var bytes: [UInt8] = []
        let line = Samples.perOperation(repetitions: repetitions, count: Self.operationCount) {
            for number in 0..<Self.operationCount {
                if number % 100 == 0 { bytes.removeAll(keepingCapacity: true) }
                batch.appendJSON(ofEventAt: number % 100, to: &bytes)
                bytes.append(0x0a)
            }
            keep(bytes)
        }
        let length = bytes.count / 100
        return [
            Row(
                .json, "one process.exec line of \(length) bytes", Quantity(line.quietest, .nanoseconds),
                remark: "median \(Quantity(line.median, .nanoseconds).text)")
        ]
    }
}
