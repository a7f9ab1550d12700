import EventModel
import KernelFormats
import Testing

@Suite struct ProcessStatTests {
    @Test func `the fields of a captured file are read`() throws {
        let stat = try ProcessStat(parsing: ProcCapture.stat(name: Array("plain".utf8)))
        #expect(stat.pid == ProcessID(6_930))
        #expect(stat.comm == Array("plain".utf8))
        #expect(stat.state == .sleeping)
        #expect(stat.ppid == ProcessID(6_880))
        #expect(stat.pgrp == ProcessID(6_816))
        #expect(stat.session == ProcessID(3_096))
        #expect(stat.tpgid == -1)
        #expect(stat.flags == 4_194_368)
        #expect(stat.minflt == 266)
        #expect(stat.priority == 20)
        #expect(stat.threadCount == 1)
        #expect(stat.startTicks == 271_307)
        #expect(stat.vsize == 18_591_744)
        #expect(stat.rssPageCount == 2_866)
        #expect(stat.rssLimit == .max)
        #expect(stat.startcode == 94_038_116_749_312)
        #expect(stat.caughtSignals == 2)
        #expect(stat.exitSignal == 17)
        #expect(stat.argStart == 140_723_995_474_083)
        #expect(stat.argEnd == 140_723_995_474_143)
        #expect(stat.exitCode == 0)
        #expect(!stat.isKernelThread)
    }

    @Test func `each field has a place of its own`() throws {
        // Field n has the value n where its type allows.
        let numbers = (4...52).map { $0 == 21 || $0 == 36 || $0 == 37 ? "0" : "\($0)" }.joined(separator: " ")
        let bytes = [UInt8](text: "1 (x) S \(numbers)\n")
        let stat = try ProcessStat(parsing: bytes)
        #expect(stat.utime == 14)
        #expect(stat.stime == 15)
        #expect(stat.cutime == 16)
        #expect(stat.cstime == 17)
        #expect(stat.nice == 19)
        #expect(stat.threadCount == 20)
        #expect(stat.startTicks == 22)
        #expect(stat.rssPageCount == 24)
        #expect(stat.wchan == 35)
        #expect(stat.exitSignal == 38)
        #expect(stat.processor == 39)
        #expect(stat.childGuestTicks == 44)
        #expect(stat.envEnd == 51)
        #expect(stat.exitCode == 52)
        #expect(stat.bytes == bytes)
    }

    @Test(arguments: ProcCapture.hostileNames)
    func `a name of any bytes is read and printed`(name: [UInt8]) throws {
        let bytes = ProcCapture.stat(name: name)
        let stat = try ProcessStat(parsing: bytes)
        #expect(stat.comm == name)
        #expect(stat.ppid == ProcessID(6_880))
        #expect(stat.bytes == bytes)
    }

    @Test func `a zombie shows its exit code`() throws {
        let stat = try ProcessStat(parsing: ProcCapture.zombieStat)
        #expect(stat.state == .zombie)
        #expect(stat.exitCode == 9)
        #expect(stat.bytes == ProcCapture.zombieStat)
    }

    @Test func `a kernel thread has the flag and may have a long name`() throws {
        let stat = try ProcessStat(parsing: ProcCapture.kernelThreadStat)
        #expect(stat.isKernelThread)
        #expect(stat.comm == Array("kworker/R-rcu_gp".utf8))
        #expect(stat.state == .idle)
        #expect(stat.nice == -20)
        #expect(stat.bytes == ProcCapture.kernelThreadStat)
    }

    @Test func `a task that is being reaped has no group and no session`() throws {
        var expected = ProcessStat(pid: ProcessID(9), comm: [])
        expected.pgrp = ProcessID(-1)
        expected.session = ProcessID(-1)
        expected.state = .dead
        #expect(try ProcessStat(parsing: expected.bytes) == expected)
    }

    @Test func `fields that a newer kernel adds are ignored`() throws {
        let stat = ProcessStat(pid: ProcessID(9), comm: Array("x".utf8))
        #expect(try ProcessStat(parsing: stat.bytes.dropLast() + Array(" 7 -8\n".utf8)) == stat)
    }

    @Test(arguments: [ProcCapture.zombieStat, ProcCapture.stat(name: Array("a) R 1 (b".utf8))])
    func `no beginning of a file passes for the whole`(bytes: [UInt8]) {
        for count in 0..<bytes.count {
            #expect(throws: FormatError.self) { try ProcessStat(parsing: Array(bytes.prefix(count))) }
        }
    }

    @Test func `a name of 63 bytes is the longest`() throws {
        let longest = [UInt8](repeating: 0x29, count: 63)
        #expect(try ProcessStat(parsing: ProcCapture.stat(name: longest)).comm == longest)
        let error = #expect(throws: FormatError.self) {
            try ProcessStat(parsing: ProcCapture.stat(name: [UInt8](repeating: 0x61, count: 64)))
        }
        #expect(error?.reason == .tooLong)
    }

    @Test(arguments: [
        "-1 (x) S", "2147483648 (x) S", "99999999999999999999 (x) S", " (x) S", "1(x) S", "1 x S", "1 (x)S",
        "1 (x) ?",
    ])
    func `a head that the kernel cannot print is refused`(head: String) {
        let tail = ProcCapture.statTail.dropFirst(2)
        #expect(throws: FormatError.self) { try ProcessStat(parsing: Array(head.utf8) + tail.utf8) }
    }

    @Test(arguments: [
        (4, "2147483648", FormatError.Reason.outOfRange), (4, "-2147483649", .outOfRange),
        (9, "-1", .outOfRange),
        (9, "4294967296", .outOfRange), (14, "-1", .outOfRange), (19, "9223372036854775808", .outOfRange),
        (23, "18446744073709551616", .outOfRange), (23, "99999999999999999999999", .outOfRange),
        (22, "", .malformed),
        (22, "-", .malformed), (22, "0x1", .malformed), (22, " 1", .malformed),
    ])
    func `a number outside of its field's range is refused`(
        field: Int, text: String, reason: FormatError.Reason
    ) {
        var fields = ProcCapture.statTail.dropLast().split(separator: " ").map(String.init)
        fields[field - 3] = text
        let error = #expect(throws: FormatError.self) {
            try ProcessStat(parsing: [UInt8](text: "1 (x) " + fields.joined(separator: " ") + "\n"))
        }
        #expect(error?.reason == reason)
    }

    @Test func `the ends of each range are read`() throws {
        var stat = ProcessStat(pid: ProcessID(.max), comm: [])
        stat.ppid = ProcessID(.min)
        stat.flags = .max
        stat.nice = .min
        stat.priority = .max
        stat.vsize = .max
        #expect(try ProcessStat(parsing: stat.bytes) == stat)
    }

    @Test func `what is printed is read back`() throws {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<2_000 {
            let stat = generator.stat()
            #expect(try ProcessStat(parsing: stat.bytes) == stat)
        }
    }

    @Test func `printing appends`() {
        var bytes = Array("before".utf8)
        let stat = ProcessStat(pid: ProcessID(1), comm: [])
        stat.append(to: &bytes)
        #expect(bytes == Array("before".utf8) + stat.bytes)
    }
}

@Suite struct CommFileTests {
    @Test(arguments: ProcCapture.hostileNames)
    func `a name of any bytes is read and printed`(name: [UInt8]) throws {
        #expect(try CommFile(parsing: name + [0x0a]).name == name)
        #expect(CommFile(name: name).bytes == name + [0x0a])
    }

    @Test func `a file without its newline is truncated`() {
        let error = #expect(throws: FormatError.self) { try CommFile(parsing: Array("name".utf8)) }
        #expect(error?.reason == .truncated)
    }

    @Test func `a name beyond 63 bytes is refused`() {
        let error = #expect(throws: FormatError.self) {
            try CommFile(parsing: [UInt8](repeating: 0x0a, count: 65))
        }
        #expect(error?.reason == .tooLong)
    }
}

extension SeededGenerator {
    mutating func stat() -> ProcessStat {
        var stat = ProcessStat(pid: pid(), comm: bytes(atMost: 63))
        stat.state = element(of: [.running, .sleeping, .zombie, .tracingStop, .dead])
        stat.ppid = ProcessID(integer())
        stat.pgrp = ProcessID(integer())
        stat.session = ProcessID(integer())
        (stat.ttyNumber, stat.tpgid, stat.flags) = (integer(), integer(), integer())
        (stat.minflt, stat.cminflt, stat.majflt, stat.cmajflt) = (integer(), integer(), integer(), integer())
        (stat.utime, stat.stime, stat.cutime, stat.cstime) = (integer(), integer(), integer(), integer())
        (stat.priority, stat.nice, stat.threadCount) = (integer(), integer(), integer())
        (stat.startTicks, stat.vsize, stat.rssPageCount, stat.rssLimit) = (
            integer(), integer(), integer(), integer()
        )
        (stat.startcode, stat.endcode, stat.startstack) = (integer(), integer(), integer())
        (stat.kstkesp, stat.kstkeip, stat.wchan) = (integer(), integer(), integer())
        (stat.pendingSignals, stat.blockedSignals) = (integer(), integer())
        (stat.ignoredSignals, stat.caughtSignals) = (integer(), integer())
        (stat.exitSignal, stat.processor, stat.realTimePriority) = (integer(), integer(), integer())
        (stat.policy, stat.blockIODelayTicks) = (integer(), integer())
        (stat.guestTicks, stat.childGuestTicks) = (integer(), integer())
        (stat.startData, stat.endData, stat.startBrk) = (integer(), integer(), integer())
        (stat.argStart, stat.argEnd, stat.envStart, stat.envEnd) = (
            integer(), integer(), integer(), integer()
        )
        stat.exitCode = integer()
        return stat
    }
}
