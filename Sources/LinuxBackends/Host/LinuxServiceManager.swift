package import EventModel

package import struct SystemPackage.Errno

/// Tells the service manager how the daemon is, as `sd_notify(3)` does: datagrams to the socket of `NOTIFY_SOCKET`.
///
/// Never waits: what the manager does not take is not told. Callable from any thread.
package final class LinuxServiceManager: Sendable {
    package enum Message: Hashable, Sendable {
        case ready
        /// Since when, by `CLOCK_MONOTONIC`.
        case reloading(Instant)
        case stopping
        /// One line for a person.
        case status(String)
        /// Still at work.
        case alive
    }

    private let socket: OwnedDescriptor
    /// How often ``Message/alive`` is expected at least; `nil` when it is not (`sd_watchdog_enabled(3)`).
    package let watchdogInterval: Duration?

    private init(_ socket: consuming OwnedDescriptor, watchdogInterval: Duration?) {
        self.socket = socket
        self.watchdogInterval = watchdogInterval
    }

    /// The manager that started this process; `nil` when there is none.
    ///
    /// - Throws: When it is named and cannot be reached.
    package static func fromEnvironment() throws(Errno) -> LinuxServiceManager? {
        guard let path = HostProcess.environment("NOTIFY_SOCKET"), !path.isEmpty else { return nil }
        return LinuxServiceManager(
            try Syscall.openNotification(to: Array(path.utf8)), watchdogInterval: watchdogInterval)
    }

    private static var watchdogInterval: Duration? {
        guard let microseconds = HostProcess.environment("WATCHDOG_USEC").flatMap({ Int64($0) }),
            microseconds > 0
        else { return nil }
        if let pid = HostProcess.environment("WATCHDOG_PID"), pid != "\(Syscall.processID)" { return nil }
        return .microseconds(microseconds)
    }

    package func tell(_ message: Message) {
        let text =
            switch message {
            case .ready: "READY=1"
            case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time.nanoseconds / 1_000)"
            case .stopping: "STOPPING=1"
            case .status(let line): "STATUS=\(TerminalText.escape(line))"
            case .alive: "WATCHDOG=1"
            }
        // A manager that takes nothing decides by itself what that means.
        _ = try? Syscall.send(socket.rawValue, Array(text.utf8), from: 0)
    }
}
