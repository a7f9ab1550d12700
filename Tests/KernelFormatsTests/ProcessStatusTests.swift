import EventModel
import KernelFormats
import Testing

@Suite struct ProcessStatusTests {
    private let captured = [UInt8](text: ProcCapture.status)

    private func isWhole(_ bytes: some Sequence<UInt8>) -> Bool { ProcessStatus.isWhole(Array(bytes).span) }

    @Test func `a text is whole once its last line is there, whatever a processor adds`() {
        #expect(isWhole(captured))
        let more = captured + Array("x86_Thread_features:\t\nx86_Thread_features_locked:\t\n".utf8)
        #expect(isWhole(more))
        for count in 0..<captured.count {
            #expect(!isWhole(captured.prefix(count)), "\(count) bytes")
        }
        #expect(!isWhole("Name:\tnonvoluntary_ctxt_switches:\n".utf8))
    }

    @Test func `the lines of a captured file are read`() throws {
        let status = try ProcessStatus(parsing: captured)
        #expect(status.name == Array("cat".utf8))
        #expect(status.state == .running)
        #expect(status.tgid == ProcessID(5_862))
        #expect(status.pid == ProcessID(5_862))
        #expect(status.ppid == ProcessID(5_856))
        #expect(status.tracerPid == ProcessID(0))
        #expect(status.uid == .init(UserID(0)))
        #expect(status.gid == .init(GroupID(0)))
        #expect(status.namespacePids == [ProcessID(5_862)])
        #expect(status.namespaceSessions == [ProcessID(3_096)])
        #expect(status.kthread == 0)
        #expect(status.vmRSS == 1_624)
        #expect(status.vmSize == 3_060)
        #expect(status.threadCount == 1)
        #expect(status.effective?.rawValue == 0x1ff_feff_ffff)
        #expect(status.ambient?.rawValue == 0)
        #expect(status.noNewPrivs == 0)
        #expect(status.seccomp == 0)
        #expect(status.seccompFilters == 0)
    }

    @Test func `the known lines are printed as the kernel prints them`() throws {
        let printed = String(decoding: try ProcessStatus(parsing: captured).bytes, as: UTF8.self)
        let unknown = [
            "Umask", "Ngid", "FDSize", "Groups", "VmLck", "VmPin", "Rss", "VmData", "VmStk", "VmExe", "VmLib",
            "VmPTE",
            "Huge", "CoreDumping", "THP", "untag", "Sig", "Shd", "Specul", "Cpus", "Mems", "volun", "nonvol",
        ]
        let expected = ProcCapture.status.split(separator: "\n").filter { line in
            !unknown.contains { line.hasPrefix($0) }
        }
        #expect(printed.split(separator: "\n") == expected)
    }

    @Test func `the four ids are told apart`() throws {
        let status = try ProcessStatus(
            parsing: [UInt8](text: "Uid:\t1\t2\t3\t4294967295\nGid:\t5\t6\t7\t8\n"))
        #expect(
            status.uid
                == .init(
                    real: UserID(1), effective: UserID(2), saved: UserID(3), fileSystem: UserID(4_294_967_295)
                ))
        #expect(status.gid?.fileSystem == GroupID(8))
    }

    @Test func `a process in nested namespaces has a pid in each`() throws {
        let status = try ProcessStatus(parsing: [UInt8](text: "NSpid:\t4242\t17\t1\n"))
        #expect(status.namespacePids == [ProcessID(4_242), ProcessID(17), ProcessID(1)])
    }

    @Test func `more namespaces than the kernel nests are refused`() {
        let ids = [String](repeating: "\t1", count: 34).joined()
        let error = #expect(throws: FormatError.self) {
            try ProcessStatus(parsing: [UInt8](text: "NSpid:\(ids)\n"))
        }
        #expect(error?.reason == .tooLong)
    }

    @Test(arguments: [
        (#"nl\nx"#, "nl\nx"), (#"back\\slash"#, #"back\slash"#), (#"\\n"#, #"\n"#), (" a: \t", " a: \t"),
        ("", ""),
    ])
    func `the escapes of a name are undone and done`(text: String, name: String) throws {
        let bytes = [UInt8](text: "Name:\t\(text)\n")
        let status = try ProcessStatus(parsing: bytes)
        #expect(status.name == Array(name.utf8))
        #expect(status.bytes == bytes)
    }

    @Test func `a name that is no UTF-8 is kept as it is`() throws {
        #expect(try ProcessStatus(parsing: Array("Name:\t".utf8) + [0xff, 0xc3, 0x0a]).name == [0xff, 0xc3])
    }

    @Test func `lines that are missing are nil`() throws {
        let status = try ProcessStatus(parsing: [UInt8](text: "Pid:\t1\n"))
        #expect(status.vmRSS == nil)
        #expect(status.name == nil)
        #expect(status.namespacePids == nil)
        #expect(status.noNewPrivs == nil)
    }

    @Test func `lines of other names are skipped, whatever they hold`() throws {
        let text = "Pids:\tx\nPi:\ty\nA_name_of_more_than_sixteen_bytes:\tz\n:\nPid:\t7\n"
        #expect(try ProcessStatus(parsing: [UInt8](text: text)).pid == ProcessID(7))
    }

    @Test(arguments: [
        "Pid:\t1", "Pid\t1\n", "Pid:\t\n", "Pid:\tx\n", "Pid:\t1 2\n", "Pid:\t-1\n", "Pid:\t4294967296\n",
        "Uid:\t1\t2\t3\n", "VmRSS:\t1\n", "VmRSS:\t1 MB\n", "CapEff:\t\n", "CapEff:\t10000000000000000\n",
        "State:\t\n", "State:\t1\n", "Name:x\n", "Name:\ta\\\n", "Name:\ta\\t\n", "\n",
    ])
    func `a line that the kernel cannot print is refused`(text: String) {
        #expect(throws: FormatError.self) { try ProcessStatus(parsing: [UInt8](text: text)) }
    }

    @Test func `what is printed is read back`() throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<1_000 {
            let status = generator.status()
            #expect(try ProcessStatus(parsing: status.bytes) == status)
        }
    }
}

extension SeededGenerator {
    private mutating func capabilities() -> ProcessStatus.CapabilitySet {
        ProcessStatus.CapabilitySet(rawValue: integer())
    }

    mutating func status() -> ProcessStatus {
        var status = ProcessStatus()
        status.name = maybe { $0.bytes(atMost: 63) }
        status.state = maybe {
            $0.element(of: [.running, .diskSleep, .tracingStop, TaskState(rawValue: 0x51)])
        }
        status.tgid = maybe { $0.pid() }
        status.pid = maybe { $0.pid() }
        status.ppid = maybe { $0.pid() }
        status.tracerPid = maybe { $0.pid() }
        status.uid = maybe {
            .init(
                real: UserID($0.integer()), effective: UserID($0.integer()), saved: UserID($0.integer()),
                fileSystem: UserID($0.integer()))
        }
        status.gid = maybe { .init(GroupID($0.integer())) }
        status.namespaceTgids = maybe { generator in (0..<33).map { _ in generator.pid() } }
        status.namespacePids = maybe { [$0.pid(), $0.pid()] }
        status.namespacePgids = maybe { [$0.pid()] }
        status.namespaceSessions = maybe { _ in [] }
        status.kthread = maybe { $0.integer() }
        (status.vmPeak, status.vmSize) = (maybe { $0.integer() }, maybe { $0.integer() })
        (status.vmHWM, status.vmRSS, status.vmSwap) = (
            maybe { $0.integer() }, maybe { $0.integer() }, maybe { $0.integer() }
        )
        status.threadCount = maybe { $0.integer() }
        (status.inheritable, status.permitted) = (maybe { $0.capabilities() }, maybe { $0.capabilities() })
        (status.effective, status.bounding) = (maybe { $0.capabilities() }, maybe { $0.capabilities() })
        status.ambient = maybe { $0.capabilities() }
        (status.noNewPrivs, status.seccomp) = (maybe { $0.integer() }, maybe { $0.integer() })
        status.seccompFilters = maybe { $0.integer() }
        return status
    }
}
