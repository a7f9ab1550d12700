public import EventModel

extension Collector {
    /// The kinds of tasks that sources in service carry out, in the order of ``TaskKind``.
    public var tasks: [TaskKind] {
        let offered = runners.filter { $0.supervision.isInService }.flatMap(\.descriptor.tasks)
        return TaskKind.allCases.filter(offered.contains)
    }

    /// Has the source that can carry out the task do so.
    ///
    /// - Throws: ``TaskError``: `unsupported` when no source in service can, `timedOut` at the deadline.
    public func perform(_ task: SourceTask, until deadline: Instant) async throws(TaskError) -> TaskAnswer {
        let able = runners.filter { $0.descriptor.tasks.contains(task.kind) }
        guard let runner = able.first(where: { $0.supervision.state == .ready }) else {
            guard able.contains(where: { $0.supervision.isInService }) else {
                throw TaskError(.unsupported, "no source here carries out \(task.kind.rawValue)")
            }
            throw TaskError(.exhausted, "the source for \(task.kind.rawValue) is not ready; ask again")
        }
        return try await runner.perform(task, until: deadline)
    }
}
