import Backends
import EventModel
import Glibc
import LinuxBackends
import Testing

import struct SystemPackage.Errno

@Suite(.timeLimit(.minutes(10)))
struct LinuxTransportConnectionTests {
    @Test func `bytes arrive in order, in whatever pieces`() async throws {
        try await withConnection { (ends, _) async throws in
            #expect(try ends.client.send([0, 1, 2, 3], from: 1) == 3)
            #expect(try ends.client.send([4], from: 0) == 1)
            var bytes: [UInt8] = [0]
            #expect(try ends.server.receive(count: 2, into: &bytes) == 2)
            #expect(try ends.server.receive(count: 9, into: &bytes) == 2)
            #expect(bytes == [0, 1, 2, 3, 4])
            #expect(throws: Errno.resourceTemporarilyUnavailable) { try ends.server.received() }
            #expect(try ends.server.send([5], from: 0) == 1)
            #expect(try ends.client.received() == [5])
        }
    }

    @Test func `a peer that never reads leaves no room, and reading makes some`() async throws {
        try await withConnection { (ends, thread) async throws in
            let count = ends.client.fill()
            #expect(count >= 65_536 && count < 4_194_304)
            #expect(throws: Errno.resourceTemporarilyUnavailable) { try ends.client.send([1], from: 0) }
            let soon = thread.after(.milliseconds(1))
            #expect(await ends.client.ready(for: .sending, until: soon) == .deadlinePassed)
            var rest = count
            while rest > 0 { rest -= try ends.server.received().count }
            #expect(await ends.client.ready(for: .sending, until: nil) == .readable)
            #expect(try ends.client.send([1], from: 0) == 1)
        }
    }

    @Test func `each interest is waited for by itself`() async throws {
        try await withConnection { (ends, thread) async throws in
            #expect(await ends.client.ready(for: [.sending, .receiving], until: nil) == .readable)
            let soon = thread.after(.milliseconds(1))
            #expect(await ends.client.ready(for: .receiving, until: soon) == .deadlinePassed)
            #expect(await ends.client.ready(for: [], until: soon) == .deadlinePassed)
            _ = try ends.server.send([1], from: 0)
            let later = thread.after(.milliseconds(1))
            #expect(await ends.client.ready(for: [], until: later) == .deadlinePassed)
            #expect(await ends.client.ready(for: .receiving, until: nil) == .readable)
        }
    }

    @Test func `what was sent before a close arrives, then the end`() async throws {
        try await withConnection { (ends, _) async throws in
            _ = try ends.client.send([1, 2], from: 0)
            ends.client.close()
            #expect(await ends.server.ready(for: [], until: nil) == .readable)
            #expect(try ends.server.received() == [1, 2])
            #expect(try ends.server.received() == [])
            #expect(throws: Errno.brokenPipe) { try ends.server.send([1], from: 0) }
        }
    }

    @Test func `a peer that closes without reading resets the connection`() async throws {
        try await withConnection { (ends, _) async throws in
            _ = try ends.server.send([1, 2], from: 0)
            ends.client.close()
            #expect(await ends.server.ready(for: [], until: nil) == .readable)
            #expect(throws: Errno.brokenPipe) { try ends.server.send([1], from: 0) }
            #expect(throws: Errno.connectionReset) { try ends.server.received() }
            // The reset is told once.
            #expect(try ends.server.received() == [])
        }
    }

    @Test func `a closed peer ends a wait for nothing`() async throws {
        try await withConnection { (ends, _) async throws in
            let client = ends.client
            async let closing: Void = onLinuxThread(named: "other") { _ in client.close() }
            #expect(await ends.server.ready(for: [], until: nil) == .readable)
            try await closing
        }
    }

    @Test func `an interruption or a cancellation ends the wait`() async throws {
        try await withConnection { (ends, thread) async throws in
            ends.client.interrupt()
            #expect(await ends.client.ready(for: .receiving, until: nil) == .interrupted)
            let other = try LinuxThread(name: "other")
            defer { other.stop() }
            _ = other.clock.schedule(at: thread.after(.milliseconds(1))) { ends.client.interrupt() }
            #expect(await ends.client.ready(for: [], until: nil) == .interrupted)
            await withTaskGroup(of: Readiness.self) { group in
                group.addTask { await ends.client.ready(for: .receiving, until: nil) }
                for _ in 0..<5 { await Task.yield() }
                group.cancelAll()
                #expect(await group.next() == .interrupted)
            }
        }
    }

    @Test func `after a close every call says that there is no connection`() async throws {
        try await withConnection { (ends, _) async throws in
            ends.client.close()
            ends.client.close()
            #expect(throws: Errno.socketNotConnected) { try ends.client.send([1], from: 0) }
            #expect(throws: Errno.socketNotConnected) { try ends.client.received() }
            #expect(await ends.client.ready(for: [], until: nil) == .readable)
        }
    }

    @Test func `a close ends the wait of another thread`() async throws {
        try await withConnection { (ends, thread) async throws in
            let other = try LinuxThread(name: "other")
            defer { other.stop() }
            _ = other.clock.schedule(at: thread.after(.milliseconds(1))) { ends.client.close() }
            #expect(await ends.client.ready(for: .receiving, until: nil) == .readable)
            #expect(throws: Errno.socketNotConnected) { try ends.client.received() }
        }
    }

    @Test func `closes that race with calls and waits never touch another's descriptor`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let listener = try LinuxTransportListener(path: path, mode: 0o600, on: thread)
            let other = try LinuxThread(name: "other")
            defer { other.stop() }
            for round in 0..<500 {
                let ends = try await Ends(listener, path: path, on: thread)
                async let use: Void = other.run {
                    while (try? ends.client.send([1], from: 0)) != nil {
                        _ = await ends.client.ready(for: .sending, until: nil)
                    }
                    #expect(throws: Errno.socketNotConnected) { try ends.client.received() }
                }
                for _ in 0..<round % 20 { await Task.yield() }
                ends.client.close()
                try await use
            }
            listener.close()
        }
    }

    @Test func `no wake-up is lost between two threads, whichever way the bytes go`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let other = try LinuxThread(name: "other")
            defer { other.stop() }
            let listener = try LinuxTransportListener(path: path, mode: 0o600, on: thread)
            let client = try LinuxTransportConnector(path: path, on: other).connect()
            let server = try listener.accept()
            let byteCount = 20_000_000
            async let sending: Void = other.run { () async throws in
                let bytes = [UInt8](repeating: 1, count: 300_000)
                var rest = byteCount
                while rest > 0 {
                    // Each wait for room ends by what the other thread reads.
                    guard let count = try? client.send(bytes, from: max(0, bytes.count - rest)) else {
                        #expect(await client.ready(for: .sending, until: nil) == .readable)
                        continue
                    }
                    rest -= count
                }
                #expect(await client.ready(for: .receiving, until: nil) == .readable)
                #expect(try client.received() == [2])
            }
            var rest = byteCount
            while rest > 0 {
                #expect(await server.ready(for: .receiving, until: nil) == .readable)
                rest -= try server.received(rest % 50_000 + 1).count
            }
            _ = try server.send([2], from: 0)
            try await sending
            listener.close()
        }
    }

    @Test func `descriptors that come along are closed, not taken`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let pipe = try Pipe()
            let writing = pipe.writing
            let reading = try ReadableDescriptor(pipe.reading, on: thread)
            let bare = try BareSocket(.listening(backlog: 5), at: path)
            let client = try LinuxTransportConnector(path: path, on: thread).connect()
            let sender = OwnedDescriptor(adopting: accept(bare.descriptor.rawValue, nil, nil))
            #expect(send([9], along: writing.rawValue, over: sender.rawValue) == 1)
            _ = consume writing
            let soon = thread.after(.milliseconds(1))
            #expect(await reading.readable(until: soon) == .deadlinePassed, "the message holds the other end")
            #expect(try client.received() == [9])
            #expect(await reading.readable(until: nil) == .readable)
            #expect(take(reading.descriptor.rawValue) == [], "nobody holds the other end")
        }
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
}

@Suite(.timeLimit(.minutes(10)))
struct PeerCredentialsTests {
    @Test func `both ends know each other`() async throws {
        try await withConnection { (ends, _) async throws in
            var own = [gid_t](repeating: 0, count: 65_536)
            let count = unsafe getgroups(Int32(own.count), &own)
            let expected = PeerCredentials(
                pid: ProcessID(getpid()), uid: UserID(geteuid()), gid: GroupID(getegid()),
                groups: own.prefix(Int(count)).sorted().map { GroupID($0) })
            #expect(ends.server.peer == expected)
            #expect(ends.client.peer == expected)
        }
    }

    @Test(.enabled(if: hasPerl)) func `a client that has ended is known by what it was`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let listener = try LinuxTransportListener(path: path, mode: 0o600, on: thread)
            let program = try Program("connect(S, $at) or die; ready()", path: path, on: thread)
            try await program.ready()
            program.child.wait()
            let connection = try listener.accept()
            #expect(connection.peer.pid == ProcessID(program.child.pid))
            #expect(try connection.received() == [])
            listener.close()
        }
    }

    @Test(.enabled(if: isRoot && hasPerl, "to become somebody else takes root"))
    func `user, group and supplementary groups are those of the connecting process`() async throws {
        try await withSocketFolder { folder, thread in
            #expect(unsafe chmod(folder, 0o711) == 0)
            let path = "\(folder)/s"
            let listener = try LinuxTransportListener(path: path, mode: 0o666, on: thread)
            let groups = (1...100).map { 2_000 - $0 }
            let become = "$) = '1234 \(groups.map(String.init).joined(separator: " "))'; $> = 4321; "
            let program = try Program(
                become + "connect(S, $at) or die; ready(); sleep 1000", path: path, on: thread)
            try await program.ready()
            let peer = try listener.accept().peer
            #expect(peer.uid == UserID(4_321) && peer.gid == GroupID(1_234))
            #expect(peer.groups == groups.sorted().map { GroupID(UInt32($0)) })
            listener.close()
        }
    }
}

@Suite(.timeLimit(.minutes(10)))
struct LinuxTransportConnectorTests {
    @Test func `nobody there, nobody listening and no room are told apart`() async throws {
        try await withSocketFolder { folder, thread in
            let path = "\(folder)/s"
            let connector = try LinuxTransportConnector(path: path, on: thread)
            #expect(throws: Errno.noSuchFileOrDirectory) { try connector.connect() }
            let listener = try LinuxTransportListener(path: path, mode: 0o600, backlog: 2, on: thread)
            var clients: [any TransportConnection] = []
            for _ in 0..<3 { clients.append(try connector.connect()) }
            #expect(throws: Errno.resourceTemporarilyUnavailable) { try connector.connect() }
            _ = try listener.accept()
            clients.append(try connector.connect())
            listener.close()
            _ = try BareSocket(.remains, at: path)
            #expect(throws: Errno.connectionRefused) { try connector.connect() }
        }
    }

    @Test(.enabled(if: isRoot && hasPerl, "root must become somebody else"))
    func `without the right to write to the socket nobody connects`() async throws {
        try await withSocketFolder { folder, thread in
            #expect(unsafe chmod(folder, 0o711) == 0)
            let path = "\(folder)/s"
            let listener = try LinuxTransportListener(path: path, mode: 0o660, on: thread)
            let program = try Program(
                "$) = '1234 1234'; $> = 4321; connect(S, $at) and die; $!{EACCES} and ready(); sleep 1000",
                path: path, on: thread)
            try await program.ready()
            #expect(throws: Errno.resourceTemporarilyUnavailable) { try listener.accept() }
            listener.close()
        }
    }

    @Test func `a path that no socket can have is refused`() async throws {
        let thread = try LinuxThread(name: "unused")
        #expect(throws: Errno.fileNameTooLong) {
            try LinuxTransportConnector(path: String(repeating: "n", count: 108), on: thread)
        }
        #expect(throws: Errno.invalidArgument) { try LinuxTransportConnector(path: "", on: thread) }
    }
}
