import Backends
import CollectorCore
import EventModel
import HostSources
import KernelFormats
import SimulatedBackends
import Testing

import struct SystemPackage.Errno

/// The whole source on a simulated host.
@Suite struct ProcessSourceTests {
    /// What a run of the source left behind.
    struct Outcome: Sendable {
        var events: [Event] = []
        var gaps: [Gap] = []
        var account: SourceAccount?
        /// Closed shortly before the end, while the source ran.
        var runningAccount: SourceAccount?
        var health = Health.healthy
        var error: String?
        /// How often each rule of the faults has struck.
        var firings: [Int] = []

        func events(_ kind: EventKind) -> [ProcessEvent] {
            events.filter { $0.kind == kind }.compactMap { $0.process }
        }
    }

    /// Runs the source for `duration` while `work` changes the world.
    private func watch(
        _ configuration: WorldConfiguration = WorldConfiguration(), faults: [FaultRule] = [],
        disk: SimulatedDisk = SimulatedDisk(), receiveBuffer: Int? = nil,
        for duration: Duration = .seconds(5),
        _ work: @escaping @Sendable (SimulatedKernel) -> Void = { _ in }
    ) -> Outcome {
        let outcome = Shared(Outcome())
        let host = SimulatedHost(configuration, faults: FaultPlan(faults), disk: disk)
        host.kernel.addProcess(pid(77), ProcessTemplate(path: "/usr/bin/bash"))
        work(host.kernel)
        let report = Simulation.run(host.pump) {
            let connector = try host.openConnectorSocket()
            _ = try connector.setReceiveBuffer(byteCount: receiveBuffer ?? 8 << 20)
            let source = ProcessSource(
                endpoints: ProcessSource.Endpoints(
                    procfs: host.procFileSystem, connector: connector, fence: host.fence,
                    cursor: host.durableFile(named: "cursor")),
                settings: ProcessSourceSettings(), clock: host.clock)
            let run = RunContext(bootID: configuration.bootID, runID: RunID(1))
            let collector = try Collector(
                configuration: CollectorConfiguration(), run: run, thread: host.pump)
            try collector.register(source, on: host.pump)
            let subscription = try collector.subscribe(
                SubscriptionOptions(
                    name: "all", filter: .everything, queueLimit: 10_000, overflowPolicy: .block))
            let taker = spawn(on: host.pump) {
                while let item = await subscription.next() { outcome.change { $0.take(item) } }
            }
            let stopper = spawn(on: host.pump) {
                try? await host.clock.sleep(until: host.clock.monotonic.advanced(by: duration))
                let accounts = await collector.closeAccounts()
                outcome.change { $0.runningAccount = accounts.sources.first }
                let health = await collector.health()
                outcome.change { $0.health = health }
                collector.requestStop()
            }
            let report = try await collector.run()
            stopper.cancel()
            await taker.value
            outcome.change {
                $0.account = report.accounts.sources.first
                $0.error = report.failures.first?.reason
            }
        }
        #expect(report.ending == .completed)
        outcome.change { $0.firings = host.kernel.faultFirings }
        return outcome.value
    }

    private func bootConfiguration(seed: UInt64 = 1) -> WorldConfiguration {
        var configuration = WorldConfiguration(seed: seed)
        configuration.start = Instant(nanoseconds: 100_000_000_000)
        return configuration
    }

    /// Eighty short lives, one after the other, from one second after the start.
    private func shortLives(_ kernel: SimulatedKernel) {
        kernel.schedule(at: kernel.now.advanced(by: .seconds(1))) {
            $0.burst(parent: pid(77), count: 80, over: .milliseconds(400), executing: .file("/bin/true"))
        }
    }

    @Test func `every life is told from fork to exit and the account is exact on every processor`() throws {
        for seed in 1...UInt64(20) {
            let outcome = watch(bootConfiguration(seed: seed), shortLives)
            #expect(outcome.events(.processFork).count == 80, "seed \(seed)")
            #expect(outcome.events(.processExec).count == 80)
            #expect(outcome.events(.processExit).count == 80)
            #expect(outcome.gaps.isEmpty)
            let account = try #require(outcome.account)
            #expect(account.isBalanced && account.lost == 0, "seed \(seed)")
            let running = try #require(outcome.runningAccount)
            #expect(running.isBalanced && running.lost == 0 && running.emitted == 240, "seed \(seed)")
            #expect(running.kernel <= account.kernel)
            #expect(account.processors.allSatisfy { $0.isFenced } && account.processors.count == 2)
            let check = try #require(account.forkCheck)
            #expect((check.atLeast...check.atMost).contains(check.forks))
            #expect(outcome.health == .healthy)
        }
    }

    @Test func `what a small buffer loses is a gap with the exact number, and a resync follows`() throws {
        var sawLoss = false
        for seed in 1...UInt64(20) {
            let outcome = watch(bootConfiguration(seed: seed), receiveBuffer: 4_096) { kernel in
                kernel.schedule(at: kernel.now.advanced(by: .seconds(1))) {
                    $0.burst(
                        parent: pid(77), count: 500, over: .milliseconds(2), executing: .file("/bin/true"))
                }
            }
            let account = try #require(outcome.account)
            #expect(account.isBalanced, "seed \(seed)")
            let kernelGaps = outcome.gaps.filter { $0.cause == .kernelOverflow }
            #expect(kernelGaps.reduce(0) { $0 + ($1.lost ?? 0) } == account.lost, "seed \(seed)")
            if account.lost ?? 0 > 0 { sawLoss = true }
            // Whatever was lost, everybody who was told of has ended for the reader too.
            var alive: Set<ProcessIdentity> = []
            for event in outcome.events {
                guard let identity = event.process?.identity else { continue }
                if event.kind == .processExit { alive.remove(identity) } else { alive.insert(identity) }
            }
            #expect(Set(alive.map(\.pid)) == [pid(1), pid(2), pid(77)], "seed \(seed)")
        }
        #expect(sawLoss)
    }

    @Test func `a forged message makes no event, and health tells of it`() {
        let outcome = watch(bootConfiguration()) { kernel in
            kernel.schedule(at: kernel.now.advanced(by: .seconds(1))) {
                let message = ConnectorMessage(
                    processor: 0, sequence: 5_000, timestamp: $0.now, event: .exec(leader(4_242)))
                $0.forge(message.bytes, senderPort: 4_242)
            }
        }
        #expect(outcome.events.allSatisfy { $0.process?.pid != pid(4_242) })
        #expect(outcome.account?.isBalanced == true)
        guard case .degraded(let reason) = outcome.health else {
            Issue.record("health is \(outcome.health)")
            return
        }
        #expect(reason.contains("forged"))
    }

    @Test func `a kernel that does not answer is an error with advice`() {
        var configuration = bootConfiguration()
        configuration.connector = .silent
        #expect(watch(configuration).error?.contains("did not answer") == true)
    }

    @Test func `a subscription whose answer is always lost is an error, never taken for granted`() {
        // The first call and every second one report an overflow, so that no attempt comes to its time-out.
        var first = FaultRule(.netlinkReceive, .errno(.noBufferSpace))
        first.nth = 1
        var later = FaultRule(.netlinkReceive, .errno(.noBufferSpace))
        later.every = 2
        var configuration = bootConfiguration()
        configuration.connector = .silent
        #expect(watch(configuration, faults: [first, later]).error?.contains("did not answer") == true)
    }

    @Test func `a refusal names the capability that is missing`() {
        var configuration = bootConfiguration()
        configuration.kernel = KernelVersion(major: 5, minor: 10)
        configuration.ownUserID = UserID(1_000)
        configuration.ownCapabilities = []
        // Nobody listens: the kernel does not even acknowledge the refusal.
        let silent = watch(configuration).error ?? "none"
        #expect(silent.contains("CAP_NET_ADMIN"), "\(silent)")
        let refused = watch(configuration) { $0.addForeignListener() }.error ?? "none"
        #expect(refused.contains("refused") && refused.contains("CAP_NET_ADMIN"), "\(refused)")
    }

    @Test func `the acknowledgement of somebody else's request is not taken for one's own`() {
        var configuration = bootConfiguration()
        configuration.kernel = KernelVersion(major: 5, minor: 10)
        configuration.ownUserID = UserID(1_000)
        configuration.ownCapabilities = []
        configuration.callCost = .microseconds(1) ... .microseconds(1)
        // The socket is open after 1 µs, the request is sent after 2.
        let outcome = watch(configuration) { kernel in
            kernel.schedule(at: kernel.now.advanced(by: .nanoseconds(1_500))) { $0.addForeignListener() }
        }
        #expect(outcome.error?.contains("refused") == true, "\(outcome.error ?? "none")")
    }

    @Test func `the next run of the same boot says that something is missing`() throws {
        let disk = SimulatedDisk()
        let first = watch(bootConfiguration(), disk: disk, shortLives)
        #expect(first.gaps.isEmpty, "there was no run before")
        let second = watch(bootConfiguration(), disk: disk)
        let gap = try #require(second.gaps.first)
        #expect(gap.cause == .notRunning && gap.lost == nil && gap.lostBounds.atMost == nil)
    }

    @Test func `a cursor of another boot makes no gap`() {
        let disk = SimulatedDisk()
        let cursor = ConnectorCursor(
            bootID: BootID(high: 9, low: 9), positions: [ConnectorCursor.Position(processor: 0, sequence: 1)])
        disk.store(cursor.bytes, as: "cursor")
        let outcome = watch(bootConfiguration(), disk: disk)
        #expect(outcome.gaps.isEmpty && outcome.error == nil)
    }

    @Test(arguments: [Errno?.none, .ioError])
    func `a cursor that is damaged or cannot be read makes a gap without numbers`(error: Errno?) throws {
        let disk = SimulatedDisk()
        disk.store([0xff, 0x00], as: "cursor")
        let faults = error.map { [FaultRule(.fileRead, .errno($0))] } ?? []
        let outcome = watch(bootConfiguration(), faults: faults, disk: disk)
        let gap = try #require(outcome.gaps.first)
        #expect(gap.cause == .notRunning && gap.lost == nil && gap.processors.isEmpty)
        #expect(gap.lostBounds == LostBounds(atLeast: 0, atMost: nil))
        #expect(outcome.error == nil)
    }

    @Test func `a cursor that cannot be saved degrades health until it can`() {
        var rule = FaultRule(.fileReplace, .errno(.noSpace))
        rule.nth = 1
        let failing = watch(bootConfiguration(), faults: [rule], for: .seconds(40))
        #expect(failing.health == .degraded(reason: "the cursor could not be saved: \(Errno.noSpace)"))
        let recovered = watch(bootConfiguration(), faults: [rule], for: .seconds(70))
        #expect(recovered.health == .healthy)
        #expect(failing.error == nil && recovered.error == nil)
    }

    @Test func `a hidden proc degrades health and ends nobody`() {
        var configuration = bootConfiguration()
        configuration.ownUserID = UserID(1_000)
        configuration.ownCapabilities = [.networkAdministration]
        configuration.hidepid = .invisible
        let outcome = watch(configuration, shortLives)
        guard case .degraded(let reason) = outcome.health else {
            Issue.record("health is \(outcome.health)")
            return
        }
        #expect(reason.contains("hidepid"))
        #expect(outcome.events(.processExit).allSatisfy { $0.exit?.isInferred == false })
    }

    @Test func `a receive that fails for long ends the source with the error, after pauses`() {
        var rule = FaultRule(.netlinkReceive, .errno(.noMemory))
        rule.during = Instant(nanoseconds: 0)..<Instant(nanoseconds: .max)
        rule.nth = 40
        rule.times = .max
        let outcome = watch(bootConfiguration(), faults: [rule], for: .seconds(30), shortLives)
        #expect(outcome.error?.contains("memory") == true, "\(outcome.error ?? "none")")
    }

    @Test func `a proc that cannot be listed degrades health until it can`() {
        var first = FaultRule(.netlinkReceive, .errno(.noBufferSpace))
        first.nth = 60
        var rule = FaultRule(.procfsList, .errno(.tooManyOpenFiles))
        rule.nth = 2
        rule.times = 3
        let failing = watch(bootConfiguration(), faults: [first, rule], for: .seconds(3), shortLives)
        let recovered = watch(bootConfiguration(), faults: [first, rule], for: .seconds(20), shortLives)
        #expect(failing.health == .degraded(reason: "/proc cannot be listed: \(Errno.tooManyOpenFiles)"))
        #expect(recovered.health == .healthy)
        #expect(failing.error == nil && recovered.error == nil)
    }

    @Test(arguments: [(ProcessFile.stat, 1), (.status, 1), (.cmdline, 1), (.cgroup, 0)])
    func `a resync reads again only what lost messages can have told`(file: ProcessFile, count: Int) {
        var loss = FaultRule(.netlinkReceive, .errno(.noBufferSpace))
        loss.nth = 60
        // The baseline has read it once.
        var again = FaultRule(.procfsOpen, .errno(.ioError))
        again.pid = pid(77)
        again.file = file.rawValue
        again.nth = 2
        let outcome = watch(bootConfiguration(), faults: [loss, again], shortLives)
        #expect(outcome.firings == [1, count])
    }

    @Test(arguments: [
        (BackendOperation.procfsDirectory, Errno.tooManyOpenFiles), (.procfsOpen, .noSuchProcess),
        (.procfsRead, .ioError),
        (.procfsReadLink, .permissionDenied), (.procfsStatus, .noMemory), (.procfsPIDFD, .noFunction),
        (.procfsRead, .noSuchProcess), (.netlinkReceive, .noBufferSpace), (.fenceAnnounce, .invalidArgument),
        (.netlinkReceive, .noMemory), (.netlinkSend, .noBufferSpace), (.procfsList, .tooManyOpenFiles),
        (.fileRead, .ioError), (.fileReplace, .readOnlyFileSystem),
    ])
    func `whichever call fails, the source goes on and its account is balanced`(
        operation: BackendOperation, error: Errno
    ) {
        for nth in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89] {
            var rule = FaultRule(operation, .errno(error))
            rule.nth = nth
            let outcome = watch(bootConfiguration(), faults: [rule], for: .seconds(3), shortLives)
            #expect(outcome.error == nil, "\(operation) \(nth)")
            #expect(outcome.account?.isBalanced == true, "\(operation) \(nth)")
            #expect(outcome.events(.processExit).count == 80, "\(operation) \(nth)")
        }
    }
}

extension ProcessSourceTests.Outcome {
    mutating func take(_ item: Delivery) {
        switch item {
        case .events(let selected): events += selected.map { $0 }
        case .gap(let gap): gaps.append(gap)
        case .status, .record: break
        }
    }
}
