import CollectorCore
import Testing

@Suite struct CollectorConfigurationTests {
    @Test func `the defaults are valid`() throws {
        try CollectorConfiguration().validate()
    }

    struct OutOfRange: Sendable, CustomTestStringConvertible {
        let setting: String
        let change: @Sendable (inout CollectorConfiguration) -> Void
        var testDescription: String { setting }

        init(_ setting: String, _ change: @escaping @Sendable (inout CollectorConfiguration) -> Void) {
            self.setting = setting
            self.change = change
        }
    }

    static let outOfRange = [
        OutOfRange("max_event_sources") { $0.maxEventSources = 0 },
        OutOfRange("event_buffer_size") { $0.eventBufferSize = 0 },
        OutOfRange("event_buffer_size") { $0.eventBufferSize = -1 },
        OutOfRange("shutdown_timeout") { $0.shutdownTimeout = .zero },
        OutOfRange("startup_timeout") { $0.startupTimeout = .zero },
        OutOfRange("max_batch_size") { $0.maxBatchSize = 0 },
        OutOfRange("max_batch_size") { $0.maxBatchSize = 65_536 },
        OutOfRange("batch_timeout") { $0.batchTimeout = .zero },
        OutOfRange("backpressure_threshold") { $0.backpressureThreshold = 0 },
        OutOfRange("backpressure_threshold") { $0.backpressureThreshold = 1.01 },
        OutOfRange("backpressure_threshold") { $0.backpressureThreshold = .nan },
        OutOfRange("max_backpressure_wait") { $0.maxBackpressureWait = .seconds(-1) },
        OutOfRange("component_name") { $0.componentName = "" },
        OutOfRange("health_check_interval") { $0.healthCheckInterval = .zero },
        OutOfRange("telemetry_interval") { $0.telemetryInterval = .seconds(-1) },
        OutOfRange("restart_delay") { $0.restartDelay = .zero },
        OutOfRange("max_restart_delay") { $0.maxRestartDelay = .milliseconds(999) },
        OutOfRange("max_restarts") { $0.maxRestarts = -1 },
        OutOfRange("restart_window") { $0.restartWindow = .zero },
    ]

    @Test(arguments: outOfRange)
    func `a setting out of its range is named`(_ example: OutOfRange) {
        var configuration = CollectorConfiguration()
        example.change(&configuration)
        let error = #expect(throws: InvalidConfiguration.self) { try configuration.validate() }
        #expect(error?.setting == example.setting)
        #expect(error?.expected.isEmpty == false)
    }

    @Test func `the ends of the ranges are valid`() throws {
        var configuration = CollectorConfiguration()
        configuration.maxEventSources = 1
        configuration.eventBufferSize = 1
        configuration.maxBatchSize = 65_535
        configuration.backpressureThreshold = 1
        try configuration.validate()
        configuration.maxBatchSize = 1
        try configuration.validate()
    }
}
