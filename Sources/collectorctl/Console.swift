import ArgumentParser
import Backends
import CollectorCore
import ControlPlane
import EventModel
import LinuxBackends
import Presentation
import Synchronization
import WireMessages

import struct SystemPackage.Errno

/// Why a command failed, with its exit code (`sysexits.h`).
struct CommandFailure: Error, CustomStringConvertible {
    /// The exit code when output cannot be written (`EX_IOERR`).
    static let unwritable: Int32 = 74

    var exitCode: Int32
    var description: String

    init(_ exitCode: Int32, _ description: String) {
        self.exitCode = exitCode
        self.description = TerminalText.escape(description)
    }

    init(_ error: ControlClientError, socket: String) {
        switch error {
        case .unreachable(let errno): self = Self.unreachable(errno, socket)
        case .disconnected, .timedOut: self.init(75, "\(socket): \(error)")
        case .violation: self.init(65, "\(socket): \(error)")
        case .refused(let code, let message):
            switch code {
            case .permissionDenied: self.init(77, message)
            case .invalid: self.init(64, message)
            case .exhausted, .deadlineExceeded: self.init(75, message)
            case .notFound: self.init(1, message)
            default: self.init(69, message)
            }
        }
    }

    private static func unreachable(_ errno: Errno, _ socket: String) -> CommandFailure {
        switch errno {
        case .noSuchFileOrDirectory:
            CommandFailure(
                69,
                "there is no collector at \(socket): start collectord, or name its ipc.socket with --socket PATH"
            )
        case .connectionRefused:
            CommandFailure(69, "nobody listens at \(socket) any more: start collectord")
        case .permissionDenied:
            CommandFailure(
                77,
                "may not connect to \(socket): run as root or the collector's user, or as a member of its ipc.group"
            )
        case .resourceTemporarilyUnavailable:
            CommandFailure(75, "the collector at \(socket) is too busy to take another client; try again")
        default: CommandFailure(69, "cannot connect to \(socket): \(errno)")
        }
    }
}

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The collector's control socket.", valueName: "path"))
    var socket = "/run/collector-core/control.sock"

    @Option(help: ArgumentHelp("Seconds to wait for an answer.", valueName: "seconds"))
    var timeout = 10

    @Flag(name: .customLong("json"), help: "One JSON object a line.")
    var isJSON = false

    func validate() throws {
        guard (1...3_600).contains(timeout) else {
            throw ValidationError("--timeout: expected 1 to 3600 seconds")
        }
    }

    /// The arguments with these options behind the command: the parser knows them there alone.
    static func behindCommand(_ arguments: [String]) -> [String] {
        var count = 0
        while count < arguments.count, arguments[count].hasPrefix("--") {
            let name = arguments[count].prefix { $0 != "=" }
            guard ["--socket", "--timeout", "--json"].contains(name) else { break }
            let hasValueBehind = name != "--json" && name.count == arguments[count].count
            count += hasValueBehind ? 2 : 1
        }
        guard count < arguments.count else { return arguments }
        var behind = Array(arguments[count...])
        behind.insert(contentsOf: arguments[..<count], at: behind.firstIndex(of: "--") ?? behind.endIndex)
        return behind
    }
}

/// Where output goes, and what a command needs to talk to the collector.
struct Console: Sendable {
    let options: CommonOptions
    let thread: LinuxThread
    let output = LinuxOutput.standardOutput()

    /// Writes an answer that takes no collector; ends the process when that cannot be done.
    static func say(_ text: String) {
        let output = LinuxOutput.standardOutput()
        do throws(Errno) {
            try output.write(text + "\n")
            try output.flush()
        } catch .brokenPipe {
            // Whoever reads has seen enough.
        } catch {
            complain("collectorctl: cannot write: \(error)")
            HostProcess.exitNow(CommandFailure.unwritable)
        }
    }

    static func tell(_ text: String) { try? LinuxOutput.standardError().write(text + "\n") }

    static func complain(_ text: String) { tell(TerminalText.escape(text)) }

    /// A table as wide as the terminal.
    var table: EventTable {
        EventTable(
            width: output.terminalSize?.columns ?? 160,
            colours: output.isTerminal && !HostProcess.hasEnvironment("NO_COLOR") ? .ansi : .none)
    }

    var deadline: Instant { thread.clock.monotonic.advanced(by: .seconds(options.timeout)) }

    var connector: LinuxTransportConnector {
        get throws(CommandFailure) {
            do throws(Errno) {
                return try LinuxTransportConnector(path: options.socket, on: thread)
            } catch {
                throw CommandFailure(64, "--socket: \"\(options.socket)\" is no path of a socket (\(error))")
            }
        }
    }

    /// Runs a command to its end on this thread.
    static func run(
        _ options: CommonOptions, _ body: @escaping @Sendable (Console) async throws(CommandFailure) -> Void
    ) throws {
        guard let thread = try? LinuxThread(name: "collectorctl") else {
            throw CommandFailure(70, "cannot make a thread")
        }
        let failure = Mutex<CommandFailure?>(nil)
        thread.serveOnCallingThread {
            let console = Console(options: options, thread: thread)
            do throws(CommandFailure) {
                try await body(console)
            } catch {
                failure.withLock { $0 = error }
            }
            do throws(CommandFailure) {
                try console.flush()
            } catch {
                // What went wrong first is said.
                failure.withLock { $0 = $0 ?? error }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// How long a stream may take to end once it was asked to.
    private static let endTimeout = Duration.seconds(2)
    /// The exit code of who insists: what a shell gives for a program that SIGINT ended.
    private static let interrupted: Int32 = 130

    /// Runs `body`, which a signal asks to end, and cancels when it has not after a while; a second one ends the process.
    ///
    /// - Parameter requestEnd: Says whether there is an end to wait for.
    func runUntilSignal(
        onSignal requestEnd: @escaping @Sendable () -> Bool,
        _ body: @escaping @Sendable () async throws(CommandFailure) -> Void
    ) async throws(CommandFailure) {
        let signals: LinuxSignals
        do throws(Errno) {
            signals = try LinuxSignals(on: thread)
        } catch {
            throw CommandFailure(70, "cannot wait for signals: \(error)")
        }
        let failure = Mutex<CommandFailure?>(nil)
        let work = spawn(on: thread) {
            do throws(CommandFailure) {
                try await body()
            } catch {
                failure.withLock { $0 = error }
            }
        }
        let waiting = spawn(on: thread) { [thread] in
            guard await signals.next() != nil else { return }
            let patience = requestEnd() ? Self.endTimeout : .zero
            _ = thread.clock.schedule(at: thread.clock.monotonic.advanced(by: patience)) { work.cancel() }
            if await signals.next() != nil { HostProcess.exitNow(Self.interrupted) }
        }
        await work.value
        waiting.cancel()
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    func connect() async throws(CommandFailure) -> ControlClient {
        let connector = try connector
        do throws(ControlClientError) {
            return try await ControlClient.connect(
                connector, name: "collectorctl \(HostProcess.version)", on: thread, until: deadline)
        } catch {
            throw CommandFailure(error, socket: options.socket)
        }
    }

    func ask(_ client: ControlClient, _ body: WireClientMessage.OneOf_Body) async throws(CommandFailure)
        -> WireServerMessage
    {
        do throws(ControlClientError) {
            return try await client.ask(body, until: deadline)
        } catch {
            throw CommandFailure(error, socket: options.socket)
        }
    }

    /// Reads what the collector sent.
    func read<Value>(_ body: () throws(MessageError) -> Value) throws(CommandFailure) -> Value {
        do throws(MessageError) {
            return try body()
        } catch {
            throw CommandFailure(65, "\(options.socket): the collector's answer makes no sense: \(error)")
        }
    }

    func write(_ lines: [String]) throws(CommandFailure) {
        for line in lines { try write(Array((line + "\n").utf8)) }
    }

    /// Writes one JSON object, which `append` makes.
    func writeJSON(_ append: (inout [UInt8]) -> Void) throws(CommandFailure) {
        var bytes: [UInt8] = []
        append(&bytes)
        bytes.append(0x0a)
        try write(bytes)
    }

    func write(_ bytes: [UInt8]) throws(CommandFailure) {
        do throws(Errno) {
            try output.write(bytes)
        } catch .brokenPipe {
            // Whoever reads has seen enough.
            HostProcess.exitNow(0)
        } catch {
            throw CommandFailure(CommandFailure.unwritable, "cannot write: \(error)")
        }
    }

    func flush() throws(CommandFailure) {
        do throws(Errno) {
            try output.flush()
        } catch .brokenPipe {
            HostProcess.exitNow(0)
        } catch {
            throw CommandFailure(CommandFailure.unwritable, "cannot write: \(error)")
        }
    }
}
