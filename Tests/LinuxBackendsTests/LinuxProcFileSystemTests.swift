import Backends
import EventModel
import Glibc
import LinuxBackends
import Testing

import class Foundation.FileManager
import struct SystemPackage.Errno

struct LinuxProcFileSystemTests {
    private let files: LinuxProcFileSystem
    private let own = ProcessID(getpid())

    init() throws { files = try LinuxProcFileSystem() }

    private func text(_ file: ProcessFile, of directory: borrowing ProcessDirectory) throws(Errno) -> String {
        var bytes: [UInt8] = []
        _ = try files.readAll(files.open(file, in: directory), limit: 65_536, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `the own process is listed, in ascending order`() throws {
        var pids: [ProcessID] = []
        try files.processIDs(into: &pids)
        #expect(pids.contains(own))
        #expect(pids == pids.sorted())
        #expect(pids.first == ProcessID(1))
    }

    @Test func `a file is read at the end of what is there`() throws {
        let directory = try files.openProcess(own)
        var bytes: [UInt8] = Array("before:".utf8)
        let file = try files.open(.stat, in: directory)
        let count = try files.read(file, count: 4_096, into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("before:\(own) ("))
        #expect(bytes.count == 7 + count)
        #expect(try files.read(file, count: 4_096, into: &bytes) == 0)
        #expect(bytes.count == 7 + count)
    }

    @Test func `a read keeps to the count that it is given`() throws {
        let file = try files.open(.stat, in: files.openProcess(own))
        var bytes: [UInt8] = []
        #expect(try files.read(file, count: 3, into: &bytes) == 3)
        #expect(try files.read(file, count: 0, into: &bytes) == 0)
        #expect(bytes.count == 3)
    }

    @Test(arguments: ProcessFile.allCases)
    func `every file of the own process can be opened`(file: ProcessFile) throws {
        #expect(throws: Never.self) { try text(file, of: files.openProcess(own)) }
    }

    @Test(arguments: SystemFile.allCases)
    func `every file of the system can be read`(file: SystemFile) throws {
        var bytes: [UInt8] = []
        #expect(try files.readAll(files.open(file), limit: 65_536, into: &bytes))
        #expect(!bytes.isEmpty)
    }

    @Test func `links are read and followed`() throws {
        let directory = try files.openProcess(own)
        var target: [UInt8] = Array("exe=".utf8)
        try files.readLink(.exe, in: directory, into: &target)
        let path = String(decoding: target.dropFirst(4), as: UTF8.self)
        var expected = stat()
        #expect(unsafe stat(path, &expected) == 0)
        let status = try files.status(of: .exe, in: directory)
        #expect(status.inode == UInt64(expected.st_ino))
        #expect(status.device == UInt64(expected.st_dev))
        #expect(status.size == UInt64(expected.st_size))
        #expect(status.mode == UInt32(expected.st_mode))
        #expect(status.linkCount == 1)
        #expect(status.uid == UserID(UInt32(expected.st_uid)))
        var namespace: [UInt8] = []
        try files.readLink(.pidNamespace, in: directory, into: &namespace)
        #expect(String(decoding: namespace, as: UTF8.self).hasPrefix("pid:["))
    }

    @Test func `a process that does not exist is not found`() throws {
        for pid: Int32 in [0, -1, .min, .max, 4_194_304] {
            #expect(throws: Errno.noSuchFileOrDirectory) { _ = try files.openProcess(ProcessID(pid)).token }
        }
        #expect(throws: Errno.noSuchProcess) { try files.pidFDInode(of: ProcessID(4_194_303)) }
        #expect(throws: Errno.noSuchProcess) { try files.pidFDInode(of: ProcessID(-1)) }
    }

    @Test func `a handle of a reaped process answers that it is gone`() throws {
        let child = try Child("/bin/sleep", "1000")
        let pid = ProcessID(child.pid)
        let directory = try files.openProcess(pid)
        let opened = try files.open(.stat, in: directory)
        #expect(try text(.stat, of: directory).hasPrefix("\(pid) ("))
        child.kill()
        child.wait()
        var bytes: [UInt8] = []
        #expect(throws: Errno.noSuchProcess) { try files.read(opened, count: 100, into: &bytes) }
        #expect(throws: Errno.noSuchProcess) { _ = try files.open(.stat, in: directory).token }
        #expect(throws: Errno.noSuchProcess) { try files.readLink(.exe, in: directory, into: &bytes) }
        #expect(throws: Errno.noSuchProcess) { try files.status(of: .exe, in: directory) }
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try files.openProcess(pid).token }
        #expect(bytes.isEmpty)
        var threads: [ProcessID] = []
        try files.threadIDs(in: directory, into: &threads)
        #expect(threads.isEmpty)
    }

    @Test func `a zombie has no executable but is there`() throws {
        let child = try Child("/bin/sleep", "1000")
        let directory = try files.openProcess(ProcessID(child.pid))
        child.kill()
        // Death is not immediate: the state tells when it has come.
        try wait(for: "it is a zombie") { try text(.stat, of: directory).contains(") Z ") }
        var bytes: [UInt8] = []
        #expect(throws: Errno.noSuchFileOrDirectory) { try files.readLink(.exe, in: directory, into: &bytes) }
        #expect(try text(.cmdline, of: directory) == "")
        child.wait()
    }

    @Test func `a program that was replaced on disk is read as it runs`() throws {
        let path = "/tmp/collector-exe-\(getpid())"
        // By another process: a child forked here meanwhile would hold the writing end, and the file be busy.
        try Child("/bin/cp", "/bin/sleep", path).wait()
        defer { unsafe unlink(path) }
        let child = try Child(path, "1000")
        let directory = try files.openProcess(ProcessID(child.pid))
        // The child has this program only once it has executed it.
        var target: [UInt8] = []
        try wait(for: "it runs") {
            target = []
            try files.readLink(.exe, in: directory, into: &target)
            return target == Array(path.utf8)
        }
        let before = try files.status(ofPath: Array(path.utf8), in: directory)
        unsafe unlink(path)
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try files.status(ofPath: Array(path.utf8), in: directory)
        }
        try copy("/bin/true", to: path)
        let program = try files.openExecutable(in: directory)
        let running = try files.status(of: program)
        let named = try files.status(ofPath: Array(path.utf8), in: directory)
        #expect(running.inode == before.inode && running.device == before.device && running.linkCount == 0)
        #expect(named.inode != running.inode && named.linkCount == 1)
        var bytes: [UInt8] = []
        #expect(try files.readAll(program, limit: 1 << 24, into: &bytes))
        #expect(try bytes == contents(of: "/bin/sleep") && UInt64(bytes.count) == running.size)
        child.kill()
        child.wait()
        #expect(throws: Errno.noSuchProcess) { _ = try files.openExecutable(in: directory).token }
        #expect(throws: Errno.noSuchProcess) { try files.status(ofPath: Array(path.utf8), in: directory) }
    }

    @Test(.enabled(if: isRoot, "threads of the kernel show their links to root alone"))
    func `a thread of the kernel has no program to open`() throws {
        let directory = try files.openProcess(ProcessID(2))
        var comm: [UInt8] = []
        _ = try files.readAll(files.open(.comm, in: directory), limit: 16, into: &comm)
        // In a container pid 2 is anybody.
        guard comm == Array("kthreadd\n".utf8) else { return }
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try files.openExecutable(in: directory).token }
    }

    @Test func `a path is looked up below the root of the process, and never above it`() throws {
        let directory = try files.openProcess(own)
        let etc = try files.status(ofPath: Array("/etc".utf8), in: directory)
        #expect(try files.status(ofPath: Array("/../../etc/.".utf8), in: directory).inode == etc.inode)
        #expect(throws: Errno.notDirectory) {
            try files.status(ofPath: Array("/etc/passwd/x".utf8), in: directory)
        }
        #expect(throws: Errno.tooManySymbolicLinkLevels) {
            try files.status(ofPath: Array("/proc/self/exe".utf8), in: directory)
        }
        #expect(throws: Errno.invalidArgument) { try files.status(ofPath: [0x2f, 0, 0x2f], in: directory) }
    }

    private func contents(of path: String) throws -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 22)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return Array(bytes.prefix(count))
    }

    private func copy(_ source: String, to path: String) throws {
        let bytes = try contents(of: source)
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o755)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        #expect(unsafe write(descriptor, bytes, bytes.count) == bytes.count)
    }

    @Test func `threads are listed`() async throws {
        let thread = try LinuxThread(name: "listed")
        defer { thread.stop() }
        try await thread.run {}
        var threads: [ProcessID] = []
        try files.threadIDs(in: files.openProcess(own), into: &threads)
        #expect(threads.contains(own))
        #expect(threads.count >= 2)
    }

    @Test func `pidfd inodes tell processes apart`() throws {
        let first = try files.pidFDInode(of: own)
        #expect(try files.pidFDInode(of: own) == first)
        #expect(try files.pidFDInode(of: ProcessID(1)) != first)
    }

    @Test func `handles are closed`() throws {
        for _ in 0..<200 {
            let directory = try files.openProcess(own)
            _ = try text(.stat, of: directory)
            _ = try files.pidFDInode(of: own)
            var pids: [ProcessID] = []
            try files.threadIDs(in: directory, into: &pids)
        }
        // Other tests have some open, but not a hundred of this process.
        let all = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let open = all.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
        #expect(open.count { $0.hasPrefix("/proc/\(getpid())") || $0.contains("pidfd") } < 100)
    }

    @Test func `running out of descriptors is an error of the call`() async {
        await #expect(processExitsWith: .success) {
            let files = try LinuxProcFileSystem()
            var limit = rlimit(rlim_cur: 40, rlim_max: 40)
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            func openMany(_ depth: Int) throws {
                let directory = try files.openProcess(ProcessID(getpid()))
                if depth > 0 { try openMany(depth - 1) }
                _ = directory.token
            }
            #expect(throws: Errno.tooManyOpenFiles) { try openMany(100) }
            #expect(throws: Never.self) { try openMany(5) }
        }
    }
}
