import Backends
import EventModel
import KernelFormats
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

@Suite struct ClockTests {
    private let host = SimulatedHost(plainConfiguration())
    private var clock: any SystemClock { host.clock }

    @Test func `a step of the wall clock moves only it and the boot time of the kernel`() throws {
        func bootTime() throws -> UInt64? {
            var content: [UInt8] = []
            let handle = try host.procFileSystem.open(.stat)
            _ = try host.procFileSystem.readAll(handle, limit: 65_536, into: &content)
            return try SystemStat(parsing: content).bootTime
        }
        let btime = try #require(try bootTime())
        let (wall, monotonic, boot) = (clock.wall, clock.monotonic, clock.bootTime)
        host.kernel.stepRealtime(by: .seconds(-5))
        #expect(clock.wall.nanoseconds == wall.nanoseconds - 5_000_000_000)
        #expect(clock.monotonic == monotonic)
        #expect(clock.bootTime == boot)
        #expect(try bootTime() == btime - 5)
    }

    @Test func `suspend moves boot time and wall clock but not the monotonic clock or its timers`() {
        let (wall, monotonic, boot) = (clock.wall, clock.monotonic, clock.bootTime)
        host.kernel.suspend(for: .seconds(3_600))
        #expect(clock.bootTime.nanoseconds == boot.nanoseconds + 3_600_000_000_000)
        #expect(clock.wall.nanoseconds == wall.nanoseconds + 3_600_000_000_000)
        #expect(clock.monotonic == monotonic)
        host.addShell()
        let child = host.kernel.fork(parent: pid(77))
        #expect(child.flatMap { host.kernel.truth.incarnation($0, ordinal: 1) }?.startTicks == 360_000)
    }

    @Test func `a pause of the machine is a jump of all clocks in which nothing happens`() throws {
        host.addShell()
        let before = clock.monotonic
        let due = before.advanced(by: .seconds(1))
        host.kernel.schedule(at: due) { $0.setComm(pid(77), bytes("late")) }
        host.kernel.pauseMachine(for: .seconds(60))
        #expect(clock.monotonic == before.advanced(by: .seconds(60)))
        #expect(try host.procFileSystem.contents(of: .comm, pid(77)) == bytes("late\n"))
        let change = try #require(host.kernel.truth.incarnation(pid(77), ordinal: 1)?.changes.last)
        #expect(change.time >= before.advanced(by: .seconds(60)))
    }

    @Test func `a slewed clock runs faster than the oscillator`() {
        host.kernel.slew(partsPerMillion: 500)
        let (raw, monotonic) = (host.pump.raw, clock.monotonic)
        host.kernel.pauseMachine(for: .seconds(1))
        let elapsed = monotonic.duration(to: clock.monotonic).wholeNanoseconds
        let rawElapsed = raw.duration(to: host.pump.raw).wholeNanoseconds
        #expect((499_000...501_000).contains((elapsed - rawElapsed) * 1_000_000_000 / elapsed))
    }

    @Test func `a leap second is told twice by the wall clock and once by the others`() {
        let (wall, boot) = (clock.wall, clock.bootTime)
        host.kernel.pauseMachine(for: .seconds(1))
        host.kernel.stepRealtime(by: .seconds(-1))
        #expect(clock.wall == wall)
        #expect(clock.bootTime.nanoseconds == boot.nanoseconds + 1_000_000_000)
    }

    @Test func `reading a clock takes no time, and equal stamps occur`() {
        #expect(clock.monotonic == clock.monotonic)
        #expect(clock.bootTime.nanoseconds >= clock.monotonic.nanoseconds)
    }

    @Test func `wall time is boot wall time plus time since boot`() {
        var configuration = plainConfiguration()
        configuration.start = Instant(nanoseconds: 50)
        configuration.suspendedBeforeStart = .nanoseconds(7)
        let host = SimulatedHost(configuration)
        #expect(host.clock.bootTime.nanoseconds == 57)
        #expect(host.clock.wall.nanoseconds == configuration.bootWall.nanoseconds + 57)
    }
}

@Suite struct FenceTests {
    @Test(arguments: [UInt32(0), 1, 2, 3])
    func `an announcement carries the sequence of its processor, then the name is restored`(
        processor: UInt32
    ) throws {
        var configuration = plainConfiguration()
        configuration.processorCount = 4
        let host = SimulatedHost(configuration)
        let socket = try host.openListener()
        let next = host.kernel.nextSequences[Int(processor)]
        try host.fence.announce("fence-1", on: processor)
        let messages = try socket.drainMessages()
        #expect(messages.count == 2)
        #expect(messages[0].processor == processor && messages[0].sequence == next)
        guard case .comm(let task, let name) = messages[0].event,
            case .comm(_, let restored) = messages[1].event
        else {
            Issue.record("\(messages)")
            return
        }
        #expect(task.tgid == host.fence.ownProcessID && task.tid != task.tgid)
        #expect(name.bytes == bytes("fence-1"))
        #expect(restored.bytes == bytes("collectord"))
    }

    @Test func `with fences the kernel's count is exact, losses at the end included`() throws {
        let host = SimulatedHost(plainConfiguration())
        host.addShell()
        let socket = try host.openListener(bufferByteCount: 8_192)
        func fence() throws -> [UInt32: UInt32] {
            var sequences: [UInt32: UInt32] = [:]
            for processor in try host.fence.onlineProcessors() {
                try host.fence.announce("fence", on: processor)
                for message in try socket.drainMessages() {
                    if case .comm(_, let name) = message.event, name.bytes == bytes("fence") {
                        sequences[message.processor] = message.sequence
                    }
                }
            }
            return sequences
        }
        let before = try fence()
        for _ in 0..<1_000 {
            let child = try #require(host.kernel.fork(parent: pid(77)))
            host.kernel.killAndReap(child)
        }
        let received = try socket.drainMessages().count
        let after = try fence()
        let kernel = after.reduce(0) { $0 + Int($1.value &- (before[$1.key] ?? 0)) }
        // 2 000 messages, two announcements of the second fence, and restored names in between.
        #expect(socket.droppedCount == 2_000 - received)
        #expect((2_002...2_006).contains(kernel))
    }

    @Test func `a processor that may not be used is refused`() throws {
        var configuration = plainConfiguration()
        configuration.forbiddenProcessors = [1]
        let host = SimulatedHost(configuration)
        #expect(failure { try host.fence.announce("x", on: 1) } == .invalidArgument)
        #expect(failure { try host.fence.announce("x", on: 9) } == .invalidArgument)
        #expect(try host.fence.onlineProcessors() == [0, 1])
    }
}

@Suite struct ServiceTests {
    @Test func `entropy is the seed's`() {
        let words = { (seed: UInt64) in
            let entropy = SimulatedHost(WorldConfiguration(seed: seed)).entropy
            return (0..<4).map { _ in entropy.nextWord() }
        }
        #expect(words(1) == words(1))
        #expect(words(1) != words(2))
    }

    @Test func `signals queue once each and wake whoever waits`() {
        let report = simulate(plainConfiguration()) { host in
            host.kernel.signalCollector(.hangUp)
            host.kernel.signalCollector(.hangUp)
            host.kernel.signalCollector(.terminate)
            #expect(await host.signals.next() == .hangUp)
            #expect(await host.signals.next() == .terminate)
            host.kernel.schedule(at: host.clock.monotonic.advanced(by: .seconds(1))) {
                $0.signalCollector(.user1)
            }
            #expect(await host.signals.next() == .user1)
            await withTaskGroup(of: HostSignal?.self) { group in
                group.addTask { await host.signals.next() }
                await sleep(for: .milliseconds(1), on: host.clock)
                group.cancelAll()
                #expect(await group.next() == .some(nil))
            }
        }
        #expect(report.ending == .completed)
    }

    @Test func `a file survives a restart of the host`() throws {
        let disk = SimulatedDisk()
        let first = SimulatedHost(plainConfiguration(), disk: disk).durableFile(named: "run")
        #expect(try first.read() == nil)
        try first.replace(with: [1, 2])
        let second = SimulatedHost(plainConfiguration(seed: 2), disk: disk).durableFile(named: "run")
        #expect(try second.read() == [1, 2])
    }

    @Test func `a crash during a replacement leaves the old bytes or the new ones`() throws {
        var outcomes: Set<[UInt8]> = []
        for seed in 1...UInt64(60) {
            let disk = SimulatedDisk()
            disk.store([1], as: "run")
            let plan = FaultPlan([FaultRule(.fileReplace, .crash)])
            let file = SimulatedHost(plainConfiguration(seed: seed), faults: plan, disk: disk).durableFile(
                named: "run")
            #expect(failure { try file.replace(with: [2]) } == .ioError)
            #expect(failure { _ = try file.read() } == .ioError)
            disk.restorePower()
            outcomes.insert(try #require(try file.read()))
        }
        #expect(outcomes == [[1], [2]])
    }

    @Test func `a failed replacement leaves the old bytes`() throws {
        let disk = SimulatedDisk()
        var rule = FaultRule(.fileReplace, .errno(.noSpace))
        rule.nth = 2
        let host = SimulatedHost(plainConfiguration(), faults: FaultPlan([rule]), disk: disk)
        let file = host.durableFile(named: "run")
        try file.replace(with: [1])
        #expect(failure { try file.replace(with: [2]) } == .noSpace)
        #expect(try file.read() == [1])
        try file.replace(with: [3])
        #expect(disk.durableBytes(of: "run") == [3])
        disk.failPower()
        #expect(failure { try file.replace(with: [4]) } == .ioError)
    }

    @Test func `a collector that starts again has another pid, no sockets and the old count of listeners`()
        throws
    {
        let host = SimulatedHost(plainConfiguration())
        host.addShell()
        let socket = try host.openListener()
        let old = host.kernel.ownProcessID
        let new = try #require(host.kernel.restartCollector())
        #expect(new != old && host.fence.ownProcessID == new)
        #expect(failure { try socket.send([]) } == .badFileDescriptor)
        host.kernel.setComm(pid(77), bytes("x"))
        #expect(host.kernel.truth.messages.last?.fate == .unheard)
        let next = try host.openListener()
        host.kernel.setComm(pid(77), bytes("y"))
        #expect(try next.drainEvents().count == 1)
    }
}
