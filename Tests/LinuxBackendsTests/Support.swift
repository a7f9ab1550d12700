import Backends
import EventModel
import Glibc
import LinuxBackends
import SystemPackage
import Testing

/// Whether tests that need privileges can run.
let isRoot = geteuid() == 0

/// Runs `body` on a thread of its own, which is stopped afterwards.
func onLinuxThread<Result: Sendable>(
    named name: String = "test", _ body: @escaping @Sendable (LinuxThread) async throws -> Result
) async throws -> Result {
    let thread = try LinuxThread(name: name)
    defer { thread.stop() }
    return try await thread.run { try await body(thread) }
}

/// The operating system's name of the calling thread.
func currentThread() -> UInt { UInt(pthread_self()) }

extension LinuxThread {
    var now: EventModel.Instant { clock.monotonic }
    func after(_ duration: Swift.Duration) -> EventModel.Instant { now.advanced(by: duration) }
}

/// Waits for what others do; when it does not come the test fails with what was waited for.
@discardableResult func wait(
    for what: String, sourceLocation: SourceLocation = #_sourceLocation, until condition: () throws -> Bool
) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(120)
    while try !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("not within two minutes: \(what)", sourceLocation: sourceLocation)
            return false
        }
        // Lets others work between two looks.
        _ = poll(nil, 0, 1)
    }
    return true
}

/// A process of another program, killed and reaped at the latest when this value goes.
final class Child {
    let pid: pid_t
    private var isReaped = false

    /// - Parameter descriptor: The only one of this process that the program gets beside standard input and output.
    init(_ arguments: String..., passing descriptor: Int32? = nil) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for number: Int32 in 3..<256 where number != descriptor {
            // Of one that is not open this is no error.
            unsafe posix_spawn_file_actions_addclose(&actions, number)
        }
        // A duplicate of itself only loses its O_CLOEXEC.
        if let descriptor { unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, descriptor) }
        var pid: pid_t = 0
        var pointers = unsafe arguments.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        let result = unsafe posix_spawn(&pid, arguments[0], &actions, nil, pointers, environ)
        guard result == 0 else { throw Errno(rawValue: result) }
        self.pid = pid
    }

    deinit { if !isReaped { kill(); wait() } }

    func kill() { Glibc.kill(pid, SIGKILL) }

    /// Its status; one that does not end is killed, and the test fails.
    @discardableResult func wait() -> Int32 {
        var status: Int32 = 0
        func hasEnded() -> Bool { unsafe waitpid(pid, &status, WNOHANG) != 0 }
        if !isReaped, !LinuxBackendsTests.wait(for: "process \(pid) ends", until: hasEnded) {
            kill()
            unsafe waitpid(pid, &status, 0)
        }
        isReaped = true
        return status
    }
}

/// Both ends of a pipe; the reading end does not block.
struct Pipe: ~Copyable {
    let reading: OwnedDescriptor
    let writing: OwnedDescriptor

    init() throws {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        // So that no process that another test starts keeps an end for longer than until its exec.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = OwnedDescriptor(adopting: ends[0])
        writing = OwnedDescriptor(adopting: ends[1])
    }
}

func put(_ bytes: [UInt8], _ descriptor: Int32) { _ = unsafe write(descriptor, bytes, bytes.count) }

/// What is in the descriptor now, at most 65 536 bytes.
func take(_ descriptor: Int32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    return Array(bytes.prefix(max(count, 0)))
}

/// A folder that is removed afterwards.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/collector-test-XXXXXX".utf8CString)
    guard let made = unsafe mkdtemp(&template) else { throw Errno(rawValue: errno) }
    let path = unsafe String(cString: made)
    try body(path)
    try Child("/bin/rm", "-rf", path).wait()
}

/// An open file that closures can share.
final class OpenFile: Sendable {
    let handle: FileHandle

    init(_ handle: consuming FileHandle) { self.handle = handle }
}

extension LinuxRootedDirectory {
    func file(_ path: [UInt8], as access: FileAccess) throws(Errno) -> OpenFile {
        OpenFile(try open(path, as: access))
    }

    func file(_ path: String, as access: FileAccess) throws(Errno) -> OpenFile {
        try file(Array(path.utf8), as: access)
    }

    func file(_ name: String, in folder: OpenFile, as access: FileAccess) throws(Errno) -> OpenFile {
        OpenFile(try open(Array(name.utf8), in: folder.handle, as: access))
    }

    func status(of file: OpenFile) throws(Errno) -> FileStatus { try status(of: file.handle) }

    func status(of name: String, in folder: OpenFile) throws(Errno) -> FileStatus {
        try status(of: Array(name.utf8), in: folder.handle)
    }
}

extension LinuxFileWatcher {
    func watch(_ file: OpenFile, mask: UInt32) throws(Errno) -> Int32 {
        try addWatch(file.handle, mask: mask)
    }
}
