import Backends
import EventModel
import KernelFormats
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// What `/proc` says of names, arguments and programs, which processes choose themselves.
@Suite struct ProcFileContentTests {
    private let host: SimulatedHost
    private var files: any ProcFileSystem { host.procFileSystem }

    init() {
        host = SimulatedHost(plainConfiguration())
        host.addShell()
    }

    private func addSleeper(argv: [String] = ["sleep", "100"]) throws -> ProcessID {
        try host.addSleeper(argv: argv)
    }

    // MARK: Names and arguments

    @Test(arguments: [
        bytes("c) R 1\n("), bytes(""), [0xff, 0xfe, 0x28], bytes("a b  c"), bytes("\\n\n"),
        bytes("(((((((((((((((("),
    ])
    func `any name comes through stat, status and comm unchanged`(name: [UInt8]) throws {
        let child = try addSleeper()
        host.kernel.setComm(child, name)
        let expected = Array(name.prefix(15))
        #expect(try ProcessStat(parsing: files.contents(of: .stat, child)).comm == expected)
        #expect(try ProcessStatus(parsing: files.contents(of: .status, child)).name == expected)
        #expect(try files.contents(of: .comm, child) == expected + [0x0a])
    }

    @Test func `status escapes newlines and backslashes, stat does not`() throws {
        let child = try addSleeper()
        host.kernel.setComm(child, bytes("a\nb\\c"))
        let status = try files.contents(of: .status, child)
        #expect(status.starts(with: bytes("Name:\ta\\nb\\\\c\n")))
        #expect(try files.contents(of: .stat, child).starts(with: bytes("412 (a\nb\\c) S ")))
    }

    @Test func `a long command line takes several reads and is whole in the end`() throws {
        let argument = String(repeating: "x", count: 100_000)
        let child = try addSleeper(argv: ["sleep", argument])
        let directory = try files.openProcess(child)
        let handle = try files.open(.cmdline, in: directory)
        var content: [UInt8] = []
        #expect(try files.read(handle, count: 4_096, into: &content) == 4_096)
        #expect(try files.readAll(handle, limit: 1 << 20, into: &content))
        #expect(content == bytes("sleep\0\(argument)\0"))
    }

    @Test func `an empty argument vector is one empty argument since 5_18 and nothing before`() throws {
        for (minor, expected) in [(10, [UInt8]()), (18, [0])] {
            let host = SimulatedHost(plainConfiguration(kernel: KernelVersion(major: 5, minor: minor)))
            host.addShell()
            host.kernel.exec(pid(77), .file("/bin/odd"), argv: [])
            #expect(try host.procFileSystem.contents(of: .cmdline, pid(77)) == expected)
        }
    }

    @Test func `a title without an end bleeds the environment`() throws {
        var template = ProcessTemplate(path: "/usr/bin/daemon")
        template.argv = [bytes("daemon")]
        template.environment = [bytes("SECRET=leak"), bytes("B=2")]
        host.kernel.addProcess(pid(500), template)
        host.kernel.setTitle(pid(500), bytes("TTTTTTT"))
        #expect(try files.contents(of: .cmdline, pid(500)) == bytes("TTTTTTTSECRET=leak\0"))
        host.kernel.setTitle(pid(500), bytes("t"))
        #expect(try files.contents(of: .cmdline, pid(500)) == bytes("t\0\0\0\0\0\0"))
    }

    @Test func `a command line changes between two reads of one handle`() throws {
        let child = try addSleeper(argv: ["aaaa", "bbbb"])
        let directory = try files.openProcess(child)
        let handle = try files.open(.cmdline, in: directory)
        var content: [UInt8] = []
        _ = try files.read(handle, count: 5, into: &content)
        host.kernel.exec(child, .file("/bin/x"), argv: [bytes("cccc"), bytes("dddd")])
        _ = try files.readAll(handle, limit: 100, into: &content)
        #expect(content == bytes("aaaa\0dddd\0"))
    }

    @Test func `an exec changes program, name and arguments one after the other`() throws {
        let child = try addSleeper()
        let start = host.kernel.now
        host.kernel.exec(child, .file("/bin/new"), argv: [bytes("new")], over: .microseconds(300))
        var seen: [String] = []
        while host.kernel.now < start.advanced(by: .microseconds(400)) {
            let exe = String(decoding: try files.link(.exe, child), as: UTF8.self)
            let comm = String(decoding: try files.contents(of: .comm, child), as: UTF8.self)
            let arguments = String(decoding: try files.contents(of: .cmdline, child), as: UTF8.self)
            let state = [exe, comm, arguments].joined(separator: "|")
            if seen.last != state { seen.append(state) }
        }
        #expect(seen.contains("/bin/new|sleep\n|"))
        #expect(seen.contains("/bin/new|new\n|"))
        #expect(seen.last == "/bin/new|new\n|new\0")
    }

    // MARK: Executables

    @Test func `an unlinked program is marked, still there, and without a name`() throws {
        let child = try addSleeper()
        #expect(host.kernel.unlinkExecutable(bytes("/usr/bin/sleep")))
        #expect(try files.link(.exe, child) == bytes("/usr/bin/sleep (deleted)"))
        let directory = try files.openProcess(child)
        #expect(try files.status(of: .exe, in: directory).linkCount == 0)
        #expect(!host.kernel.unlinkExecutable(bytes("/usr/bin/sleep")))
    }

    @Test func `a file whose name ends in deleted differs only by its link count`() throws {
        let child = try addSleeper()
        host.kernel.exec(child, .file("/usr/bin/x (deleted)"))
        #expect(try files.link(.exe, child) == bytes("/usr/bin/x (deleted)"))
        let directory = try files.openProcess(child)
        #expect(try files.status(of: .exe, in: directory).linkCount == 1)
    }

    @Test func `a program in anonymous memory and one deleted before its exec say so`() throws {
        let child = try addSleeper()
        host.kernel.exec(child, .memory("payload"))
        #expect(try files.link(.exe, child) == bytes("/memfd:payload (deleted)"))
        #expect(try files.contents(of: .comm, child) == bytes("memfd:payload\n"))
        host.kernel.exec(child, .deletedFile("/tmp/dropper"))
        #expect(try files.link(.exe, child) == bytes("/tmp/dropper (deleted)"))
        let directory = try files.openProcess(child)
        #expect(try files.status(of: .exe, in: directory).linkCount == 0)
    }

    @Test func `a newline in a path is raw in the link and escaped in maps`() throws {
        let child = try addSleeper()
        host.kernel.exec(child, .file("/tmp/a\nb"))
        #expect(try files.link(.exe, child) == bytes("/tmp/a\nb"))
        let maps = String(decoding: try files.contents(of: .maps, child), as: UTF8.self)
        #expect(maps.contains("/tmp/a\\012b\n"))
    }
}
