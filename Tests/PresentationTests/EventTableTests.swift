import EventModel
import Presentation
import Testing

struct EventTableTests {
    @Test func `an event stands below the header, column by column`() {
        #expect(
            TableFixture.table(width: 100).header
                == "TIME (UTC)   KIND           PID    PPID   UID  PROGRAM, ARGUMENTS")
        #expect(
            TableFixture.line(.processExec)
                == "10:00:00.123 exec          4711      42  1000  /usr/bin/ls -l /tmp")
    }

    @Test func `a narrow terminal shows neither parent nor user`() {
        #expect(
            TableFixture.line(.processExec, width: 60)
                == "10:00:00.123 exec          4711  /usr/bin/ls -l /tmp")
    }

    @Test func `unknown parts are marked, not invented`() {
        let line = TableFixture.line(.processFork) { process in
            process.ppid = nil
            process.uid = nil
            process.name = nil
            process.executablePath = nil
            process.commandLine = []
        }
        #expect(line == "10:00:00.123 fork          4711       -     -  ?")
    }

    @Test(arguments: [
        (ProcessExit(code: 0), "ls exited 0"), (ProcessExit(code: 3 << 8), "ls exited 3"),
        (ProcessExit(code: 9), "ls killed by SIGKILL"),
        (ProcessExit(code: 11 | 0x80), "ls killed by SIGSEGV, core dumped"),
        (ProcessExit(code: 40), "ls killed by signal 40"), (.inferred, "ls ended unseen"),
    ])
    func `an exit says how the process ended`(exit: ProcessExit, detail: String) {
        #expect(TableFixture.detail(.processExit) { $0.exit = exit } == detail)
    }

    @Test func `a suspicion gives severity and reason first`() {
        let detail = TableFixture.detail(.processSuspicious) {
            $0.suspicion = Suspicion(reason: .executedDeletedFile, severity: .high)
            $0.executableExists = false
        }
        #expect(detail == "high executed_deleted_file: /usr/bin/ls (deleted) -l /tmp")
    }

    @Test func `each further kind says what happened`() {
        #expect(
            TableFixture.detail(.processSetID) {
                $0.uid = UserID(0)
                $0.gid = GroupID(5)
                $0.realUID = UserID(1_000)
            } == "ls now uid 0 gid 5 real uid 1000")
        #expect(TableFixture.detail(.processSession) { $0.session = ProcessID(77) } == "ls session 77")
        #expect(TableFixture.detail(.processComm) == "now named ls")
        #expect(TableFixture.detail(.processPtrace) { $0.tracer = ProcessID(9) } == "ls traced by 9")
        #expect(TableFixture.detail(.processPtrace) == "ls no longer traced")
        #expect(TableFixture.detail(.processCoredump) == "ls dumps core")
        #expect(
            TableFixture.detail(.processModified) { $0.modifiedFields = [.exe, .pidNamespace] }
                == "changed exe, pid_namespace: /usr/bin/ls -l /tmp")
    }

    @Test func `a name that the caller gave the program is shown beside the file`() {
        #expect(TableFixture.detail(.processExec) { $0.commandLine = ["-sh"] } == "/usr/bin/ls (-sh)")
        #expect(
            TableFixture.detail(.processExec) { $0.commandLine = ["/bin/ls", "a b", ""] }
                == "/usr/bin/ls 'a b' ''")
    }

    @Test func `a kernel thread stands in brackets`() {
        let detail = TableFixture.detail(.processBaseline) {
            $0.name = "kworker/0:1"
            $0.executablePath = nil
            $0.commandLine = []
            $0.isKernelThread = true
        }
        #expect(detail == "[kworker/0:1]")
    }

    @Test func `events of other domains have lines too`() throws {
        var file = FilesystemEvent(path: "/etc/passwd", operation: .renamed)
        file.previousPath = "/etc/passwd+"
        file.uid = UserID(0)
        let table = TableFixture.table()
        #expect(
            table.line(for: TableFixture.event(.fileRenamed, .filesystem(file)))
                == "10:00:00.123 renamed          -       -     0  /etc/passwd+ -> /etc/passwd")
        let socket = NetworkEvent(
            connectionID: "c", source: SocketAddress(address: "10.0.0.1", port: 5_000),
            destination: SocketAddress(address: "10.0.0.2", port: 22), protocolName: .tcp,
            state: .established,
            pid: ProcessID(7), sentByteCount: 0, receivedByteCount: 0)
        #expect(
            table.line(for: TableFixture.event(.networkOpen, .network(socket)))
                == "10:00:00.123 open             7       -     -  tcp 10.0.0.1:5000 -> 10.0.0.2:22 ESTAB")
    }

    @Test func `only the kind is coloured, and only on request`() {
        let process = TableFixture.process(name: "ls", exe: "/usr/bin/ls", arguments: ["ls"])
        let event = TableFixture.event(.processExec, .process(process))
        let coloured = EventTable(width: 100, colours: .ansi).line(for: event)
        #expect(coloured == "10:00:00.123 \u{1b}[32mexec      \u{1b}[0m    4711      42  1000  /usr/bin/ls")
        #expect(!TableFixture.table().line(for: event).contains("\u{1b}"))
    }
}

struct EventTableHostilityTests {
    private static let hostile: [String] = [
        "\u{1b}[2J\u{1b}[31mroot", "a\nb\r\tc", "\u{9b}31m", "\u{202e}gpj.exe", "\u{200b}\u{feff}",
        "\u{7}\u{8}\u{7f}",
        "\u{2028}x", String(repeating: "\u{301}", count: 40_000), String(repeating: "日本", count: 5_000),
        String(repeating: "x", count: 100_000), String(repeating: "\u{1b}", count: 10_000),
        "\u{1f468}\u{200d}\u{1f469}",
    ]

    @Test(arguments: hostile.indices)
    func `hostile names, paths and arguments cannot leave their line`(index: Int) {
        let text = Self.hostile[index]
        let process = TableFixture.process(name: text, exe: "/" + text, arguments: [text, text, text])
        for kind in EventKind.allCases {
            for width in [0, 40, 80, 100_000] {
                let line = TableFixture.table(width: width).line(
                    for: TableFixture.event(kind, .process(process)))
                let hazards = line.unicodeScalars.filter { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: true
                    default: false
                    }
                }
                #expect(hazards.isEmpty)
                #expect(line.unicodeScalars.count <= 4 * 1_000 + 60)
                if width == 80 { #expect(Self.columns(of: line) <= 80) }
            }
        }
    }

    @Test func `wide characters take two columns`() {
        let line = TableFixture.line(.processExec, width: 72) {
            $0.executablePath = "/" + String(repeating: "日", count: 50)
        }
        #expect(line.hasSuffix("/日日日日日日日日日日日…"))
        #expect(Self.columns(of: line) == 71)
    }

    @Test func `a cut line ends in an ellipsis at the terminal's edge`() {
        let line = TableFixture.line(.processExec, width: 80) {
            $0.commandLine.append(String(repeating: "x", count: 99))
        }
        #expect(line.hasSuffix("x…"))
        #expect(line.count == 80)
    }

    @Test func `a user id of ten digits moves the rest but not beyond the edge`() {
        let line = TableFixture.line(.processExec, width: 80) {
            $0.uid = UserID(4_294_967_294)
            $0.commandLine.append(String(repeating: "x", count: 99))
        }
        #expect(line.contains(" 4294967294  /usr/bin/ls"))
        #expect(line.count == 80)
    }

    @Test func `a hostile name of a subscriber is harmless in gaps and accounts`() {
        let account = StreamAccount(subscriber: "\u{1b}[2J\n")
        #expect(TableFixture.table().lines(for: account)[0].hasPrefix(#"account \u{1b}[2J\n: offered 0"#))
    }

    /// Columns by an independent rule: ideographs take two, combining marks none.
    private static func columns(of line: String) -> Int {
        line.unicodeScalars.reduce(0) { sum, scalar in
            if scalar.properties.generalCategory == .nonspacingMark { return sum }
            return sum + (scalar.properties.isIdeographic || scalar.properties.isEmojiPresentation ? 2 : 1)
        }
    }
}
