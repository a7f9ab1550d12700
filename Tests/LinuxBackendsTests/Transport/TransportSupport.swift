import Backends
import EventModel
import Glibc
import LinuxBackends
import Testing

import struct SystemPackage.Errno

/// A folder of its own for sockets, of mode 0700.
func withSocketFolder(
    _ body: @escaping @Sendable (String, LinuxThread) async throws -> Void
) async throws {
    var template = Array("/tmp/collector-test-XXXXXX".utf8CString)
    let folder = try #require(unsafe mkdtemp(&template).map { unsafe String(cString: $0) })
    try await onLinuxThread { thread in try await body(folder, thread) }
    try Child("/bin/rm", "-rf", folder).wait()
}

/// Both ends of a connection.
struct Ends: Sendable {
    let client: any TransportConnection
    let server: any TransportConnection

    init(_ listener: LinuxTransportListener, path: String, on thread: LinuxThread) async throws {
        client = try LinuxTransportConnector(path: path, on: thread).connect()
        #expect(await listener.acceptable(until: nil) == .readable)
        server = try listener.accept()
    }
}

/// Runs `body` with a connection, its listener closed afterwards.
func withConnection(
    _ body: @escaping @Sendable (Ends, LinuxThread) async throws -> Void
) async throws {
    try await withSocketFolder { folder, thread in
        let path = "\(folder)/s"
        let listener = try LinuxTransportListener(path: path, mode: 0o600, on: thread)
        defer { listener.close() }
        try await body(Ends(listener, path: path, on: thread), thread)
    }
}

extension TransportConnection {
    /// What has arrived, at most `count` bytes.
    func received(_ count: Int = 65_536) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        let received = try receive(count: count, into: &bytes)
        #expect(received == bytes.count)
        return bytes
    }

    /// Sends until there is no room; the result is how many bytes that took.
    func fill() -> Int {
        let chunk = [UInt8](repeating: 7, count: 65_536)
        var sum = 0
        while let count = try? send(chunk, from: 0) { sum += count }
        return sum
    }
}

/// A socket without any of our rules, as another program makes it.
///
/// A process that another test starts has it too, until its exec: a listening one may outlive its value for a moment.
struct BareSocket: ~Copyable {
    enum Kind { case listening(backlog: Int32), remains, datagrams }

    let descriptor: OwnedDescriptor

    init(_ kind: Kind, at path: String) throws {
        let type = if case .datagrams = kind { SOCK_DGRAM } else { SOCK_STREAM }
        descriptor = OwnedDescriptor(
            adopting: Glibc.socket(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let number = descriptor.rawValue
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(result == 0)
        if case .listening(let backlog) = kind { #expect(listen(number, backlog) == 0) }
    }
}

/// A program of another process that tells when it is ready.
final class Program {
    let child: Child
    private let readiness: ReadableDescriptor

    /// - Parameter text: Perl; `$path` is the path, `ready()` tells.
    init(_ text: String, path: String, on thread: LinuxThread) throws {
        let pipe = try Pipe()
        let writing = pipe.writing
        let prologue = """
            use Socket; my ($path, $fd) = @ARGV; my $at = pack_sockaddr_un($path);
            sub ready { open(my $out, '>&=', $fd); syswrite($out, 'x') }
            socket(S, AF_UNIX, SOCK_STREAM, 0) or die;
            """
        child = try Child(
            "/usr/bin/perl", "-e", prologue + text, path, String(writing.rawValue), passing: writing.rawValue)
        readiness = try ReadableDescriptor(pipe.reading, on: thread)
    }

    func ready() async throws {
        #expect(await readiness.readable(until: nil) == .readable)
        try #require(take(readiness.descriptor.rawValue) == Array("x".utf8), "the program failed")
    }
}

/// Whether tests can start a program that uses sockets.
let hasPerl = unsafe access("/usr/bin/perl", X_OK) == 0

/// Mode and whether there is such a name.
func mode(_ path: String) -> UInt32? {
    var status = stat()
    return unsafe lstat(path, &status) == 0 ? status.st_mode : nil
}

/// What a listener's opening fails with.
func openingProblem(
    _ path: String, mode: UInt32 = 0o600, on thread: LinuxThread
) -> TransportListenerError.Problem? {
    do {
        try LinuxTransportListener(path: path, mode: mode, on: thread).close()
        return nil
    } catch {
        #expect(error.path == path && error.description.contains(path))
        return error.problem
    }
}
