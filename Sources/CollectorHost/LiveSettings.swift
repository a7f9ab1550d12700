import Backends
import CollectorCore
import Configuration
import ControlPlane
import EventModel
import HostSources
import Synchronization
import WireMessages

/// The settings in force, and the way to others: read, checked as a whole, and only then taken over.
final class LiveSettings: SettingsKeeper {
    /// What takes new values.
    struct Consumers: Sendable {
        var collector: Collector
        var process: ProcessSource
        /// `nil` when no folder is watched.
        var filesystem: FilesystemSource?
    }

    private struct State {
        var values: SettingsValues
        /// As they were read last: what takes effect at the next start.
        var next: SettingsValues
        var generation: UInt64 = 1
        var since: WallTime
        var refusal: (time: WallTime, problems: [String])?
        var isBusy = false
    }

    private let reader: SettingsReader
    private let consumers: Consumers
    private let clock: any SystemClock
    private let state: Mutex<State>

    init(reader: SettingsReader, values: SettingsValues, consumers: Consumers, clock: any SystemClock) {
        self.reader = reader
        self.consumers = consumers
        self.clock = clock
        state = Mutex(State(values: values, next: values, since: clock.wall))
        consumers.collector.announce(report(generation: 1))
    }

    /// Reads the settings anew and brings them into force.
    ///
    /// When it returns, every source that answers works by the new ones. If anything is wrong, all stay as they are.
    /// - Throws: ``TaskError``: `exhausted` while another reload is under way.
    @discardableResult
    func reload(isCheck: Bool = false) async throws(TaskError) -> ConfigurationReport {
        let present = state.withLock { state -> SettingsValues? in
            defer { state.isBusy = true }
            return state.isBusy ? nil : state.values
        }
        guard let present else { throw TaskError(.exhausted, "another reload is under way; try again") }
        defer { state.withLock { $0.isBusy = false } }
        let report: ConfigurationReport
        do {
            let next = try reader.read()
            let succession = try present.succeeded(by: next)
            if isCheck {
                let generation = state.withLock { $0.generation }
                return self.report(
                    generation: generation, changed: succession.changed, pending: succession.pending)
            }
            try await apply(succession.values)
            let generation = state.withLock { state in
                state.generation += 1
                state.values = succession.values
                state.next = next
                state.since = clock.wall
                state.refusal = nil
                return state.generation
            }
            report = self.report(
                generation: generation, changed: succession.changed, pending: succession.pending)
        } catch {
            let problems = (error as? SettingsError)?.problems.map(\.description) ?? ["\(error)"]
            let generation = state.withLock { state in
                if !isCheck { state.refusal = (clock.wall, problems) }
                return state.generation
            }
            report = self.report(generation: generation, problems: problems)
        }
        if !isCheck { consumers.collector.announce(report) }
        return report
    }

    /// What is checked already is given to everybody, and then everybody is asked for something that comes after it.
    private func apply(_ values: SettingsValues) async throws {
        try consumers.collector.adjust(to: HostSettings.collectorConfiguration(values))
        consumers.process.adjust(to: HostSettings.processSettings(values))
        consumers.filesystem?.adjust(to: HostSettings.filesystemSettings(values))
        _ = await consumers.collector.closeAccounts()
    }

    private func report(
        generation: UInt64, changed: [String] = [], pending: [String] = [], problems: [String] = []
    ) -> ConfigurationReport {
        ConfigurationReport(
            component: consumers.collector.configuration.componentName, generation: generation,
            changed: changed, pending: pending, problems: problems, time: clock.wall,
            monotonic: clock.monotonic)
    }

    // MARK: - For the control socket

    func reload(isCheck: Bool) async throws(TaskError) -> WireReloaded {
        let report: ConfigurationReport = try await reload(isCheck: isCheck)
        return WireReloaded(report)
    }

    var settings: WireSettings {
        let (values, next, generation, since, refusal) = state.withLock {
            ($0.values, $0.next, $0.generation, $0.since, $0.refusal)
        }
        var message = WireSettings()
        message.generation = generation
        message.sinceUnixNs = since.nanoseconds
        if let refusal {
            message.refusal.timeUnixNs = refusal.time.nanoseconds
            message.refusal.problems = refusal.problems
        }
        let explanations = values.explanations
        message.settings = zip(explanations, next.explanations).map { present, next in
            var setting = WireSettings.Setting(present)
            let text = next.valueText ?? next.defaultText
            if text != setting.value { setting.pending = text }
            return setting
        }
        return message
    }
}

extension WireSettings.Setting {
    fileprivate init(_ explanation: SettingsExplanation) {
        self.init()
        key = explanation.key
        value = explanation.valueText ?? explanation.defaultText
        origin = explanation.place ?? "default"
        type = explanation.type
        if let bounds = explanation.bounds { range = bounds }
        unit = explanation.unit
        defaultValue = explanation.defaultText
        reloadable = explanation.isReloadable
        documentation = explanation.documentation
    }
}
