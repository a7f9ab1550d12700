import Backends
import EventModel
import KernelFormats
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

@Suite struct FaultTests {
    private func makeHost(_ rules: FaultRule...) -> SimulatedHost {
        let host = SimulatedHost(plainConfiguration(), faults: FaultPlan(rules))
        host.addShell()
        return host
    }

    private func rule(
        _ operation: BackendOperation, _ behaviour: FaultBehaviour,
        _ adjust: (inout FaultRule) -> Void = { _ in }
    ) -> FaultRule {
        var rule = FaultRule(operation, behaviour)
        adjust(&rule)
        return rule
    }

    @Test func `a rule strikes only the calls it names`() throws {
        let host = makeHost(
            rule(.procfsOpen, .errno(.tooManyOpenFilesInSystem)) {
                $0.pid = pid(77); $0.file = "stat"
            })
        let files = host.procFileSystem
        #expect(failure { _ = try files.contents(of: .stat, pid(77)) } == .tooManyOpenFilesInSystem)
        #expect(failure { _ = try files.contents(of: .comm, pid(77)) } == nil)
        #expect(failure { _ = try files.contents(of: .stat, pid(1)) } == nil)
        #expect(host.kernel.faultFirings == [1])
    }

    @Test func `nth strikes once, every strikes regularly, during strikes for a time`() throws {
        let host = makeHost(
            rule(.procfsDirectory, .errno(.noMemory)) { $0.nth = 3 },
            rule(.procfsList, .errno(.ioError)) { $0.every = 2 },
            rule(.fenceAnnounce, .errno(.invalidArgument)) {
                $0.during = Instant(nanoseconds: 1_000_000)..<Instant(nanoseconds: 2_000_000)
            })
        let files = host.procFileSystem
        #expect(
            (1...4).map { _ in failure { _ = try files.openProcess(pid(1)) } } == [nil, nil, .noMemory, nil])
        #expect((1...4).map { _ in failure { _ = try files.listed() } } == [nil, .ioError, nil, .ioError])
        #expect(failure { try host.fence.announce("x", on: 0) } == nil)
        host.kernel.pauseMachine(for: .milliseconds(1))
        #expect(failure { try host.fence.announce("x", on: 0) } == .invalidArgument)
        host.kernel.pauseMachine(for: .milliseconds(1))
        #expect(failure { try host.fence.announce("x", on: 0) } == nil)
    }

    @Test func `a probability strikes that often`() throws {
        let host = makeHost(rule(.procfsDirectory, .errno(.interrupted)) { $0.probability = 0.2 })
        let count = (0..<1_000).count { _ in
            failure { _ = try host.procFileSystem.openProcess(pid(1)) } != nil
        }
        #expect((150...250).contains(count))
    }

    @Test func `a short read delivers less, and the rest by the next one`() throws {
        let host = makeHost(rule(.procfsRead, .short(7)))
        let content = try host.procFileSystem.contents(of: .stat, pid(77))
        #expect(try ProcessStat(parsing: content).pid == pid(77))
        #expect(host.kernel.faultFirings[0] > 10)
    }

    @Test func `a stall lets the world go on within the call`() throws {
        let host = makeHost(rule(.procfsReadLink, .stall(.seconds(2))))
        host.kernel.schedule(at: Instant(nanoseconds: 1_000_000_000)) {
            $0.exec(pid(77), .file("/bin/other"), over: .zero)
        }
        #expect(try host.procFileSystem.link(.exe, pid(77)) == bytes("/bin/other"))
        #expect(host.clock.monotonic.nanoseconds >= 2_000_000_000)
    }

    @Test func `a process dies right before it is read`() throws {
        let host = makeHost(
            rule(.procfsRead, .diesBeforeRead) {
                $0.pid = pid(77); $0.nth = 1
            })
        #expect(failure { _ = try host.procFileSystem.contents(of: .status, pid(77)) } == .noSuchProcess)
        #expect(host.kernel.incarnation(of: pid(77)) == nil)
    }

    @Test func `a receive can fail, deliver little or deliver twice`() throws {
        let host = makeHost(
            rule(.netlinkReceive, .errno(.interrupted)) { $0.nth = 3 },
            rule(.netlinkReceive, .duplicate) { $0.nth = 4 },
            rule(.netlinkReceive, .short(1)) { $0.nth = 5 })
        let socket = try host.openListener()
        for _ in 0..<3 { host.kernel.setComm(pid(77), bytes("x")) }
        var batch = DatagramBatch(capacity: 2, slotByteCount: 128)
        #expect(failure { try socket.receive(into: &batch) } == .interrupted)
        try socket.receive(into: &batch)
        #expect(batch.datagrams.count == 2)
        #expect(batch.bytes[..<76] == batch.bytes[128..<204])
        try socket.receive(into: &batch)
        #expect(batch.datagrams.count == 1)
    }

    @Test func `faults are part of the trace`() {
        func hash(_ plan: FaultPlan) -> UInt64 {
            simulate(plainConfiguration(), faults: plan) { host in
                _ = try? host.procFileSystem.openProcess(pid(1))
            }.hash
        }
        #expect(hash(FaultPlan()) != hash(FaultPlan([rule(.procfsDirectory, .stall(.zero))])))
    }

    @Test func `every operation has a name of its own`() {
        #expect(Set(BackendOperation.allCases.map(\.rawValue)).count == BackendOperation.allCases.count)
        #expect(BackendOperation(rawValue: "netlink.recv") == .netlinkReceive)
    }
}
