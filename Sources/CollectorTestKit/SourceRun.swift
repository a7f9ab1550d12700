public import CollectorCore
public import CollectorSimulation

/// One run of a collector with a source of yours, on a simulated host.
///
/// ```swift
/// let run = try SourceRun(of: .spool, scenario: """
///     scenario full v1
///     config sources.spool.limit=1
///     given
///       folder /var/spool/mail
///     when
///       @1s file.create /var/spool/mail/a
///     """)
/// #expect(run.events.map(\.kind) == [.performanceSample])
/// ```
///
/// The same scenario and seed give the same run. The collector's own sources run beside yours, as in production.
public struct SourceRun: Sendable {
    /// What the source has emitted, in the order of delivery.
    public let events: [Event]
    /// Where the stream of the source has holes, in the order of delivery.
    public let gaps: [Gap]
    /// Each change of the source's state, in the order of delivery.
    public let statuses: [SourceStatus]
    /// The source's last account; `nil` when the collector did not end in order.
    public let account: SourceAccount?
    /// What the oracles found wrong, and the lines of `expect` that do not hold.
    public let failures: [Failure]
    /// The virtual time that it took.
    public let duration: Duration
    /// Equal for runs in which the same happened in the same order.
    public let traceHash: UInt64

    /// Runs a scenario.
    ///
    /// - Parameters:
    ///   - text: A scenario file, or its first line and nothing else for an idle host.
    ///   - seed: Decides the order in which what is ready runs, the time that calls take, and faults by chance.
    /// - Throws: `ScenarioError` with the place in the text.
    public init(of source: SourceDefinition, scenario text: String, seed: UInt64 = 1) throws(ScenarioError) {
        self.init(SourceTrial(source, try Scenario(testing: text), seed: seed))
    }

    init(_ trial: SourceTrial) {
        let items = trial.recording.runs.flatMap(\.stream)
        events = items.compactMap { item in
            if case .event(let event) = item.content, event.source == trial.name { event } else { nil }
        }
        gaps = items.compactMap { item in
            if case .gap(let gap) = item.content, gap.source == trial.name { gap } else { nil }
        }
        statuses = items.compactMap { item in
            if case .status(let status) = item.content, status.source == trial.name { status } else { nil }
        }
        account = trial.recording.runs.last?.report?.accounts.sources.first { $0.source == trial.name }
        failures = trial.record.failures
        duration = .nanoseconds(trial.record.virtualNanoseconds)
        traceHash = trial.record.traceHash
    }
}

extension Scenario {
    /// A scenario in which the collector is started at once, unless it says when.
    init(testing text: String) throws(ScenarioError) {
        try self.init(parsing: Array(text.utf8), path: "scenario")
        if !when.contains(where: { $0.action == .start }) { self = try adding(to: "when", "@0 start") }
    }

    /// The same world, without what is expected of it and without an end.
    func endless() throws(ScenarioError) -> Scenario {
        var document = document
        document.sections.removeAll { $0.name == "expect" }
        let ends = Set(when.compactMap { if case .stop = $0.action { $0.number } else { nil } })
        for index in document.sections.indices where document.sections[index].name == "when" {
            document.sections[index].lines.removeAll { $0.number > 0 && ends.contains($0.number) }
        }
        return try Scenario(document, path: path)
    }
}

/// A run with everything that is known of it.
struct SourceTrial {
    let name: SourceName
    let record: RunRecord
    let recording: Recording

    init(_ source: SourceDefinition, _ scenario: Scenario, seed: UInt64) {
        name = source.name
        (record, recording) = ScenarioRunner.runAndRecord(scenario, seed: seed, sources: [source])
    }
}
