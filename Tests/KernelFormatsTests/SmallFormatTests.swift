import EventModel
import KernelFormats
import Testing

@Suite struct CgroupFileTests {
    private func read(_ text: String) throws -> CgroupFile { try CgroupFile(parsing: [UInt8](text: text)) }

    @Test func `the lines of a captured file are read and printed`() throws {
        let file = try read(ProcCapture.hybridCgroup)
        #expect(file.memberships.count == 10)
        #expect(file.memberships[7].has(controller: "cpuacct"))
        #expect(!file.memberships[7].has(controller: "cpua"))
        #expect(file.memberships[9].isUnified)
        #expect(file.bytes == Array(ProcCapture.hybridCgroup.utf8))
    }

    private func isWhole(_ bytes: some Sequence<UInt8>) -> Bool { CgroupFile.isWhole(Array(bytes).span) }

    @Test func `a text is whole once the line of version 2 is there`() {
        let captured = Array(ProcCapture.hybridCgroup.utf8)
        #expect(isWhole(captured))
        for count in 0..<captured.count {
            #expect(!isWhole(captured.prefix(count)), "\(count) bytes")
        }
        #expect(isWhole("0::/user.slice (deleted)\n".utf8))
        #expect(!isWhole("10::/\n".utf8))
    }

    @Test(arguments: [
        ("0::/system.slice/cron.service\n", "/system.slice/cron.service"),
        ("4:memory:/m\n1:name=systemd:/s\n0::/u\n", "/u"), ("4:memory:/m\n1:name=systemd:/s\n0::/\n", "/s"),
        ("4:memory:/m\n3:pids:/p\n1:name=systemd:/\n0::/\n", "/p"), ("4:memory:/m\n1:name=systemd:/\n", "/m"),
        ("4:cpu,memory:/m\n", "/m"), ("4:cpu:/c\n0::/\n", "/"), ("0::/\n", "/"),
    ])
    func `the path that tells most is reported`(text: String, path: String) throws {
        #expect(try read(text).reportedPath == Array(path.utf8))
    }

    @Test func `a file without lines reports no path`() throws {
        #expect(try read("").reportedPath == nil)
    }

    @Test func `a path may hold colons, blanks and a marker`() throws {
        let file = try read("0::/a:b c:/d (deleted)\n")
        #expect(file.reportedPath == Array("/a:b c:/d (deleted)".utf8))
    }

    @Test(arguments: [
        "0::/", "0:/\n", "::/\n", "x::/\n", "0::\n", "0::a\n", "-1::/\n", "4294967296::/\n", "\n",
    ])
    func `a line that the kernel cannot print is refused`(text: String) {
        #expect(throws: FormatError.self) { try read(text) }
    }

    @Test func `more hierarchies than the limit are refused`() throws {
        let line = "1:cpu:/\n"
        #expect(try read(String(repeating: line, count: 128)).memberships.count == 128)
        let error = #expect(throws: FormatError.self) { try read(String(repeating: line, count: 129)) }
        #expect(error?.reason == .tooLong)
    }

    @Test func `what is printed is read back`() throws {
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<500 {
            let file = CgroupFile(
                memberships: (0..<Int(generator.next() % 5)).map { _ in
                    CgroupFile.Membership(
                        hierarchyID: generator.integer(),
                        controllers: generator.bytes(atMost: 10, excluding: Array(":\n".utf8)),
                        path: Array("/".utf8) + generator.bytes(atMost: 20, excluding: Array("\n".utf8)))
                })
            #expect(try CgroupFile(parsing: file.bytes) == file)
        }
    }
}

@Suite struct SystemStatTests {
    private func read(_ text: String) throws -> SystemStat { try SystemStat(parsing: [UInt8](text: text)) }

    @Test func `the lines of a captured file are read`() throws {
        let stat = try read(ProcCapture.systemStat)
        #expect(stat.processors.map(\.id) == [0, 1])
        #expect(stat.total?.idle == 232_896)
        #expect(stat.processors[1].times.system == 1_490)
        #expect(stat.processors[1].times.steal == 20)
        #expect(stat.interruptCount == 119_889)
        #expect(stat.contextSwitchCount == 207_279)
        #expect(stat.bootTime == 1_795_240_078)
        #expect(stat.forkCount == 5_866)
        #expect(stat.runningCount == 1)
        #expect(stat.blockedCount == 1)
        #expect(stat.softInterruptCount == 97_073)
    }

    @Test func `a file without single interrupts is printed as it was read`() throws {
        let text = """
            cpu  4515 0 2593 232896 2325 0 27 36 0 0
            cpu0 2227 0 1103 117722 43 0 5 16 0 0
            cpu3 2288 0 1490 115174 2282 0 22 20 0 0
            intr 119889
            ctxt 207279
            btime 1795240078
            processes 5866
            procs_running 1
            procs_blocked 0
            softirq 97073

            """
        let stat = try read(text)
        #expect(stat.processors.map(\.id) == [0, 3])
        #expect(String(decoding: stat.bytes, as: UTF8.self) == text)
    }

    @Test func `an old kernel prints fewer kinds of time`() throws {
        #expect(try read("cpu0 1 2 3 4\n").processors[0].times.idle == 4)
    }

    @Test func `lines of other names are skipped`() throws {
        let stat = try read("cpufreq 1\npage 1 2\nprocs_waiting 3\nprocesses_total 4\n\nprocesses 5\n")
        #expect(stat.forkCount == 5)
        #expect(stat.processors.isEmpty)
    }

    @Test(arguments: [
        "btime 1", "btime \n", "btime x\n", "btime 1x\n", "cpu 1 2 3\n", "cpu0 1 2 3 x\n", "cpu0\n",
    ])
    func `a line that the kernel cannot print is refused`(text: String) {
        #expect(throws: FormatError.self) { try read(text) }
    }

    @Test func `more CPUs than the limit are refused`() {
        let text = String(repeating: "cpu0 1 2 3 4\n", count: Limits.processorCount + 1)
        let error = #expect(throws: FormatError.self) { try read(text) }
        #expect(error?.reason == .tooLong)
    }

    @Test func `what is printed is read back`() throws {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<500 {
            var stat = SystemStat()
            stat.total = generator.maybe { $0.times() }
            stat.processors = (0..<Int(generator.next() % 5)).map { _ in
                SystemStat.Processor(id: generator.integer(), times: generator.times())
            }
            (stat.interruptCount, stat.bootTime) = (
                generator.maybe { $0.integer() }, generator.maybe { $0.integer() }
            )
            (stat.forkCount, stat.runningCount) = (
                generator.maybe { $0.integer() }, generator.maybe { $0.integer() }
            )
            stat.contextSwitchCount = generator.maybe { $0.integer() }
            #expect(try SystemStat(parsing: stat.bytes) == stat)
        }
    }
}

@Suite struct BootFilesTests {
    private static let bootID = "5f2d0c1e-90ab-4cde-8f01-23456789abcd\n"

    @Test func `a boot id is read and printed`() throws {
        let file = try BootIDFile(parsing: [UInt8](text: Self.bootID))
        #expect(file.bootID == BootID(high: 0x5f2d_0c1e_90ab_4cde, low: 0x8f01_2345_6789_abcd))
        #expect(file.bytes == Array(Self.bootID.utf8))
    }

    @Test(arguments: ["", "\n", String(bootID.dropLast()), bootID + "\n", "g" + bootID.dropFirst()])
    func `anything but a boot id is refused`(text: String) {
        #expect(throws: FormatError.self) { try BootIDFile(parsing: [UInt8](text: text)) }
    }

    @Test(arguments: [("1215.42 2328.96\n", 121_542, 232_896), ("0.05 10.00\n", 5, 1_000)])
    func `an uptime is read and printed`(text: String, uptime: UInt64, idle: UInt64) throws {
        let file = try UptimeFile(parsing: [UInt8](text: text))
        #expect(file == UptimeFile(uptimeHundredths: uptime, idleHundredths: idle))
        #expect(file.bytes == Array(text.utf8))
    }

    @Test func `an uptime is a point on the clock of start times`() {
        let file = UptimeFile(uptimeHundredths: 121_542, idleHundredths: 0)
        #expect(file.bootTime == BootTime(nanoseconds: 1_215_420_000_000))
        #expect(UptimeFile(uptimeHundredths: .max, idleHundredths: 0).bootTime == BootTime(nanoseconds: .max))
    }

    @Test(arguments: [
        "", "1.00 2.00", "1.0 2.00\n", "1.000 2.00\n", "1 2\n", "-1.00 2.00\n", "1.00  2.00\n",
        "184467440737095517.00 0.00\n",
    ])
    func `anything but two numbers with two decimals is refused`(text: String) {
        #expect(throws: FormatError.self) { try UptimeFile(parsing: [UInt8](text: text)) }
    }

    @Test func `the highest pid is read and printed`() throws {
        #expect(try PIDMaximumFile(parsing: [UInt8](text: "4194304\n")).maximum == 4_194_304)
        #expect(PIDMaximumFile(32_768).bytes == Array("32768\n".utf8))
        #expect(throws: FormatError.self) { try PIDMaximumFile(parsing: [UInt8](text: "32768")) }
    }
}

@Suite struct ProcessLinkTests {
    private func read(_ text: String) throws -> ExecutableLink {
        try ExecutableLink(parsing: [UInt8](text: text))
    }

    @Test func `a target that exists is its path`() throws {
        let link = try read("/usr/bin/cat")
        #expect(!link.isMarkedDeleted)
        #expect(Array(link.path) == Array("/usr/bin/cat".utf8))
        #expect(link.memoryFileName == nil)
        #expect(link == ExecutableLink(path: Array("/usr/bin/cat".utf8), existence: .linked))
    }

    @Test func `the marker of a deleted target is no part of its path`() throws {
        let link = try read("/tmp/x (deleted)")
        #expect(link.isMarkedDeleted)
        #expect(Array(link.path) == Array("/tmp/x".utf8))
        #expect(link == ExecutableLink(path: Array("/tmp/x".utf8), existence: .unlinked))
    }

    @Test func `one marker only is taken off`() throws {
        #expect(Array(try read("/tmp/x (deleted) (deleted)").path) == Array("/tmp/x (deleted)".utf8))
    }

    @Test func `a file in memory has the name of its memfd`() throws {
        #expect(
            try read("/memfd:payload/1 (deleted)").memoryFileName.map(Array.init) == Array("payload/1".utf8))
        #expect(try read("/memfd: (deleted)").memoryFileName.map(Array.init) == [])
        #expect(ExecutableLink.memoryFile(named: Array("x".utf8)) == (try read("/memfd:x (deleted)")))
    }

    @Test(arguments: ["/memfd:x", "/tmp/memfd:x (deleted)", " (deleted)"])
    func `what only resembles a file in memory is none`(text: String) throws {
        #expect(try read(text).memoryFileName == nil)
    }

    @Test func `a target of any bytes is kept`() throws {
        let bytes: [UInt8] = Array("/tmp/a\nb".utf8) + [0xff]
        #expect(try ExecutableLink(parsing: bytes).bytes == bytes)
    }

    @Test func `no target and one beyond PATH_MAX are refused`() {
        #expect(throws: FormatError.self) { try read("") }
        let error = #expect(throws: FormatError.self) {
            try ExecutableLink(parsing: [UInt8](repeating: 0x61, count: 4_097))
        }
        #expect(error?.reason == .tooLong)
    }

    @Test(arguments: NamespaceLink.Kind.allCases)
    func `the link of each kind of namespace is read and printed`(kind: NamespaceLink.Kind) throws {
        let bytes = [UInt8](text: "\(kind.rawValue):[4026531836]")
        let link = try NamespaceLink(parsing: bytes)
        #expect(link == NamespaceLink(kind: kind, inode: 4_026_531_836))
        #expect(link.bytes == bytes)
    }

    @Test(arguments: [
        "", "pid:[", "pid:[]", "pid:[1", "pid:[1]x", "pid:[-1]", "pid:4", "socket:[1]", "pid_for:[1]",
    ])
    func `anything but a namespace's link is refused`(text: String) {
        #expect(throws: FormatError.self) { try NamespaceLink(parsing: [UInt8](text: text)) }
    }
}

extension SeededGenerator {
    mutating func times() -> SystemStat.Times {
        var times = SystemStat.Times()
        (times.user, times.nice, times.system, times.idle) = (integer(), integer(), integer(), integer())
        (times.iowait, times.irq, times.softirq, times.steal) = (integer(), integer(), integer(), integer())
        (times.guest, times.guestNice) = (integer(), integer())
        return times
    }
}
