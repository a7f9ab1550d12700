public import EventModel

/// How a collector and each of its sources are.
public struct HealthReport: Hashable, Sendable {
    public var component: String
    /// That of the worst source.
    public var health: Health
    /// In the order in which the sources were added.
    public var sources: [SourceHealth]
    public var time: WallTime
    public var monotonic: Instant

    package init(
        component: String, health: Health, sources: [SourceHealth], time: WallTime, monotonic: Instant
    ) {
        self.component = component
        self.health = health
        self.sources = sources
        self.time = time
        self.monotonic = monotonic
    }
}

/// How one source is.
public struct SourceHealth: Hashable, Sendable {
    public var source: SourceName
    public var state: SourceLifeState
    /// The worse of what the runtime sees and what the source said when it was asked last.
    public var health: Health
    /// Since when it is so, with another reason or without.
    public var since: Instant
    /// Runs after a failure.
    public var restartCount: Int

    package init(
        source: SourceName, state: SourceLifeState, health: Health, since: Instant, restartCount: Int
    ) {
        self.source = source
        self.state = state
        self.health = health
        self.since = since
        self.restartCount = restartCount
    }
}

/// Where a source is in its life.
public enum SourceLifeState: String, Hashable, Sendable, CaseIterable {
    /// Registered, not run yet.
    case registered
    case starting, ready, stopping
    /// Waits for its next run.
    case restarting
    case stopped, failed, abandoned
}

/// What the runtime knows of a source without asking it.
package struct SourceSupervision: Hashable, Sendable {
    package var source: SourceName
    package var phase: SupervisionStateMachine.Phase
    package var since: Instant
    package var attempt: Int
    package var restartCount: Int

    package init(
        source: SourceName, phase: SupervisionStateMachine.Phase, since: Instant, attempt: Int,
        restartCount: Int
    ) {
        self.source = source
        self.phase = phase
        self.since = since
        self.attempt = attempt
        self.restartCount = restartCount
    }

    package var state: SourceLifeState {
        switch phase {
        case .idle: .registered
        case .starting: .starting
        case .ready: .ready
        case .stopping: .stopping
        case .waiting: .restarting
        case .abandoned, .ended(.abandoned): .abandoned
        case .ended(.stopped): .stopped
        case .ended(.failed): .failed
        }
    }

    /// Whether it observes, or will without anybody's help.
    package var isInService: Bool {
        if case .ended = phase { false } else { true }
    }

    /// A source that comes back by itself is degraded; one that hangs or has been given up has failed.
    package var health: Health {
        switch phase {
        case .idle, .ready, .stopping(.request), .ended(.stopped): .healthy
        case .starting:
            attempt > 1 ? .degraded(reason: "runs again after a failure, not ready yet") : .healthy
        case .waiting(let reason): .degraded(reason: "will run again: \(reason)")
        case .stopping(.failure(let reason)), .abandoned(let reason), .ended(.failed(let reason)),
            .ended(.abandoned(let reason)):
            .failed(reason: reason)
        }
    }
}
