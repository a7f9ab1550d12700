import Backends
import EventModel
import Glibc
import LinuxBackends
import Synchronization
import Testing

import struct SystemPackage.Errno

@Suite(.timeLimit(.minutes(10)))
struct LinuxTransportListenerTests {
    @Test func `a missing folder is made for owner and group, the socket has its mode whatever the umask`()
        async throws
    {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/run/s"
            let listener = try LinuxTransportListener(path: path, mode: 0o666, on: thread)
            #expect(mode("\(folder)/run") == S_IFDIR | 0o750)
            #expect(mode(path) == S_IFSOCK | 0o666)
            #expect(mode("\(path).lock") == S_IFREG | 0o600)
            listener.close()
        }
    }

    @Test(.enabled(if: isRoot, "giving files away takes root"))
    func `owner and group go to the socket and to a folder that is made`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/run/s"
            let listener = try LinuxTransportListener(
                path: path, mode: 0o660, owner: UserID(4_321), group: GroupID(1_234), on: thread)
            for name in [path, "\(folder)/run"] {
                var status = stat()
                #expect(unsafe lstat(name, &status) == 0)
                #expect(status.st_uid == 4_321 && status.st_gid == 1_234)
            }
            listener.close()
        }
    }

    @Test func `a client is announced and taken once`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let listener = try LinuxTransportListener(path: path, mode: 0o600, on: thread)
            #expect(throws: Errno.resourceTemporarilyUnavailable) { try listener.accept() }
            #expect(await listener.acceptable(until: thread.after(.milliseconds(1))) == .deadlinePassed)
            let client = try LinuxTransportConnector(path: path, on: thread).connect()
            #expect(await listener.acceptable(until: nil) == .readable)
            let server = try listener.accept()
            #expect(throws: Errno.resourceTemporarilyUnavailable) { try listener.accept() }
            _ = try client.send([1], from: 0)
            #expect(try server.received() == [1])
            listener.close()
        }
    }

    @Test func `an interruption ends the wait for clients`() async throws {
        try await withSocketFolder { folder, thread in
            let listener = try LinuxTransportListener(path: "\(folder)/s", mode: 0o600, on: thread)
            listener.interrupt()
            #expect(await listener.acceptable(until: nil) == .interrupted)
            listener.close()
        }
    }

    @Test func `closing removes the name and its lock, refuses who waits, and can be repeated`() async throws
    {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let listener = try LinuxTransportListener(path: path, mode: 0o600, on: thread)
            let client = try LinuxTransportConnector(path: path, on: thread).connect()
            listener.close()
            listener.close()
            #expect(mode(path) == nil && mode("\(path).lock") == nil)
            #expect(await client.ready(for: [], until: nil) == .readable)
            #expect(throws: Errno.connectionReset) { try client.received() }
            #expect(throws: Errno.socketNotConnected) { try listener.accept() }
            #expect(await listener.acceptable(until: nil) == .readable)
            #expect(openingProblem(path, on: thread) == nil)
        }
    }

    @Test func `closing ends the wait of another thread`() async throws {
        try await withSocketFolder { folder, thread in
            let listener = try LinuxTransportListener(path: "\(folder)/s", mode: 0o600, on: thread)
            let other = try LinuxThread(name: "other")
            defer { other.stop() }
            _ = other.clock.schedule(at: thread.after(.milliseconds(1))) { listener.close() }
            #expect(await listener.acceptable(until: nil) == .readable)
            #expect(throws: Errno.socketNotConnected) { try listener.accept() }
        }
    }

    @Test func `without a free descriptor a client waits in the queue`() async {
        // In a process of its own, whose limit can be lowered.
        await #expect(processExitsWith: .success) {
            try await withSocketFolder { folder, thread in
                let path = "\(folder)/s"
                let listener = try LinuxTransportListener(path: path, mode: 0o600, on: thread)
                let client = try LinuxTransportConnector(path: path, on: thread).connect()
                _ = try client.send([1], from: 0)
                var former = rlimit()
                #expect(unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &former) == 0)
                let free = dup(0)
                close(free)
                var full = rlimit(rlim_cur: rlim_t(free), rlim_max: former.rlim_max)
                #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &full) == 0)
                for _ in 0..<3 {
                    #expect(throws: Errno.tooManyOpenFiles) { try listener.accept() }
                    #expect(await listener.acceptable(until: nil) == .readable)
                }
                #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &former) == 0)
                #expect(try listener.accept().received() == [1])
                listener.close()
            }
        }
    }

    @Test func `a listener that nobody keeps is closed`() async throws {
        try await withSocketFolder { folder, thread in
            _ = try LinuxTransportListener(path: "\(folder)/s", mode: 0o600, on: thread)
            #expect(mode("\(folder)/s") == nil)
        }
    }
}

/// What stands at the path already.
@Suite(.timeLimit(.minutes(10)))
struct TakenNameTests {
    @Test func `a second listener is refused, and the first goes on`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let listener = try LinuxTransportListener(path: path, mode: 0o600, on: thread)
            #expect(openingProblem(path, on: thread) == .inUse)
            _ = try await Ends(listener, path: path, on: thread)
            listener.close()
        }
    }

    @Test func `of two that start at once one wins, every time`() async throws {
        try await withSocketFolder { folder, thread in
            let other = try LinuxThread(name: "other")
            defer { other.stop() }
            let path = "\(folder)/s"
            for round in 0..<100 {
                // Every other time there are remains to be cleared away.
                if round % 2 == 0 { _ = try BareSocket(.remains, at: path) }
                let problems = Mutex<[TransportListenerError.Problem]>([])
                let open: @Sendable (LinuxThread) -> LinuxTransportListener? = { thread in
                    do throws(TransportListenerError) {
                        return try LinuxTransportListener(path: path, mode: 0o600, on: thread)
                    } catch {
                        problems.withLock { $0.append(error.problem) }
                        return nil
                    }
                }
                async let right = other.run { open(other) }
                let left = open(thread)
                let winners = try await [left, right].compactMap { $0 }
                #expect(winners.count == 1 && problems.withLock { $0 } == [.inUse])
                if let winner = winners.first { _ = try await Ends(winner, path: path, on: thread) }
                for winner in winners { winner.close() }
            }
        }
    }

    @Test func `a listener whose name was removed still keeps others away`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let listener = try LinuxTransportListener(path: path, mode: 0o600, on: thread)
            #expect(unsafe unlink(path) == 0)
            #expect(openingProblem(path, on: thread) == .inUse)
            listener.close()
            #expect(openingProblem(path, on: thread) == nil)
        }
    }

    @Test func `a name that another socket has by now is not removed`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let listener = try LinuxTransportListener(path: path, mode: 0o600, on: thread)
            #expect(unsafe unlink(path) == 0)
            let other = try BareSocket(.listening(backlog: 5), at: path)
            listener.close()
            #expect(mode(path).map { $0 & S_IFMT } == S_IFSOCK)
            _ = try LinuxTransportConnector(path: path, on: thread).connect()
            _ = consume other
        }
    }

    @Test func `a live socket of a program without our lock is refused, also with a full queue`() async throws
    {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let other = try BareSocket(.listening(backlog: 0), at: path)
            var clients: [any TransportConnection] = []
            let connector = try LinuxTransportConnector(path: path, on: thread)
            #expect(openingProblem(path, on: thread) == .inUse)
            while let client = try? connector.connect() { clients.append(client) }
            #expect(openingProblem(path, on: thread) == .inUse)
            #expect(mode(path) != nil)
            withExtendedLifetime(clients) {}
            _ = consume other
        }
    }

    @Test func `a socket for datagrams is refused while somebody has it`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let other = try BareSocket(.datagrams, at: path)
            #expect(openingProblem(path, on: thread) == .inUse)
            _ = consume other
        }
    }

    @Test(.enabled(if: hasPerl))
    func `what a killed process left is told from what a living one has`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let program = try Program(
                "bind(S, $at) or die; listen(S, 5) or die; ready(); sleep 1000", path: path, on: thread)
            try await program.ready()
            #expect(openingProblem(path, on: thread) == .inUse)
            program.child.kill()
            program.child.wait()
            #expect(mode(path) != nil, "kill -9 leaves the name")
            let listener = try LinuxTransportListener(path: path, mode: 0o600, on: thread)
            _ = try await Ends(listener, path: path, on: thread)
            listener.close()
        }
    }

    @Test func `the lock file of a dead process is no obstacle`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            close(unsafe open("\(path).lock", O_CREAT | O_WRONLY, 0o600))
            #expect(openingProblem(path, on: thread) == nil)
        }
    }

    @Test func `what is no socket is refused and left alone`() async throws {
        try await withSocketFolder { folder, thread in
            close(unsafe open("\(folder)/file", O_CREAT | O_WRONLY, 0o644))
            #expect(unsafe mkdir("\(folder)/folder", 0o755) == 0)
            _ = try BareSocket(.remains, at: "\(folder)/remains")
            #expect(unsafe symlink("remains", "\(folder)/link") == 0)
            for name in ["file", "folder", "link"] {
                let before = mode("\(folder)/\(name)")
                #expect(openingProblem("\(folder)/\(name)", on: thread) == .notSocket)
                #expect(mode("\(folder)/\(name)") == before)
            }
            #expect(mode("\(folder)/remains") != nil)
        }
    }

    @Test func `a folder in which others could replace the socket is refused`() async throws {
        try await withSocketFolder { folder, thread in
            for bits in [0o770, 0o702] as [mode_t] {
                #expect(unsafe chmod(folder, bits) == 0)
                #expect(
                    openingProblem("\(folder)/s", on: thread) == .folderOfMany(mode: S_IFDIR | UInt32(bits)))
            }
            // In a sticky one nobody removes what is another's.
            #expect(unsafe chmod(folder, 0o1777) == 0)
            #expect(openingProblem("\(folder)/s", on: thread) == nil)
        }
    }

    @Test func `a path that cannot be is refused with its reason`() async throws {
        try await withSocketFolder { folder, thread in
            let long = folder + "/" + String(repeating: "n", count: 107 - folder.utf8.count)
            #expect(openingProblem(long, on: thread) == .pathTooLong(byteCount: 108))
            #expect(openingProblem(String(long.dropLast()), on: thread) == nil)
            #expect(openingProblem("s", on: thread) == .pathInvalid)
            #expect(openingProblem("\(folder)/", on: thread) == .pathInvalid)
            #expect(openingProblem("\(folder)/no/no/s", on: thread) == .folder(.noSuchFileOrDirectory))
        }
    }

    @Test(.enabled(if: isRoot, "root must become somebody else"))
    func `remains that may not be removed are told by the call that failed`() async {
        await #expect(processExitsWith: .success) {
            try await withSocketFolder { folder, thread in
                let path = "\(folder)/s"
                #expect(unsafe chmod(folder, 0o1777) == 0)
                _ = try BareSocket(.remains, at: path)
                #expect(unsafe chmod(path, 0o777) == 0)
                #expect(seteuid(4_321) == 0)
                #expect(openingProblem(path, on: thread) == .call("unlink", .notPermitted))
                #expect(seteuid(0) == 0)
            }
        }
    }

    @Test func `an opening that fails leaves nothing behind`() async throws {
        try await withSocketFolder { folder, thread in
            close(unsafe open("\(folder)/s", O_CREAT | O_WRONLY, 0o644))
            #expect(openingProblem("\(folder)/s", on: thread) == .notSocket)
            #expect(mode("\(folder)/s.lock") == nil)
        }
    }
}
