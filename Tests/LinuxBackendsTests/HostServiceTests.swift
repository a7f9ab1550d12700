import Backends
import Glibc
import LinuxBackends
import Testing

import struct SystemPackage.Errno

struct LinuxDurableFileTests {
    @Test func `a file that was never written does not exist`() throws {
        try withTemporaryFolder { folder in
            let file = try LinuxDurableFile(path: "\(folder)/state")
            #expect(try file.read() == nil)
        }
    }

    @Test func `what was written is read, by another object too`() throws {
        try withTemporaryFolder { folder in
            let file = try LinuxDurableFile(path: "\(folder)/state")
            for contents in [[1, 2, 3], [], [UInt8](repeating: 7, count: 100_000)] as [[UInt8]] {
                try file.replace(with: contents)
                #expect(try file.read() == contents)
                #expect(try LinuxDurableFile(path: "\(folder)/state").read() == contents)
            }
        }
    }

    @Test func `a missing folder is made, closed to others`() throws {
        try withTemporaryFolder { folder in
            try LinuxDurableFile(path: "\(folder)/made/state").replace(with: [1])
            var status = stat()
            #expect(unsafe stat("\(folder)/made", &status) == 0)
            #expect(status.st_mode & 0o007 == 0)
            #expect(unsafe stat("\(folder)/made/state", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func `readers see the old contents or the new, never a part`() async throws {
        var template = Array("/tmp/collector-test-XXXXXX".utf8CString)
        let folder = try #require(unsafe mkdtemp(&template).map { unsafe String(cString: $0) })
        let file = try LinuxDurableFile(path: "\(folder)/state")
        try file.replace(with: [UInt8](repeating: 0, count: 50_000))
        async let writing: Void = onLinuxThread { _ in
            for value in UInt8(1)...100 { try file.replace(with: [UInt8](repeating: value, count: 50_000)) }
        }
        var last: UInt8 = 0
        while last < 100, !Task.isCancelled {
            let contents = try #require(try file.read())
            #expect(contents.count == 50_000 && contents.allSatisfy { $0 == contents[0] })
            #expect(contents[0] >= last)
            last = contents[0]
            await Task.yield()
        }
        try await writing
        try Child("/bin/rm", "-rf", folder).wait()
    }

    @Test func `a copy left by a crash is replaced`() throws {
        try withTemporaryFolder { folder in
            let left = unsafe open("\(folder)/.state.new", O_CREAT | O_WRONLY, 0o644)
            put([9, 9, 9], left)
            close(left)
            let file = try LinuxDurableFile(path: "\(folder)/state")
            #expect(try file.read() == nil)
            try file.replace(with: [1])
            #expect(try file.read() == [1])
            #expect(unsafe access("\(folder)/.state.new", F_OK) != 0)
        }
    }

    @Test func `a failed replacement leaves the old contents and nothing else`() async {
        await #expect(processExitsWith: .success) {
            try withTemporaryFolder { folder in
                let file = try LinuxDurableFile(path: "\(folder)/state")
                try file.replace(with: [1, 2])
                signal(SIGXFSZ, { _ in })
                var limit = rlimit(rlim_cur: 1_000, rlim_max: rlim_t.max)
                unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
                #expect(throws: Errno.fileTooLarge) {
                    try file.replace(with: [UInt8](repeating: 3, count: 4_000))
                }
                #expect(try file.read() == [1, 2])
                #expect(unsafe access("\(folder)/.state.new", F_OK) != 0)
            }
        }
    }

    @Test func `symbolic links, folders and queues are not followed or awaited`() throws {
        try withTemporaryFolder { folder in
            #expect(unsafe symlink("/etc/passwd", "\(folder)/link") == 0)
            #expect(throws: Errno.tooManySymbolicLinkLevels) {
                try LinuxDurableFile(path: "\(folder)/link").read()
            }
            #expect(unsafe mkdir("\(folder)/folder", 0o755) == 0)
            #expect(throws: Errno.invalidArgument) { try LinuxDurableFile(path: "\(folder)/folder").read() }
            #expect(unsafe mkfifo("\(folder)/queue", 0o644) == 0)
            #expect(throws: Errno.invalidArgument) { try LinuxDurableFile(path: "\(folder)/queue").read() }
        }
    }

    @Test func `contents beyond the limit are refused both ways`() throws {
        try withTemporaryFolder { folder in
            let file = try LinuxDurableFile(path: "\(folder)/state")
            let limit = LinuxDurableFile.byteCountLimit
            try file.replace(with: [UInt8](repeating: 1, count: limit))
            #expect(try file.read()?.count == limit)
            #expect(throws: Errno.fileTooLarge) {
                try file.replace(with: [UInt8](repeating: 1, count: limit + 1))
            }
            #expect(unsafe truncate("\(folder)/state", off_t(limit + 1)) == 0)
            #expect(throws: Errno.fileTooLarge) { try file.read() }
        }
    }

    @Test(arguments: ["", "relative", "/", "/tmp/", "/tmp/..", "/tmp/.", "/tmp/a\0b"])
    func `a path that names no file is refused`(path: String) {
        #expect(throws: Errno.invalidArgument) { try LinuxDurableFile(path: path) }
    }
}

@Suite(.timeLimit(.minutes(10)))
struct LinuxSignalsTests {
    @Test func `signals arrive once each, though they come before anybody waits`() async throws {
        try await onLinuxThread { thread in
            let signals = try LinuxSignals(on: thread)
            // Raised for this thread only: it is the one that blocks them all.
            for signal in [SIGUSR1, SIGUSR1, SIGTERM] { raise(signal) }
            let first = await signals.next()
            let second = await signals.next()
            #expect([first, second] == [.user1, .terminate])
            await withTaskGroup(of: HostSignal?.self) { group in
                group.addTask { await signals.next() }
                await Task.yield()
                raise(SIGHUP)
                #expect(await group.next() == .hangUp)
                group.addTask { await signals.next() }
                await Task.yield()
                group.cancelAll()
                #expect(await group.next() == .some(nil))
            }
        }
    }

    @Test func `a signal for the process reaches the stream and kills nobody`() async {
        await #expect(processExitsWith: .success) {
            let thread = try LinuxThread(name: "signals")
            // In a thread that was there before, the test's signals would be deadly.
            try await thread.run {
                let signals = try LinuxSignals(on: thread)
                raise(SIGINT)
                #expect(await signals.next() == .interrupt)
                var ends: [Int32] = [0, 0]
                #expect(unsafe pipe(&ends) == 0)
                close(ends[0])
                let output = LinuxOutput(descriptor: ends[1], bufferByteCount: 0)
                #expect(throws: Errno.brokenPipe) { try output.write("nobody reads this") }
            }
        }
    }
}

@Suite(.timeLimit(.minutes(10)))
struct LinuxOutputTests {
    @Test func `bytes are kept back until the buffer is full or flushed`() throws {
        let pipe = try Pipe()
        let output = LinuxOutput(descriptor: pipe.writing.rawValue, bufferByteCount: 8)
        try output.write("12345678")
        #expect(take(pipe.reading.rawValue).isEmpty)
        try output.write([0x39])
        #expect(take(pipe.reading.rawValue) == Array("123456789".utf8))
        try output.write("x")
        try output.flush()
        #expect(take(pipe.reading.rawValue) == Array("x".utf8))
    }

    @Test func `a full pipe that does not block is waited for`() async throws {
        let pipe = try Pipe()
        let (reading, writing) = (pipe.reading.rawValue, pipe.writing.rawValue)
        #expect(fcntl(writing, F_SETFL, O_NONBLOCK) == 0)
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        async let done: Void = onLinuxThread { _ in
            let output = LinuxOutput(descriptor: writing, bufferByteCount: 100)
            try output.write(bytes)
        }
        var received: [UInt8] = []
        while received.count < bytes.count, !Task.isCancelled {
            received += take(reading)
            await Task.yield()
        }
        try await done
        #expect(received == bytes)
    }

    @Test func `a pipe and a file are no terminals`() throws {
        let pipe = try Pipe()
        let output = LinuxOutput(descriptor: pipe.writing.rawValue, bufferByteCount: 0)
        #expect(!output.isTerminal)
        #expect(output.terminalSize == nil)
    }

    @Test func `a pseudo-terminal is a terminal with its size`() throws {
        let master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var (lock, number): (Int32, Int32) = (0, 0)
        // TIOCSPTLCK and TIOCGPTN, which Glibc's module lacks (`asm-generic/ioctls.h`).
        try #require(
            unsafe ioctl(master, 0x4004_5431, &lock) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
        let name = "/dev/pts/\(number)"
        let terminal = OwnedDescriptor(adopting: unsafe open(name, O_RDWR | O_NOCTTY))
        var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
        #expect(unsafe ioctl(terminal.rawValue, UInt(TIOCSWINSZ), &size) == 0)
        let output = LinuxOutput(descriptor: terminal.rawValue, bufferByteCount: 0)
        #expect(output.isTerminal)
        #expect(output.terminalSize?.rows == 24)
        #expect(output.terminalSize?.columns == 80)
        close(master)
    }
}

struct LinuxSelfUsageTests {
    @Test func `the own usage is plausible and grows with work`() throws {
        let before = try LinuxSelfUsage.current()
        #expect(before.residentByteCount > 1 << 20)
        #expect(before.descriptorCount >= 3)
        #expect(before.threadCount >= 1)
        var after = before
        while after.cpuTime <= before.cpuTime { after = try LinuxSelfUsage.current() }
        #expect(after.userTime >= before.userTime && after.systemTime >= before.systemTime)
    }
}

struct LinuxEntropyTests {
    @Test func `words differ`() {
        let entropy = LinuxEntropy()
        #expect(Set((0..<100).map { _ in entropy.nextWord() }).count == 100)
    }
}
