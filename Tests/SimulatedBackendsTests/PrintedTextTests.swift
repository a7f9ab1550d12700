import Backends
import EventModel
import SimulatedBackends
import Testing

/// What `stat` and `status` say of a process that was read before.
@Suite struct PrintedTextTests {
    struct Change: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var happen: @Sendable (SimulatedKernel) -> Void

        init(_ description: String, _ happen: @escaping @Sendable (SimulatedKernel) -> Void) {
            testDescription = description
            self.happen = happen
        }
    }

    static let sleeper = pid(412)

    static let changes = [
        Change("name") { $0.setComm(sleeper, bytes("renamed")) },
        Change("user") { $0.setUserID(sleeper, real: UserID(33), effective: UserID(34)) },
        Change("group") { $0.setGroupID(sleeper, real: GroupID(35), effective: GroupID(36)) },
        Change("session") { $0.setSession(sleeper) },
        Change("program") { $0.exec(sleeper, .file("/usr/bin/env"), argv: [bytes("env"), bytes("x")]) },
        Change("tracer") { $0.ptraceAttach(sleeper, by: pid(77)) },
        Change("thread") { $0.createThread(in: sleeper, as: pid(500)) },
        Change("memory") { $0.setMemory(sleeper, virtualByteCount: 1 << 30, residentByteCount: 1 << 20) },
        Change("time") { $0.spendProcessorTime(sleeper, user: .seconds(2), system: .seconds(1)) },
        Change("parent") { $0.exit(pid(77)) },
        Change("end") { $0.exit(sleeper, .exited(3)) },
    ]

    /// Both texts after a change, of a process that was read before it or was not.
    private func texts(after change: Change, isReadBefore: Bool) throws -> [[UInt8]] {
        let host = SimulatedHost(plainConfiguration())
        host.addShell()
        _ = try host.addSleeper()
        let files = [ProcessFile.stat, .status]
        if isReadBefore { for file in files { _ = try host.procFileSystem.contents(of: file, Self.sleeper) } }
        change.happen(host.kernel)
        return try files.map { try host.procFileSystem.contents(of: $0, Self.sleeper) }
    }

    @Test(arguments: changes)
    func `a text that was read before shows what has changed since`(_ change: Change) throws {
        #expect(try texts(after: change, isReadBefore: true) == texts(after: change, isReadBefore: false))
        #expect(
            try texts(after: change, isReadBefore: true)
                != texts(after: Change("nothing") { _ in }, isReadBefore: true))
    }

    @Test func `a text that was read before hides what the reader may not see any more`() throws {
        let host = SimulatedHost(unprivilegedConfiguration(uid: 1_000))
        host.addShell(uid: 1_000)
        let open = try host.procFileSystem.contents(of: .stat, pid(77))
        host.kernel.setDumpable(pid(77), false)
        #expect(try host.procFileSystem.contents(of: .stat, pid(77)) != open)
        host.kernel.setDumpable(pid(77), true)
        #expect(try host.procFileSystem.contents(of: .stat, pid(77)) == open)
    }
}
