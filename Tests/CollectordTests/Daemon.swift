import Foundation
import Testing

/// A real `collectord` beside the test, as another process.
final class Daemon {
    struct Result {
        var exitCode: Int32
        var lines: [[String: Any]]
        var text: String
        var errors: String

        func accounts(_ kind: String) -> [[String: Any]] {
            lines.filter { $0["record"] as? String == "account" && $0["account"] as? String == kind }
        }

        func events(of pid: Int32) -> [[String: Any]] {
            lines.filter { ($0["process"] as? [String: Any])?["pid"] as? Int == Int(pid) }
        }
    }

    private let child: ChildProcess
    private let output: Int32
    private let errors: URL
    private let folder: URL
    private var chunk = [UInt8](repeating: 0, count: 1 << 16)
    /// What came after the last whole line.
    private var rest: [UInt8] = []
    private var lines: [String] = []
    private var examinedCount = 0

    var pid: pid_t { child.pid }
    var isRunning: Bool { child.isRunning }

    /// Beside the test bundle: `swift build --build-tests` makes both.
    static var executable: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(
            "collectord")
    }

    static var isAvailable: Bool {
        geteuid() == 0 && FileManager.default.isExecutableFile(atPath: executable.path)
    }

    /// Starts the daemon, if need be by way of a program that changes where it is; whatever happens it ends by itself
    /// after ten minutes.
    init(_ arguments: [String], behind guise: [String] = []) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "collectord-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        errors = folder.appendingPathComponent("err")
        let fifo = folder.appendingPathComponent("out")
        #expect(unsafe mkfifo(fifo.path, 0o600) == 0)
        output = unsafe open(fifo.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        let hasState = arguments.contains { $0.hasPrefix("state.directory=") }
        let hasSocket = arguments.contains { $0.hasPrefix("ipc.socket=") }
        let hasLimit = arguments.contains("--for")
        // What this host's own collector is told is not for tests.
        let words =
            guise + [Self.executable.path] + arguments
            + (arguments.contains("--config") ? [] : ["--config", "/dev/null"])
            + (hasSocket ? [] : ["--set", "ipc.socket="])
            + (hasState ? [] : ["--set", "state.directory=\(folder.path)/state"])
            + (hasLimit ? [] : ["--for", "600s"])
        child = try ChildProcess(words, output: .fifo(fifo), errors: .file(errors))
    }

    deinit {
        close(output)
        try? FileManager.default.removeItem(at: folder)
    }

    func signal(_ number: Int32) { child.signal(number) }
    func terminate() { signal(SIGTERM) }

    /// Waits for its end, without reading what it still writes.
    func waitUntilExit() { child.wait() }

    /// Reads what there is; waits for it until `deadline`. `false` at the end of the output, or then.
    private func readMore(until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let count = unsafe read(output, &chunk, chunk.count)
            if count > 0 {
                rest += chunk[..<count]
                takeLines()
                return true
            }
            let time = deadline - .now
            guard count < 0, errno == EAGAIN || errno == EINTR, time > .zero else { return false }
            var wanted = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            unsafe poll(&wanted, 1, Int32(time.components.seconds * 1_000 + 1))
        }
    }

    /// Takes whole lines off what was read, each byte once: a reader that is slow holds up the daemon, which then loses.
    private func takeLines() {
        var start = 0
        unsafe rest.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            while let newline = unsafe memchr(base + start, 0x0a, bytes.count - start) {
                let end = unsafe UnsafeRawPointer(newline) - base
                unsafe lines.append(String(decoding: bytes[start..<end], as: UTF8.self))
                start = end + 1
            }
        }
        rest.removeFirst(start)
    }

    /// Reads standard output until a line not looked at before satisfies `condition`.
    ///
    /// `false`, with an issue that says what there was instead, when it ended first or nothing came for so long. A
    /// daemon that goes on writing has all the time until it ends by itself.
    func waitForLine(
        _ what: String = "a line that the test waits for", sourceLocation: SourceLocation = #_sourceLocation,
        where condition: (String) -> Bool
    ) -> Bool {
        while true {
            while examinedCount < lines.count {
                examinedCount += 1
                if condition(lines[examinedCount - 1]) { return true }
            }
            if readMore(until: .now + ChildProcess.patience) { continue }
            let errors = (try? String(decoding: Data(contentsOf: errors), as: UTF8.self)) ?? ""
            Issue.record(
                """
                collectord \(isRunning ? "did not write within \(ChildProcess.patience)" : "ended before it wrote"): \(what)
                its last lines: \(lines.suffix(3).joined(separator: "\n"))
                its errors: \(errors.suffix(1_000))
                """, sourceLocation: sourceLocation)
            return false
        }
    }

    /// Waits until each of these sources has said that it is ready, in whatever order they do.
    func waitUntilReady(
        _ sources: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) -> Bool {
        var missing = Set(sources)
        return waitForLine("that \(sources) are ready", sourceLocation: sourceLocation) { line in
            guard line.contains(#""state":"ready""#) else { return false }
            missing = missing.filter { !line.contains("\"source\":\"\($0)\"") }
            return missing.isEmpty
        }
    }

    func waitForLine(
        holding part: String, sourceLocation: SourceLocation = #_sourceLocation
    ) -> Bool {
        waitForLine("a line with \(part)", sourceLocation: sourceLocation) { $0.contains(part) }
    }

    /// Waits for an event of one kind about one process.
    func waitForEvent(
        _ kind: String, of pid: pid_t, sourceLocation: SourceLocation = #_sourceLocation
    ) -> Bool {
        waitForLine("\(kind) of \(pid)", sourceLocation: sourceLocation) {
            $0.contains("\"kind\":\"\(kind)\"") && $0.contains("\"process\":{\"pid\":\(pid),")
        }
    }

    /// Reads everything up to its end.
    func finish() throws -> Result {
        while readMore(until: .now + ChildProcess.patience) {}
        let exitCode = child.wait()
        let complaints = try String(decoding: Data(contentsOf: errors), as: UTF8.self)
        let objects = lines.compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
        let text = (lines + [String(decoding: rest, as: UTF8.self)]).joined(separator: "\n")
        return Result(exitCode: exitCode, lines: objects, text: text, errors: complaints)
    }
}
