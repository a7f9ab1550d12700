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
        let host = makeHost(rule(.procfsDirectory, .errno(.noMemory)) { $0.probability = 0.2 })
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
            rule(.netlinkReceive, .errno(.noMemory)) { $0.nth = 3 },
            rule(.netlinkReceive, .duplicate) { $0.nth = 4 },
            rule(.netlinkReceive, .short(1)) { $0.nth = 5 })
        let socket = try host.openListener()
        for _ in 0..<3 { host.kernel.setComm(pid(77), bytes("x")) }
        var batch = DatagramBatch(capacity: 2, slotByteCount: 128)
        #expect(failure { try socket.receive(into: &batch) } == .noMemory)
        try socket.receive(into: &batch)
        #expect(batch.datagrams.count == 2)
        #expect(batch.bytes[..<76] == batch.bytes[128..<204])
        try socket.receive(into: &batch)
        #expect(batch.datagrams.count == 1)
    }

    @Test func `an interruption costs time and never surfaces`() throws {
        let plain = makeHost()
        let interrupted = makeHost(rule(.procfsDirectory, .errno(.interrupted)))
        for host in [plain, interrupted] {
            #expect(failure { _ = try host.procFileSystem.openProcess(pid(77)) } == nil)
        }
        #expect(interrupted.kernel.now == plain.kernel.now.advanced(by: .microseconds(1)))
        #expect(interrupted.kernel.faultFirings == [1])
    }

    @Test func `times strikes so many calls in a row, for strikes for so long`() {
        let host = makeHost(
            rule(.procfsDirectory, .errno(.noMemory)) {
                $0.nth = 2; $0.times = 3
            },
            rule(.procfsList, .errno(.ioError)) {
                $0.nth = 1; $0.lasting = .milliseconds(1)
            })
        let files = host.procFileSystem
        let opened = (1...6).map { _ in failure { _ = try files.openProcess(pid(1)) } }
        #expect(opened == [nil, .noMemory, .noMemory, .noMemory, nil, nil])
        let listed = (1...3).map { _ in failure { _ = try files.listed() } }
        #expect(listed == [.ioError, .ioError, .ioError])
        host.kernel.pauseMachine(for: .milliseconds(1))
        #expect(failure { _ = try files.listed() } == nil)
    }

    @Test func `a read can end early, and a durable file can be short, empty or wrong by a bit`() throws {
        let content = Array("0123456789".utf8)
        func read(_ behaviour: FaultBehaviour) throws -> [UInt8]? {
            let host = makeHost(rule(.fileRead, behaviour))
            host.disk.store(content, as: "cursor")
            return try host.durableFile(named: "cursor").read()
        }
        #expect(try read(.short(4)) == Array("0123".utf8))
        #expect(try read(.endOfFile) == [])
        let wrong = try #require(try read(.corrupt))
        #expect(zip(wrong, content).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount } == 1)
        let host = makeHost(rule(.procfsRead, .endOfFile) { $0.file = "cmdline" })
        #expect(try host.procFileSystem.contents(of: .cmdline, pid(77)).isEmpty)
        #expect(try !host.procFileSystem.contents(of: .stat, pid(77)).isEmpty)
    }

    @Test func `a write in pieces takes longer and is whole`() throws {
        let bytes = [UInt8](repeating: 7, count: 100)
        let plain = makeHost()
        let short = makeHost(rule(.fileReplace, .short(10)))
        for host in [plain, short] { try host.durableFile(named: "x").replace(with: bytes) }
        #expect(short.disk.durableBytes(of: "x") == bytes)
        #expect(plain.kernel.now.advanced(by: .microseconds(10)) == short.kernel.now)
    }

    @Test func `datagrams of two processors change places unless one follows from the other`() throws {
        var configuration = plainConfiguration()
        configuration.processorCount = 2
        for isRelated in [false, true] {
            let host = SimulatedHost(
                configuration, faults: FaultPlan([rule(.netlinkReceive, .reorder)]))
            host.addShell()
            host.kernel.addProcess(pid(78), ProcessTemplate(path: "/bin/a"))
            let socket = try host.openListener()
            var names: Set<[Int32]> = []
            // Which processor each process runs on is the seed's choice: here they are two.
            for _ in 0..<40 {
                host.kernel.setComm(pid(77), bytes("x"))
                host.kernel.setComm(pid(isRelated ? 77 : 78), bytes("y"))
                let order = try socket.drainMessages().map { message -> Int32 in
                    guard case .comm(let task, let name) = message.event else { return 0 }
                    return task.tgid.rawValue * 1_000 + Int32(name.bytes.first ?? 0)
                }
                names.insert(order)
            }
            #expect(names.contains([78_121, 77_120]) == !isRelated, "\(names)")
        }
    }

    @Test func `a wait can end for nothing, and late`() {
        let ends = Shared<[Int64]>([])
        simulate(
            plainConfiguration(),
            faults: FaultPlan([
                rule(.netlinkWait, .spurious) { $0.nth = 1 },
                rule(.netlinkWait, .stall(.milliseconds(5))) { $0.nth = 2 },
                rule(.clockTimer, .stall(.milliseconds(7))) { $0.nth = 1 },
                rule(.signalsNext, .stall(.milliseconds(9))),
            ])
        ) { host in
            let socket = try host.openListener()
            let first = await socket.readable(until: host.clock.monotonic.advanced(by: .milliseconds(1)))
            #expect(first == .readable)
            var begin = host.clock.monotonic
            let second = await socket.readable(until: begin.advanced(by: .milliseconds(1)))
            #expect(second == .deadlinePassed)
            ends.change { $0.append(begin.duration(to: host.clock.monotonic).wholeNanoseconds) }
            let clock = host.threads.makeThread(named: "t").clock
            begin = clock.monotonic
            await sleep(for: .milliseconds(1), on: clock)
            ends.change { $0.append(begin.duration(to: host.clock.monotonic).wholeNanoseconds) }
            begin = clock.monotonic
            host.kernel.signalCollector(.terminate)
            #expect(await host.signals.next() == .terminate)
            ends.change { $0.append(begin.duration(to: host.clock.monotonic).wholeNanoseconds) }
        }
        let milliseconds = ends.value.map { $0 / 1_000_000 }
        #expect(milliseconds == [5, 8, 9])
    }

    @Test func `every error and behaviour that the catalogue has does something`() {
        for operation in BackendOperation.allCases {
            #expect(operation.faultKinds.contains(.errno) == !operation.errors.isEmpty, "\(operation)")
            #expect(operation.errors == operation.errors.sorted { $0.rawValue < $1.rawValue }, "\(operation)")
            #expect(Set(operation.errors).count == operation.errors.count, "\(operation)")
            #expect(!operation.errors.contains(.badFileDescriptor), "\(operation)")
        }
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
