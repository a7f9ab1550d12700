import Digests
import Glibc

/// SHA-256 of a file in the page cache, in blocks of 64 KiB, beside `openssl dgst -sha256`.
///
/// The time that `openssl` takes to start (of an empty file) is subtracted from its own.
struct HashBenchmark {
    private let setup: Setup
    private let byteCount: Int
    private let repetitions: Int

    init(_ setup: Setup) {
        self.setup = setup
        byteCount = setup.repetitions(short: 128, full: 1_024) << 20
        repetitions = setup.repetitions(short: 3, full: 7)
    }

    func measure() throws -> [Row] {
        guard let openssl = Setup.program("openssl") else {
            throw Skip(reason: "no openssl; apt-get install openssl")
        }
        let file = "\(setup.scratchFolder)/bytes"
        try makeFile(file)
        var ours = Samples()
        var theirs = Samples()
        var theirStart = Samples()
        var digest: [UInt8] = []
        for _ in 0...repetitions {
            ours.add(try time { digest = try hash(file) })
            theirs.add(try time { try run(openssl, ["dgst", "-sha256", file]) })
            theirStart.add(try time { try run(openssl, ["dgst", "-sha256", "/dev/null"]) })
        }
        guard try digest == Self.digest(printedBy: openssl, of: file, setup) else {
            throw BenchmarkError("our digest and that of openssl differ")
        }
        let hashing = theirs.quietest - theirStart.quietest
        let ratio = hashing / ours.quietest
        let rate = Double(byteCount) / ours.quietest / 1_000_000
        return [
            Row(
                .hash, "SHA-256 of \(byteCount >> 20) MiB in the page cache",
                Quantity(ours.quietest, .milliseconds),
                peer: ("openssl", Quantity(hashing, .milliseconds)), ratio: ratio,
                bar: Row.Bar(
                    judged: Quantity(ratio, .times), floor: .atLeast(0.95), target: .atLeast(1), kind: .ratio
                ),
                remark: "\(Quantity(rate, .count).text) GB/s, wall time, quietest of \(repetitions + 1) turns"
            )
        ]
    }

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

    private func hash(_ path: String) throws -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw BenchmarkError("cannot open \(path): errno \(errno)") }
        defer { close(file) }
        var room = [UInt8](repeating: 0, count: 64 << 10)
        var hasher = SHA256()
        while true {
            let count = unsafe read(file, &room, room.count)
            guard count >= 0 else { throw BenchmarkError("cannot read \(path): errno \(errno)") }
            if count == 0 { return hasher.finish() }
            hasher.update(room.span.extracting(0..<count))
        }
    }

    private func makeFile(_ path: String) throws {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw BenchmarkError("cannot make \(path): errno \(errno)") }
        defer { close(file) }
        var block = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        for _ in 0..<(byteCount >> 20) {
            guard unsafe write(file, &block, block.count) == block.count else {
                throw BenchmarkError("cannot write \(path): errno \(errno)")
            }
        }
    }

    private static func digest(printedBy openssl: String, of file: String, _ setup: Setup) throws -> [UInt8] {
        let child = try Child(openssl, ["dgst", "-sha256", "-r", file], output: .pipe)
        let words = (child.readLine() ?? "").utf8.prefix(64)
        var digest: [UInt8] = []
        var rest = words[...]
        while rest.count >= 2 {
            guard let byte = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { break }
            digest.append(byte)
            rest = rest.dropFirst(2)
        }
        return digest
    }
}
