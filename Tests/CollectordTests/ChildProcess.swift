import Foundation
import Testing

/// A program that runs beside the test; every wait for it ends, and it is killed at the latest when this value goes.
///
/// Not Foundation's `Process`: that one takes the end of a socket for the end of the program, and another child that is
/// forked at the same moment holds the socket as long as it lives. Here no descriptor of one child is another's.
final class ChildProcess {
    enum Stream {
        case null
        /// Opened for writing, and made if it is not there.
        case file(URL)
        /// Opened by the child alone: this process never has the writing end, so that its end comes with the child's.
        case fifo(URL)
        /// Read from a FIFO.
        case input(URL)
    }

    /// How long anything may take that happens in time on any host; a test that waits for longer fails.
    static let patience = Duration.seconds(120)

    let pid: pid_t
    private let words: [String]
    private var ending: Int32?

    /// - Parameter words: The path of the program, and its arguments.
    init(
        _ words: [String], input: Stream = .null, output: Stream = .null, errors: Stream = .null
    ) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (number, stream) in zip(Int32(0)..., [input, output, errors]) {
            let (path, flags) = stream.opening
            unsafe posix_spawn_file_actions_addopen(&actions, number, path, flags, 0o600)
        }
        // What other tests have open without O_CLOEXEC; closing what is not open is no error here.
        for number: Int32 in 3..<256 { unsafe posix_spawn_file_actions_addclose(&actions, number) }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var vector = unsafe words.map { unsafe strdup($0) }
        unsafe vector.append(nil)
        defer { for index in unsafe vector.indices { unsafe free(vector[index]) } }
        var pid: pid_t = 0
        let result = unsafe posix_spawn(&pid, words[0], &actions, &attributes, vector, environ)
        guard result == 0 else {
            throw NSError(
                domain: NSPOSIXErrorDomain, code: Int(result), userInfo: [NSFilePathErrorKey: words[0]])
        }
        self.pid = pid
        self.words = words
    }

    deinit {
        guard ending == nil else { return }
        kill(pid, SIGKILL)
        var status: Int32 = 0
        unsafe waitpid(pid, &status, 0)
    }

    var isRunning: Bool { exitCode == nil }

    /// Its exit code, or 128 and the number of the signal that ended it; `nil` while it runs.
    var exitCode: Int32? {
        var status: Int32 = 0
        if ending == nil, unsafe waitpid(pid, &status, WNOHANG) == pid {
            ending = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
        }
        return ending
    }

    /// Nothing happens when it has ended.
    func signal(_ number: Int32) { if isRunning { kill(pid, number) } }

    /// Waits for its end; one that does not end is killed, and the test fails.
    @discardableResult func wait(
        within patience: Duration = ChildProcess.patience, sourceLocation: SourceLocation = #_sourceLocation
    ) -> Int32 {
        let what = "the end of \(words.prefix(6).joined(separator: " ").prefix(300))"
        if !Wait.until(what, within: patience, sourceLocation: sourceLocation, { !isRunning }) {
            signal(SIGKILL)
            _ = Wait.until("\(what), killed", sourceLocation: sourceLocation) { !isRunning }
        }
        return exitCode ?? -1
    }
}

extension ChildProcess.Stream {
    fileprivate var opening: (path: String, flags: Int32) {
        switch self {
        case .null: ("/dev/null", O_RDWR)
        case .file(let url): (url.path, O_WRONLY | O_CREAT | O_APPEND)
        case .fifo(let url): (url.path, O_WRONLY)
        case .input(let url): (url.path, O_RDONLY)
        }
    }
}

/// Waiting for what others do.
enum Wait {
    /// Waits for a condition; when it does not come the test fails with what was waited for.
    static func until(
        _ what: String, within patience: Duration = ChildProcess.patience,
        sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
    ) rethrows -> Bool {
        let deadline = ContinuousClock.now + patience
        while try !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record("not within \(patience): \(what)", sourceLocation: sourceLocation)
                return false
            }
            // Lets others work between two looks.
            _ = poll(nil, 0, 2)
        }
        return true
    }
}

/// A program that lives until the test lets it go: its standard input ends then.
final class HeldProgram {
    private let child: ChildProcess
    private let folder: URL
    private var end: Int32

    var pid: pid_t { child.pid }

    /// - Parameter words: A program that ends when its standard input does, and its arguments.
    init(_ words: [String]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("held-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let input = folder.appendingPathComponent("in")
        #expect(unsafe mkfifo(input.path, 0o600) == 0)
        end = unsafe open(input.path, O_RDWR | O_CLOEXEC)
        child = try ChildProcess(words, input: .input(input))
    }

    deinit {
        if end >= 0 { close(end) }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Lets it go, and waits for its end.
    @discardableResult func release() -> Int32 {
        close(end)
        end = -1
        return child.wait()
    }
}

/// Runs a program to its end and returns its pid.
@discardableResult
func runToEnd(
    _ path: String, _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
) throws -> pid_t {
    let child = try ChildProcess([path] + arguments)
    child.wait(sourceLocation: sourceLocation)
    return child.pid
}
