import Foundation
import Testing

/// What a service manager is told: a datagram socket in its place, and a real daemon.
@Suite(.enabled(if: Daemon.isAvailable), .timeLimit(.minutes(10)))
struct ServiceManagerTests {
    /// A socket that receives notifications, as `sd_notify(3)` sends them.
    private final class Manager {
        let folder: URL
        var path: String { folder.appendingPathComponent("notify").path }
        private let socket: Int32

        init() throws {
            folder = URL(fileURLWithPath: "/tmp/manager-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let name = Array(folder.appendingPathComponent("notify").path.utf8)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
            let size = socklen_t(MemoryLayout<sockaddr_un>.size)
            let result = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(socket, unsafe $0, size)
                }
            }
            #expect(result == 0)
            var patience = timeval(tv_sec: Int(ChildProcess.patience.components.seconds), tv_usec: 0)
            unsafe setsockopt(
                socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit {
            close(socket)
            try? FileManager.default.removeItem(at: folder)
        }

        /// The next message that begins so; `nil` when none comes in time.
        func wait(for beginning: String) -> String? {
            var bytes = [UInt8](repeating: 0, count: 4_096)
            let deadline = ContinuousClock.now + ChildProcess.patience
            while true {
                let count = unsafe recv(socket, &bytes, bytes.count, 0)
                guard count > 0, ContinuousClock.now < deadline else {
                    Issue.record("the manager was not told \(beginning)")
                    return nil
                }
                let text = String(decoding: bytes[..<count], as: UTF8.self)
                if text.hasPrefix(beginning) { return text }
            }
        }
    }

    @Test func `the manager is told of start, progress, reload and stop, in this order`() throws {
        let manager = try Manager()
        let config = manager.folder.appendingPathComponent("config.toml")
        try Data().write(to: config)
        chmodToOwner(config)
        let program = try Program(
            at: "/usr/bin/env",
            [
                "NOTIFY_SOCKET=\(manager.path)", "WATCHDOG_USEC=400000", Daemon.executable.path, "run",
                "--events", "none", "--config", config.path, "--set", "ipc.socket=", "--set",
                "state.directory=\(manager.folder.path)/state", "--for", "300s",
            ])
        #expect(manager.wait(for: "READY=1") != nil)
        #expect(manager.wait(for: "WATCHDOG=1") != nil)
        #expect(manager.wait(for: "STATUS=healthy; ") != nil)
        #expect(manager.wait(for: "WATCHDOG=1") != nil)
        program.signal(SIGHUP)
        let reloading = try #require(manager.wait(for: "RELOADING=1"))
        #expect(reloading.contains("\nMONOTONIC_USEC="))
        #expect(manager.wait(for: "READY=1") != nil)
        program.signal(SIGTERM)
        #expect(manager.wait(for: "STOPPING=1") != nil)
        #expect(try program.finish().exitCode == 0)
    }

    @Test func `a manager that cannot be reached is an error, not a silence`() throws {
        let manager = try Manager()
        let result = try Program(
            at: "/usr/bin/env",
            [
                "NOTIFY_SOCKET=\(manager.folder.path)/nobody", Daemon.executable.path, "run", "--events",
                "none",
                "--config", "/dev/null", "--set", "ipc.socket=", "--set",
                "state.directory=\(manager.folder.path)/state", "--for", "300s",
            ]
        ).finish()
        #expect(result.exitCode == 69, "\(result)")
        #expect(result.errors.contains("NOTIFY_SOCKET"))
    }

    private func chmodToOwner(_ file: URL) {
        try? FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
    }
}
