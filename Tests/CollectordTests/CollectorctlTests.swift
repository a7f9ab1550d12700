import Foundation
import Testing

/// `collectorctl` as a program among others: what becomes of its output, its arguments and its exit code.
@Suite(.enabled(if: Daemon.isAvailable), .serialized, .timeLimit(.minutes(10)))
struct CollectorctlTests {
    private let folder: URL
    private var socket: String { folder.appendingPathComponent("c.sock").path }
    private let program = Program.path("collectorctl")

    init() throws {
        // The path of a socket is short.
        folder = URL(fileURLWithPath: "/tmp/collectorctl-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func startDaemon() throws -> Daemon {
        let daemon = try Daemon(["run", "--events", "json", "--set", "ipc.socket=\(socket)"])
        #expect(daemon.waitUntilReady(["process"]))
        return daemon
    }

    private func stop(_ daemon: Daemon) throws -> Daemon.Result {
        daemon.terminate()
        return try daemon.finish()
    }

    /// A command of bash, for what only a shell does to descriptors.
    private func shell(_ command: String) throws -> Program.Result {
        try Program(at: "/bin/bash", ["-c", command]).finish()
    }

    @Test func `output that cannot be written is a failure, whatever its size`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        for command in ["status", "sources", "health", "capabilities", "metrics", "task processes"] {
            let result = try shell(
                "\(program) \(command) --socket \(socket) > /dev/full")
            #expect(result.exitCode == 74, "\(command)")
            #expect(result.errors.contains("cannot write"), "\(command)")
        }
        _ = try stop(daemon)
        #expect(try shell("\(program) completion bash > /dev/full").exitCode == 74)
    }

    @Test func `a reader that has seen enough is no failure, and a closed output no crash`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        let cut = try shell(
            "set -o pipefail; for i in 1 2 3; do \(program) task processes --json --socket \(socket) | : || exit; done"
        )
        #expect(cut.exitCode == 0, "\(cut.errors)")
        for command in ["status --socket \(socket)", "health --socket \(socket)", "completion bash"] {
            let closed = try shell("\(program) \(command) 0<&- 1>&- 2>&-")
            #expect(closed.exitCode == 0, "\(command)")
        }
        #expect(try stop(daemon).exitCode == 0)
    }

    @Test(arguments: ["collectord", "collectorctl", "collector-sim"])
    func `a program that cannot read its arguments says so, and does not end well`(_ name: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try Program(
            at: "/usr/bin/unshare",
            ["-m", "/bin/sh", "-c", #"mount -t tmpfs none /proc && exec "$0" --version"#, Program.path(name)]
        ).finish()
        #expect(result.errors.contains("/proc is not mounted"), "\(result)")
        #expect(result.exitCode == (name == "collectord" ? 69 : 70), "\(result)")
    }

    @Test func `options that every command takes may stand before it`() throws {
        let daemon = try startDaemon()
        defer { try? FileManager.default.removeItem(at: folder) }
        for words in [["status"], ["task", "processes"], ["config", "show"]] {
            let result = try Program(at: program, ["--socket", socket, "--json", "--timeout=5"] + words)
                .finish()
            #expect(result.exitCode == 0 && !result.lines.isEmpty, "\(words): \(result.errors)")
        }
        _ = try stop(daemon)
    }

    @Test func `who interrupts twice does not wait for a collector that hangs`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        // It takes clients in, and never says a word.
        let silent = try SilentListener(socket)
        let watch = try ChildProcess([program, "watch", "--socket", socket])
        silent.waitForClient()
        #expect(
            Wait.until("its end") {
                watch.signal(SIGINT)
                return !watch.isRunning
            })
        #expect(watch.exitCode == 130)
    }

    @Test func `who never reached the collector is told only that`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let watch = try Program(at: program, ["watch", "--socket", socket]).finish()
        #expect(watch.exitCode == 69 && watch.output.isEmpty)
        #expect(watch.errors.split(separator: "\n").count == 1)
    }
}

/// A socket that somebody listens at who never answers.
private final class SilentListener {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0, listen(descriptor, 8) == 0 else { throw POSIXError(.EADDRINUSE) }
    }

    deinit { close(descriptor) }

    /// Waits until somebody has connected.
    func waitForClient() {
        _ = Wait.until("a client") {
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return unsafe poll(&wanted, 1, 0) == 1
        }
    }
}
