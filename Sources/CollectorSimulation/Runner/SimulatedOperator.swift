import Backends
import CollectorCore
import EventModel
import HostSources
import SimulatedBackends

/// Starts, stops, restarts and asks the collector when the scenario says so.
struct SimulatedOperator: Sendable {
    let scenario: Scenario
    let host: SimulatedHost
    let recorder: Recorder
    let sources: SourcesUnderTest

    /// How long the stream may take to say how the world is, where a scenario does not say.
    static let defaultConvergence: Int64 = 2_000_000_000

    /// Carries out the lines about the collector, in order, and ends when the last collector has ended.
    func perform() async {
        var daemon: Task<Void, Never>?
        for line in scenario.when where line.action.isAboutCollector {
            await sleep(until: line.time)
            switch line.action {
            case .start where daemon == nil: daemon = start()
            case .start: skip()
            case .account:
                if daemon != nil { host.kernel.signalCollector(.user1) } else { skip() }
            case .stop(let signal):
                guard let running = daemon else { skip(); continue }
                host.kernel.signalCollector(signal == .interrupt ? .interrupt : .terminate)
                await running.value
                daemon = nil
            case .restart(let downtime):
                guard let running = daemon else { skip(); continue }
                host.kernel.signalCollector(.terminate)
                await running.value
                let now = host.clock.monotonic
                await sleepQuietly(until: now.advanced(by: .nanoseconds(downtime)))
                daemon = start()
            default: continue
            }
        }
        guard let daemon else { return }
        let last = scenario.when.last?.time ?? 0
        await sleep(until: last.addingClamped(scenario.settings.rest))
        host.kernel.signalCollector(.terminate)
        await daemon.value
    }

    private func start() -> Task<Void, Never> {
        let daemon = SimulatedDaemon(
            host: host, settings: scenario.settings, recorder: recorder, sources: sources)
        return spawn(on: host.pump) { await daemon.run() }
    }

    private func skip() { recorder.update { $0.skippedLineCount += 1 } }

    private func sleep(until time: Int64) async {
        await sleepQuietly(until: host.kernel.configuration.start.advanced(by: .nanoseconds(time)))
    }

    private func sleepQuietly(until deadline: Instant) async {
        guard host.clock.monotonic < deadline else { return }
        // Nobody cancels the operator.
        try? await host.clock.sleep(until: deadline)
    }
}

extension CollectorSettings {
    /// How long the world rests before a collector that no line stops is stopped; by then the stream says how it is.
    var rest: Int64 {
        let convergence = convergence ?? SimulatedOperator.defaultConvergence
        guard !filesystem.roots.isEmpty else { return convergence }
        // A change of a file is told with its hash, waits for that by design, and then takes its way.
        let patience = FilesystemSourceSettings().hashPatience.wholeNanoseconds
        return max(convergence, patience.addingClamped(500_000_000))
    }
}
