import EventModel
import KernelFormats
import Testing

@Suite struct ConnectorMessageTests {
    private static func task(_ tid: Int32, of tgid: Int32) -> ConnectorTask {
        ConnectorTask(tid: ProcessID(tid), tgid: ProcessID(tgid))
    }

    private static func leader(_ pid: Int32) -> ConnectorTask { task(pid, of: pid) }

    private static let parent = leader(6_922)

    /// A span must not pass through the macros of the tests.
    private func message(in bytes: [UInt8], at offset: Int, count: Int) throws -> ConnectorMessage {
        try ConnectorMessage(parsing: bytes.span, at: offset, count: count)
    }

    @Test(arguments: [
        (ConnectorCapture.listenAcknowledged, ConnectorEvent.acknowledgement(error: 0)),
        (ConnectorCapture.refused, .acknowledgement(error: 22)),
        (ConnectorCapture.fork, .fork(parent: parent, child: leader(6_963))),
        (ConnectorCapture.threadFork, .fork(parent: parent, child: task(6_967, of: 6_966))),
        (ConnectorCapture.comm, .comm(leader(6_963), name: TaskComm(Array("a) R 1 (\n\\ ".utf8) + [0xff]))),
        (ConnectorCapture.gid, .gid(leader(6_963), real: GroupID(1_000), effective: GroupID(1_001))),
        (ConnectorCapture.uid, .uid(leader(6_963), real: UserID(1_000), effective: UserID(1_001))),
        (ConnectorCapture.session, .session(leader(6_963))),
        (ConnectorCapture.exec, .exec(leader(6_963))),
        (ConnectorCapture.exit, .exit(leader(6_964), code: 0x300, signal: 17, parent: parent)),
        (ConnectorCapture.threadExit, .exit(task(6_967, of: 6_966), code: 0, signal: -1, parent: nil)),
        (ConnectorCapture.coredump, .coredump(leader(6_965), parent: parent)),
        (ConnectorCapture.attach, .ptrace(leader(6_968), tracer: parent)),
        (ConnectorCapture.detach, .ptrace(leader(6_968), tracer: leader(0))),
    ])
    func `a captured message has the event that was caused`(bytes: [UInt8], event: ConnectorEvent) throws {
        #expect(try ConnectorMessage(parsing: bytes).event == event)
    }

    @Test func `the header of a captured message is read`() throws {
        let message = try ConnectorMessage(parsing: ConnectorCapture.exec)
        #expect(message.processor == 1)
        #expect(message.sequence == 9)
        #expect(message.acknowledgement == 0)
        #expect(message.timestamp == Instant(nanoseconds: 0x158_2079_6a99))
        #expect(message.isNumbered)
    }

    @Test func `an acknowledgement carries the request's value plus one`() throws {
        #expect(try ConnectorMessage(parsing: ConnectorCapture.listenAcknowledged).acknowledgement == 0x56)
    }

    @Test(arguments: ConnectorCapture.all)
    func `a captured message is printed as the kernel sent it`(bytes: [UInt8]) throws {
        #expect(try ConnectorMessage(parsing: bytes).bytes == bytes)
    }

    @Test func `an acknowledgement of an older kernel is not numbered`() {
        let message = ConnectorMessage(
            processor: .max, sequence: 5, timestamp: Instant(nanoseconds: 1),
            event: .acknowledgement(error: 0))
        #expect(!message.isNumbered)
    }

    @Test func `a message is found at its offset`() throws {
        let bytes = ConnectorCapture.fork + ConnectorCapture.exit + ConnectorCapture.exec
        #expect(
            try message(in: bytes, at: 76, count: 76)
                == (try ConnectorMessage(parsing: ConnectorCapture.exit)))
    }

    @Test(arguments: [
        (-1, 76), (0, 77), (1, 76), (76, 1), (.max, 76), (0, .max), (.max, .max), (0, -1), (.min, .min),
    ])
    func `a range beyond the bytes is refused`(offset: Int, count: Int) {
        let error = #expect(throws: FormatError.self) {
            try message(in: ConnectorCapture.fork, at: offset, count: count)
        }
        #expect(error?.reason == .truncated)
    }

    @Test func `a kind that is not known keeps its number, its CPU and its sequence`() throws {
        var bytes = ConnectorCapture.fork
        bytes.replaceSubrange(36..<40, with: [0, 4, 0, 0])
        let message = try ConnectorMessage(parsing: bytes)
        #expect(message.event == .unknown(what: 0x400))
        #expect(message.processor == 1)
        #expect(message.sequence == 2)
    }

    /// `event` with a payload of `byteCount` bytes, its lengths put right.
    private static func shortened(_ bytes: [UInt8], payload byteCount: Int) -> [UInt8] {
        var bytes = Array(bytes.prefix(52 + byteCount))
        bytes[0] = UInt8(bytes.count)
        bytes[32] = UInt8(16 + byteCount)
        return bytes
    }

    @Test func `an exit without room for a parent, as before Linux 4.18, has none`() throws {
        let message = try ConnectorMessage(parsing: Self.shortened(ConnectorCapture.exit, payload: 16))
        #expect(message.event == .exit(Self.leader(6_964), code: 0x300, signal: 17, parent: nil))
    }

    @Test func `a coredump without room for a parent, as before Linux 4.18, has none`() throws {
        let message = try ConnectorMessage(parsing: Self.shortened(ConnectorCapture.coredump, payload: 8))
        #expect(message.event == .coredump(Self.leader(6_965), parent: nil))
    }

    @Test func `bytes behind the data that cn_msg announces are not read`() throws {
        var bytes = ConnectorCapture.exit
        bytes[32] = 32
        #expect(
            try ConnectorMessage(parsing: bytes).event
                == .exit(Self.leader(6_964), code: 0x300, signal: 17, parent: nil))
    }

    @Test(arguments: ConnectorCapture.all)
    func `a payload shorter than its kind needs is truncated`(bytes: [UInt8]) {
        let error = #expect(throws: FormatError.self) {
            try ConnectorMessage(parsing: Self.shortened(bytes, payload: 3))
        }
        #expect(error?.reason == .truncated)
        #expect(error?.offset == 52)
    }

    @Test(arguments: [(4, 2), (16, 4), (20, 3)])
    func `a message of another protocol is foreign`(offset: Int, value: UInt8) {
        var bytes = ConnectorCapture.fork
        bytes[offset] = value
        let error = #expect(throws: FormatError.self) { try ConnectorMessage(parsing: bytes) }
        #expect(error?.reason == .foreign)
    }

    @Test func `data longer than their message are malformed`() {
        var bytes = ConnectorCapture.fork
        bytes[32] = 41
        let error = #expect(throws: FormatError.self) { try ConnectorMessage(parsing: bytes) }
        #expect(error?.reason == .malformed)
        #expect(error?.offset == 32)
    }

    @Test func `a name in a message ends at the first NUL`() throws {
        var bytes = ConnectorCapture.comm
        bytes.replaceSubrange(60..<76, with: Array("12345678ab".utf8) + [0] + Array("stale".utf8))
        let expected = TaskComm(Array("12345678ab".utf8))
        let message = try ConnectorMessage(parsing: bytes)
        #expect(message.event == .comm(Self.leader(6_963), name: expected))
        #expect(expected.bytes == Array("12345678ab".utf8))
    }

    @Test func `a name in a message has at most 15 bytes`() throws {
        var bytes = ConnectorCapture.comm
        bytes.replaceSubrange(60..<76, with: Array("0123456789abcdef".utf8))
        guard case .comm(_, let name) = try ConnectorMessage(parsing: bytes).event else {
            Issue.record("not a COMM message")
            return
        }
        #expect(name.bytes == Array("0123456789abcde".utf8))
        #expect(name == TaskComm(Array("0123456789abcdef".utf8)))
    }

    @Test func `each length of a name survives`() {
        for count in 0...15 {
            let bytes = (0..<count).map { UInt8(0x80 + $0) }
            #expect(TaskComm(bytes).bytes == bytes)
        }
    }

    @Test func `what is printed is read back`() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<5_000 {
            let message = generator.message()
            #expect(try ConnectorMessage(parsing: message.bytes) == message)
        }
    }

    @Test func `a mask admits its kinds and, if asked, exits that are not 0`() {
        let exit = ConnectorEvent.exit(Self.leader(2), code: 0, signal: 17, parent: nil)
        let failure = ConnectorEvent.exit(Self.leader(2), code: 256, signal: 17, parent: nil)
        let exec = ConnectorEvent.exec(Self.leader(2))
        #expect(ConnectorEventMask.exec.admits(exec))
        #expect(!ConnectorEventMask.fork.admits(exec))
        #expect(ConnectorEventMask.nonzeroExit.admits(failure))
        #expect(!ConnectorEventMask.nonzeroExit.admits(exit))
        #expect(ConnectorEventMask.exit.admits(exit))
    }

    @Test func `only a listener to all is sent acknowledgements`() {
        let acknowledgement = ConnectorEvent.acknowledgement(error: 0)
        #expect(ConnectorEventMask.all.admits(acknowledgement))
        #expect(!ConnectorEventMask.exec.admits(acknowledgement))
    }
}

extension SeededGenerator {
    mutating func task() -> ConnectorTask { ConnectorTask(tid: pid(), tgid: pid()) }

    /// A task that is not none, as far as ids of 0 are written like an absent parent.
    private mutating func parent() -> ConnectorTask? {
        maybe { $0.task() }.flatMap { $0.isNone ? nil : $0 }
    }

    mutating func event() -> ConnectorEvent {
        switch next() % 11 {
        case 0: .acknowledgement(error: integer())
        case 1: .fork(parent: task(), child: task())
        case 2: .exec(task())
        case 3: .uid(task(), real: UserID(integer()), effective: UserID(integer()))
        case 4: .gid(task(), real: GroupID(integer()), effective: GroupID(integer()))
        case 5: .session(task())
        case 6: .ptrace(task(), tracer: task())
        case 7: .comm(task(), name: TaskComm(bytes(atMost: 20)))
        case 8: .coredump(task(), parent: parent())
        case 9: .exit(task(), code: integer(), signal: integer(), parent: parent())
        default: .unknown(what: 0x0000_0400 << UInt32(next() % 16))
        }
    }

    mutating func message() -> ConnectorMessage {
        ConnectorMessage(
            processor: integer(), sequence: integer(), acknowledgement: integer(),
            timestamp: Instant(nanoseconds: integer(Int64.self) & .max), event: event())
    }
}
