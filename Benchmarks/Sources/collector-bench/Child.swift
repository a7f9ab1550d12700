import EventModel
import Glibc
import KernelFormats

/// A process that a benchmark started.
final class Child {
    /// Where its standard output goes.
    enum Output {
        case pipe
        case file(String)
        case nothing
        case inherited
    }

    struct End {
        /// The word of `wait(2)`.
        var status: Int32
        var cpuNanoseconds: Int64

        var isSuccess: Bool { status == 0 }
    }

    let pid: pid_t
    private var input: Int32
    private var output: Int32
    private var end: End?

    /// Starts `path` with its standard input connected to ``release()`` and ``closeInput()``.
    ///
    /// - Parameter errors: A file for its standard error; `nil` shares ours.
    init(_ path: String, _ arguments: [String], output choice: Output, errors: String? = nil) throws {
        let inputPipe = try Pipe()
        var outputPipe: Pipe?
        if case .pipe = choice { outputPipe = try Pipe() }
        let result = Self.spawn(
            path, arguments, choice, input: inputPipe.read, output: outputPipe?.write, errors: errors)
        close(inputPipe.read)
        if let outputPipe { close(outputPipe.write) }
        input = inputPipe.write
        output = outputPipe?.read ?? -1
        pid = result.pid
        guard result.problem == 0 else {
            end = End(status: -1, cpuNanoseconds: 0)
            throw BenchmarkError("cannot start \(path): errno \(result.problem)")
        }
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ choice: Output, input: Int32, output: Int32?, errors: String?
    ) -> (pid: pid_t, problem: Int32) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        switch choice {
        case .pipe: if let output { unsafe posix_spawn_file_actions_adddup2(&actions, output, 1) }
        case .file(let file):
            unsafe posix_spawn_file_actions_addopen(&actions, 1, file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        case .nothing: unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        case .inherited: break
        }
        if let errors {
            unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // Threads of the concurrency runtime block signals and a child would inherit that, and SIGPIPE ignored.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        unsafe sigaddset(&defaults, SIGPIPE)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var vector: [UnsafeMutablePointer<CChar>?] = unsafe []
        for argument in [path] + arguments { unsafe vector.append(strdup(argument)) }
        unsafe vector.append(nil)
        var child: pid_t = 0
        let problem = unsafe posix_spawn(&child, path, &actions, &attributes, vector, environ)
        for index in unsafe vector.indices { unsafe free(vector[index]) }
        return (child, problem)
    }

    deinit {
        if end == nil {
            kill(pid, SIGKILL)
            _ = wait()
        }
        closeInput()
        if output >= 0 { close(output) }
    }

    // MARK: - Talking

    /// Writes a line break: what the workload waits for.
    func release() {
        var byte: UInt8 = 0x0a
        _ = unsafe write(input, &byte, 1)
    }

    func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// The next line of its standard output; `nil` at the end.
    func readLine() -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while unsafe read(output, &byte, 1) == 1 {
            if byte == 0x0a { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    /// The line with which a workload ends: how many processes, and in which time.
    func readCount() throws -> (count: Int, nanoseconds: Int64) {
        let words = (readLine() ?? "").split(separator: " ")
        guard words.count == 2, let count = Int(words[0]), let time = Int64(words[1]) else {
            throw BenchmarkError("the workload gave no result")
        }
        return (count, time)
    }

    // MARK: - Life

    func send(_ signal: Int32) { kill(pid, signal) }

    /// Waits for its end.
    func wait() -> End {
        if let end { return end }
        var status: Int32 = 0
        var usage = rusage()
        while unsafe wait4(pid, &status, 0, &usage) < 0, errno == EINTR { continue }
        let microseconds =
            (Int64(usage.ru_utime.tv_sec) + Int64(usage.ru_stime.tv_sec)) * 1_000_000
            + Int64(usage.ru_utime.tv_usec)
            + Int64(usage.ru_stime.tv_usec)
        let end = End(status: status, cpuNanoseconds: microseconds * 1_000)
        self.end = end
        return end
    }

    /// CPU time so far over all threads, to the clock tick (10 ms), and resident memory.
    func usage() throws -> (cpuNanoseconds: Int64, residentByteCount: Int64) {
        let bytes = try FileBytes.read("/proc/\(pid)/stat")
        let stat = try ProcessStat(parsing: bytes.span)
        let tick = 1_000_000_000 / Int64(sysconf(Int32(_SC_CLK_TCK)))
        return (
            Int64(stat.utime + stat.stime) * tick,
            Int64(stat.rssPageCount) * Int64(sysconf(Int32(_SC_PAGESIZE)))
        )
    }
}

/// Two ends, of which children inherit only what they are given: else none would ever see the end of its input.
private struct Pipe {
    let read: Int32
    let write: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else {
            throw BenchmarkError("no descriptors for a pipe: errno \(errno)")
        }
        read = ends[0]
        write = ends[1]
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }
}

/// Whole files.
enum FileBytes {
    static func read(_ path: String) throws -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw BenchmarkError("cannot open \(path): errno \(errno)") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe Glibc.read(file, &room, room.count)
            guard count >= 0 else { throw BenchmarkError("cannot read \(path): errno \(errno)") }
            if count == 0 { return bytes }
            bytes += room[..<count]
        }
    }

    /// Calls `body` with each line, without its line break; reads in pieces, because a storm leaves a large file.
    static func forEachLine(of path: String, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw BenchmarkError("cannot open \(path): errno \(errno)") }
        defer { close(file) }
        var pending: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe Glibc.read(file, &room, room.count)
            guard count >= 0 else { throw BenchmarkError("cannot read \(path): errno \(errno)") }
            if count == 0 { break }
            pending += room[..<count]
            var start = pending.startIndex
            while let end = pending[start...].firstIndex(of: 0x0a) {
                try body(pending[start..<end])
                start = end + 1
            }
            pending.removeSubrange(..<start)
        }
        if !pending.isEmpty { try body(pending[...]) }
    }
}
