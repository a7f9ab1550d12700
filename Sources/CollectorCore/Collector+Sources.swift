public import Backends
import DequeModule
public import EventModel
import Synchronization

extension Collector {
    /// Adds a source before ``run()``; it will run on `thread`.
    ///
    /// - Throws: ``CollectorError``: too many sources, a name twice, or the collector is already running.
    public func register(_ source: any EventSource, on thread: any ExecutionThread) throws(CollectorError) {
        let runner = makeRunner(source, on: thread)
        let problem = state.withLock { state -> CollectorError? in
            guard state.phase == .registering else {
                return CollectorError(
                    code: .alreadyRun,
                    message: "cannot register \"\(runner.name)\": the collector is running; add it")
            }
            if let problem = refusal(of: runner, in: state) { return problem }
            state.sources.append(runner)
            return nil
        }
        if let problem { throw problem }
    }

    /// Adds a source, and starts it at once if the collector is running.
    ///
    /// Its name may be that of a source that has ended. Subscribers get a ``CapabilityReport``.
    /// - Throws: ``CollectorError``: too many sources, a name twice, or the collector is stopping.
    public func add(_ source: any EventSource, on thread: any ExecutionThread) async throws(CollectorError) {
        let runner = makeRunner(source, on: thread)
        let result = state.withLock {
            state -> Result<(former: SourceRunner?, isRunning: Bool), CollectorError> in
            guard state.phase != .stopping else {
                return .failure(
                    CollectorError(
                        code: .stopping, message: "cannot add \"\(runner.name)\": the collector is stopping"))
            }
            if let problem = refusal(of: runner, in: state) { return .failure(problem) }
            let former = takeReplaceable(for: runner, from: &state)
            state.sources.append(runner)
            return .success((former, state.phase == .running))
        }
        let (former, isRunning) = try result.get()
        if isRunning { runner.start() }
        announceCapabilities()
        if let former { await retire(former) }
    }

    /// Stops a source, hands out what it emitted, and forgets it; its account is part of every later report.
    ///
    /// Takes as long as the source takes to stop, at most ``CollectorConfiguration/shutdownTimeout``; a source that does
    /// not stop in half of it is abandoned. Subscribers get a ``CapabilityReport``.
    /// - Returns: The source's last account.
    /// - Throws: ``CollectorError``: no such source, or the collector is stopping.
    @discardableResult
    public func remove(_ name: SourceName) async throws(CollectorError) -> SourceAccount {
        let now = thread.clock.monotonic
        let result = state.withLock { state -> Result<SourceRunner, CollectorError> in
            guard state.phase != .stopping else {
                return .failure(
                    CollectorError(
                        code: .stopping, message: "cannot remove \"\(name)\": the collector is stopping"))
            }
            guard let index = state.sources.firstIndex(where: { $0.name == name }) else {
                return .failure(
                    CollectorError(code: .unknownSource, message: "there is no source named \"\(name)\""))
            }
            let runner = state.sources.remove(at: index)
            state.leaving.append(runner)
            if state.board.remove(name) { state.outbox.append(.health(healthReport(of: state, at: now))) }
            return .success(runner)
        }
        let runner = try result.get()
        announceCapabilities()
        runner.stop()
        _ = await runner.waitUntilStopped(until: now.advanced(by: configuration.stopGrace))
        _ = await runner.waitUntilPumped(until: now.advanced(by: configuration.shutdownTimeout / 8 * 7))
        return await retire(runner)
    }

    // MARK: - Parts

    private func makeRunner(_ source: any EventSource, on thread: any ExecutionThread) -> SourceRunner {
        SourceRunner(
            source: source, descriptor: source.descriptor, thread: thread, runtimeThread: self.thread,
            bus: bus, configuration: configuration, run: run
        ) { [weak self] runner in
            self?.noteChange(of: runner)
        }
    }

    private func refusal(of runner: SourceRunner, in state: borrowing State) -> CollectorError? {
        let living = state.sources.filter { $0.ending == nil }
        if living.contains(where: { $0.name == runner.name }) {
            return CollectorError(
                code: .duplicateName, message: "there is already a source named \"\(runner.name)\"")
        }
        guard living.count < state.configuration.maxEventSources else {
            return CollectorError(
                code: .tooManySources,
                message: "cannot add \"\(runner.name)\": max_event_sources is "
                    + "\(state.configuration.maxEventSources)")
        }
        return nil
    }

    /// The ended source whose place the new one takes: that of its name, else the oldest when there are too many.
    private func takeReplaceable(for runner: SourceRunner, from state: inout State) -> SourceRunner? {
        let isCrowded = state.sources.count >= state.configuration.maxEventSources
        let index =
            state.sources.firstIndex { $0.name == runner.name }
            ?? (isCrowded ? state.sources.firstIndex { $0.ending != nil } : nil)
        guard let index else { return nil }
        let former = state.sources.remove(at: index)
        _ = state.board.remove(former.name)
        state.leaving.append(former)
        return former
    }

    @discardableResult
    private func retire(_ runner: SourceRunner) async -> SourceAccount {
        let account = await runner.account(until: answerDeadline)
        state.withLock { state in
            state.leaving.removeAll { $0 === runner }
            state.retired.add(account, ending: runner.ending)
        }
        return account
    }

    // MARK: - Announcements

    /// Enters the new state of a source.
    ///
    /// - Returns: Whether every source has ended for good, though nobody asked for it.
    func noteSupervision(of runner: SourceRunner) -> Bool {
        let now = thread.clock.monotonic
        let isOver = state.withLock { state in
            guard state.sources.contains(where: { $0 === runner }) else { return false }
            if state.board.note(runner.supervision, at: now) {
                state.outbox.append(.health(healthReport(of: state, at: now)))
            }
            return state.phase == .running && state.sources.allSatisfy { $0.ending != nil }
        }
        announceCapabilities()
        return isOver
    }

    /// Enters what sources have answered.
    func noteAnswers(_ answers: [(runner: SourceRunner, attempt: Int, health: Health)]) {
        let now = thread.clock.monotonic
        state.withLock { state in
            var hasChanged = false
            for (runner, attempt, health) in answers where state.sources.contains(where: { $0 === runner }) {
                if state.board.note(health, of: runner.name, attempt: attempt, at: now) { hasChanged = true }
            }
            if hasChanged { state.outbox.append(.health(healthReport(of: state, at: now))) }
        }
        publishRecords()
        debug("health: \(state.withLock { $0.board.overall })")
    }

    /// Tells subscribers when the capabilities, or the sources in service, are not what they were told last.
    func announceCapabilities() {
        let now = thread.clock.monotonic
        let wall = thread.clock.wall
        state.withLock { state in
            guard state.phase == .running else { return }
            let inService = state.sources.filter { $0.supervision.isInService }
            let report = CapabilityReport(
                component: state.configuration.componentName,
                capabilities: inService.reduce(into: []) { $0.formUnion($1.descriptor.capabilities) },
                sources: inService.map(\.name), time: wall, monotonic: now)
            let last = state.lastCapabilities
            guard report.capabilities != last?.capabilities || report.sources != last?.sources else { return }
            state.lastCapabilities = report
            state.outbox.append(.capabilities(report))
        }
        publishRecords()
    }

    private func healthReport(of state: borrowing State, at now: Instant) -> HealthReport {
        HealthReport(
            component: state.configuration.componentName, health: state.board.overall,
            sources: state.board.sources, time: thread.clock.wall, monotonic: now)
    }

    func publishRecords() {
        let isOurs = state.withLock { state in
            defer { state.isPublishing = true }
            return !state.isPublishing
        }
        guard isOurs else { return }
        while let record = state.withLock({ nextRecord(&$0) }) { bus.publish(record) }
    }

    private func nextRecord(_ state: inout State) -> CollectorRecord? {
        let record = state.outbox.popFirst()
        if record == nil { state.isPublishing = false }
        return record
    }
}
