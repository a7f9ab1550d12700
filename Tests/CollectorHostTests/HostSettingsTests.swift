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
    }

    @Test func `the receive buffer takes 8 KiB`() throws {
        let values = try Self.values("sources.process.receive_buffer=8 KiB")
        #expect(values[HostSettings.receiveBuffer] == .kibibytes(8))
    }

    @Test func `rules on processes are checked one by one`() throws {
        let values = try Self.values("sources.process.exclude=exe:/usr/bin/ls, name:sshd, uid:1000")
        #expect(values[HostSettings.exclude] == ["exe:/usr/bin/ls", "name:sshd", "uid:1000"])
        for text in ["exe:ls", "name:", "name:a-name-that-is-too-long", "uid:-1", "pid:3", "ls"] {
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
