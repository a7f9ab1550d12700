import Backends
package import CollectorCore
package import Configuration
import EventModel
import HostSources
import LinuxBackends
import Synchronization

/// The daemon: configuration, then everything opened, then privileges reduced, then sources run.
public enum CollectorHost {
    /// Runs until a signal, the end of ``HostOptions/duration``, or a closed pipe.
    ///
    /// To be called on the process's first thread, before any other exists; blocks it. Accounts go to standard error, or with JSON to standard output.
    /// - Returns: The exit code: 0, or 69 when a source has failed for good, or 70 when something did not stop in time. A
    ///   second signal while stopping ends the process at once with 75, after the accounts as they stand.
    public static func run(_ options: HostOptions) throws(HostError) -> Int32 {
        HostProcess.fillStandardDescriptors()
        let reader = SettingsReader(
            file: options.configurationFile, flags: options.assignments, sources: options.sources)
        let values = try settings(reader)
        let host = try OpenedHost.open(values, sources: options.sources)
        let crashWatch = try CrashWatch.begin(in: values[HostSettings.stateDirectory])
        try Posture.apply(values)
        let session = try HostSession(options: options, reader: reader, values: values, host: host)
        let result = Mutex<Int32>(HostError.Code.internal.exitCode)
        withExtendedLifetime(crashWatch) {
            host.main.serveOnCallingThread {
                let code = await session.run()
                result.withLock { $0 = code }
            }
        }
        return result.withLock { $0 }
    }

    static func settings(_ reader: SettingsReader) throws(HostError) -> SettingsValues {
        do throws(SettingsError) {
            return try reader.read()
        } catch {
            throw HostError(.configuration, "\(error)")
        }
    }
}

extension HostSettings {
    /// What the runtime is told of the settings.
    package static func collectorConfiguration(_ values: SettingsValues) -> CollectorConfiguration {
        var configuration = CollectorConfiguration()
        configuration.maxEventSources = values[maxEventSources]
        configuration.eventBufferSize = values[eventBufferSize]
        configuration.shutdownTimeout = values[shutdownTimeout]
        configuration.startupTimeout = values[startupTimeout]
        configuration.maxBatchSize = values[maxBatchSize]
        configuration.batchTimeout = values[batchTimeout]
        configuration.backpressureThreshold = Double(values[backpressureThreshold].hundredths) / 100
        configuration.maxBackpressureWait = values[maxBackpressureWait]
        configuration.componentName = values[componentName]
        configuration.healthCheckInterval = values[healthCheckInterval]
        configuration.enableDebugLogging = values[enableDebugLogging]
        configuration.enableTelemetry = values[enableTelemetry]
        configuration.telemetryInterval = values[telemetryInterval]
        configuration.restartDelay = values[restartDelay]
        configuration.maxRestartDelay = values[maxRestartDelay]
        configuration.maxRestarts = values[maxRestarts]
        configuration.restartWindow = values[restartWindow]
        return configuration
    }

    static func processSettings(_ values: SettingsValues) -> ProcessSourceSettings {
        var settings = ProcessSourceSettings()
        settings.receiveBufferByteCount = values[HostSettings.receiveBuffer].bytes
        settings.sampleInterval = values[sampleInterval]
        settings.lateReadDelay = values[lateReadDelay]
        settings.pollInterval = values[pollInterval]
        settings.pollRate = values[pollRate]
        settings.rules.include = values[include].compactMap { ProcessRule($0) }
        settings.rules.exclude = values[exclude].compactMap { ProcessRule($0) }
        settings.worldWritableFolders = values[worldWritable]
        settings.redactsArguments = values[redact]
        settings.secretNames = values[redactNames]
        return settings
    }
}
