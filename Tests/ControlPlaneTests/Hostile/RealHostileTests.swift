import Backends
import CollectorCore
import ControlPlane
import EventModel
import Foundation
import Glibc
import LinuxBackends
import Synchronization
import Testing
import Wire
import WireMessages

/// The same clients over real sockets; the server's times are short instead of virtual.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RealHostileTests {
    private static var limits: ControlServer.Limits {
        var limits = ControlServer.Limits()
        limits.session.helloTimeout = .seconds(1)
        limits.session.times.frameTimeout = .seconds(1)
        limits.session.times.writeTimeout = .seconds(1)
        limits.connectionCount = 32
        limits.historyByteCount = 32 << 20
        return limits
    }

    /// Sockets of this host that bear the name: the listener, and the server's ends of its connections (`proc_net_unix(5)`).
    private static func socketCount(at path: String) -> Int {
        let table = (try? String(contentsOfFile: "/proc/net/unix", encoding: .utf8)) ?? ""
        return table.split(separator: "\n").count { $0.hasSuffix(" " + path) }
    }

    /// Descriptors of this process that are open on a file.
    private static func descriptorCount(of file: String) -> Int {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return numbers.count { number in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")) == file
        }
    }

    /// Runs `body` with a server on a thread of its own, and looks afterwards whether anything is left.
    private func perform(_ body: @escaping @Sendable (Stage, String) async throws -> Void) async throws {
        let folder = URL(filePath: "/tmp/hostile-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "socket").path()
        try await onThreads { server, clients in
            let listener = try LinuxTransportListener(path: path, mode: 0o600, on: server)
            let connector = try LinuxTransportConnector(path: path, on: clients)
            let stage = try await Stage(
                listener, limits: Self.limits, serverThread: server, thread: clients, connector: connector,
                good: connector)
            stage.source.emit(5)
            try await body(stage, path)
            await stage.expectAllIsWell()
            await stage.strike()
            await stage.until("every socket is closed") { Self.socketCount(at: path) == 0 }
        }
    }

    private func onThreads(
        _ body: @escaping @Sendable (LinuxThread, LinuxThread) async throws -> Void
    ) async throws {
        let (server, clients) = (try LinuxThread(name: "server"), try LinuxThread(name: "clients"))
        defer {
            clients.stop()
            server.stop()
        }
        try await clients.run { try await body(server, clients) }
    }

    @Test(arguments: HostileBehaviour.allCases)
    func `nobody else notices`(behaviour: HostileBehaviour) async throws {
        try await perform { stage, _ in
            try await behaviour.run(stage, seed: 1)
            if let reason = behaviour.reason {
                await stage.until("\(reason) is counted") { stage.ended(reason) > 0 }
            }
        }
    }

    @Test func `descriptors that are sent along are not taken`() async throws {
        try await perform { stage, path in
            let socket = try #require(connectedSocket(path))
            let file = path + ".sent"
            let sent = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            for byte in RawPeer.frame(1, RawPeer.hello()) {
                #expect(send([byte], along: sent, over: socket) == 1)
            }
            await stage.until("it is greeted") { stage.server.listenerStatus.requests >= 3 }
            #expect(Self.descriptorCount(of: file) == 1, "ours alone")
            close(sent)
            close(socket)
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/perl"), "needs perl"))
    func `a client whose process has ended is served like any other`() async throws {
        try await perform { stage, path in
            let hello = RawPeer.frame(1, RawPeer.hello()).map { String(format: "%02x", $0) }.joined()
            // The child goes on with the connection of a parent that is gone.
            let program = """
                use Socket; my ($path, $hello) = @ARGV; my $own = $$;
                socket(S, AF_UNIX, SOCK_STREAM, 0) or die; connect(S, pack_sockaddr_un($path)) or die;
                exit if fork(); select(undef, undef, undef, 0.01) while getppid() == $own;
                syswrite(S, pack('H*', $hello)); sysread(S, my $answer, 9);
                """
            let before = stage.server.listenerStatus
            #expect(run("/usr/bin/perl", "-e", program, path, hello) == 0)
            await stage.until("it has said hello and left") {
                let now = stage.server.listenerStatus
                return now.requests > before.requests && now.accepted > before.accepted
                    && now.connections == 1
            }
        }
    }

    @Test func `a client that never stops asking does not keep the server for itself`() async throws {
        try await perform { stage, path in
            let thread = try LinuxThread(name: "greedy")
            let greedy = Greedy()
            let connection = try LinuxTransportConnector(path: path, on: thread).connect()
            let task = spawn(on: thread) { await greedy.ask(RawPeer(connection, on: thread)) }
            for _ in 0..<50 {
                stage.source.emit(1)
                await stage.until("the good client gets its event") {
                    stage.goodCount == stage.source.wantedCount
                }
            }
            await stage.until("the greedy one is answered, too") { greedy.count > 100_000 }
            greedy.stop()
            await task.value
            thread.stop()
        }
    }
}

/// Asks as fast as it is answered.
private final class Greedy: Sendable {
    private let isEnough = Mutex(false)
    private let answers = Mutex(0)

    /// Bytes of answers.
    var count: Int { answers.withLock { $0 } }

    func stop() { isEnough.withLock { $0 = true } }

    func ask(_ start: RawPeer) async {
        var peer = start
        try? await peer.hello()
        let connection = peer.connection
        var questions: [UInt8] = []
        for id: UInt64 in 2..<500 { questions += RawPeer.frame(id, RawPeer.nextPage(1)) }
        var (sent, answer) = (0, [UInt8]())
        // Without ever waiting: there is always a question.
        while !isEnough.withLock({ $0 }) {
            if let count = try? connection.send(questions, from: sent) {
                sent = (sent + count) % questions.count
            }
            answer.removeAll(keepingCapacity: true)
            if let count = try? connection.receive(count: 65_536, into: &answer) {
                answers.withLock { $0 += count }
            }
        }
        peer.close()
    }
}

private func connectedSocket(_ path: String) -> Int32? {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
    let result = unsafe withUnsafePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    return result == 0 ? number : nil
}

/// `sendmsg(2)` with one descriptor (`SCM_RIGHTS`).
private func send(_ bytes: [UInt8], along descriptor: Int32, over socket: Int32) -> Int {
    var bytes = bytes
    // struct cmsghdr { size_t cmsg_len; int cmsg_level; int cmsg_type; }, then the descriptor, padded to 8 bytes.
    var control: [UInt32] = [20, 0, UInt32(SOL_SOCKET), 1, UInt32(descriptor), 0]
    return unsafe bytes.withUnsafeMutableBytes { data in
        unsafe control.withUnsafeMutableBytes { control in
            var vector = unsafe iovec(iov_base: data.baseAddress, iov_len: data.count)
            return unsafe withUnsafeMutablePointer(to: &vector) { vector in
                var message = unsafe msghdr()
                unsafe message.msg_iov = vector
                unsafe message.msg_iovlen = 1
                unsafe message.msg_control = control.baseAddress
                unsafe message.msg_controllen = control.count
                return unsafe sendmsg(socket, &message, 0)
            }
        }
    }
}

/// Runs a program and waits for its end; the result is its status. (Foundation's own way keeps descriptors.)
private func run(_ arguments: String...) -> Int32 {
    var vector: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
    unsafe vector.append(nil)
    defer { for index in unsafe vector.indices { unsafe free(vector[index]) } }
    var pid: pid_t = 0
    guard unsafe posix_spawn(&pid, arguments[0], nil, nil, vector, environ) == 0 else { return -1 }
    var status: Int32 = 0
    return unsafe waitpid(pid, &status, 0) == pid ? status : -1
}
