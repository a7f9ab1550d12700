import CollectorCore
import EventModel
import HostSources
import KernelFormats
import SimulatedBackends
import Testing

/// Secrets in arguments, from the simulated kernel to the events.
@Suite struct RedactionTests {
    private static let secret = "cAnArY-cAnArY"

    /// Runs the source while a process executes a program with a secret, and then writes a title with one.
    private func watch(_ change: (inout ProcessSourceSettings) -> Void = { _ in }) -> [ProcessEvent] {
        let found = Shared<[ProcessEvent]>([])
        let host = SimulatedHost(WorldConfiguration(seed: 3), faults: FaultPlan([]), disk: SimulatedDisk())
        var settings = ProcessSourceSettings()
        settings.sampleInterval = .seconds(1)
        change(&settings)
        var daemon = ProcessTemplate(path: "/usr/bin/daemon")
        daemon.argv = ["daemon", "--token", Self.secret].map { Array($0.utf8) }
        host.kernel.addProcess(pid(77), daemon)
        host.kernel.schedule(at: host.kernel.now.advanced(by: .milliseconds(500))) { world in
            _ = world.fork(parent: pid(77), as: pid(80))
            world.exec(
                pid(80), .file("/usr/bin/mysql"),
                argv: ["mysql", "-p" + Self.secret, "db"].map { Array($0.utf8) })
        }
        host.kernel.schedule(at: host.kernel.now.advanced(by: .milliseconds(540))) { world in
            world.setTitle(pid(80), Array("x --token cAnArY".utf8))
        }
        _ = Simulation.run(host.pump) { [settings] in
            let source = ProcessSource(
                endpoints: ProcessSource.Endpoints(
                    procfs: host.procFileSystem, connector: try host.openConnectorSocket(), fence: host.fence,
                    cursor: host.durableFile(named: "cursor")),
                settings: settings, clock: host.clock)
            let collector = try Collector(
                configuration: CollectorConfiguration(),
                run: RunContext(bootID: WorldConfiguration().bootID, runID: RunID(1)), thread: host.pump)
            try collector.register(source, on: host.pump)
            let subscription = try collector.subscribe(
                SubscriptionOptions(
                    name: "all", filter: .everything, queueLimit: 1_000, overflowPolicy: .block))
            let taker = spawn(on: host.pump) {
                while let item = await subscription.next() {
                    guard case .events(let selected) = item else { continue }
                    selected.forEach { event, _ in
                        if let process = event.process { found.change { $0.append(process) } }
                    }
                }
            }
            let stopper = spawn(on: host.pump) {
                try? await host.clock.sleep(until: host.clock.monotonic.advanced(by: .seconds(5)))
                collector.requestStop()
            }
            _ = try await collector.run()
            stopper.cancel()
            await taker.value
        }
        return found.value
    }

    private func commandLines(_ events: [ProcessEvent]) -> Set<[String]> { Set(events.map(\.commandLine)) }

    @Test func `events tell [redacted] in place of a secret, and how many there were`() {
        let events = watch()
        let lines = commandLines(events)
        #expect(lines.contains(["daemon", "--token", "[redacted]"]))
        #expect(lines.contains(["mysql", "-p[redacted]", "db"]))
        #expect(lines.contains(["x --token [redacted]"]), "a title is read and redacted again")
        #expect(!events.contains { $0.commandLine.contains { $0.contains("cAnArY") } })
        for event in events where event.commandLine.joined().contains("[redacted]") {
            #expect(event.redactedCount == 1)
        }
        #expect(events.contains { $0.redactedCount == 0 && $0.pid == pid(1) })
    }

    @Test func `it can be switched off`() {
        let events = watch { $0.redactsArguments = false }
        #expect(commandLines(events).contains(["mysql", "-p" + Self.secret, "db"]))
        #expect(!events.contains { $0.redactedCount > 0 })
    }

    @Test func `names can be added`() {
        let events = watch { $0.secretNames = ["db"] }
        #expect(commandLines(events).contains(["mysql", "-p[redacted]", "db"]), "a bare word is no option")
    }
}
