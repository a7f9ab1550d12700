import Backends
import EventModel
import KernelFormats
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// What readers of `/proc` meet: `proc(5)`, and measurements on Linux 6.18.
@Suite struct ProcFileSystemTests {
    private let host: SimulatedHost
    private var files: any ProcFileSystem { host.procFileSystem }

    init() {
        host = SimulatedHost(plainConfiguration())
        host.addShell()
    }

    private func addSleeper(_ number: Int32 = 412) throws -> ProcessID { try host.addSleeper(number) }

    private static let filesThatNameTheDead = ProcessFile.allCases.filter { $0 != .environ }

    // MARK: Death

    @Test func `the path of a reaped process is gone`() throws {
        let child = try addSleeper()
        host.kernel.killAndReap(child)
        #expect(failure { _ = try files.openProcess(child) } == .noSuchFileOrDirectory)
        #expect(failure { _ = try files.pidFDInode(of: child) } == .noSuchProcess)
    }

    @Test(arguments: filesThatNameTheDead)
    func `a file opened before and first read after the reaping says that there is no such process`(
        file: ProcessFile
    ) throws {
        let child = try addSleeper()
        let directory = try files.openProcess(child)
        let handle = try files.open(file, in: directory)
        host.kernel.killAndReap(child)
        var content: [UInt8] = []
        #expect(failure { _ = try files.read(handle, count: 100, into: &content) } == .noSuchProcess)
    }

    @Test func `the environment of a reaped process is empty, which is no error`() throws {
        let child = try addSleeper()
        let directory = try files.openProcess(child)
        let handle = try files.open(.environ, in: directory)
        host.kernel.killAndReap(child)
        var content: [UInt8] = []
        #expect(try files.read(handle, count: 100, into: &content) == 0)
    }

    @Test func `what a text file has begun to say it says to the end`() throws {
        let child = try addSleeper()
        let directory = try files.openProcess(child)
        let handle = try files.open(.stat, in: directory)
        var content: [UInt8] = []
        _ = try files.read(handle, count: 10, into: &content)
        host.kernel.killAndReap(child)
        #expect(try files.readAll(handle, limit: 4_096, into: &content))
        #expect(try ProcessStat(parsing: content).state == .sleeping)
    }

    @Test func `a held folder of a reaped process denies everything and lists nothing`() throws {
        let child = try addSleeper()
        let directory = try files.openProcess(child)
        host.kernel.killAndReap(child)
        #expect(failure { _ = try files.open(.stat, in: directory) } == .noSuchProcess)
        var text: [UInt8] = []
        #expect(failure { try files.readLink(.exe, in: directory, into: &text) } == .noSuchProcess)
        #expect(failure { _ = try files.status(of: .exe, in: directory) } == .noSuchProcess)
        var tids: [ProcessID] = []
        try files.threadIDs(in: directory, into: &tids)
        #expect(tids.isEmpty)
    }

    @Test func `a held folder never moves to the next process with its pid, while the path does`() throws {
        let child = try addSleeper()
        let directory = try files.openProcess(child)
        let inode = try files.pidFDInode(of: child)
        host.kernel.killAndReap(child)
        let next = try #require(host.kernel.fork(parent: pid(77), as: child))
        host.kernel.exec(next, .file("/usr/bin/evil"))
        #expect(failure { _ = try files.open(.stat, in: directory) } == .noSuchProcess)
        #expect(try files.link(.exe, child) == bytes("/usr/bin/evil"))
        #expect(try files.pidFDInode(of: child) != inode)
    }

    @Test func `two incarnations can have one pid and one start tick`() throws {
        let first = try addSleeper()
        let ticks = try ProcessStat(parsing: files.contents(of: .stat, first)).startTicks
        host.kernel.killAndReap(first)
        host.wait(for: .milliseconds(30))
        let second = try #require(host.kernel.fork(parent: pid(77), as: first, startTicks: ticks))
        #expect(try ProcessStat(parsing: files.contents(of: .stat, second)).startTicks == ticks)
        #expect(host.kernel.truth.incarnation(first, ordinal: 2)?.startTicks == ticks)
    }

    @Test func `before pidfs there are no inodes to tell incarnations apart`() throws {
        let old = SimulatedHost(plainConfiguration(kernel: KernelVersion(major: 6, minor: 8)))
        #expect(failure { _ = try old.procFileSystem.pidFDInode(of: pid(1)) } == .noFunction)
        #expect(try files.pidFDInode(of: pid(1)) != files.pidFDInode(of: pid(2)))
        let tid = try #require(host.kernel.createThread(in: pid(77)))
        #expect(failure { _ = try files.pidFDInode(of: tid) } == .invalidArgument)
    }

    // MARK: Zombies

    @Test func `a zombie has a stat and nothing else to show`() throws {
        let child = try addSleeper()
        host.kernel.exit(child, .exited(3))
        let stat = try ProcessStat(parsing: files.contents(of: .stat, child))
        #expect(stat.state == .zombie)
        #expect(stat.exitCode == 768)
        #expect(stat.vsize == 0)
        #expect(try files.contents(of: .cmdline, child).isEmpty)
        #expect(try files.contents(of: .maps, child).isEmpty)
        #expect(try files.contents(of: .comm, child) == bytes("sleep\n"))
        for link in [ProcessLink.exe, .cwd, .root, .networkNamespace] {
            #expect(failure { _ = try files.link(link, child) } == .noSuchFileOrDirectory)
        }
        #expect(try files.link(.pidNamespace, child) == bytes("pid:[4026531836]"))
        #expect(failure { _ = try files.contents(of: .smapsRollup, child) } == .noSuchProcess)
        let directory = try files.openProcess(child)
        var tids: [ProcessID] = []
        try files.threadIDs(in: directory, into: &tids)
        #expect(tids == [child])
        #expect(try files.listed().contains(child))
    }

    @Test func `a zombie's environment is empty on older kernels and missing on newer ones`() throws {
        for (minor, expected) in [(8, nil), (18, Errno.noSuchProcess)] {
            let host = SimulatedHost(plainConfiguration(kernel: KernelVersion(major: 6, minor: minor)))
            host.addShell()
            let child = try #require(host.kernel.fork(parent: pid(77)))
            host.kernel.exit(child)
            #expect(failure { _ = try host.procFileSystem.contents(of: .environ, child) } == expected)
        }
    }

    @Test func `a dead first thread makes a living process look like a zombie`() throws {
        let child = try addSleeper()
        let tid = try #require(host.kernel.createThread(in: child))
        host.kernel.exitThread(child)
        let stat = try ProcessStat(parsing: files.contents(of: .stat, child))
        #expect(stat.state == .zombie)
        #expect(stat.threadCount == 2)
        #expect(try files.contents(of: .cmdline, child).isEmpty)
        #expect(failure { _ = try files.link(.exe, child) } == .noSuchFileOrDirectory)
        let directory = try files.openProcess(child)
        var tids: [ProcessID] = []
        try files.threadIDs(in: directory, into: &tids)
        #expect(tids == [child, tid])
        #expect(!host.kernel.reap(child))
        host.kernel.exitThread(tid)
        #expect(host.kernel.reap(child))
    }

    @Test func `init reaps its children and orphans after a while`() throws {
        let middle = try addSleeper(500)
        let orphan = try #require(host.kernel.fork(parent: middle, as: pid(501)))
        host.kernel.exit(orphan)
        host.wait(for: .milliseconds(1))
        #expect(try files.listed().contains(orphan))
        host.kernel.exit(middle)
        host.wait(for: .milliseconds(1))
        #expect(try !files.listed().contains(orphan))
        #expect(try files.listed().contains(middle))
    }

    @Test func `a kernel thread has a name and nothing else`() throws {
        host.kernel.addProcess(pid(30), .kernelThread("kworker/0:1"))
        let stat = try ProcessStat(parsing: files.contents(of: .stat, pid(30)))
        #expect(stat.isKernelThread)
        #expect(stat.ppid == pid(2))
        #expect(try files.contents(of: .cmdline, pid(30)).isEmpty)
        #expect(failure { _ = try files.link(.exe, pid(30)) } == .noSuchFileOrDirectory)
        #expect(try files.link(.cwd, pid(30)) == bytes("/"))
    }

    // MARK: Rights

    @Test func `without the right to look only harmless files open, and addresses are masked`() throws {
        let host = SimulatedHost(unprivilegedConfiguration())
        let files = host.procFileSystem
        for file in [ProcessFile.environ, .io, .maps, .smapsRollup] {
            #expect(failure { _ = try files.contents(of: file, pid(1)) } == .permissionDenied, "\(file)")
        }
        for link in ProcessLink.allCases {
            #expect(failure { _ = try files.link(link, pid(1)) } == .permissionDenied)
        }
        for file in [ProcessFile.status, .cmdline, .comm, .cgroup, .statm, .limits, .oomScore] {
            #expect(failure { _ = try files.contents(of: file, pid(1)) } == nil, "\(file)")
        }
        let masked = try ProcessStat(parsing: files.contents(of: .stat, pid(1)))
        #expect(masked.startcode == 1 && masked.argStart == 0)
        let seen = try ProcessStat(parsing: self.files.contents(of: .stat, pid(1)))
        #expect(seen.startcode > 1 && seen.argEnd > seen.argStart)
    }

    @Test func `of one's own user everything is visible unless it is not dumpable`() throws {
        let host = SimulatedHost(unprivilegedConfiguration(uid: 1_000))
        host.addShell(uid: 1_000)
        let files = host.procFileSystem
        #expect(try files.link(.exe, pid(77)) == bytes("/usr/bin/bash"))
        #expect(try !files.contents(of: .environ, pid(77)).isEmpty)
        host.kernel.setDumpable(pid(77), false)
        #expect(failure { _ = try files.link(.exe, pid(77)) } == .permissionDenied)
        #expect(failure { _ = try files.contents(of: .environ, pid(77)) } == .permissionDenied)
        #expect(try files.contents(of: .cmdline, pid(77)) == bytes("/usr/bin/bash\0"))
    }

    @Test func `whoever gave up a user is not dumpable until the next exec`() throws {
        let host = SimulatedHost(unprivilegedConfiguration(uid: 1_000))
        host.addShell(uid: 0)
        host.kernel.setUserID(pid(77), real: UserID(1_000), effective: UserID(1_000))
        #expect(failure { _ = try host.procFileSystem.link(.exe, pid(77)) } == .permissionDenied)
        host.kernel.exec(pid(77), .file("/bin/new"))
        #expect(try host.procFileSystem.link(.exe, pid(77)) == bytes("/bin/new"))
    }

    @Test(arguments: [
        (HidePID.noAccess, true, Errno.notPermitted), (.invisible, false, .noSuchFileOrDirectory),
    ])
    func `a hidden process is listed or not, and nothing below it opens`(
        mode: HidePID, isListed: Bool, error: Errno
    ) throws {
        let host = SimulatedHost(unprivilegedConfiguration())
        host.kernel.setHidePID(mode)
        let files = host.procFileSystem
        #expect(try files.listed().contains(pid(1)) == isListed)
        #expect(try files.listed().contains(host.kernel.ownProcessID))
        let directory = try files.openProcess(pid(1))
        #expect(failure { _ = try files.open(.stat, in: directory) } == error)
        var text: [UInt8] = []
        #expect(failure { try files.readLink(.exe, in: directory, into: &text) } == error)
        var tids: [ProcessID] = []
        #expect(failure { try files.threadIDs(in: directory, into: &tids) } == error)
    }

    @Test func `with hidepid ptraceable the process is not there at all`() throws {
        let host = SimulatedHost(unprivilegedConfiguration())
        host.kernel.setHidePID(.ptraceable)
        #expect(failure { _ = try host.procFileSystem.openProcess(pid(1)) } == .noSuchFileOrDirectory)
    }

    @Test func `the capability sees through hidepid`() throws {
        host.kernel.setHidePID(.invisible)
        #expect(try files.listed().contains(pid(1)))
        #expect(try files.link(.exe, pid(1)) == bytes("/sbin/init"))
    }

    // MARK: The world goes on

    @Test func `a listing ascends, has no duplicates, and is out of date at once`() throws {
        for number in 0..<200 {
            let time = Instant(nanoseconds: Int64(number) * 5_000)
            host.kernel.schedule(at: time) { kernel in
                guard let child = kernel.fork(parent: pid(77)) else { return }
                kernel.schedule(at: time.advanced(by: .nanoseconds(1_700))) { $0.killAndReap(child) }
            }
        }
        var vanished = 0
        for _ in 0..<400 {
            let listed = try files.listed()
            #expect(zip(listed, listed.dropFirst()).allSatisfy { $0 < $1 })
            if let newest = listed.last(where: { $0 < host.kernel.ownProcessID }),
                failure({ _ = try files.openProcess(newest) }) != nil
            {
                vanished += 1
            }
        }
        #expect(vanished > 0)
    }

    @Test func `a process can die between two calls of a reader`() throws {
        let child = try addSleeper()
        let directory = try files.openProcess(child)
        host.kernel.schedule(at: host.kernel.now.advanced(by: .nanoseconds(500))) { $0.killAndReap(child) }
        #expect(failure { _ = try files.open(.stat, in: directory) } == .noSuchProcess)
    }

    @Test func `an exec that is told may be of a process that is gone`() throws {
        let socket = try host.openListener()
        let child = try addSleeper()
        host.kernel.killAndReap(child)
        #expect(try socket.drainEvents().contains(.exec(ConnectorTask(leaderOf: child))))
        #expect(failure { _ = try files.openProcess(child) } == .noSuchFileOrDirectory)
    }

    @Test func `pids wrap at the maximum and skip those in use`() throws {
        var configuration = plainConfiguration()
        configuration.pidMaximum = 310
        configuration.ownProcessID = pid(305)
        let host = SimulatedHost(configuration)
        host.kernel.addProcess(pid(77), ProcessTemplate(path: "/bin/sh"))
        var given: [Int32] = []
        for _ in 0..<12 {
            let child = try #require(host.kernel.fork(parent: pid(77)))
            given.append(child.rawValue)
            host.kernel.killAndReap(child)
        }
        // 300 is the collector's thread, 305 the collector; below 300 only the boot gives pids.
        #expect(given.allSatisfy { (301..<310).contains($0) && $0 != 305 })
        #expect(Set(given).count < given.count)
        for _ in 0..<8 { host.kernel.fork(parent: pid(77)) }
        #expect(host.kernel.fork(parent: pid(77)) == nil)
        #expect(host.kernel.skippedVerbCount == 1)
    }

    @Test func `a process in a namespace shows its inner pid and another inode`() throws {
        var template = ProcessTemplate(path: "/app")
        template.innerPIDs = [pid(1)]
        host.kernel.addProcess(pid(600), template)
        let status = try ProcessStatus(parsing: files.contents(of: .status, pid(600)))
        #expect(status.namespacePids == [pid(600), pid(1)])
        #expect(try files.link(.pidNamespace, pid(600)) != files.link(.pidNamespace, pid(77)))
        let first = try #require(host.kernel.fork(parent: pid(77), namespace: .new))
        let second = try #require(host.kernel.fork(parent: first))
        #expect(
            try ProcessStatus(parsing: files.contents(of: .status, first)).namespacePids == [first, pid(1)])
        #expect(try files.link(.pidNamespace, second) == files.link(.pidNamespace, first))
        #expect(try files.link(.pidNamespace, first) != files.link(.pidNamespace, pid(600)))
    }

    @Test func `too many handles are refused until some are released`() throws {
        var configuration = plainConfiguration()
        configuration.descriptorLimit = 2
        let host = SimulatedHost(configuration)
        let files = SimulatedProcFileSystem(kernel: host.kernel)
        do {
            let first = try files.openProcess(pid(1))
            let second = try files.openProcess(pid(2))
            #expect(failure { _ = try files.open(.stat, in: first) } == .tooManyOpenFiles)
            #expect(failure { _ = try files.open(.stat, in: second) } == .tooManyOpenFiles)
        }
        #expect(files.openHandleCount == 0)
        #expect(failure { _ = try files.openProcess(pid(1)) } == nil)
    }

    @Test func `the system's files tell forks, boot time, processors and the boot id`() throws {
        func text(_ file: SystemFile) throws -> [UInt8] {
            var content: [UInt8] = []
            let handle = try files.open(file)
            _ = try files.readAll(handle, limit: 65_536, into: &content)
            return content
        }
        let before = try SystemStat(parsing: text(.stat))
        _ = try addSleeper()
        host.kernel.createThread(in: pid(77))
        let after = try SystemStat(parsing: text(.stat))
        #expect(try #require(after.forkCount) == #require(before.forkCount) + 2)
        #expect(after.processors.map(\.id) == [0, 1])
        #expect(after.bootTime == UInt64(host.kernel.configuration.bootWall.nanoseconds / 1_000_000_000))
        #expect(try BootIDFile(parsing: text(.bootID)).bootID == host.kernel.configuration.bootID)
        #expect(try PIDMaximumFile(parsing: text(.pidMaximum)).maximum == 32_768)
        #expect(try UptimeFile(parsing: text(.uptime)).uptimeHundredths == 0)
    }
}
