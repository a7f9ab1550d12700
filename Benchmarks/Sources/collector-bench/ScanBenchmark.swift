import Backends
import EventModel
import Glibc
import KernelFormats
import LinuxBackends

/// Reads pid, ppid, stat, rss and comm of 5 000 sleeping processes, beside `ps -eo pid,ppid,stat,rss,comm`.
///
/// Both make a line of text for each process. The time that `ps` takes to start (`ps --version`) is subtracted from its
/// own, so that only the reading is compared.
struct ScanBenchmark {
    private static let processCount = 5_000

    private let setup: Setup
    private let repetitions: Int

    init(_ setup: Setup) {
        self.setup = setup
        repetitions = setup.repetitions(short: 5, full: 15)
    }

    func measure() throws -> [Row] {
        guard let ps = Setup.program("ps") else { throw Skip(reason: "no ps; apt-get install procps") }
        let sleepers = try Child(setup.workload(), ["sleepers", "\(Self.processCount)"], output: .pipe)
        let count = try sleepers.readCount().count
        guard count == Self.processCount else {
            throw Skip(
                reason:
                    "this host allows \(count) more processes, \(Self.processCount) are needed (ulimit -u)")
        }
        let procfs = try LinuxProcFileSystem()
        try compareLines(procfs, ps)
        var ours = Samples()
        var theirs = Samples()
        var theirStart = Samples()
        var text: [UInt8] = []
        for _ in 0..<repetitions {
            ours.add(try time { try Self.list(procfs, into: &text) })
            theirs.add(try time { try run(ps, ["-eo", "pid,ppid,stat,rss,comm"]) })
            theirStart.add(try time { try run(ps, ["--version"]) })
        }
        sleepers.closeInput()
        _ = sleepers.wait()
        let reading = theirs.quietest - theirStart.quietest
        let ratio = reading / ours.quietest
        return [
            Row(
                .scan, "pid, ppid, stat, rss, comm of 5 000 processes",
                Quantity(ours.quietest, .milliseconds),
                peer: ("ps", Quantity(reading, .milliseconds)), ratio: ratio,
                bar: Row.Bar(
                    judged: Quantity(ratio, .times), floor: .atLeast(2), target: .atLeast(4), kind: .ratio),
                remark: "wall time, quietest of \(repetitions) turns; the start of ps "
                    + "(\(Quantity(theirStart.quietest, .milliseconds).text)) is not counted against it")
        ]
    }

    /// - Returns: Milliseconds of wall time.
    private func time(_ body: () throws -> Void) rethrows -> Double {
        let begin = monotonicNanoseconds()
        try body()
        return Double(monotonicNanoseconds() - begin) / 1_000_000
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        guard try Child(program, arguments, output: .nothing).wait().isSuccess else {
            throw BenchmarkError("\(program) failed")
        }
    }

    // MARK: - Ours

    /// Appends a line for each process; those that end meanwhile are left out, as `ps` does.
    private static func list(_ procfs: LinuxProcFileSystem, into text: inout [UInt8]) throws {
        var pids: [ProcessID] = []
        var bytes: [UInt8] = []
        let pageKibibytes = UInt64(sysconf(Int32(_SC_PAGESIZE))) / 1_024
        text.removeAll(keepingCapacity: true)
        try procfs.processIDs(into: &pids)
        for pid in pids {
            bytes.removeAll(keepingCapacity: true)
            do {
                let file = try procfs.open(.stat, in: procfs.openProcess(pid))
                guard try procfs.readAll(file, limit: Limits.procFileByteCount, into: &bytes) else {
                    continue
                }
            } catch {
                continue
            }
            let stat = try ProcessStat(parsing: bytes.span)
            append(stat, residentKibibytes: stat.rssPageCount * pageKibibytes, to: &text)
        }
    }

    private static func append(_ stat: ProcessStat, residentKibibytes: UInt64, to text: inout [UInt8]) {
        text.appendDecimal(Int64(stat.pid.rawValue))
        text.append(0x20)
        text.appendDecimal(Int64(stat.ppid.rawValue))
        text.append(0x20)
        text.append(stat.state.rawValue)
        if stat.nice < 0 { text.append(0x3c) }
        if stat.nice > 0 { text.append(0x4e) }
        if stat.session == stat.pid { text.append(0x73) }
        if stat.threadCount > 1 { text.append(0x6c) }
        if stat.tpgid == stat.pgrp.rawValue { text.append(0x2b) }
        text.append(0x20)
        text.appendDecimal(residentKibibytes)
        text.append(0x20)
        text += stat.comm
        text.append(0x0a)
    }

    // MARK: - Check

    /// Makes sure that both lists say the same of the sleeping processes: a fast wrong answer is worth nothing.
    private func compareLines(_ procfs: LinuxProcFileSystem, _ ps: String) throws {
        var text: [UInt8] = []
        try Self.list(procfs, into: &text)
        let file = "\(setup.scratchFolder)/output"
        _ = try Child(ps, ["-eo", "pid,ppid,stat,rss,comm"], output: .file(file)).wait()
        let ours = Self.sleepers(in: text[...])
        let theirs = Self.sleepers(in: try FileBytes.read(file)[...])
        guard ours.count == Self.processCount + 1, ours == theirs else {
            let difference = zip(ours, theirs).first { $0 != $1 }
            throw BenchmarkError(
                "our list (\(ours.count) processes) and that of ps (\(theirs.count)) differ"
                    + (difference.map { ": \"\($0)\", \"\($1)\"" } ?? ""))
        }
    }

    /// Lines of the workload, without the resident memory: counters of memory may lag by a few pages.
    private static func sleepers(in text: ArraySlice<UInt8>) -> [String] {
        text.split(separator: 0x0a).compactMap { line in
            let words = line.split(separator: 0x20)
            guard words.count == 5, words[4].elementsEqual("bench-workload".utf8) else { return nil }
            return words[..<3].map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
        }
    }
}
