import CollectorCore
import CollectorHost
import Configuration
import Testing

struct HostSettingsTests {
    private static func values(_ argument: String) throws(SettingsError) -> SettingsValues {
        try HostSettings.table.values(applying: [SettingsAssignment(argument, option: "--set")])
    }

    @Test func `the defaults are those of the specification`() {
        let values = HostSettings.table.defaults
        #expect(values[HostSettings.maxEventSources] == 16)
        #expect(values[HostSettings.eventBufferSize] == 1_000)
        #expect(values[HostSettings.shutdownTimeout] == .seconds(30))
        #expect(values[HostSettings.startupTimeout] == .seconds(10))
        #expect(values[HostSettings.maxBatchSize] == 100)
        #expect(values[HostSettings.batchTimeout] == .milliseconds(100))
        #expect(values[HostSettings.backpressureThreshold].share(of: 1_000) == 800)
        #expect(values[HostSettings.maxBackpressureWait] == .milliseconds(500))
        #expect(values[HostSettings.componentName] == "collector-core")
        #expect(values[HostSettings.healthCheckInterval] == .seconds(60))
        #expect(values[HostSettings.enableDebugLogging] == false)
        #expect(values[HostSettings.enableTelemetry] == true)
        #expect(values[HostSettings.telemetryInterval] == .seconds(30))
    }

    /// Each setting, a value for it, and what the runtime then has.
    private static let reaching: [(argument: String, has: @Sendable (CollectorConfiguration) -> Bool)] = [
        ("max_event_sources=3", { $0.maxEventSources == 3 }),
        ("event_buffer_size=300", { $0.eventBufferSize == 300 }),
        ("shutdown_timeout=3s", { $0.shutdownTimeout == .seconds(3) }),
        ("health_check_interval=3s", { $0.healthCheckInterval == .seconds(3) }),
        ("startup_timeout=3s", { $0.startupTimeout == .seconds(3) }),
        ("enable_debug_logging=true", { $0.enableDebugLogging }),
        ("max_batch_size=3", { $0.maxBatchSize == 3 }),
        ("batch_timeout=3ms", { $0.batchTimeout == .milliseconds(3) }),
        ("backpressure_threshold=30%", { $0.backpressureThreshold == 0.3 }),
        ("max_backpressure_wait=3ms", { $0.maxBackpressureWait == .milliseconds(3) }),
        ("enable_telemetry=false", { !$0.enableTelemetry }),
        ("telemetry_interval=3s", { $0.telemetryInterval == .seconds(3) }),
        ("component_name=here", { $0.componentName == "here" }),
        ("restart_delay=3s", { $0.restartDelay == .seconds(3) }),
        ("max_restart_delay=3s", { $0.maxRestartDelay == .seconds(3) }),
        ("max_restarts=0", { $0.maxRestarts == 0 }),
        ("restart_window=3s", { $0.restartWindow == .seconds(3) }),
    ]

    @Test func `every limit and time-out of the runtime can be set`() throws {
        for (argument, has) in Self.reaching {
            let configuration = HostSettings.collectorConfiguration(try Self.values("collector." + argument))
            #expect(has(configuration), "\(argument)")
            try configuration.validate()
        }
        let keys = try HostSettings.table.defaults.explanations(of: "collector").map(\.key)
        #expect(
            Set(keys)
                == Set(Self.reaching.map { "collector." + ($0.argument.split(separator: "=").first ?? "") }))
    }

    @Test func `a first delay beyond the longest is refused`() {
        #expect(throws: SettingsError.self) { try Self.values("collector.restart_delay=2m") }
    }

    @Test func `the receive buffer takes 8 KiB`() throws {
        let values = try Self.values("sources.process.receive_buffer=8 KiB")
        #expect(values[HostSettings.receiveBuffer] == .kibibytes(8))
    }

    @Test func `rules on processes are checked one by one`() throws {
        let values = try Self.values("sources.process.exclude=exe:/usr/bin/ls, name:sshd, uid:1000")
        #expect(values[HostSettings.exclude] == ["exe:/usr/bin/ls", "name:sshd", "uid:1000"])
        #expect(throws: Never.self) {
            try Self.values("sources.process.include=cgroup:/a/*,parent:/b,gid:5-6,uid:0-99,exe:/*")
        }
        for text in ["exe:ls", "name:", "name:a-name-that-is-too-long", "uid:-1", "pid:3", "ls", "uid:2-1"] {
            #expect(throws: SettingsError.self) { try Self.values("sources.process.exclude=uid:1," + text) }
        }
    }

    @Test func `capabilities are those that the collector can use`() throws {
        #expect(try Self.values("hardening.capabilities=")[HostSettings.capabilities].isEmpty)
        #expect(throws: SettingsError.self) { try Self.values("hardening.capabilities=sys_admin") }
    }

    @Test func `a batch larger than the buffer is refused`() {
        #expect {
            try Self.values("collector.event_buffer_size=50")
        } throws: { error in
            "\(error)".hasPrefix(
                "--set collector.event_buffer_size=50: expected collector.max_batch_size (100)")
        }
    }

    @Test func `every setting is explained in full sentences`() throws {
        for explanation in try HostSettings.table.defaults.explanations(of: nil) {
            #expect(explanation.documentation.hasSuffix("."), "\(explanation.key)")
            #expect(explanation.text(width: 80).hasPrefix(explanation.key + "\n"))
        }
    }
}
